//! Events that come late, twice, or without what others have.

use super::*;

#[tokio::test(start_paused = true)]
async fn who_was_deleted_and_then_disabled_is_not_brought_back_by_what_came_between() {
    let ledger = ledger();
    take(&ledger, &event(Kind::UserDeleted, 50));
    take(&ledger, &event(Kind::UserDisabled, 70));
    take(&ledger, &event(Kind::UserCreated, 60));
    let judgement = ledger.judge_found(ALICE, None, Instant::now());
    assert_eq!(is_marked(judgement), Some(MarkKind::Deleted));
    take(&ledger, &event(Kind::UserCreated, 80));
    let judgement = ledger.judge_found(ALICE, None, Instant::now());
    assert_eq!(is_marked(judgement), None);
}

#[tokio::test(start_paused = true)]
async fn an_event_older_than_the_answer_that_lifted_a_mark_does_not_mark_again() {
    let ledger = ledger();
    let of = |kind, after, number| Event {
        version: version(number),
        ..event(kind, after)
    };
    take(&ledger, &of(Kind::UserDeleted, 50, 5));
    ledger.lift(ALICE, Version::Number(9));
    take(&ledger, &of(Kind::UserDisabled, 70, 7));
    let not_found = ledger.judge_not_found(ALICE, Instant::now());
    assert_eq!(is_marked(not_found), None);
    // Of the same version: in doubt the user may not act.
    take(&ledger, &of(Kind::UserDisabled, 90, 9));
    let found = ledger.judge_found(ALICE, version(9), Instant::now());
    assert_eq!(is_marked(found), Some(MarkKind::Disabled));
    ledger.lift(ALICE, Version::Number(10));
    take(&ledger, &of(Kind::UserDisabled, 100, 11));
    let not_found = ledger.judge_not_found(ALICE, Instant::now());
    assert_eq!(is_marked(not_found), Some(MarkKind::Disabled));
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_told_is_not_forgotten_over_an_event_without_one() {
    let ledger = ledger();
    let update = Event {
        version: version(5),
        ..event(Kind::UserUpdated, 10)
    };
    take(&ledger, &update);
    let between = Instant::now();
    pass(Duration::from_millis(1)).await;
    take(&ledger, &event(Kind::UserUpdated, 20));
    pass(Duration::from_millis(1)).await;
    let judged = |number, sent| ledger.judge_found(ALICE, version(number), sent);
    assert_eq!(judged(4, Instant::now()), Judgement::Outdated);
    assert_eq!(judged(5, Instant::now()), STANDS);
    // Of the second event nobody knows whether it is newer than this.
    assert_eq!(judged(6, between), Judgement::Outdated);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_without_a_version_is_not_lifted_by_one_greater_than_that_of_an_older_update() {
    let ledger = ledger();
    let update = Event {
        version: version(5),
        ..event(Kind::UserUpdated, 10)
    };
    take(&ledger, &update);
    take(&ledger, &event(Kind::UserDeleted, 20));
    let judgement = ledger.judge_found(ALICE, version(6), Instant::now());
    let Judgement::Marked(mark) = judgement else {
        panic!("{judgement:?}")
    };
    assert_eq!(mark.version, None);
}
