//! RFC 7519 4 and RFC 8725 on claims.
//!
//! Where the specification of the decision differs from the checklist, it wins:
//! - CLM-08 (`azp`, further audiences) is ID-token profile; access tokens are judged by "audiences".
//! - CLM-09: "The declared claim, a string of 1 to 255 characters without controls" is judged in
//!   `subject`, whose codes are its own; here only an undeclared `sub` has to have its type.
//! - CLM-10 and CLM-12's store keys belong to `user` and `revocation`.
//! - CLM-05's token age is "`max_lifetime` bounds `exp - iat`, and `exp - now` where there is no `iat`".

mod times;

use super::*;
use crate::token::issuer::KeySource;
use crate::token::testing::{NOW, claims_with, config, now, with_raw};
use proptest::prelude::*;
use serde_json::json;
use std::path::PathBuf;

fn issuer() -> Config {
    config(KeySource::File(PathBuf::new()))
}

fn judge_by(issuer: &Config, claims: &Value) -> Result<(), ClaimsError> {
    Claims::parse(claims.to_string().as_bytes())?.check(issuer, now())
}

fn judge(changes: &Value) -> Result<(), ClaimsError> {
    judge_by(&issuer(), &claims_with(changes))
}

/// A payload of good claims with this raw JSON for one.
fn judge_raw(name: &str, raw: &str) -> Result<(), ClaimsError> {
    let rest = claims_with(&json!({name: null}));
    let payload = with_raw(&format!("\"{name}\":{raw}"), &rest);
    Claims::parse(payload.as_bytes())?.check(&issuer(), now())
}

#[test]
fn ordinary_claims_pass() {
    assert_eq!(judge(&json!({})), Ok(()));
}

#[test]
fn jwt_05_a_payload_is_an_object() {
    let array = json!([
        NOW + 300,
        NOW - 10,
        "alice",
        "https://issuer.example",
        "shop-api"
    ]);
    for payload in [
        array.to_string(),
        String::new(),
        "\"x\"".into(),
        "{}{}".into(),
        "null".into(),
    ] {
        assert_eq!(
            Claims::parse(payload.as_bytes()).map(drop),
            Err(ClaimsError::NotAnObject),
            "{payload}"
        );
    }
}

#[test]
fn jwt_06_a_claim_of_any_name_stands_once() {
    for name in ["exp", "tenant", "https://example.com/claim"] {
        let rest = claims_with(&json!({"exp": null}));
        let payload = with_raw(&format!("\"{name}\":{0},\"{name}\":{0}", NOW + 300), &rest);
        assert_eq!(
            Claims::parse(payload.as_bytes()).map(drop),
            Err(ClaimsError::NotAnObject)
        );
    }
}

#[test]
fn clm_06_iss_is_one_string_and_exactly_the_issuer() {
    for iss in [
        json!(["https://issuer.example"]),
        json!(5),
        json!({}),
        json!(true),
    ] {
        assert_eq!(
            judge(&json!({"iss": iss})),
            Err(ClaimsError::Type("iss")),
            "{iss}"
        );
    }
    assert_eq!(judge_raw("iss", "null"), Err(ClaimsError::Type("iss")));
    assert_eq!(
        judge(&json!({"iss": null})),
        Err(ClaimsError::Missing("iss".into()))
    );
    for iss in [
        "",
        "https://issuer.example/",
        "https://ISSUER.example",
        "https://issuer.exampl",
        "issuer.example",
        "https://issuer.example.org",
        " https://issuer.example",
        "https://issuer.example\n",
        "https://issu\u{200b}er.example",
    ] {
        assert_eq!(
            judge(&json!({"iss": iss})),
            Err(ClaimsError::Type("iss")),
            "{iss:?}"
        );
    }
}

