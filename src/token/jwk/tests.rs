//! RFC 7517, RFC 7518 and RFC 8037 on single keys; KEY-13's signatures are in `jws` and the public vectors.

use super::*;
use crate::token::testing::{Signer, base64, with_raw};
use serde_json::json;

fn read(jwk: &Value) -> Result<Key, KeyError> {
    Key::from_jwk(&jwk.to_string())
}

/// What becomes of an otherwise good key of this algorithm.
fn changed(algorithm: Algorithm, changes: &Value) -> Result<(), KeyError> {
    read(&Signer::new("k", algorithm).jwk_with(changes)).map(drop)
}

#[test]
fn key_02_unknown_members_are_ignored_and_repeated_names_refused() {
    let unknown = json!({"x5t": "dGh1bWI", "iat": 5, "https://example.com": {"a": []}});
    assert_eq!(changed(Algorithm::ES256, &unknown), Ok(()));
    let jwk = Signer::new("k", Algorithm::ES256).jwk();
    let twice = with_raw("\"kid\":\"other\"", &jwk);
    assert_eq!(Key::from_jwk(&twice).map(drop), Err(KeyError::NotAnObject));
    for other in ["[]", "null", "5", "\"x\"", "", "{"] {
        assert_eq!(Key::from_jwk(other).map(drop), Err(KeyError::NotAnObject));
    }
}

#[test]
fn key_03_a_key_is_for_verifying_signatures() {
    let cases = [
        (json!({"use": null}), Ok(())),
        (json!({"use": null, "key_ops": ["verify"]}), Ok(())),
        (json!({"use": null, "key_ops": ["sign", "verify"]}), Ok(())),
        (
            json!({"use": null, "key_ops": ["verify", "encrypt"]}),
            Ok(()),
        ),
        (json!({"use": "sig", "key_ops": ["verify"]}), Ok(())),
        (json!({"use": "enc"}), Err(KeyError::NotForVerifying)),
        (json!({"use": "SIG"}), Err(KeyError::NotForVerifying)),
        (json!({"use": ""}), Err(KeyError::NotForVerifying)),
        (json!({"use": 1}), Err(KeyError::Member("use"))),
        (
            json!({"use": "enc", "key_ops": ["verify"]}),
            Err(KeyError::NotForVerifying),
        ),
        (
            json!({"use": "sig", "key_ops": ["encrypt"]}),
            Err(KeyError::Member("key_ops")),
        ),
        (
            json!({"use": "sig", "key_ops": ["verify", "wrapKey"]}),
            Err(KeyError::Member("key_ops")),
        ),
        (
            json!({"use": null, "key_ops": ["verify", "verify"]}),
            Err(KeyError::Member("key_ops")),
        ),
        (
            json!({"use": null, "key_ops": ["sign"]}),
            Err(KeyError::NotForVerifying),
        ),
        (
            json!({"use": null, "key_ops": []}),
            Err(KeyError::NotForVerifying),
        ),
        (
            json!({"key_ops": "verify"}),
            Err(KeyError::Member("key_ops")),
        ),
        (
            json!({"key_ops": ["verify", 5]}),
            Err(KeyError::Member("key_ops")),
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(changed(Algorithm::ES256, &changes), expected, "{changes}");
    }
}

#[test]
fn key_04_a_keys_alg_is_its_only_one_and_must_be_known_and_its_own() {
    let fitting = |changes: Value| -> Vec<Algorithm> {
        let key = read(&Signer::new("k", Algorithm::RS256).jwk_with(&changes)).unwrap();
        Algorithm::ALL
            .into_iter()
            .filter(|one| key.fits(*one))
            .collect()
    };
    assert_eq!(fitting(json!({})), [Algorithm::RS256]);
    assert_eq!(
        fitting(json!({"alg": null})),
        [
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512
        ]
    );
    for alg in ["ES521", "RSA-OAEP", "rs256", "none", ""] {
        let refused = changed(Algorithm::RS256, &json!({"alg": alg}));
        assert_eq!(refused, Err(KeyError::Unsupported), "{alg}");
    }
    for (of, alg) in [
        (Algorithm::RS256, "ES256"),
        (Algorithm::RS256, "HS256"),
        (Algorithm::ES256, "ES384"),
        (Algorithm::ES256, "EdDSA"),
        (Algorithm::Ed25519, "ES256"),
    ] {
        assert_eq!(
            changed(of, &json!({"alg": alg})),
            Err(KeyError::Member("alg"))
        );
    }
    assert_eq!(
        changed(Algorithm::RS256, &json!({"alg": 5})),
        Err(KeyError::Member("alg"))
    );
    assert_eq!(
        changed(Algorithm::EdDSA, &json!({"alg": "Ed25519"})),
        Ok(())
    );
}

#[test]
fn key_01_unknown_kinds_and_missing_or_mistyped_members_are_refused() {
    for (changes, expected) in [
        (json!({"kty": "AKP"}), KeyError::Unsupported),
        (json!({"kty": "ec"}), KeyError::Unsupported),
        (json!({"kty": "oct"}), KeyError::Unsupported),
        (json!({"kty": null}), KeyError::Member("kty")),
        (json!({"kty": 5}), KeyError::Member("kty")),
        (json!({"kty": "RSA"}), KeyError::Member("n")),
        (json!({"kty": "OKP"}), KeyError::Unsupported),
        (json!({"kid": 5}), KeyError::Member("kid")),
        (json!({"crv": null}), KeyError::Member("crv")),
        (json!({"crv": "P-521"}), KeyError::Unsupported),
        (json!({"crv": "secp256k1"}), KeyError::Unsupported),
        (json!({"x": null}), KeyError::Member("x")),
        (json!({"y": null}), KeyError::Member("y")),
        (json!({"y": 5}), KeyError::Member("y")),
        (json!({"x": "=?"}), KeyError::Member("x")),
    ] {
        let refused = changed(Algorithm::ES256, &changes);
        assert_eq!(refused, Err(expected), "{changes}");
    }
}

#[test]
fn key_09_private_and_symmetric_material_is_refused() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
            let refused = changed(algorithm, &json!({name: "AQAB"}));
            assert_eq!(refused, Err(KeyError::Private), "{name}");
        }
    }
    let secret = Signer::new("k", Algorithm::HS256).jwk();
    assert_eq!(read(&secret).map(drop), Err(KeyError::Private));
}

