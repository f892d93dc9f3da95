//! Too many entries, and their end.

use super::*;
use crate::event::ledger::books::SWEPT;

/// A ledger with room for so few.
fn small(passing: usize, lasting: usize) -> Ledger {
    let most = Most { passing, lasting };
    Ledger::bounded(SETTINGS, TenantForm::as_written(), most)
}

/// An event of somebody in a tenant.
fn of(tenant: &str, subject: &str, kind: Kind, after: u64) -> Event {
    Event {
        tenant: Some(tenant.into()),
        whom: Some(Whom::Subject(subject.into())),
        ..event(kind, after)
    }
}

fn at<'p>(tenant: &'p str, subject: &'p str) -> Person<'p> {
    Person {
        tenant: Some(tenant),
        subject,
        id: None,
        ..ALICE
    }
}

#[tokio::test(start_paused = true)]
async fn a_fence_stands_for_tombstone_for_and_no_longer() {
    let ledger = ledger();
    take(&ledger, &event(Kind::UserDeleted, 0));
    pass(Duration::from_secs(89_999)).await;
    let now = Instant::now();
    assert!(is_marked(ledger.judge_found(ALICE, None, now)).is_some());
    pass(Duration::from_secs(1)).await;
    assert_eq!(ledger.judge_found(ALICE, None, Instant::now()), STANDS);
    let other = Event {
        whom: Some(Whom::Subject("bob".into())),
        ..event(Kind::UserUpdated, 1)
    };
    take(&ledger, &other);
    let Size { fences, marks, .. } = ledger.size();
    assert_eq!((fences, marks), (1, 0), "what has ended is let go");
}

