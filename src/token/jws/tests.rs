//! RFC 7515 and RFC 8725 at the seam.
//!
//! Elsewhere: JWT-05, JWT-06 and JWT-14 on JSON in `json`, JWT-07 and JWT-13 in `claims` and `token`,
//! KEY-13's salt lengths among the public vectors. BCP-12 and BCP-15 have nothing to hold on to: no
//! URL of a token is fetched and no JWE is read, which JWT-11 and JWT-12 keep.

mod keys;

use super::*;
use crate::token::testing::{SECRET, Signer, base64, jwks, mac, public_key_forms};
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

static KEY: LazyLock<Signer> = LazyLock::new(|| Signer::new("k", Algorithm::ES256));

fn set(signer: &Signer) -> KeySet {
    if signer.algorithm.is_symmetric() {
        KeySet::from_secret(&SECRET, &[signer.algorithm]).unwrap()
    } else {
        KeySet::from_jwks(&jwks(&[signer.jwk()])).unwrap()
    }
}

/// What becomes of a token whose issuer declares everything.
fn verify(token: &str) -> Result<Vec<u8>, JwsError> {
    verify_jws(token, &set(&KEY), &Algorithm::ALL)
}

/// What becomes of a token with this header, signed by the right key.
fn verify_header(header: &str) -> Result<Vec<u8>, JwsError> {
    verify(&KEY.jws(header, b"{}"))
}

fn malformed(what: Malformed) -> Result<Vec<u8>, JwsError> {
    Err(JwsError::Malformed(what))
}

#[test]
fn jwt_01_only_base64url_and_dots_are_read_at_all() {
    let good = KEY.jws(&KEY.header().to_string(), b"{}");
    for stray in [
        "{", "}", "\"", " ", "=", "+", "/", "\n", "\r", "\t", "\0", "é", "\u{2028}", "?", "%", ",",
    ] {
        for token in [
            format!("{stray}{good}"),
            format!("{good}{stray}"),
            good.replacen('.', &format!("{stray}."), 1),
        ] {
            assert_eq!(verify(&token), malformed(Malformed::Characters), "{token}");
        }
    }
}

#[test]
fn jwt_02_a_token_has_three_parts_with_a_header_and_a_signature() {
    let good = KEY.jws(&KEY.header().to_string(), b"{}");
    let [header, payload, signature] = parts(&good);
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!(".{payload}.{signature}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{payload}"),
        format!("{header}.{payload}.{payload}.{payload}.{signature}"),
    ] {
        assert_eq!(verify(&token), malformed(Malformed::Parts), "{token}");
    }
}

#[test]
fn an_empty_payload_can_be_signed_and_is_no_claims() {
    let token = KEY.jws(&KEY.header().to_string(), b"");
    assert_eq!(verify(&token), Ok(Vec::new()));
    let other = KEY.jws(&KEY.header().to_string(), b"{}");
    let [header, _, signature] = parts(&other);
    assert_eq!(
        verify(&format!("{header}..{signature}")),
        Err(JwsError::SignatureInvalid)
    );
}

#[test]
fn jwt_03_each_part_has_one_spelling() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // 1 byte over a multiple of three: the last character of each part has bits to spare.
    let header = json!({"alg": "ES256", "kid": "k", "x": ""}).to_string();
    let fill = "x".repeat((4 - header.len() % 3) % 3);
    let header = json!({"alg": "ES256", "kid": "k", "x": fill}).to_string();
    let good = KEY.jws(&header, b"1234");
    for part in 0..3 {
        let accepted = ALPHABET.chars().filter(|last| {
            let mut parts = parts(&good).map(str::to_owned);
            parts[part].pop();
            parts[part].push(*last);
            verify(&parts.join(".")).is_ok()
        });
        assert_eq!(accepted.count(), 1, "part {part}");
    }
    for padded in [format!("{good}="), format!("{good}==")] {
        assert!(verify(&padded).is_err());
    }
}

#[test]
fn jwt_04_the_json_serializations_are_refused_dotted_or_not() {
    let good = KEY.jws(&KEY.header().to_string(), b"{}");
    let [header, payload, signature] = parts(&good);
    let flat = json!({"protected": header, "payload": payload, "signature": signature});
    let general = json!({"payload": payload, "signatures": [
        {"protected": header, "signature": signature}]});
    let polyglot = format!("{{\"x\":\"{good}\",\"alg\":\"none\"}}");
    for token in [flat.to_string(), general.to_string(), polyglot] {
        assert_eq!(verify(&token), malformed(Malformed::Characters));
    }
}

#[test]
fn jwt_06_a_header_parameter_stands_once() {
    for header in [
        r#"{"alg":"ES256","alg":"ES256","kid":"k"}"#,
        r#"{"alg":"none","\u0061lg":"ES256","kid":"k"}"#,
        r#"{"alg":"ES256","kid":"k","x":1,"x":1}"#,
    ] {
        assert_eq!(
            verify_header(header),
            malformed(Malformed::HeaderJson),
            "{header}"
        );
    }
}

