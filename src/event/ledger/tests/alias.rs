//! Old subjects and new ones.

use super::*;

pub(super) fn renamed(from: &str, to: &str, after: u64, all_tokens: bool) -> Event {
    let kind = Kind::UserIdChanged {
        to: to.into(),
        all_tokens,
    };
    Event {
        whom: Some(Whom::Subject(from.into())),
        ..event(kind, after)
    }
}

pub(super) fn newest(
    ledger: &Ledger,
    person: Person<'_>,
    issued: Option<Timestamp>,
) -> Option<Arc<str>> {
    ledger.aliases(person, issued).pop()
}

#[tokio::test(start_paused = true)]
async fn an_old_subject_leads_to_the_newest_for_tokens_from_before_the_change() {
    let ledger = ledger();
    let issued = |after: u64| Some(Timestamp::from_secs(1_799_990_000 + after));
    assert_eq!(newest(&ledger, ALICE, issued(0)), None);
    take(&ledger, &renamed("alice", "a1", 10, false));
    take(&ledger, &renamed("a1", "a2", 20, false));
    assert_eq!(newest(&ledger, ALICE, issued(10)).as_deref(), Some("a2"));
    assert_eq!(newest(&ledger, ALICE, None).as_deref(), Some("a2"));
    assert_eq!(
        newest(&ledger, ALICE, issued(11)),
        None,
        "the subject was given again"
    );
    let globex = Person {
        tenant: Some("globex"),
        ..ALICE
    };
    assert_eq!(newest(&ledger, globex, None), None);
    assert_eq!(ledger.alias_uses(), 2);
    take(&ledger, &renamed("alice", "a9", 30, true));
    assert_eq!(newest(&ledger, ALICE, issued(1000)).as_deref(), Some("a9"));
    pass(Duration::from_secs(3600)).await;
    assert_eq!(newest(&ledger, ALICE, None), None);
}

#[tokio::test(start_paused = true)]
async fn renamings_that_lead_back_are_refused() {
    let ledger = ledger();
    let cycle = |from: &str| Err(EventError::Cycle(from.into()));
    assert_eq!(
        apply(&renamed("a", "a", 0, false), &ledger, NOW),
        cycle("a")
    );
    take(&ledger, &renamed("a", "b", 1, false));
    take(&ledger, &renamed("b", "c", 2, false));
    assert_eq!(
        apply(&renamed("c", "a", 3, false), &ledger, NOW),
        cycle("c")
    );
    let by_id = Event {
        whom: Some(Whom::Id("u-1".into())),
        ..renamed("a", "b", 1, false)
    };
    assert_eq!(apply(&by_id, &ledger, NOW), Err(EventError::NoSubject));
}

fn everywhere(from: &str, to: &str, after: u64) -> Event {
    Event {
        tenant: None,
        ..renamed(from, to, after, false)
    }
}

#[tokio::test(start_paused = true)]
async fn renamings_that_lead_back_by_way_of_another_scope_are_refused() {
    let refused = |ledger: &Ledger, event: &Event, from: &str| {
        let cycle = Err(EventError::Cycle(from.into()));
        assert_eq!(apply(event, ledger, NOW), cycle);
    };
    let own_first = ledger();
    take(&own_first, &renamed("a", "b", 1, false));
    refused(&own_first, &everywhere("b", "a", 2), "b");
    take(&own_first, &everywhere("b", "c", 3));
    refused(&own_first, &everywhere("c", "a", 4), "c");
    let all_first = ledger();
    take(&all_first, &everywhere("b", "a", 1));
    refused(&all_first, &renamed("a", "b", 2, false), "a");
    // Two tenants that never see each other's.
    let apart = ledger();
    take(&apart, &renamed("a", "b", 1, false));
    let globex = Event {
        tenant: Some("globex".into()),
        ..renamed("b", "a", 2, false)
    };
    take(&apart, &globex);
    refused(&apart, &everywhere("b", "a", 3), "b");
    take(&apart, &everywhere("c", "a", 3));
}

#[tokio::test(start_paused = true)]
async fn a_renaming_back_is_taken_once_the_first_one_has_ended() {
    let ledger = ledger();
    take(&ledger, &renamed("alice", "bob", 1, false));
    let back = renamed("bob", "alice", 2, false);
    pass(Duration::from_secs(3599)).await;
    assert!(apply(&back, &ledger, NOW).is_err());
    pass(Duration::from_secs(1)).await;
    take(&ledger, &back);
    let bob = Person {
        subject: "bob",
        ..ALICE
    };
    assert_eq!(newest(&ledger, bob, None).as_deref(), Some("alice"));
    assert_eq!(newest(&ledger, ALICE, None), None);
}

#[tokio::test(start_paused = true)]
async fn what_a_tenant_was_told_of_a_subject_goes_before_what_all_were_told() {
    for own_first in [true, false] {
        let ledger = ledger();
        let mut told = [
            renamed("alice", "own", 1, false),
            everywhere("alice", "all", 2),
        ];
        if !own_first {
            told.reverse();
        }
        for event in told {
            take(&ledger, &event);
        }
        assert_eq!(newest(&ledger, ALICE, None).as_deref(), Some("own"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_alias_that_was_written_down_and_leads_back_by_now_is_not_taken_up() {
    let (old, new) = (ledger(), ledger());
    take(&old, &renamed("alice", "bob", 1, false));
    take(&new, &renamed("bob", "alice", 2, false));
    new.restore(old.entries(), Duration::ZERO);
    assert_eq!(newest(&new, ALICE, None), None);
}

/// Renamings among a few subjects, in a few tenants, and the seconds before each.
fn renamings() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let name = || proptest::sample::select(vec!["a", "b", "c", "d", "e"]);
    let tenant = proptest::sample::select(vec![None, Some("acme"), Some("globex")]);
    let one = (
        name(),
        name(),
        tenant,
        0_u64..1200,
        0_u64..20,
        any::<bool>(),
    );
    let one = one.prop_map(|(from, to, tenant, pause, after, all_tokens)| {
        let event = Event {
            tenant: tenant.map(Into::into),
            ..renamed(from, to, after, all_tokens)
        };
        (pause, event)
    });
    proptest::collection::vec(one, 1..30)
}

proptest! {
    #[test]
    fn whatever_renamings_are_taken_no_token_of_any_tenant_is_led_round_in_a_circle(
        renamings in renamings()
    ) {
        let mut books = Books::new(SETTINGS, MOST);
        let mut now = Instant::now();
        for (pause, event) in renamings {
            now += Duration::from_secs(pause);
            let _refused = books.take(&event, now);
            for tenant in [None, Some("acme"), Some("globex"), Some("initech")] {
                for subject in ["a", "b", "c", "d", "e"] {
                    for issued in [None, Some(0), Some(10), Some(30)] {
                        let issued = issued.map(|after| Timestamp::from_secs(1_799_990_000 + after));
                        let person = |subject| Person { tenant, subject, ..ALICE };
                        let names = books.aliases(person(subject), issued, now);
                        // It ended because there was nothing more, not because it was cut off.
                        if let Some(last) = names.last() {
                            prop_assert_eq!(books.aliases(person(last), issued, now).len(), 0, "{:?}", names);
                        }
                    }
                }
            }
        }
    }
}
