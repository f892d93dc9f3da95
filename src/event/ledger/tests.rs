mod alias;
mod everywhere;
mod order;
mod rewritten;
mod room;
mod written;

use super::*;
use crate::event::{Kind, Whom, apply};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

const ALICE: Person<'_> = Person {
    realm: "realm",
    tenant: Some("acme"),
    subject: "alice",
    id: Some("u-1"),
};

const SETTINGS: Settings = Settings {
    fence_for: Duration::from_secs(1000),
    tombstone_for: Duration::from_secs(90_000),
    alias_for: Duration::from_secs(3600),
};

fn ledger() -> Ledger {
    Ledger::new(SETTINGS, TenantForm::as_written())
}

/// An event of alice at `acme`, so many seconds after a certain time.
fn event(kind: Kind, after: u64) -> Event {
    Event {
        kind,
        time: Timestamp::from_secs(1_799_990_000 + after),
        realm: "realm".into(),
        tenant: Some("acme".into()),
        whom: Some(Whom::Subject("alice".into())),
        version: None,
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "versions are optional wherever they are used"
)]
fn version(number: u64) -> Option<Version> {
    Some(Version::Number(number))
}

fn take(ledger: &Ledger, event: &Event) {
    apply(event, ledger, NOW).unwrap();
}

fn is_marked(judgement: Judgement) -> Option<MarkKind> {
    match judgement {
        Judgement::Marked(mark) => Some(mark.kind),
        Judgement::Renamed | Judgement::Outdated | Judgement::Stands { .. } => None,
    }
}

const STANDS: Judgement = Judgement::Stands { revoked: None };

async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_loses_to_what_was_told_after_it_was_asked_for() {
    let ledger = ledger();
    let before = Instant::now();
    assert_eq!(ledger.epoch(), 0);
    pass(Duration::from_millis(1)).await;
    take(&ledger, &event(Kind::UserUpdated, 0));
    assert_ne!(ledger.epoch(), 0);
    pass(Duration::from_millis(1)).await;
    let after = Instant::now();
    assert_eq!(ledger.judge_found(ALICE, None, before), Judgement::Outdated);
    assert_eq!(ledger.judge_not_found(ALICE, before), Judgement::Outdated);
    assert_eq!(ledger.judge_found(ALICE, None, after), STANDS);
    assert_eq!(ledger.judge_not_found(ALICE, after), STANDS);
    let bob = Person {
        subject: "bob",
        id: None,
        ..ALICE
    };
    assert_eq!(ledger.judge_found(bob, None, before), STANDS);
}

#[tokio::test(start_paused = true)]
async fn of_two_versions_the_greater_wins_whenever_it_was_asked_for() {
    let ledger = ledger();
    let before = Instant::now();
    pass(Duration::from_millis(1)).await;
    let told = Event {
        version: version(7),
        ..event(Kind::UserUpdated, 0)
    };
    take(&ledger, &told);
    let after = Instant::now() + Duration::from_secs(1);
    assert_eq!(ledger.judge_found(ALICE, version(7), before), STANDS);
    assert_eq!(ledger.judge_found(ALICE, version(8), before), STANDS);
    assert_eq!(
        ledger.judge_found(ALICE, version(6), after),
        Judgement::Outdated
    );
    let time = Version::parse("2026-11-23T00:00:00Z");
    assert_eq!(ledger.judge_found(ALICE, time, before), Judgement::Outdated);
    assert_eq!(ledger.judge_found(ALICE, time, after), STANDS);
}

#[tokio::test(start_paused = true)]
async fn a_lagging_replica_does_not_bring_a_deleted_user_back() {
    let ledger = ledger();
    let told = Event {
        version: version(7),
        ..event(Kind::UserDeleted, 0)
    };
    take(&ledger, &told);
    let later = Instant::now() + Duration::from_secs(60);
    for lagging in [
        None,
        version(6),
        version(7),
        Version::parse("2030-01-01T00:00:00Z"),
    ] {
        let judgement = ledger.judge_found(ALICE, lagging, later);
        assert_eq!(is_marked(judgement), Some(MarkKind::Deleted), "{lagging:?}");
    }
    let at = Timestamp::from_secs(1_799_990_000);
    let there = Judgement::Stands { revoked: Some(at) };
    assert_eq!(ledger.judge_found(ALICE, version(8), later), there);
    // Until it is lifted, the mark stands for the others.
    assert_eq!(
        is_marked(ledger.judge_found(ALICE, version(7), later)),
        Some(MarkKind::Deleted)
    );
    ledger.lift(ALICE, Version::Number(8));
    assert_eq!(ledger.size().marks, 0);
    assert_eq!(ledger.judge_found(ALICE, version(8), later), there);
    assert_eq!(
        ledger.judge_found(ALICE, version(7), later),
        Judgement::Outdated
    );
}