#[test]
fn jwt_08_alg_is_a_string_and_case_sensitive() {
    for alg in [
        "none", "None", "NONE", "nOnE", "es256", "Es256", "ES256 ", "", "ES512", "ES256K",
    ] {
        let header = json!({"alg": alg, "kid": "k"}).to_string();
        assert_eq!(
            verify_header(&header),
            Err(JwsError::AlgorithmNotAllowed),
            "{alg}"
        );
        let unsigned = format!("{}.{}.", base64(&header), base64("{}"));
        assert_eq!(verify(&unsigned), malformed(Malformed::Parts), "{alg}");
    }
    for header in [
        r#"{"kid":"k"}"#,
        r#"{"alg":null,"kid":"k"}"#,
        r#"{"alg":5,"kid":"k"}"#,
        r#"{"alg":["ES256"],"kid":"k"}"#,
        r#"{"alg":{"ES256":null},"kid":"k"}"#,
    ] {
        assert_eq!(
            verify_header(header),
            malformed(Malformed::HeaderType),
            "{header}"
        );
    }
    for header in [
        "",
        "[]",
        "\"ES256\"",
        "null",
        "{",
        "\u{feff}{\"alg\":\"ES256\",\"kid\":\"k\"}",
    ] {
        assert!(verify_header(header).is_err(), "{header}");
    }
}

#[test]
fn jwt_09_any_crit_is_refused() {
    for crit in [
        json!([]),
        json!(["exp"]),
        json!(["alg"]),
        json!(["b64"]),
        json!(["x", "x"]),
        json!(["http://example.com/unknown"]),
        json!("exp"),
        json!(null),
        json!({}),
        json!(5),
    ] {
        let header = json!({"alg": "ES256", "kid": "k", "crit": crit, "exp": 1}).to_string();
        assert_eq!(
            verify_header(&header),
            malformed(Malformed::HeaderParameter),
            "{crit}"
        );
    }
}

#[test]
fn jwt_10_and_jwt_12_b64_and_the_parameters_of_encryption_are_refused() {
    for (name, value) in [
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("enc", json!("A256GCM")),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("cty", json!("jwt")),
        ("cty", json!("application/JWT")),
    ] {
        let mut header = KEY.header();
        header[name] = value.clone();
        let verdict = verify_header(&header.to_string());
        assert_eq!(
            verdict,
            malformed(Malformed::HeaderParameter),
            "{name} {value}"
        );
    }
    let mut header = KEY.header();
    header["cty"] = "json".into();
    assert!(verify_header(&header.to_string()).is_ok());
    header["b64"] = false.into();
    header["crit"] = json!(["b64"]);
    assert!(verify_header(&header.to_string()).is_err());
}

#[test]
fn jwt_15_size_is_bounded_before_work_is_done() {
    assert_eq!(verify(&".".repeat(1 << 20)), malformed(Malformed::Parts));
    assert_eq!(
        verify(&format!("{}.e30.e30", "A".repeat(MAX_HEADER + 1))),
        malformed(Malformed::HeaderTooLong)
    );
    let deep = format!(
        "{{\"alg\":\"ES256\",\"x\":{}{}}}",
        "[".repeat(200),
        "]".repeat(200)
    );
    assert_eq!(verify_header(&deep), malformed(Malformed::HeaderJson));
}

#[test]
fn bcp_13_media_types_are_compared_as_media_types() {
    for (came, expected) in [
        ("at+jwt", "at+jwt"),
        ("AT+JWT", "at+jwt"),
        ("application/at+jwt", "at+jwt"),
        ("Application/AT+jwt", "at+jwt"),
        ("at+jwt", "application/at+jwt"),
    ] {
        assert!(media_type_is(came, expected), "{came}");
    }
    for came in [
        "",
        "jwt",
        "at+jwt ",
        "text/at+jwt",
        "application/x/at+jwt",
        "application/",
        "at",
    ] {
        assert!(!media_type_is(came, "at+jwt"), "{came}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_verifies_and_none_panics(token in ".*") {
        prop_assert!(verify(&token).is_err());
    }

    #[test]
    fn no_three_parts_verify_and_none_panic(
        header in any::<Vec<u8>>(), payload in any::<Vec<u8>>(), signature in any::<Vec<u8>>(),
    ) {
        let token = [header, payload, signature].map(base64).join(".");
        prop_assert!(verify(&token).is_err());
    }

    #[test]
    fn no_signature_verifies_under_a_good_header(
        payload in any::<Vec<u8>>(), signature in proptest::collection::vec(any::<u8>(), 60..70),
    ) {
        let token = [KEY.header().to_string().into_bytes(), payload, signature].map(base64);
        prop_assert!(verify(&token.join(".")).is_err());
    }

    #[test]
    fn a_token_changed_in_one_place_does_not_verify(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.-]") {
        let good = KEY.jws(&KEY.header().to_string(), b"{\"sub\":\"alice\"}");
        let mut changed: Vec<char> = good.chars().collect();
        let index = at.index(changed.len());
        changed[index] = to.chars().next().unwrap_or('A');
        let changed: String = changed.into_iter().collect();
        prop_assert_eq!(verify(&changed).is_ok(), changed == good);
    }
}

fn parts(token: &str) -> [&str; 3] {
    let mut parts = token.split('.');
    std::array::from_fn(|_| parts.next().unwrap())
}
