use super::super::packed::Packed;
use super::super::packed::tests::lst;
use super::*;
use crate::token::jwk::Key;
use std::sync::Arc;

const WALL: Timestamp = Timestamp::from_secs(1_790_000_000);

const RULES: Rules = Rules {
    leeway: Duration::from_secs(30),
    max_stale: Duration::from_secs(86_400),
};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(in crate::revocation::status_list) fn signed(
    list: &[u8],
    issued: Timestamp,
    expires: Option<Timestamp>,
    ttl: Option<Duration>,
) -> Signed {
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    Signed {
        list: Packed::decode(8, &lst(list)).unwrap(),
        key: Arc::new(Key::from_jwk(key).unwrap()),
        issued,
        expires,
        ttl,
    }
}

fn held(expires: Option<u64>, ttl: Option<u64>, began: Instant) -> Held {
    let expires = expires.map(|after| WALL.plus(secs(after)));
    Held::new(signed(&[0], WALL, expires, ttl.map(secs)), began, RULES)
}

#[test]
fn tsl_06_a_list_is_asked_for_again_when_its_own_times_say_so() {
    let now = Instant::now();
    for (expires, ttl, after) in [
        (None, None, 300),
        (None, Some(60), 60),
        (None, Some(43_200), 43_200),
        (None, Some(1), 10),
        (None, Some(u64::MAX), 86_400),
        (Some(3600), Some(60), 60),
        (Some(100), Some(600), 50),
        (Some(100), None, 50),
        (Some(3), None, 10),
        (Some(86_400), None, 300),
    ] {
        let held = held(expires, ttl, now);
        assert_eq!(held.refresh_after(WALL), secs(after), "{expires:?} {ttl:?}");
    }
}

#[test]
fn tsl_06_a_list_beyond_its_time_to_live_serves_until_it_expires_and_no_longer() {
    let began = Instant::now();
    let at = |held: &Held, after| held.is_usable(WALL.plus(secs(after)), began + secs(after));
    let expiring = held(Some(3600), Some(60), began);
    assert!(at(&expiring, 3629));
    assert!(!at(&expiring, 3630));
    // The wall alone decides on `exp`, and nothing else outlives it.
    assert!(!expiring.is_usable(WALL.plus(secs(3630)), began));
    // Ten years are longer than anyone may go without news.
    let lasting = held(Some(315_360_000), Some(60), began);
    assert!(at(&lasting, 86_400 + 60));
    assert!(!at(&lasting, 86_400 + 61));
}

#[test]
fn tsl_06_a_list_that_never_expires_serves_for_its_time_to_live_twice() {
    let began = Instant::now();
    let at = |held: &Held, after| held.is_usable(WALL.plus(secs(after)), began + secs(after));
    for (ttl, last) in [(Some(60), 120), (None, 600), (Some(1), 20)] {
        let held = held(None, ttl, began);
        assert!(at(&held, last), "{ttl:?}");
        assert!(!at(&held, last + 1), "{ttl:?}");
    }
}

#[test]
fn a_list_dies_with_the_key_that_signed_it() {
    let now = Instant::now();
    let held = held(Some(3600), None, now);
    assert_eq!(held.say(0, WALL, now), Known::Status(0));
    assert_eq!(held.say(1, WALL, now), Known::OutOfRange);
    held.signed.key.retire();
    assert_eq!(held.say(0, WALL, now), Known::Nothing);
}