#[tokio::test(start_paused = true)]
async fn a_mark_without_a_version_is_lifted_by_a_newer_event_alone() {
    for lifting in [Kind::UserCreated, Kind::UserEnabled] {
        let ledger = ledger();
        take(&ledger, &event(Kind::UserDeleted, 10));
        let later = Instant::now() + Duration::from_secs(60);
        let marked = || is_marked(ledger.judge_found(ALICE, version(1000), later));
        assert_eq!(marked(), Some(MarkKind::Deleted));
        take(&ledger, &event(lifting.clone(), 9));
        assert_eq!(marked(), Some(MarkKind::Deleted), "an older event");
        take(&ledger, &event(lifting.clone(), 10));
        assert_eq!(marked(), Some(MarkKind::Deleted), "one of the same time");
        take(&ledger, &event(Kind::UserUpdated, 11));
        assert_eq!(marked(), Some(MarkKind::Deleted), "an update");
        take(&ledger, &event(lifting, 12));
        assert_eq!(marked(), None);
        take(&ledger, &event(Kind::UserDeleted, 10));
        assert_eq!(marked(), None, "the deletion, told again");
        take(&ledger, &event(Kind::UserDeleted, 13));
        assert_eq!(marked(), Some(MarkKind::Deleted));
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_from_before_a_deletion_stay_dead_and_those_from_before_a_disabling_do_not() {
    let ledger = ledger();
    let later = Instant::now() + Duration::from_secs(60);
    take(&ledger, &event(Kind::UserDisabled, 1));
    assert_eq!(
        is_marked(ledger.judge_found(ALICE, None, later)),
        Some(MarkKind::Disabled)
    );
    take(&ledger, &event(Kind::UserEnabled, 2));
    assert_eq!(ledger.judge_found(ALICE, None, later), STANDS);
    take(&ledger, &event(Kind::UserDeleted, 3));
    take(&ledger, &event(Kind::UserDisabled, 4));
    assert_eq!(
        is_marked(ledger.judge_found(ALICE, None, later)),
        Some(MarkKind::Deleted),
        "who is gone is not merely disabled"
    );
    take(&ledger, &event(Kind::UserCreated, 5));
    let revoked = Some(Timestamp::from_secs(1_799_990_003));
    assert_eq!(
        ledger.judge_found(ALICE, None, later),
        Judgement::Stands { revoked }
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_may_name_an_id_and_may_mean_all_tenants() {
    let by_id = ledger();
    let told = Event {
        whom: Some(Whom::Id("u-1".into())),
        tenant: None,
        ..event(Kind::UserDeleted, 0)
    };
    take(&by_id, &told);
    let later = Instant::now() + Duration::from_secs(60);
    for tenant in [None, Some("acme"), Some("globex")] {
        let alice = Person { tenant, ..ALICE };
        let marked = is_marked(by_id.judge_found(alice, None, later));
        assert_eq!(marked, Some(MarkKind::Deleted));
        let unknown = Person { id: None, ..alice };
        assert_eq!(by_id.judge_found(unknown, None, later), STANDS);
    }
    let elsewhere = Person {
        realm: "other",
        ..ALICE
    };
    assert_eq!(by_id.judge_found(elsewhere, None, later), STANDS);
    let in_one = ledger();
    take(&in_one, &event(Kind::UserDeleted, 0));
    let globex = Person {
        tenant: Some("globex"),
        ..ALICE
    };
    assert_eq!(in_one.judge_found(globex, None, later), STANDS);
}

#[tokio::test(start_paused = true)]
async fn an_event_from_far_ahead_or_about_nobody_is_refused() {
    let ledger = ledger();
    let ahead = Event {
        time: NOW.plus(Duration::from_secs(301)),
        ..event(Kind::UserDeleted, 0)
    };
    assert_eq!(
        apply(&ahead, &ledger, NOW),
        Err(EventError::Ahead(ahead.time))
    );
    let nobody = Event {
        whom: None,
        ..event(Kind::UserDeleted, 0)
    };
    assert_eq!(apply(&nobody, &ledger, NOW), Err(EventError::Nobody));
    let nowhere = Event {
        tenant: None,
        ..event(Kind::TenantSuspended, 0)
    };
    assert_eq!(apply(&nowhere, &ledger, NOW), Err(EventError::NoTenant));
    assert_eq!(ledger.epoch(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_is_suspended_until_a_newer_event_resumes_it() {
    let ledger = ledger();
    let told = |kind, after| Event {
        whom: None,
        ..event(kind, after)
    };
    assert!(!ledger.is_suspended("realm", "acme"));
    take(&ledger, &told(Kind::TenantSuspended, 5));
    assert!(ledger.is_suspended("realm", "acme"));
    assert!(!ledger.is_suspended("realm", "globex"));
    assert!(!ledger.is_suspended("other", "acme"));
    take(&ledger, &told(Kind::TenantResumed, 5));
    assert!(ledger.is_suspended("realm", "acme"), "of the same time");
    take(&ledger, &told(Kind::TenantResumed, 6));
    assert!(!ledger.is_suspended("realm", "acme"));
    assert_eq!(ledger.size().suspended, 0);
    // That it was resumed is known for as long as an older event may come late, and no longer.
    take(&ledger, &told(Kind::TenantSuspended, 5));
    assert!(!ledger.is_suspended("realm", "acme"));
    pass(Duration::from_secs(90_001)).await;
    take(&ledger, &event(Kind::UserUpdated, 7));
    assert!(ledger.shared.books.read().tenants.at(&acme()).is_none());
}

fn acme() -> shelf::Place {
    shelf::Place {
        realm: "realm".into(),
        name: "acme".into(),
        tenant: None,
    }
}

/// Events about one user, with and without versions.
fn history() -> impl Strategy<Value = Vec<Event>> {
    let kinds = prop_oneof![
        Just(Kind::UserCreated),
        Just(Kind::UserUpdated),
        Just(Kind::UserDisabled),
        Just(Kind::UserEnabled),
        Just(Kind::UserDeleted),
    ];
    let one = (kinds, 0_u64..20).prop_map(|(kind, after)| event(kind, after));
    proptest::collection::vec(one, 1..12)
}

proptest! {
    #[test]
    fn in_whatever_order_events_of_different_times_arrive_the_newest_decides(
        history in history(), order in any::<u64>()
    ) {
        let mut times = std::collections::HashSet::new();
        let mut history: Vec<Event> = history.into_iter().filter(|event| times.insert(event.time)).collect();
        let decides = |event: &&Event| event.kind != Kind::UserUpdated;
        let newest = history.iter().filter(decides).max_by_key(|event| event.time).cloned();
        let length = history.len();
        for at in 0..length {
            history.swap(at, usize::try_from(order % 97).unwrap() * (at + 1) % length);
        }
        let ledger = ledger();
        for event in &history {
            take(&ledger, event);
        }
        let later = Instant::now() + Duration::from_secs(60);
        let marked = is_marked(ledger.judge_found(ALICE, None, later));
        match newest.map(|event| event.kind) {
            Some(Kind::UserDeleted) => prop_assert_eq!(marked, Some(MarkKind::Deleted)),
            Some(Kind::UserDisabled) => prop_assert!(marked.is_some()),
            _ => prop_assert_eq!(marked, None),
        }
        // Telling it all again changes nothing.
        for event in &history {
            take(&ledger, event);
        }
        prop_assert_eq!(is_marked(ledger.judge_found(ALICE, None, later)), marked);
    }
}

#[tokio::test(start_paused = true)]
async fn the_tenant_of_an_event_is_taken_in_the_form_in_which_it_is_a_key() {
    let form = TenantForm::new(|written| {
        let tenant = written.trim().to_ascii_lowercase();
        tenant
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric())
            .then_some(tenant)
    });
    let ledger = Ledger::new(SETTINGS, form);
    let written = |tenant: &str| Event {
        tenant: Some(tenant.into()),
        ..event(Kind::UserDeleted, 0)
    };
    let refused = apply(&written("ac/me"), &ledger, NOW);
    assert_eq!(refused, Err(EventError::Tenant));
    assert_eq!(ledger.epoch(), 0);
    let taken = apply(&written(" ACME"), &ledger, NOW).unwrap();
    assert_eq!(taken.tenant.as_deref(), Some("acme"));
    assert!(ledger.mark(ALICE).is_some());
    let wider = TenantForm::new(|written| Some(written.trim().to_ascii_lowercase()));
    ledger.reconfigure(SETTINGS, Some(wider));
    let taken = apply(&written("AC/ME "), &ledger, NOW).unwrap();
    assert_eq!(taken.tenant.as_deref(), Some("ac/me"));
    assert!(ledger.mark(ALICE).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_before_events_were_missed_is_not_believed() {
    let ledger = ledger();
    let (sent, epoch) = (Instant::now(), ledger.epoch());
    tokio::time::advance(Duration::from_secs(1)).await;
    ledger.missed();
    assert_ne!(ledger.epoch(), epoch, "what is remembered is judged anew");
    for person in [
        ALICE,
        Person {
            tenant: None,
            ..ALICE
        },
    ] {
        assert_eq!(ledger.judge_found(person, None, sent), Judgement::Outdated);
        assert_eq!(ledger.judge_not_found(person, sent), Judgement::Outdated);
        let stands = Judgement::Stands { revoked: None };
        let now = Instant::now();
        assert_eq!(ledger.judge_found(person, None, now), stands);
        assert_eq!(ledger.judge_not_found(person, now), stands);
    }
}