#[test]
fn key_10_rsa_has_2048_to_8192_bits_and_an_odd_exponent_of_at_least_3() {
    let of_bits = |bits: usize| {
        let mut modulus = vec![0xff; bits.div_ceil(8)];
        modulus[0] >>= (8 - bits % 8) % 8;
        base64(modulus)
    };
    let refused = Err(KeyError::RsaSize);
    for (bits, expected) in [
        (2048, Ok(())),
        (8192, Ok(())),
        (512, refused.clone()),
        (1024, refused.clone()),
        (2047, refused.clone()),
        (8193, refused.clone()),
        (16384, refused.clone()),
    ] {
        let changes = json!({"n": of_bits(bits), "e": "AQAB"});
        assert_eq!(changed(Algorithm::RS256, &changes), expected, "{bits}");
    }
    for exponent in [
        &[][..],
        &[0],
        &[1],
        &[2],
        &[4],
        &[0, 1],
        &[0, 3],
        &[1, 0],
        &[1, 0, 0, 0, 1],
    ] {
        let changes = json!({"e": base64(exponent)});
        assert_eq!(changed(Algorithm::RS256, &changes), refused, "{exponent:?}");
    }
    assert_eq!(changed(Algorithm::RS256, &json!({"e": "Aw"})), Ok(()));
    let even = [&[0xff; 255][..], &[0xfe]].concat();
    assert_eq!(
        changed(Algorithm::RS256, &json!({"n": base64(even)})),
        refused
    );
    let padded = [&[0][..], &[0xff; 256]].concat();
    assert_eq!(
        changed(Algorithm::RS256, &json!({"n": base64(padded)})),
        refused
    );
}

#[test]
fn key_11_a_secret_is_as_long_as_the_hash() {
    let take = |length: usize, declared: &[Algorithm]| {
        Key::from_secret(&vec![7; length], declared).map(drop)
    };
    for (algorithm, least) in [
        (Algorithm::HS256, 32),
        (Algorithm::HS384, 48),
        (Algorithm::HS512, 64),
    ] {
        assert_eq!(take(least, &[algorithm]), Ok(()));
        for came in [least - 1, 1, 0] {
            let short = Err(KeyError::SecretTooShort { came, least });
            assert_eq!(take(came, &[algorithm]), short);
        }
    }
    let both = [Algorithm::HS256, Algorithm::HS512];
    assert!(take(63, &both).is_err());
    assert!(take(0, &[]).is_err());
    let key = Key::from_secret(&[7; 32], &[Algorithm::HS256]).unwrap();
    assert!(key.fits(Algorithm::HS256) && !key.fits(Algorithm::HS384));
    assert!(!key.fits(Algorithm::RS256));
}