#[tokio::test(start_paused = true)]
async fn a_fence_that_marks_nobody_stands_for_fence_for_and_one_that_did_for_tombstone_for() {
    let ledger = ledger();
    let before = Instant::now();
    pass(Duration::from_millis(1)).await;
    for kind in [Kind::UserCreated, Kind::UserUpdated, Kind::UserEnabled] {
        let name = kind.as_str();
        take(&ledger, &of("acme", name, kind, 0));
    }
    take(&ledger, &of("acme", "disabled", Kind::UserDisabled, 0));
    take(&ledger, &of("acme", "disabled", Kind::UserEnabled, 1));
    take(&ledger, &of("acme", "deleted", Kind::UserDeleted, 0));
    take(&ledger, &of("acme", "deleted", Kind::UserCreated, 1));
    pass(Duration::from_secs(999)).await;
    let judged = |name| ledger.judge_found(at("acme", name), None, before);
    assert_eq!(judged("user.updated"), Judgement::Outdated);
    pass(Duration::from_secs(1)).await;
    for name in ["user.created", "user.updated", "user.enabled"] {
        assert_eq!(judged(name), STANDS, "{name}");
    }
    // Told once more, what was lifted does not mark again.
    take(&ledger, &of("acme", "disabled", Kind::UserDisabled, 0));
    take(&ledger, &of("acme", "deleted", Kind::UserDeleted, 0));
    let Size { fences, marks, .. } = ledger.size();
    assert_eq!((fences, marks), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn changes_of_one_tenant_however_many_end_no_mark_and_cost_that_tenant_alone() {
    let ledger = small(10, 10);
    take(&ledger, &event(Kind::UserDeleted, 0));
    take(&ledger, &of("globex", "bob", Kind::UserUpdated, 0));
    pass(Duration::from_millis(1)).await;
    let before = Instant::now();
    pass(Duration::from_millis(1)).await;
    for number in 0..100 {
        let kind = [Kind::UserUpdated, Kind::UserCreated][number % 2].clone();
        take(&ledger, &of("mallory", &number.to_string(), kind, 1));
        pass(Duration::from_millis(1)).await;
    }
    let now = Instant::now();
    let judgement = ledger.judge_found(ALICE, None, now);
    assert_eq!(is_marked(judgement), Some(MarkKind::Deleted));
    let size = ledger.size();
    assert_eq!((size.dropped_fences, size.dropped), (91, 0));
    // The first of them has no fence any more, and yet what is older than its change is not believed.
    for subject in ["0", "99", "not a change of his"] {
        let person = at("mallory", subject);
        assert_eq!(
            ledger.judge_found(person, None, before),
            Judgement::Outdated
        );
        assert_eq!(
            ledger.judge_found(person, version(9), before),
            Judgement::Outdated
        );
        assert_eq!(ledger.judge_not_found(person, before), Judgement::Outdated);
        assert_eq!(ledger.judge_found(person, None, now), STANDS, "{subject}");
    }
    for tenant in ["globex", "acme"] {
        assert_eq!(
            ledger.judge_found(at(tenant, "carol"), None, before),
            STANDS
        );
    }
    let bob = ledger.judge_found(at("globex", "bob"), None, before);
    assert_eq!(bob, STANDS, "asked for after the change");
}

#[tokio::test(start_paused = true)]
async fn a_change_in_all_tenants_that_had_to_go_is_felt_in_each() {
    let ledger = small(1, 10);
    let before = Instant::now();
    pass(Duration::from_millis(1)).await;
    for number in 0..2 {
        let everywhere = Event {
            tenant: None,
            ..of("", &number.to_string(), Kind::UserUpdated, 0)
        };
        take(&ledger, &everywhere);
    }
    for tenant in [None, Some("acme"), Some("globex")] {
        let person = Person { tenant, ..ALICE };
        assert_eq!(
            ledger.judge_found(person, None, before),
            Judgement::Outdated
        );
    }
    let elsewhere = Person {
        realm: "other",
        ..ALICE
    };
    assert_eq!(ledger.judge_found(elsewhere, None, before), STANDS);
}

#[tokio::test(start_paused = true)]
async fn of_too_many_marks_the_oldest_of_the_tenant_that_has_most_go_and_are_counted() {
    let ledger = small(10, 10);
    for (tenant, subject) in [("acme", "alice"), ("globex", "bob")] {
        take(&ledger, &of(tenant, subject, Kind::UserDeleted, 0));
        pass(Duration::from_millis(1)).await;
    }
    for number in 0..100 {
        take(
            &ledger,
            &of("mallory", &number.to_string(), Kind::UserDeleted, 0),
        );
        pass(Duration::from_millis(1)).await;
    }
    let marked = |tenant, subject| {
        is_marked(ledger.judge_found(at(tenant, subject), None, Instant::now())).is_some()
    };
    assert!(marked("acme", "alice") && marked("globex", "bob"));
    assert!(!marked("mallory", "91") && marked("mallory", "92"));
    let Size { marks, dropped, .. } = ledger.size();
    assert_eq!((marks, dropped), (10, 92));
}

#[tokio::test(start_paused = true)]
async fn a_tenant_of_its_own_gap_is_one_of_few_and_beyond_them_all_have_one() {
    let ledger = small(0, 10);
    let before = Instant::now();
    pass(Duration::from_millis(1)).await;
    for number in 0..1000 {
        take(&ledger, &of(&number.to_string(), "a", Kind::UserUpdated, 0));
    }
    let judged = |tenant| ledger.judge_found(at(tenant, "carol"), None, before);
    assert_eq!(
        (judged("999"), judged("acme")),
        (Judgement::Outdated, STANDS)
    );
    take(&ledger, &of("1000", "a", Kind::UserUpdated, 0));
    assert_eq!(judged("acme"), Judgement::Outdated);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_renewed_again_and_again_stands_in_the_queue_once() {
    let ledger = ledger();
    for number in 0..5000 {
        for kind in [Kind::UserUpdated, Kind::UserDisabled, Kind::UserEnabled] {
            take(&ledger, &event(kind, number));
        }
        pass(Duration::from_millis(1)).await;
        assert_eq!(ledger.shared.books.read().queued(), (0, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn entries_that_end_together_are_let_go_a_few_with_each_event_and_say_nothing_meanwhile() {
    let ledger = ledger();
    for number in 0..1000 {
        take(
            &ledger,
            &of("acme", &number.to_string(), Kind::UserDeleted, 0),
        );
    }
    pass(Duration::from_secs(90_000)).await;
    take(&ledger, &of("acme", "500", Kind::UserUpdated, 1));
    let Size { fences, .. } = ledger.size();
    assert!(fences >= 1000 - SWEPT, "{fences}");
    for subject in ["499", "500", "501"] {
        let judgement = ledger.judge_found(at("acme", subject), None, Instant::now());
        assert_eq!(judgement, STANDS, "{subject}");
    }
    for number in 0..200 {
        take(&ledger, &of("acme", "bob", Kind::UserUpdated, number));
    }
    assert_eq!(ledger.size().fences, 2, "they keep up");
    assert_eq!(ledger.size().dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn events_of_one_user_however_many_never_end_the_mark_of_another() {
    let ledger = small(100, 100);
    take(&ledger, &event(Kind::UserDeleted, 0));
    for number in 0..10_000 {
        pass(Duration::from_millis(1)).await;
        take(&ledger, &of("mallory", "alice", Kind::UserDeleted, number));
    }
    let judgement = ledger.judge_found(ALICE, None, Instant::now());
    assert_eq!(is_marked(judgement), Some(MarkKind::Deleted));
    assert_eq!(ledger.size().dropped, 0);
    // Others of the same tenant, however many, do: there is no room for all.
    for number in 0..200 {
        take(
            &ledger,
            &of("acme", &number.to_string(), Kind::UserDeleted, number),
        );
    }
    assert_eq!((ledger.size().fences, ledger.size().dropped), (100, 102));
}

const TENANTS: [Option<&str>; 3] = [None, Some("acme"), Some("globex")];
const SUBJECTS: [&str; 4] = ["a", "b", "c", "d"];

/// Events of a few users in a few tenants, and the seconds before each.
fn churn() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let kind = prop_oneof![
        4 => Just(Kind::UserUpdated),
        2 => Just(Kind::UserCreated),
        1 => Just(Kind::UserDisabled),
        1 => Just(Kind::UserEnabled),
        1 => Just(Kind::UserDeleted),
        1 => proptest::sample::select(&SUBJECTS[..]).prop_map(|to| Kind::UserIdChanged {
            to: to.into(),
            all_tokens: false,
        }),
    ];
    let (tenant, subject) = (
        proptest::sample::select(&TENANTS[..]),
        proptest::sample::select(&SUBJECTS[..]),
    );
    let one = (kind, tenant, subject, 1_u64..600);
    let one = one.prop_map(|(kind, tenant, subject, pause)| {
        let event = Event {
            tenant: tenant.map(Into::into),
            whom: Some(Whom::Subject(subject.into())),
            ..event(kind, 0)
        };
        (pause, event)
    });
    proptest::collection::vec(one, 1..40)
}

proptest! {
    #[test]
    fn where_there_is_no_room_for_all_changes_no_answer_is_believed_that_would_not_be_with_room(
        churn in churn(), passing in 0_usize..4
    ) {
        let settings = Settings { tombstone_for: Duration::from_secs(1500), ..SETTINGS };
        let mut narrow = Books::new(settings, Most { passing, lasting: 1000 });
        let mut wide = Books::new(settings, MOST);
        let start = Instant::now();
        let mut now = start;
        for (pause, event) in churn {
            now += Duration::from_secs(pause);
            let event = Event { time: event.time.plus(now - start), ..event };
            let taken = (narrow.take(&event, now), wide.take(&event, now));
            prop_assert_eq!(taken.0, taken.1);
            for books in [&narrow, &wide] {
                let Size { fences, aliases, .. } = books.size();
                let queued = books.queued();
                prop_assert_eq!(queued.0 + queued.1, fences + aliases);
            }
            prop_assert!(narrow.queued().0 <= passing);
            for (tenant, subject) in TENANTS.iter().flat_map(|tenant| SUBJECTS.map(|subject| (*tenant, subject))) {
                let person = Person { tenant, subject, ..ALICE };
                prop_assert_eq!(narrow.told(person, now).and_then(|told| told.mark), wide.told(person, now).and_then(|told| told.mark));
                // Answers older than this have been spent.
                for ago in [0, 1, 100, 500, 999] {
                    let Some(sent) = now.checked_sub(Duration::from_secs(ago)) else { continue };
                    let judged = (
                        narrow.judge_found(person, None, sent, now),
                        wide.judge_found(person, None, sent, now),
                    );
                    let stands = |judgement| matches!(judgement, Judgement::Stands { .. });
                    prop_assert!(!stands(judged.0) || stands(judged.1), "{:?} {:?}", judged, person);
                }
            }
        }
        prop_assert_eq!(narrow.size().dropped, 0);
    }
}
