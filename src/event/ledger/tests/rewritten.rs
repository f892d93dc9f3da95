//! Other settings, and what was written down in another form of tenants: what was told is neither lost
//! nor cut short.

use super::*;

fn lowercase() -> TenantForm {
    TenantForm::new(|written| Some(written.to_lowercase()))
}

fn of(tenant: &'static str) -> Person<'static> {
    Person {
        tenant: Some(tenant),
        ..ALICE
    }
}

/// Told of alice in a tenant that is written with capitals.
fn told(kind: Kind) -> Event {
    Event {
        tenant: Some("ACME".into()),
        ..event(kind, 0)
    }
}

fn suspension() -> Event {
    Event {
        whom: None,
        ..told(Kind::TenantSuspended)
    }
}

fn renaming() -> Event {
    told(Kind::UserIdChanged {
        to: "alicia".into(),
        all_tokens: true,
    })
}

#[tokio::test(start_paused = true)]
async fn in_whatever_spelling_a_tenant_is_resumed_it_is_open_for_good() {
    let old = Ledger::new(SETTINGS, lowercase());
    take(&old, &suspension());
    let resumed = Event {
        kind: Kind::TenantResumed,
        tenant: Some("acme".into()),
        ..Event {
            time: Timestamp::from_secs(1_799_990_001),
            ..suspension()
        }
    };
    take(&old, &resumed);
    assert_eq!(old.size().suspended, 0);
    tokio::time::advance(SETTINGS.tombstone_for).await;
    // Whatever comes next lets go what has ended.
    take(&old, &event(Kind::UserUpdated, 0));
    let new = Ledger::new(SETTINGS, lowercase());
    new.restore(old.entries(), Duration::ZERO);
    for ledger in [old, new] {
        assert!(!ledger.is_suspended("realm", "acme"));
        assert!(!ledger.is_suspended("realm", "ACME"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_told_in_several_spellings_takes_room_once() {
    let ledger = Ledger::new(SETTINGS, lowercase());
    for tenant in ["ACME", "Acme", "acme"] {
        take(
            &ledger,
            &Event {
                tenant: Some(tenant.into()),
                ..told(Kind::UserDeleted)
            },
        );
    }
    assert_eq!((ledger.size().fences, ledger.size().marks), (1, 1));
    assert!(ledger.mark(of("acme")).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_is_not_revived_by_a_longer_time() {
    let short = Settings {
        fence_for: Duration::from_secs(10),
        tombstone_for: Duration::from_secs(20),
        alias_for: Duration::from_secs(20),
    };
    let ledger = Ledger::new(short, TenantForm::as_written());
    take(&ledger, &told(Kind::UserDeleted));
    let renamed = Event {
        whom: Some(Whom::Subject("bob".into())),
        ..renaming()
    };
    take(&ledger, &renamed);
    tokio::time::advance(Duration::from_secs(20)).await;
    ledger.reconfigure(SETTINGS, None);
    let bob = Person {
        subject: "bob",
        id: None,
        ..of("ACME")
    };
    assert!(ledger.mark(of("ACME")).is_none());
    assert!(ledger.newest_subject(bob).is_none());
}

#[tokio::test(start_paused = true)]
async fn times_that_go_up_and_down_keep_nothing_for_longer_than_the_longest() {
    let short = Settings {
        tombstone_for: Duration::from_secs(2000),
        alias_for: Duration::from_secs(2000),
        ..SETTINGS
    };
    let ledger = Ledger::new(short, TenantForm::as_written());
    take(&ledger, &event(Kind::UserDeleted, 0));
    let bob = Person {
        subject: "bob",
        id: None,
        ..ALICE
    };
    let renamed = Event {
        whom: Some(Whom::Subject("bob".into())),
        tenant: Some("acme".into()),
        ..renaming()
    };
    take(&ledger, &renamed);
    let step = Duration::from_secs(600);
    for settings in [SETTINGS, short, SETTINGS, short, SETTINGS] {
        tokio::time::advance(step).await;
        ledger.reconfigure(settings, None);
    }
    let passed = step * 5;
    tokio::time::advance(SETTINGS.alias_for.saturating_sub(passed)).await;
    assert!(ledger.newest_subject(bob).is_none());
    assert!(ledger.mark(ALICE).is_some());
    tokio::time::advance(SETTINGS.tombstone_for.saturating_sub(SETTINGS.alias_for)).await;
    assert!(ledger.mark(ALICE).is_none());
}

#[tokio::test(start_paused = true)]
async fn what_was_written_down_makes_no_circle_of_renamings() {
    let old = ledger();
    take(&old, &renaming());
    let new = Ledger::new(SETTINGS, lowercase());
    let back = Event {
        kind: Kind::UserIdChanged {
            to: "alice".into(),
            all_tokens: true,
        },
        whom: Some(Whom::Subject("alicia".into())),
        ..event(Kind::UserUpdated, 10)
    };
    take(&new, &back);
    new.restore(old.entries(), Duration::ZERO);
    let alicia = Person {
        subject: "alicia",
        id: None,
        ..ALICE
    };
    assert_eq!(new.newest_subject(ALICE), None);
    assert_eq!(new.newest_subject(alicia).as_deref(), Some("alice"));
}

#[tokio::test(start_paused = true)]
async fn only_a_longer_memory_of_answers_makes_what_was_asked_before_outdated() {
    let before = Instant::now();
    pass(Duration::from_millis(1)).await;
    for (settings, expected) in [
        (
            Settings {
                tombstone_for: SETTINGS.tombstone_for * 2,
                alias_for: SETTINGS.alias_for * 2,
                ..SETTINGS
            },
            STANDS,
        ),
        (
            Settings {
                fence_for: SETTINGS.fence_for * 2,
                ..SETTINGS
            },
            Judgement::Outdated,
        ),
    ] {
        let ledger = ledger();
        take(&ledger, &told(Kind::UserDeleted));
        ledger.reconfigure(settings, None);
        assert_eq!(ledger.judge_found(ALICE, None, before), expected);
    }
}

proptest! {
    /// What was written down, and what came since in another spelling, say together what they say in one
    /// ledger.
    #[test]
    fn what_was_written_down_and_what_came_since_say_what_one_ledger_says(
        events in proptest::collection::vec((0..3_u8, 0..6_u64, any::<bool>()), 1..8),
        is_versioned in any::<bool>(),
    ) {
        let [old, one] = [(); 2].map(|()| ledger());
        let new = Ledger::new(SETTINGS, lowercase());
        for (kind, at, is_old) in events {
            let kind = match kind {
                0 => Kind::UserCreated,
                1 => Kind::UserUpdated,
                _ => Kind::UserDeleted,
            };
            let event = Event {
                version: version(at).filter(|_| is_versioned),
                ..event(kind, at)
            };
            take(&one, &event);
            let (ledger, tenant) = if is_old { (&old, "ACME") } else { (&new, "Acme") };
            take(ledger, &Event { tenant: Some(tenant.into()), ..event });
        }
        new.restore(old.entries(), Duration::ZERO);
        prop_assert_eq!(
            new.mark(ALICE).map(|mark| mark.kind),
            one.mark(ALICE).map(|mark| mark.kind)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_written_down_is_read_in_the_form_of_today() {
    let old = ledger();
    take(&old, &told(Kind::UserDeleted));
    take(&old, &suspension());
    let new = Ledger::new(SETTINGS, lowercase());
    new.restore(old.entries(), Duration::ZERO);
    assert!(new.mark(of("acme")).is_some());
    assert!(new.is_suspended("realm", "acme"));
}

#[tokio::test(start_paused = true)]
async fn a_longer_time_is_that_of_what_stands_too() {
    let short = Settings {
        tombstone_for: Duration::from_secs(2000),
        alias_for: Duration::from_secs(2000),
        ..SETTINGS
    };
    let [deleted, renamed] = [(); 2].map(|()| Ledger::new(short, TenantForm::as_written()));
    take(&deleted, &event(Kind::UserDeleted, 0));
    let to = "alicia".into();
    let all_tokens = true;
    take(&renamed, &event(Kind::UserIdChanged { to, all_tokens }, 0));
    for ledger in [&deleted, &renamed] {
        ledger.reconfigure(SETTINGS, None);
    }
    tokio::time::advance(Duration::from_secs(3500)).await;
    assert!(deleted.mark(ALICE).is_some());
    assert!(renamed.newest_subject(ALICE).is_some());
    tokio::time::advance(Duration::from_secs(86_400)).await;
    assert!(deleted.mark(ALICE).is_some());
    assert!(renamed.newest_subject(ALICE).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_changes_none_of_it_makes_nothing_outdated() {
    let ledger = ledger();
    take(&ledger, &event(Kind::UserDeleted, 0));
    let epoch = ledger.epoch();
    ledger.reconfigure(SETTINGS, Some(lowercase()));
    ledger.reconfigure(SETTINGS, None);
    assert_eq!(ledger.epoch(), epoch);
}