#[test]
fn key_12_and_bcp_06_a_point_is_whole_and_on_the_curve_it_names() {
    let cut = |algorithm, name: &str| {
        let signer = Signer::new("k", algorithm);
        let whole = signer.jwk()[name].as_str().unwrap().to_owned();
        let bytes = URL_SAFE_NO_PAD.decode(whole).unwrap();
        let short = read(&signer.jwk_with(&json!({name: base64(&bytes[1..])})));
        let long = read(&signer.jwk_with(&json!({name: base64([&[0], &bytes[..]].concat())})));
        (short.map(drop), long.map(drop))
    };
    for algorithm in [Algorithm::ES256, Algorithm::ES384] {
        for name in ["x", "y"] {
            let wrong = Err(KeyError::Member("x"));
            assert_eq!(cut(algorithm, name), (wrong.clone(), wrong));
        }
    }
    for point in [[0; 32], [0xff; 32], [7; 32]] {
        let changes = json!({"x": base64(point), "y": base64(point)});
        assert_eq!(changed(Algorithm::ES256, &changes), Err(KeyError::Point));
    }
    let labelled = json!({"crv": "P-384", "alg": null});
    assert_eq!(
        changed(Algorithm::ES256, &labelled),
        Err(KeyError::Member("x"))
    );
}

#[test]
fn key_14_an_ed25519_key_is_a_point_of_large_order() {
    let with = |x: &[u8]| changed(Algorithm::EdDSA, &json!({"x": base64(x)}));
    for length in [0, 1, 31, 33, 64] {
        assert_eq!(
            with(&vec![1; length]),
            Err(KeyError::Member("x")),
            "{length}"
        );
    }
    // y = 0, 1, -1, and p and p + 1, which are 0 and 1 again; with either sign of x.
    let end = |first: u8, rest: u8, last: u8| {
        let mut point = [rest; 32];
        (point[0], point[31]) = (first, last);
        point
    };
    let mut small = vec![end(0, 0, 0), end(1, 0, 0)];
    small.extend([0xec, 0xed, 0xee].map(|first| end(first, 0xff, 0x7f)));
    let eighth = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    small.push(eighth);
    for mut point in small {
        assert_eq!(with(&point), Err(KeyError::Point), "{point:?}");
        point[31] |= 0x80;
        assert_eq!(with(&point), Err(KeyError::Point), "{point:?}");
    }
    for crv in ["X25519", "Ed448", "X448", "P-256", "ed25519"] {
        let refused = changed(Algorithm::EdDSA, &json!({"crv": crv}));
        assert_eq!(refused, Err(KeyError::Unsupported), "{crv}");
    }
}

#[test]
fn a_key_without_a_kid_is_named_by_its_rfc_7638_thumbprint() {
    let rsa = json!({"kty": "RSA", "e": "AQAB", "alg": "RS256", "n": concat!(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK",
        "RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic",
        "AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3",
        "XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw")});
    assert_eq!(
        &**read(&rsa).unwrap().name(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    let ed =
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    assert_eq!(
        &**read(&ed).unwrap().name(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    let mut named = ed;
    named["kid"] = "k".into();
    assert_eq!(&**read(&named).unwrap().name(), "k");
}

/// BCP-07: whoever knows the public key could sign with it.
#[test]
fn bcp_07_a_pem_or_json_text_is_no_secret() {
    let jwk = Signer::new("k", Algorithm::ES256).jwk();
    let set = json!({"keys": [jwk]});
    for text in [
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n",
        "\n -----BEGIN RSA PUBLIC KEY-----\nMIIBCgKCAQEA",
        &jwk.to_string(),
        &format!(" {set}\n"),
        &format!("[{jwk}]"),
    ] {
        let refused = Key::from_secret(text.as_bytes(), &[Algorithm::HS256]).map(drop);
        assert_eq!(refused, Err(KeyError::NotASecret), "{text}");
    }
    let digits = Key::from_secret(&[b'7'; 32], &[Algorithm::HS256]);
    assert!(digits.is_ok(), "a number is a secret like any other");
}

/// A thumbprint of a secret lets anybody try guesses (RFC 7638 7).
#[test]
fn a_shared_secret_is_named_secret() {
    let one = Key::from_secret(&[1; 32], &[]).unwrap();
    let two = Key::from_secret(&[2; 32], &[]).unwrap();
    assert_eq!((&**one.name(), &**two.name()), ("secret", "secret"));
    assert!(!one.is_same(&two));
}

#[test]
fn debug_shows_no_material() {
    let secret = Key::from_secret(b"0123456789abcdef0123456789abcdef", &[]).unwrap();
    let shown = format!("{secret:?}");
    assert!(
        !shown.contains("0123") && !shown.contains("48, 49"),
        "{shown}"
    );
}
