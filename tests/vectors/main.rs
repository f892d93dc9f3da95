//! Public test vectors that nobody here wrote, from the folder that `SUBGATE_VECTORS` names.
//!
//! Each invalid token is refused under its key, each valid one accepted, but for the lists below, which are
//! exact: an exception that is none any more fails too. End to end all of them are refused, since none of
//! them has claims that an issuer could have meant for us now.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop where it stands"
)]

mod sets;
mod sidecar;
mod spki;
mod status_list;

use sets::{Expected, Vector};
use sidecar::Sidecar;
use std::collections::BTreeMap;
use subgate::token::issuer::Algorithm;
use subgate::token::jws::{JwsError, Malformed, verify_jws};
use subgate::token::keyset::KeySet;

/// Valid by their label, and refused.
const REFUSED: &[(&str, &str)] = &[
    (
        "wycheproof 346",
        "PS384 under a key for PS256: one key, one algorithm (RFC 7517 4.4)",
    ),
    (
        "wycheproof 350",
        "PS384 under a key for PS256: one key, one algorithm (RFC 7517 4.4)",
    ),
    (
        "wycheproof 347",
        "ES512 and P-521 are not ours, and the key's alg is misspelt",
    ),
    (
        "wycheproof 351",
        "ES512 and P-521 are not ours, and the key's alg is misspelt",
    ),
    ("wycheproof 372", "a `?` stands in the header (RFC 7515 2)"),
    ("wycheproof 373", "a `?` stands in the payload (RFC 7515 2)"),
    ("rfc7515 A.4", "ES512 is not ours"),
    ("cookbook jws/4_3.ecdsa_signature.json", "ES512 is not ours"),
    (
        "cookbook jws/4_5.signature_with_detached_content.json",
        "its payload is elsewhere (RFC 7515 F)",
    ),
    (
        "cookbook rfc7797/hmac-sha2_b64_false.json",
        "b64 is false, which a JWT must not have (RFC 7797 7)",
    ),
    (
        "golang-jwt rsa_pss_test Basic PS256",
        "its salt is longer than the hash (RFC 7518 3.5)",
    ),
    (
        "golang-jwt rsa_pss_test Basic PS384",
        "its salt is longer than the hash (RFC 7518 3.5)",
    ),
    (
        "golang-jwt rsa_pss_test Basic PS512",
        "its salt is longer than the hash (RFC 7518 3.5)",
    ),
    ("golang-jwt ecdsa_test Basic ES512", "ES512 is not ours"),
    (
        "golang-jwt ed25519_test Basic Ed25519",
        "the header's alg is `ED25519`, which nobody registered",
    ),
];

/// Invalid by their label, and accepted.
const ACCEPTED: &[(&str, &str)] = &[
    (
        "wycheproof 367",
        "byte for byte the valid 357: its padding was lost when the file was made",
    ),
    (
        "wycheproof 370",
        "byte for byte the valid 357: its padding was lost when the file was made",
    ),
];

#[test]
fn every_vector_has_its_verdict_but_for_the_listed_exceptions() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut refused, mut accepted) = (Vec::new(), Vec::new());
    for vector in sets::all() {
        *counts.entry(vector.set).or_default() += 1;
        match (vector.expected, verdict(&vector)) {
            (Expected::Valid, Err(_)) => refused.push(vector.name),
            (Expected::Invalid, Ok(_)) => accepted.push(vector.name),
            (Expected::Valid, Ok(payload)) => {
                if let Some(expected) = vector.payload {
                    assert_eq!(payload, expected.as_bytes(), "{}", vector.name);
                }
            }
            (Expected::Invalid, Err(_)) => {}
        }
    }
    same(refused, REFUSED);
    same(accepted, ACCEPTED);
    let expected = [
        ("cookbook", 8),
        ("golang-jwt", 33),
        ("rfc7515", 8),
        ("wycheproof", 401),
    ];
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn the_exceptions_of_wycheproof_are_the_known_ones() {
    let known = sets::json("wycheproof/known_exceptions.json");
    let known = known["json_web_signature_test.json"]
        .as_object()
        .expect("an object");
    let mut known: Vec<String> = known.keys().map(|id| format!("wycheproof {id}")).collect();
    let ours = [REFUSED, ACCEPTED].concat();
    let ours = ours.iter().map(|(name, _)| (*name).to_owned());
    let mut ours: Vec<_> = ours.filter(|name| name.starts_with("wycheproof")).collect();
    known.sort();
    ours.sort();
    assert_eq!(ours, known);
}

#[test]
fn the_json_serializations_are_refused_before_anything_is_read() {
    let mut read = 0;
    for (name, document) in sets::cookbook() {
        for form in ["json", "json_flat"] {
            let text = &document["output"][form];
            if text.is_object() {
                let verdict = verify_jws(&text.to_string(), &KeySet::default(), &Algorithm::ALL);
                let refused = JwsError::Malformed(Malformed::Characters);
                assert_eq!(verdict, Err(refused), "{name} {form}");
                read += 1;
            }
        }
    }
    assert_eq!(read, 23);
}

#[tokio::test]
async fn end_to_end_every_vector_is_refused_with_401() {
    let vectors = sets::all();
    let examples = vectors.iter().filter(|vector| vector.set == "rfc7515");
    let sidecar = Sidecar::start(examples.flat_map(|vector| &vector.keys)).await;
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for vector in &vectors {
        let (status, code) = sidecar.ask(&vector.token).await;
        assert_eq!(status, 401, "{}: {code}", vector.name);
        *codes.entry(code).or_default() += 1;
    }
    // Those of RFC 7515 A.2 and A.3 have claims and a key: time alone is against them.
    assert_eq!(codes.get("token_expired"), Some(&2), "{codes:?}");
}

/// What becomes of a vector under its own keys.
fn verdict(vector: &Vector) -> Result<Vec<u8>, String> {
    let (set, algorithms) = match vector.keys.as_slice() {
        [key] if key["kty"] == "oct" => {
            let declared: Vec<_> = key["alg"].as_str().into_iter().collect();
            let declared: Vec<_> = declared.into_iter().filter_map(Algorithm::parse).collect();
            let secret = sets::base64(key["k"].as_str().expect("a secret"));
            let set = KeySet::from_secret(&secret, &declared).map_err(|error| error.to_string())?;
            (set, declared)
        }
        keys => {
            let document = serde_json::json!({"keys": keys}).to_string();
            let set = KeySet::from_jwks(document.as_bytes()).map_err(|error| error.to_string())?;
            (set, Algorithm::ALL.to_vec())
        }
    };
    verify_jws(&vector.token, &set, &algorithms).map_err(|error| error.to_string())
}

fn same(mut found: Vec<String>, listed: &[(&str, &str)]) {
    let mut listed: Vec<_> = listed.iter().map(|(name, _)| (*name).to_owned()).collect();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
}