#[test]
fn jwt_07_names_are_compared_by_code_points_after_unescaping() {
    assert_eq!(judge_raw("iss", r#""https://issuer.ex\u0061mple""#), Ok(()));
    assert_eq!(judge_raw("aud", r#""shop\u002dapi""#), Ok(()));
    let composed = Config {
        audiences: Audiences::Of(vec!["caf\u{e9}".into()]),
        ..issuer()
    };
    let decomposed = claims_with(&json!({"aud": "cafe\u{301}"}));
    assert_eq!(judge_by(&composed, &decomposed), Err(ClaimsError::Audience));
}

#[test]
fn clm_07_and_bcp_10_the_audience_is_validated() {
    for aud in [json!("shop-api"), json!(["other", "shop-api"])] {
        assert_eq!(judge(&json!({"aud": aud})), Ok(()), "{aud}");
    }
    for aud in [
        json!(null),
        json!("other"),
        json!([]),
        json!(["other"]),
        json!("Shop-Api"),
        json!("shop"),
        json!("shop-api "),
        json!("shop-api,other"),
        json!(""),
        json!([["shop-api"]]),
        json!(["shop-api", 5]),
        json!({"shop-api": 1}),
        json!(5),
        json!([null, "shop-api"]),
    ] {
        assert!(judge(&json!({"aud": aud})).is_err(), "{aud}");
    }
    assert_eq!(judge(&json!({"aud": null})), Err(ClaimsError::Audience));
    assert_eq!(judge_raw("aud", "null"), Err(ClaimsError::Type("aud")));
}

#[test]
fn audiences_any_is_any_and_none_but_not_any_type() {
    let any = Config {
        audiences: Audiences::Any,
        ..issuer()
    };
    for aud in [json!(null), json!("other"), json!([])] {
        assert_eq!(judge_by(&any, &claims_with(&json!({"aud": aud}))), Ok(()));
    }
    let typed = judge_by(&any, &claims_with(&json!({"aud": 5})));
    assert_eq!(typed, Err(ClaimsError::Type("aud")));
}

#[test]
fn clm_09_an_undeclared_sub_has_its_type() {
    let mut by_mail = issuer();
    by_mail.subject.claim = "email".to_owned();
    let with = |sub: Value| judge_by(&by_mail, &claims_with(&json!({"sub": sub})));
    assert_eq!(with(json!("alice")), Ok(()));
    assert_eq!(with(json!(null)), Ok(()));
    assert_eq!(with(json!(5)), Err(ClaimsError::Type("sub")));
}

#[test]
fn clm_11_a_token_whose_subject_is_its_client_is_a_machines() {
    let machine = |changes: Value| {
        let payload = claims_with(&changes).to_string();
        Claims::parse(payload.as_bytes())
            .unwrap()
            .subject_is_client()
    };
    assert!(machine(json!({"client_id": "alice"})));
    assert!(machine(json!({"azp": "alice"})));
    assert!(machine(json!({"client_id": "shop", "azp": "alice"})));
    assert!(!machine(json!({"client_id": "shop", "azp": "shop"})));
    assert!(!machine(json!({})));
    assert!(!machine(json!({"sub": null})));
}

#[test]
fn a_claim_is_compared_by_its_text_be_it_a_number_a_boolean_or_one_of_a_list() {
    let has = |value: Value, is: &str| {
        let payload = claims_with(&json!({"kind": value})).to_string();
        let wanted = ClaimIs {
            claim: "kind".to_owned(),
            is: is.to_owned(),
        };
        Claims::parse(payload.as_bytes()).unwrap().has(&wanted)
    };
    for (value, is) in [
        (json!("1"), "1"),
        (json!(1), "1"),
        (json!(-7), "-7"),
        (json!(true), "true"),
        (json!(["a", "1"]), "1"),
    ] {
        assert!(has(value.clone(), is), "{value}");
        assert!(!has(value.clone(), "2"), "{value}");
    }
    for value in [json!(10), json!("1 "), json!({"1": 1})] {
        assert!(!has(value.clone(), "1"), "{value}");
    }
}

#[test]
fn clm_12_jti_and_its_kin_are_strings() {
    for name in ["jti", "sid", "client_id", "azp"] {
        assert_eq!(judge(&json!({name: "x"})), Ok(()));
        for raw in ["5", "null", "[\"x\"]", "{}", "true"] {
            assert_eq!(
                judge_raw(name, raw),
                Err(ClaimsError::Type(name)),
                "{name} {raw}"
            );
        }
    }
}

#[test]
fn a_required_claim_is_there_and_not_null() {
    let strict = Config {
        required_claims: vec!["jti".into(), "org".into()],
        ..issuer()
    };
    let judge = |changes: Value| judge_by(&strict, &claims_with(&changes));
    assert_eq!(judge(json!({"jti": "1", "org": 5})), Ok(()));
    assert_eq!(
        judge(json!({"org": 5})),
        Err(ClaimsError::Missing("jti".into()))
    );
    let mut null = claims_with(&json!({"jti": "1"}));
    null["org"] = Value::Null;
    assert_eq!(
        judge_by(&strict, &null),
        Err(ClaimsError::Missing("org".into()))
    );
}

#[test]
fn scopes_are_words_of_scope_or_scp() {
    let parse = |changes: Value| Claims::parse(claims_with(&changes).to_string().as_bytes());
    for given in [
        json!({"scope": "orders:read orders:write"}),
        json!({"scp": ["orders:read", "orders:write"]}),
        json!({"scope": "orders:read", "scp": "orders:write"}),
    ] {
        let claims = parse(given).unwrap();
        assert!(claims.grants("orders:read") && claims.grants("orders:write"));
        assert!(!claims.grants("orders") && !claims.grants("") && !claims.grants("orders:read "));
    }
    assert!(!parse(json!({"scp": ["a b"]})).unwrap().grants("a"));
    for wrong in [
        json!({"scope": 5}),
        json!({"scp": ["a", 5]}),
        json!({"scope": {}}),
    ] {
        assert!(parse(wrong).is_err());
    }
}

proptest! {
    #[test]
    fn no_payload_panics(payload in any::<Vec<u8>>()) {
        prop_assert!(Claims::parse(&payload).is_err());
    }

    #[test]
    fn no_number_panics_and_none_outlives_its_bounds(exp in any::<f64>(), iat in any::<i64>()) {
        if judge(&json!({"exp": exp, "iat": iat})).is_ok() {
            let now = Duration::from_secs(NOW).as_secs_f64();
            prop_assert!(exp > now && exp <= now + 3600.0);
        }
    }
}

#[test]
fn bcp_14_a_logout_token_without_typ_is_no_access_token() {
    let events = r#""events":{"http://schemas.openid.net/event/backchannel-logout":{}}"#;
    let text = |events: &str| {
        format!(
            r#"{{"iss":"https://id.example.com","aud":"shop-api","sub":"a","exp":1000300,"iat":1000000,{events}}}"#
        )
    };
    let security_event = Claims::parse(text(events).as_bytes()).unwrap();
    assert!(security_event.is_security_event());
    let other = Claims::parse(text(r#""events":{"birthday":"1970-01-01"}"#).as_bytes()).unwrap();
    assert!(!other.is_security_event());
}
