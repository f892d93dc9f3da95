//! Other settings, and another form of tenants: what was told is neither lost nor cut short.

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
async fn what_was_told_of_a_tenant_is_found_under_its_new_form() {
    let ledger = ledger();
    take(&ledger, &told(Kind::UserDeleted));
    take(&ledger, &suspension());
    let epoch = ledger.epoch();
    ledger.reconfigure(SETTINGS, lowercase());
    assert!(ledger.epoch() > epoch);
    assert!(ledger.mark(of("acme")).is_some());
    assert!(ledger.is_suspended("realm", "acme"));
    assert_eq!((ledger.size().marks, ledger.size().suspended), (1, 1));

    let renamed = super::ledger();
    take(&renamed, &renaming());
    renamed.reconfigure(SETTINGS, lowercase());
    assert_eq!(
        renamed.newest_subject(of("acme")).as_deref(),
        Some("alicia")
    );
}

#[tokio::test(start_paused = true)]
async fn two_forms_of_a_tenant_become_one_with_what_was_told_of_either() {
    let ledger = ledger();
    take(&ledger, &event(Kind::UserUpdated, 0));
    take(&ledger, &told(Kind::UserDeleted));
    ledger.reconfigure(SETTINGS, lowercase());
    assert!(ledger.mark(of("acme")).is_some());
    assert_eq!(ledger.size().fences, 1);
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
        ledger.reconfigure(SETTINGS, TenantForm::as_written());
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
    ledger.reconfigure(SETTINGS, lowercase());
    assert_eq!(ledger.epoch(), epoch);
}
