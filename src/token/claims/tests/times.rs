//! `exp`, `nbf`, `iat`, and how long a token may live.

use super::*;

#[test]
fn clm_01_now_is_before_exp() {
    assert_eq!(judge(&json!({"exp": NOW + 1})), Ok(()));
    for past in [NOW, NOW - 1, 1, 0] {
        let expired = Err(ClaimsError::Expired(Timestamp::from_secs(past)));
        assert_eq!(judge(&json!({"exp": past, "iat": null})), expired);
    }
    let lenient = Config {
        leeway: Duration::from_secs(30),
        ..issuer()
    };
    let at = |exp: u64| judge_by(&lenient, &claims_with(&json!({"exp": exp})));
    assert_eq!(at(NOW - 29), Ok(()));
    assert!(matches!(at(NOW - 30), Err(ClaimsError::Expired(_))));
    assert_eq!(
        judge(&json!({"exp": null})),
        Err(ClaimsError::Missing("exp".into()))
    );
}

#[test]
fn clm_02_and_clm_05_now_may_be_nbf_and_iat_and_not_before_them() {
    for name in ["nbf", "iat"] {
        assert_eq!(judge(&json!({name: NOW})), Ok(()));
        let ahead = Err(ClaimsError::NotYetValid(Timestamp::from_secs(NOW + 1)));
        assert_eq!(judge(&json!({name: NOW + 1})), ahead);
        let lenient = Config {
            leeway: Duration::from_secs(30),
            ..issuer()
        };
        let at = |seconds: u64| judge_by(&lenient, &claims_with(&json!({name: seconds})));
        assert_eq!(at(NOW + 30), Ok(()));
        assert!(matches!(at(NOW + 31), Err(ClaimsError::NotYetValid(_))));
    }
}

#[test]
fn clm_03_dates_are_numbers_required_or_not() {
    for name in ["exp", "nbf", "iat"] {
        for raw in [
            "\"1790000000\"",
            "true",
            "null",
            "[1790000000]",
            "{}",
            "\"\"",
        ] {
            let refused = judge_raw(name, raw);
            assert!(
                matches!(refused, Err(ClaimsError::Type(of)) if of == name),
                "{name} {raw}"
            );
        }
    }
    assert_eq!(judge_raw("exp", "1790000000.5"), Ok(()));
    assert_eq!(judge_raw("nbf", "1.789999999e9"), Ok(()));
    assert!(judge_raw("nbf", "1790000000.5").is_err());
}

#[test]
fn clm_04_no_number_overflows_and_milliseconds_are_refused() {
    for raw in [
        "-1",
        "-1e300",
        "1e300",
        "18446744073709551615",
        "18446744073709551616",
        "9007199254740993",
        "1790000300000",
        "253402300800",
        "253402300800.0",
        "-0.5",
    ] {
        for name in ["exp", "nbf", "iat"] {
            let refused = judge_raw(name, raw);
            assert!(
                matches!(refused, Err(ClaimsError::Type(of)) if of == name),
                "{name} {raw}"
            );
        }
    }
    for raw in ["1e400", "NaN", "Infinity", "01", "+1", "0x10"] {
        assert_eq!(
            judge_raw("exp", raw),
            Err(ClaimsError::NotAnObject),
            "{raw}"
        );
    }
    assert!(matches!(
        judge_raw("exp", "253402300799"),
        Err(ClaimsError::Lifetime(_))
    ));
    assert!(matches!(
        judge_raw("exp", "-0"),
        Err(ClaimsError::Expired(_))
    ));
}

#[test]
fn max_lifetime_bounds_what_iat_or_now_leaves() {
    let hour = 3600;
    assert_eq!(
        judge(&json!({"iat": NOW - 10, "exp": NOW - 10 + hour})),
        Ok(())
    );
    let longer = Err(ClaimsError::Lifetime(Duration::from_secs(hour)));
    assert_eq!(
        judge(&json!({"iat": NOW - 10, "exp": NOW - 9 + hour})),
        longer
    );
    assert_eq!(judge(&json!({"iat": null, "exp": NOW + hour})), Ok(()));
    assert_eq!(judge(&json!({"iat": null, "exp": NOW + hour + 1})), longer);
}
