//! RFC 7517 5 on sets of keys.

use super::*;
use crate::token::testing::{Signer, jwks};
use proptest::prelude::*;
use serde_json::{Value, json};

const ES256: Algorithm = Algorithm::ES256;

fn signer(kid: &'static str) -> Signer {
    Signer::new(kid, ES256)
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::from_jwks(&jwks(keys)).unwrap()
}

fn chosen<'s>(set: &'s KeySet, id: Option<&str>) -> Option<&'s Arc<Key>> {
    match set.choose(id, ES256) {
        Choice::Key(key) => Some(key),
        Choice::OtherAlgorithm | Choice::Absent | Choice::Ambiguous => None,
    }
}

#[test]
fn key_01_one_bad_key_does_not_lose_the_set() {
    let good = signer("good");
    let bad = [
        json!(5),
        json!(null),
        json!("key"),
        json!([]),
        json!({}),
        signer("a").jwk_with(&json!({"kid": 5})),
        signer("b").jwk_with(&json!({"alg": 5})),
        signer("c").jwk_with(&json!({"use": 1})),
        signer("d").jwk_with(&json!({"key_ops": "verify"})),
        signer("e").jwk_with(&json!({"kty": "AKP"})),
        signer("f").jwk_with(&json!({"crv": "P-512"})),
        signer("g").jwk_with(&json!({"x": "AA"})),
        Signer::new("h", Algorithm::HS256).jwk(),
    ];
    for bad in &bad {
        for keys in [[bad.clone(), good.jwk()], [good.jwk(), bad.clone()]] {
            let set = set(&keys);
            assert!(chosen(&set, Some("good")).is_some(), "{bad}");
            assert_eq!((set.keys().len(), set.unusable().len()), (1, 1), "{bad}");
        }
    }
    let with_x5c = good.jwk_with(&json!({"x5c": "not an array"}));
    assert!(chosen(&set(&[with_x5c]), Some("good")).is_some());
}

#[test]
fn a_document_is_an_object_with_an_array_of_keys() {
    for document in [
        "",
        "[]",
        "{}",
        "null",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"keys\":5}",
        "{\"Keys\":[]}",
        "[[]]",
        "{\"keys\":[]}x",
        "{\"keys\":[],\"keys\":[]}",
        "<html></html>",
        "\u{feff}{\"keys\":[]}",
    ] {
        let refused = KeySet::from_jwks(document.as_bytes()).map(drop);
        assert_eq!(refused, Err(KeySetError::NotAKeySet), "{document}");
    }
    let more = format!(" {{\"x\":1,\"keys\":[{}]}} ", signer("k").jwk());
    assert_eq!(KeySet::from_jwks(more.as_bytes()).unwrap().keys().len(), 1);
    assert!(
        KeySet::from_jwks(b"{\"keys\":[]}")
            .unwrap()
            .keys()
            .is_empty()
    );
}

#[test]
fn key_15_a_set_has_at_most_100_keys() {
    let many = |count: usize| KeySet::from_jwks(&jwks(&vec![json!({}); count])).map(drop);
    assert_eq!(many(100), Ok(()));
    assert_eq!(many(101), Err(KeySetError::TooManyKeys(101)));
}

#[test]
fn key_05_a_kid_that_stands_twice_names_no_key() {
    let (one, two, other) = (signer("twice"), signer("twice"), signer("other"));
    let unusable = one.jwk_with(&json!({"use": "enc"}));
    for keys in [
        [one.jwk(), two.jwk(), other.jwk()],
        [one.jwk(), other.jwk(), one.jwk()],
        [unusable, two.jwk(), other.jwk()],
        [
            two.jwk(),
            json!({"kid": "twice", "kty": "AKP"}),
            other.jwk(),
        ],
    ] {
        let set = set(&keys);
        assert!(matches!(
            set.choose(Some("twice"), ES256),
            Choice::Ambiguous
        ));
        assert!(chosen(&set, Some("other")).is_some());
    }
}

#[test]
fn key_05_a_kid_is_compared_exactly() {
    let set = set(&[signer("Key-1").jwk()]);
    assert!(chosen(&set, Some("Key-1")).is_some());
    for id in ["key-1", "Key-1 ", "", "Key", "Key-11"] {
        assert!(
            matches!(set.choose(Some(id), ES256), Choice::Absent),
            "{id}"
        );
    }
}

#[test]
fn key_06_without_a_kid_the_one_key_that_fits_is_meant() {
    let ed = Signer::new("ed", Algorithm::EdDSA);
    assert!(chosen(&set(&[signer("a").jwk()]), None).is_some());
    assert!(chosen(&set(&[signer("a").jwk(), ed.jwk()]), None).is_some());
    let without = signer("a").jwk_with(&json!({"kid": null}));
    assert!(chosen(&set(std::slice::from_ref(&without)), None).is_some());
    assert!(chosen(&set(&[without]), Some("a")).is_none());
    let several = set(&[signer("a").jwk(), signer("b").jwk()]);
    assert!(matches!(several.choose(None, ES256), Choice::Ambiguous));
    assert!(matches!(
        set(&[ed.jwk()]).choose(None, ES256),
        Choice::Absent
    ));
}

