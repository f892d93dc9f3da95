//! Which key and which algorithm a signature is held against.

use super::*;

#[test]
fn each_algorithm_verifies_under_its_own_key_and_no_other() {
    let signers = Algorithm::ALL.map(|algorithm| Signer::new("k", algorithm));
    for signer in &signers {
        let token = signer.jws(&signer.header().to_string(), b"any bytes");
        for other in &signers {
            let verdict = verify_jws(&token, &set(other), &Algorithm::ALL);
            if std::ptr::eq(signer, other) {
                assert_eq!(verdict.as_deref(), Ok(&b"any bytes"[..]), "{signer:?}");
            } else if !(signer.algorithm.is_symmetric() && other.algorithm.is_symmetric()) {
                // A secret names no algorithm: what its issuer declares bounds it.
                assert!(verdict.is_err(), "{signer:?} under {other:?}");
            }
        }
    }
}

#[test]
fn jwt_11_a_key_that_a_token_brings_along_is_not_obeyed() {
    let stranger = Signer::new("k", Algorithm::ES256);
    let with = |name: &str, value: Value| {
        let mut header = KEY.header();
        header[name] = value;
        header.to_string()
    };
    for header in [
        with("jwk", stranger.jwk()),
        with("jku", json!("http://127.0.0.1:1/jwks")),
        with("x5u", json!("http://127.0.0.1:1/cert")),
        with("x5c", json!(["MIIB"])),
        with("x5t", json!("dGh1bWI")),
        with("x5t#S256", json!("dGh1bWI")),
    ] {
        let forged = verify(&stranger.jws(&header, b"{}"));
        assert_eq!(forged, Err(JwsError::SignatureInvalid), "{header}");
        assert!(verify_header(&header).is_ok(), "{header}");
    }
}

#[test]
fn bcp_01_only_declared_algorithms_are_used() {
    let token = KEY.jws(&KEY.header().to_string(), b"{}");
    let under = |declared: &[Algorithm]| verify_jws(&token, &set(&KEY), declared);
    assert!(under(&[Algorithm::RS256, Algorithm::ES256]).is_ok());
    assert_eq!(
        under(&[Algorithm::RS256]),
        Err(JwsError::AlgorithmNotAllowed)
    );
    assert_eq!(under(&[]), Err(JwsError::AlgorithmNotAllowed));
}

#[test]
fn bcp_02_a_key_is_used_with_the_one_algorithm_that_it_names() {
    let rs256 = Signer::new("k", Algorithm::RS256);
    for other in [
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::HS256,
        Algorithm::ES256,
    ] {
        let signed = Signer::new("k", other);
        let token = signed.jws(&signed.header().to_string(), b"{}");
        let verdict = verify_jws(&token, &set(&rs256), &Algorithm::ALL);
        assert_eq!(verdict, Err(JwsError::AlgorithmNotAllowed), "{other:?}");
    }
}

#[test]
fn bcp_04_eddsa_and_ed25519_are_accepted_as_declared() {
    let names = [Algorithm::EdDSA, Algorithm::Ed25519];
    for (published, named) in names
        .into_iter()
        .flat_map(|one| names.map(|two| (one, two)))
    {
        let signer = Signer::new("k", published);
        let header = json!({"alg": named.as_str(), "kid": "k"}).to_string();
        let token = signer.jws(&header, b"{}");
        let under = |declared| verify_jws(&token, &set(&signer), &[declared]);
        for declared in names {
            assert_eq!(
                under(declared).is_ok(),
                declared == named,
                "{published:?} {named:?}"
            );
        }
    }
}

#[test]
fn bcp_11_a_kid_is_looked_up_and_nothing_else() {
    for kid in [
        "",
        "../../../../dev/null",
        "/dev/null",
        "/invalid_path",
        "| sleep 10",
        "K",
        "k ",
        " k",
        "k\0",
        "' UNION SELECT 'x",
        "http://127.0.0.1:1/k",
        "*",
        "\u{212a}",
    ] {
        for secret in [&b""[..], b"1", b"\0"] {
            let header = json!({"alg": "HS256", "kid": kid}).to_string();
            let input = format!("{}.{}", base64(header), base64("{}"));
            let signature = base64(mac(Algorithm::HS256, secret, input.as_bytes()));
            let verdict = verify(&format!("{input}.{signature}"));
            assert_eq!(verdict, Err(JwsError::KeyUnknown), "{kid:?}");
        }
        let header = json!({"alg": "ES256", "kid": kid}).to_string();
        assert_eq!(verify_header(&header), Err(JwsError::KeyUnknown), "{kid:?}");
    }
    for kid in [json!(null), json!(5), json!(["k"]), json!({})] {
        let header = json!({"alg": "ES256", "kid": kid}).to_string();
        assert_eq!(verify_header(&header), malformed(Malformed::HeaderType));
    }
}

#[test]
fn a_public_key_is_no_secret() {
    let rsa = Signer::new("k", Algorithm::RS256);
    for secret in public_key_forms(&rsa) {
        for header in [r#"{"alg":"HS256","kid":"k"}"#, r#"{"alg":"HS256"}"#] {
            let input = format!("{}.{}", base64(header), base64("{}"));
            let signature = base64(mac(Algorithm::HS256, &secret, input.as_bytes()));
            let token = format!("{input}.{signature}");
            assert!(verify_jws(&token, &set(&rsa), &Algorithm::ALL).is_err());
        }
    }
}

#[test]
fn key_12_an_ecdsa_signature_is_r_and_s_of_full_length_and_in_range() {
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let signer = Signer::new("k", algorithm);
        let input = format!("{}.{}", base64(signer.header().to_string()), base64("{}"));
        let good = signer.sign(input.as_bytes());
        let with = |signature: &[u8]| {
            let token = format!("{input}.{}", base64(signature));
            verify_jws(&token, &set(&signer), &[algorithm])
        };
        assert!(with(&good).is_ok());
        let (r, s) = good.split_at(good.len() / 2);
        let half = u8::try_from(r.len()).unwrap();
        let der = [&[0x30, 2 * half + 4, 2, half], r, &[2, half], s].concat();
        for bad in [
            vec![0; good.len()],
            vec![0xff; good.len()],
            vec![0],
            good[1..].to_vec(),
            good[..good.len() - 1].to_vec(),
            [&good[..], &[0]].concat(),
            [&[0], &good[..]].concat(),
            [s, r].concat(),
            [r, &vec![0; s.len()]].concat(),
            der,
        ] {
            assert_eq!(
                with(&bad),
                Err(JwsError::SignatureInvalid),
                "{algorithm:?} {bad:?}"
            );
        }
    }
}
