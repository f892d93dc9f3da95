//! What is told of all tenants, and known better in one.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_user_of_one_tenant_does_not_lift_a_mark_that_stands_in_all_for_the_others() {
    let ledger = ledger();
    let everywhere = Event {
        tenant: None,
        version: version(5),
        ..event(Kind::UserDeleted, 0)
    };
    take(&ledger, &everywhere);
    let at = |tenant| Person {
        tenant: Some(tenant),
        ..ALICE
    };
    let (mallory, acme) = (at("mallory"), at("acme"));
    let great = version(1_000_000);
    let judgement = ledger.judge_found(mallory, great, Instant::now());
    assert_eq!(is_marked(judgement), None);
    ledger.lift(mallory, Version::Number(1_000_000));
    for answered in [None, version(4), version(5)] {
        let judgement = ledger.judge_found(acme, answered, Instant::now());
        assert_eq!(
            is_marked(judgement),
            Some(MarkKind::Deleted),
            "{answered:?}"
        );
    }
    // It goes on standing where it was found.
    let judgement = ledger.judge_found(mallory, great, Instant::now());
    assert_eq!(is_marked(judgement), None);
}

/// Alice was deleted in all tenants, and at `acme` the directory knows her in a greater version.
fn lifted_at_acme() -> Ledger {
    let ledger = ledger();
    let everywhere = Event {
        tenant: None,
        version: version(5),
        ..event(Kind::UserDeleted, 10)
    };
    take(&ledger, &everywhere);
    ledger.lift(ALICE, Version::Number(9));
    ledger
}

#[tokio::test(start_paused = true)]
async fn a_mark_of_all_tenants_that_was_lifted_in_one_is_lifted_for_whoever_is_not_remembered_too()
{
    let ledger = lifted_at_acme();
    let unknown = Person { id: None, ..ALICE };
    assert_eq!(ledger.mark(unknown), None);
    assert_eq!(ledger.judge_not_found(unknown, Instant::now()), STANDS);
    let revoked = Some(Timestamp::from_secs(1_799_990_010));
    let judged = |number| ledger.judge_found(unknown, version(number), Instant::now());
    assert_eq!(judged(9), Judgement::Stands { revoked });
    assert_eq!(judged(8), Judgement::Outdated, "a replica that lags");
    assert_eq!(ledger.told(unknown).and_then(|told| told.mark), None);
    for tenant in [None, Some("globex")] {
        let elsewhere = Person { tenant, ..unknown };
        assert!(ledger.mark(elsewhere).is_some(), "{tenant:?}");
    }
    let epoch = ledger.epoch();
    ledger.lift(ALICE, Version::Number(9));
    assert_eq!(ledger.epoch(), epoch, "lifted once");
}

#[tokio::test(start_paused = true)]
async fn what_was_lifted_in_one_tenant_is_marked_again_by_what_is_newer_and_by_that_alone() {
    let marked = |told: Event| {
        let ledger = lifted_at_acme();
        take(&ledger, &told);
        ledger.mark(ALICE).map(|mark| mark.kind)
    };
    let all = |kind, after, number| Event {
        tenant: None,
        version: version(number),
        ..event(kind, after)
    };
    let own = |kind, after, number| Event {
        version: version(number),
        ..event(kind, after)
    };
    assert_eq!(marked(all(Kind::UserDeleted, 10, 5)), None, "told again");
    assert_eq!(marked(own(Kind::UserDisabled, 20, 8)), None, "late");
    assert_eq!(
        marked(all(Kind::UserDeleted, 20, 10)),
        Some(MarkKind::Deleted)
    );
    assert!(marked(own(Kind::UserDisabled, 20, 10)).is_some());
}

#[tokio::test(start_paused = true)]
async fn who_is_created_in_one_tenant_after_a_deletion_in_all_is_there_in_that_one() {
    let ledger = ledger();
    let everywhere = Event {
        tenant: None,
        ..event(Kind::UserDeleted, 10)
    };
    take(&ledger, &everywhere);
    take(&ledger, &event(Kind::UserCreated, 10));
    assert!(ledger.mark(ALICE).is_some(), "of the same time");
    take(&ledger, &event(Kind::UserCreated, 11));
    assert_eq!(ledger.mark(ALICE), None);
    let revoked = Some(Timestamp::from_secs(1_799_990_010));
    let later = Instant::now() + Duration::from_secs(1);
    let judgement = ledger.judge_found(ALICE, None, later);
    assert_eq!(judgement, Judgement::Stands { revoked });
    let globex = Person {
        tenant: Some("globex"),
        ..ALICE
    };
    assert!(ledger.mark(globex).is_some());
    pass(Duration::from_secs(89_999)).await;
    assert_eq!(ledger.mark(ALICE), None, "for as long as the mark stands");
    assert!(ledger.mark(globex).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_was_lifted_in_one_tenant_stays_so_in_the_next_process() {
    let text = serde_json::to_string(&lifted_at_acme().entries()).unwrap();
    let next = ledger();
    next.restore(
        serde_json::from_str::<Vec<Entry>>(&text).unwrap(),
        Duration::ZERO,
    );
    assert_eq!(next.mark(ALICE), None);
    let globex = Person {
        tenant: Some("globex"),
        ..ALICE
    };
    assert!(next.mark(globex).is_some());
}