#[test]
fn bcp_02_a_named_key_of_another_algorithm_is_not_replaced_by_a_fitting_one() {
    let set = set(&[
        Signer::new("k", Algorithm::EdDSA).jwk(),
        signer("other").jwk(),
    ]);
    assert!(matches!(
        set.choose(Some("k"), ES256),
        Choice::OtherAlgorithm
    ));
}

#[test]
fn a_secret_stands_for_every_kid_and_for_its_algorithms_alone() {
    let declared = [Algorithm::HS256, Algorithm::HS384];
    let set = KeySet::from_secret(&[7; 48], &declared).unwrap();
    for id in [None, Some(""), Some("any")] {
        assert!(matches!(set.choose(id, Algorithm::HS384), Choice::Key(_)));
        assert!(matches!(
            set.choose(id, Algorithm::HS512),
            Choice::OtherAlgorithm
        ));
        assert!(matches!(set.choose(id, ES256), Choice::OtherAlgorithm));
    }
}

#[test]
fn key_08_a_set_replaces_and_a_key_that_left_is_dead() {
    let (stays, leaves, comes) = (signer("stays"), signer("leaves"), signer("comes"));
    let earlier = set(&[stays.jwk(), leaves.jwk()]);
    let held = Arc::clone(chosen(&earlier, Some("stays")).unwrap());
    let left = Arc::clone(chosen(&earlier, Some("leaves")).unwrap());
    let next = set(&[comes.jwk(), stays.jwk()]).replacing(&earlier);
    assert!(held.is_alive() && !left.is_alive());
    assert!(Arc::ptr_eq(chosen(&next, Some("stays")).unwrap(), &held));
    assert!(chosen(&next, Some("leaves")).is_none());

    let again = set(&[leaves.jwk()]).replacing(&next);
    let back = chosen(&again, Some("leaves")).unwrap();
    assert!(back.is_alive() && !left.is_alive() && !held.is_alive());
}

#[test]
fn a_key_that_changed_under_its_kid_is_dead() {
    let before = signer("k");
    for after in [
        signer("k").jwk(),
        before.jwk_with(&json!({"alg": null})),
        before.jwk_with(&json!({"kid": "renamed"})),
        Signer::new("k", Algorithm::EdDSA).jwk(),
        json!({"kid": "k"}),
    ] {
        let earlier = set(&[before.jwk()]);
        let old = Arc::clone(&earlier.keys()[0]);
        let next = set(std::slice::from_ref(&after)).replacing(&earlier);
        assert!(!old.is_alive(), "{after}");
        assert!(next.keys().iter().all(|key| key.is_alive()));
    }
    let earlier = set(&[before.jwk()]);
    let old = Arc::clone(&earlier.keys()[0]);
    let decorated = before.jwk_with(&json!({"use": null, "x5t": "dGh1bWI"}));
    let _next = set(&[decorated]).replacing(&earlier);
    assert!(old.is_alive());
}

#[test]
fn a_kid_that_becomes_ambiguous_means_nothing_and_a_changed_secret_dies() {
    let one = signer("k");
    let earlier = set(&[one.jwk()]);
    let next = set(&[one.jwk(), signer("k").jwk()]).replacing(&earlier);
    assert!(matches!(next.choose(Some("k"), ES256), Choice::Ambiguous));

    let earlier = KeySet::from_secret(&[1; 32], &[]).unwrap();
    let same = KeySet::from_secret(&[1; 32], &[])
        .unwrap()
        .replacing(&earlier);
    assert!(earlier.keys()[0].is_alive());
    let _other = KeySet::from_secret(&[2; 32], &[]).unwrap().replacing(&same);
    assert!(!earlier.keys()[0].is_alive());
}

proptest! {
    #[test]
    fn no_document_panics(bytes in any::<Vec<u8>>()) {
        let _either = KeySet::from_jwks(&bytes);
    }

    #[test]
    fn no_key_panics_and_none_has_a_random_point(
        kty in "RSA|EC|OKP|oct", crv in "P-256|P-384|Ed25519",
        x in "[A-Za-z0-9_-]{0,64}", y in "[A-Za-z0-9_-]{0,64}", n in "[A-Za-z0-9_-]{0,300}",
    ) {
        let jwk = json!({"kty": kty, "crv": crv, "x": x, "y": y, "n": n, "e": "AQAB"});
        let set = KeySet::from_jwks(&jwks(&[jwk])).unwrap();
        prop_assert_eq!(set.keys().len() + set.unusable().len(), 1);
    }
}
