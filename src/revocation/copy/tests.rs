use super::struck::Struck;
use super::*;
use crate::token::sample;
use proptest::prelude::*;
use serde_json::json;

const ACME: &str = "https://id.acme.example";

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_767_312_000 + secs)
}

fn before(secs: u64) -> Strike {
    Strike {
        before: Some(at(secs)),
        at: Some(at(secs)),
        ..Strike::default()
    }
}

fn token(issued: u64) -> Arc<VerifiedToken> {
    let claims = json!({"jti": "t1", "iat": at(issued).as_millis() / 1000});
    sample::token(sample::config(ACME), &claims)
}

fn alice() -> Name<'static> {
    Name::of_realm(Kind::Subject, ACME, "alice", None)
}

fn is_struck(copy: &Copy, issued: u64, now: u64) -> bool {
    copy.check(&token(issued), None, at(now)).is_err()
}

#[tokio::test]
async fn names_that_run_together_are_apart() {
    let copy = Copy::default();
    copy.put(
        Name::of_issuer(Kind::Token, ACME, "ab"),
        vec![Strike::default()],
        None,
    );
    let names = [
        Name::of_issuer(Kind::Session, ACME, "ab"),
        Name::of_issuer(Kind::Token, "https://id.acme.examplea", "b"),
        Name::of_realm(Kind::Token, ACME, "a", Some("b")),
        Name::of_realm(Kind::Token, ACME, "ab", Some("")),
    ];
    let held = copy.struck.pin();
    assert!(held.contains_key(&copy.prints.of(Name::of_issuer(Kind::Token, ACME, "ab"))));
    for name in names {
        assert!(!held.contains_key(&copy.prints.of(name)), "{name:?}");
    }
}

#[tokio::test]
async fn what_is_put_again_replaces_and_is_counted_once() {
    let copy = Copy::default();
    for secs in [10, 5] {
        copy.put(alice(), vec![before(secs)], None);
    }
    let subjects = copy.held().find(|(kind, _)| *kind == Kind::Subject);
    assert_eq!(subjects, Some((Kind::Subject, 1)));
    assert!(is_struck(&copy, 5, 20) && !is_struck(&copy, 6, 20));
}

#[tokio::test]
async fn a_sweep_takes_what_has_ended_and_nothing_else() {
    let copy = Copy::default();
    let ends = |secs| Strike {
        until: Some(at(secs)),
        ..before(10)
    };
    copy.put(alice(), vec![ends(100)], None);
    let tenant = Name::tenant("acme");
    copy.put(tenant, vec![ends(100), before(3)], None);
    let cleared = Cleared {
        at: at(50),
        until: at(200),
    };
    let bob = Name::of_realm(Kind::Subject, ACME, "bob", None);
    copy.put(bob, Vec::new(), Some(cleared));
    let held = || copy.held().map(|(_, count)| count).sum::<usize>();
    copy.sweep(at(99));
    assert_eq!(held(), 3);
    copy.sweep(at(100));
    assert_eq!(held(), 2);
    copy.sweep(at(200));
    assert_eq!(held(), 1);
}

#[tokio::test]
async fn of_two_copies_each_strike_counts_unless_the_other_one_cleared_it_later() {
    let prints = Prints::default();
    let [kept, newer] = [(), ()].map(|()| Copy::new(prints.clone()));
    kept.put(alice(), vec![before(10)], None);
    newer.unite(&kept);
    assert!(is_struck(&newer, 10, 20), "what only the other one knows");

    let cleared = |secs| {
        Some(Cleared {
            at: at(secs),
            until: at(1000),
        })
    };
    for (secs, stands) in [(9, true), (10, false), (11, false)] {
        for is_first in [true, false] {
            let [one, other] = [(), ()].map(|()| Copy::new(prints.clone()));
            one.put(alice(), vec![before(10)], None);
            other.put(alice(), Vec::new(), cleared(secs));
            let (into, from) = if is_first {
                (&one, &other)
            } else {
                (&other, &one)
            };
            into.unite(from);
            assert_eq!(is_struck(into, 10, 20), stands, "cleared at {secs}");
        }
    }
}

#[tokio::test]
async fn what_is_joined_adds_to_what_is_held_but_for_what_was_cleared_since() {
    let copy = Copy::default();
    copy.join(alice(), vec![before(10)], None);
    copy.join(alice(), vec![before(5)], None);
    assert!(is_struck(&copy, 10, 20), "the later one still stands");
    assert_eq!(copy.held().map(|(_, count)| count).sum::<usize>(), 1);
    let cleared = Cleared {
        at: at(15),
        until: at(1000),
    };
    copy.join(alice(), Vec::new(), Some(cleared));
    assert!(!is_struck(&copy, 5, 20));
    copy.join(alice(), vec![before(10)], None);
    assert!(!is_struck(&copy, 5, 20), "it was cleared");
    copy.join(alice(), vec![before(16)], None);
    assert!(is_struck(&copy, 16, 20));
}

fn strikes() -> impl Strategy<Value = Vec<Strike>> {
    let time = || proptest::option::of((0..5_000_000_000_000_u64).prop_map(Timestamp::from_millis));
    let strike = (time(), time(), time(), proptest::option::of("[a-z]{0,3}"));
    let strike = strike.prop_map(|(before, until, at, reason)| Strike {
        before,
        until,
        at,
        reason: reason.map(String::into_boxed_str),
    });
    proptest::collection::vec(strike, 0..3)
}

proptest! {
    /// However it is kept, it strikes what it struck, to the second in which it ends.
    #[test]
    fn nothing_is_lost_by_being_kept_small(strikes in strikes(), issued in 0..4_000_000_000_u64, now in 0..4_000_000_000_u64) {
        let struck = Struck::new(Kind::Token, strikes.clone(), None);
        let kept = struck.strikes();
        prop_assert_eq!(kept.len(), strikes.len());
        for (kept, strike) in kept.iter().zip(&strikes) {
            prop_assert_eq!(kept.before, strike.before);
            prop_assert_eq!(&kept.reason, &strike.reason);
            let rounded = strike.until.map(|until| until.as_millis().div_ceil(1000));
            prop_assert_eq!(kept.until.map(|until| until.as_millis().div_ceil(1000)), rounded);
            prop_assert!(kept.until >= strike.until);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let token = sample::token(sample::config(ACME), &json!({ "iat": issued }));
            let issued = Issued::of(&token, Timestamp::from_secs(now));
            let expected = strikes.iter().any(|strike| issued.under(strike, Kind::Token).is_err());
            assert_eq!(struck.check(issued).is_err(), expected);
        });
    }
}

#[test]
fn a_name_without_a_reason_takes_24_bytes_and_its_fingerprint_16() {
    assert_eq!((size_of::<Struck>(), size_of::<Print>()), (24, 16));
}
