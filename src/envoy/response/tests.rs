use super::*;
use crate::credential::CredentialError;
use crate::request::Entry;
use crate::tenant::TenantError;
use crate::token::TokenError;
use crate::token::keyring::NoKey;
use crate::user::NotKnown;
use crate::user::directory::{Reason, Unanswered};
use std::fmt::Write as _;
use std::time::Duration;

fn config(format: Format) -> Config {
    Config {
        format,
        unavailable: Unavailable::Deny,
        statuses: BTreeMap::new(),
        messages: BTreeMap::new(),
        headers: Vec::new(),
        realm: "subgate".to_owned(),
    }
}

fn denial(config: Config, refusal: &Refusal) -> Denial {
    Responses::new(config).denial(refusal, None, Some("req-1"))
}

fn grpc() -> Request<'static> {
    Request {
        headers: vec![Entry {
            name: "content-type".into(),
            value: "application/grpc+proto".into(),
        }],
        ..Request::default()
    }
}

fn header<'d>(denial: &'d Denial, name: &str) -> Option<&'d str> {
    let mut found = denial.headers.iter().filter(|(one, _)| one == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} twice");
    value
}

fn expired() -> Refusal {
    let at = crate::clock::Timestamp::from_secs(1);
    Refusal::Token(TokenError::Claims(
        crate::token::claims::ClaimsError::Expired(at),
    ))
}

fn unanswered(retry_after: Option<Duration>) -> Refusal {
    Refusal::NotKnown(NotKnown::Unanswered(Unanswered {
        reason: Reason::ServerError,
        retry_after,
    }))
}

#[test]
fn each_format_writes_its_own_body() {
    let mut written = String::new();
    for format in [Format::Json, Format::Problem, Format::Supabase] {
        for refusal in [Refusal::UserNotFound, expired(), unanswered(None)] {
            let Denial {
                status,
                headers,
                body,
                ..
            } = denial(config(format), &refusal);
            writeln!(written, "{format:?} {status}").unwrap();
            for (name, value) in headers {
                writeln!(written, "{name}: {value}").unwrap();
            }
            writeln!(written, "{body}\n").unwrap();
        }
    }
    insta::assert_snapshot!(written);
}

#[test]
fn a_grpc_caller_gets_plain_text_and_a_status_that_envoy_maps_well() {
    for format in [Format::Json, Format::Problem, Format::Supabase] {
        let responses = Responses::new(config(format));
        let denial = responses.denial(&expired(), Some(&grpc()), Some("req-1"));
        assert_eq!(denial.body, "token_expired: Token has expired");
        assert_eq!(
            (denial.status, header(&denial, "content-type")),
            (401, None)
        );
        assert!(header(&denial, "www-authenticate").is_some());
    }
    let missing = Refusal::Tenant(TenantError::Missing);
    let responses = Responses::new(config(Format::Json));
    assert_eq!(responses.denial(&missing, None, None).status, 400);
    assert_eq!(responses.denial(&missing, Some(&grpc()), None).status, 403);
    let mut written = config(Format::Json);
    written.statuses.insert(Code::TenantMissing, 422);
    let overridden = Responses::new(written).denial(&missing, Some(&grpc()), None);
    assert_eq!(overridden.status, 422);
}

/// BRR-04: RFC 6750 3.1, no error code where no credential came.
#[test]
fn brr_04_no_credential_is_challenged_without_an_error() {
    let denial = denial(config(Format::Json), &Refusal::TokenMissing);
    assert_eq!(denial.status, 401);
    assert_eq!(
        header(&denial, "www-authenticate"),
        Some(r#"Bearer realm="subgate""#)
    );
}

/// BRR-02, BRR-07: RFC 6750 3.1 says 400 for a malformed request; the table of refusals in
/// the decision's specification overrides it: `token_malformed` is 401, as is "more than one
/// credential in one source".
#[test]
fn brr_07_errors_are_invalid_token_and_insufficient_scope() {
    for (refusal, status, error) in [
        (
            Refusal::Credential(CredentialError::Several),
            401,
            "invalid_token",
        ),
        (
            Refusal::Credential(CredentialError::Malformed),
            401,
            "invalid_token",
        ),
        (expired(), 401, "invalid_token"),
        (
            Refusal::Token(TokenError::SignatureInvalid),
            401,
            "invalid_token",
        ),
        (Refusal::UserNotFound, 403, "invalid_token"),
        (Refusal::Scopes("a b".into()), 403, "insufficient_scope"),
        (Refusal::Roles, 403, "insufficient_scope"),
    ] {
        let denial = denial(config(Format::Json), &refusal);
        assert_eq!(denial.status, status);
        let challenge = header(&denial, "www-authenticate").unwrap();
        assert!(
            challenge.contains(&format!(r#"error="{error}""#)),
            "{challenge}"
        );
        let scope = challenge.contains(r#"scope="a b""#);
        assert_eq!(scope, matches!(refusal, Refusal::Scopes(_)), "{challenge}");
    }
    for refusal in [Refusal::UserDisabled, unanswered(None), Refusal::Overloaded] {
        let denial = denial(config(Format::Json), &refusal);
        assert_eq!(header(&denial, "www-authenticate"), None);
    }
}

/// BRR-05, BRR-06: each parameter once, each value of the characters that RFC 6750 3 allows.
#[test]
fn brr_06_a_challenge_is_well_formed_whatever_the_operator_wrote() {
    let mut odd = config(Format::Json);
    odd.realm = "a\"b\\c\u{e9}".to_owned();
    odd.messages.insert(
        Code::TokenExpired,
        "Z\u{fc}rich \"says\" \\ no\u{7f}".to_owned(),
    );
    let refused = denial(odd, &expired());
    assert_eq!(
        header(&refused, "www-authenticate"),
        Some(r#"Bearer realm="abc", error="invalid_token", error_description="Zrich says  no""#)
    );
    let challenge = denial(config(Format::Json), &Refusal::Scopes("x\"y".into()));
    let challenge = header(&challenge, "www-authenticate").unwrap();
    for parameter in ["realm=", "error=", "error_description=", "scope="] {
        assert_eq!(
            challenge.matches(&format!(" {parameter}")).count(),
            1,
            "{challenge}"
        );
    }
    assert!(challenge.ends_with(r#"scope="xy""#));
}

/// BRR-08: an outage is 503 and never the caller's fault. That unknown and disabled are told apart
/// unless configured is the specification's: "unknown and disabled can be made to look alike".
#[test]
fn brr_08_unknown_and_disabled_can_look_alike_but_for_the_code() {
    let mut alike = config(Format::Json);
    for code in [Code::UserNotFound, Code::UserDisabled] {
        alike.statuses.insert(code, 401);
        alike.messages.insert(code, "Sign in again".to_owned());
    }
    let one = denial(alike.clone(), &Refusal::UserNotFound);
    let two = denial(alike, &Refusal::UserDisabled);
    assert_eq!((one.status, &one.headers), (two.status, &two.headers));
    // Codes are public interface and cannot be overridden.
    assert_eq!(
        one.body.replace("user_not_found", "user_disabled"),
        two.body
    );
    for refusal in [unanswered(None), Refusal::NotKnown(NotKnown::Late)] {
        assert_eq!(denial(config(Format::Json), &refusal).status, 503);
    }
}

#[test]
fn retry_after_is_whole_seconds_rounded_up_and_at_least_one() {
    let millis = Duration::from_millis;
    for (asked, expected) in [
        (None, "1"),
        (Some(millis(0)), "1"),
        (Some(millis(1)), "1"),
        (Some(millis(1000)), "1"),
        (Some(millis(1001)), "2"),
        (Some(millis(3_600_000)), "3600"),
    ] {
        let denial = denial(config(Format::Json), &unanswered(asked));
        assert_eq!(header(&denial, "retry-after"), Some(expected));
    }
    let keys = Refusal::Token(TokenError::Key(NoKey::Unavailable {
        retry_after: millis(2500),
    }));
    assert_eq!(
        header(&denial(config(Format::Json), &keys), "retry-after"),
        Some("3")
    );
    for refusal in [
        Refusal::UserNotFound,
        expired(),
        Refusal::Panicked,
        Refusal::PolicyUnknown,
    ] {
        assert_eq!(
            header(&denial(config(Format::Json), &refusal), "retry-after"),
            None
        );
    }
}

/// BRR-09: what denies is never stored.
#[test]
fn brr_09_every_denial_is_no_store_and_carries_the_operators_headers() {
    let mut own = config(Format::Problem);
    own.headers = vec![(
        http::HeaderName::from_static("x-support"),
        http::HeaderValue::from_static("help.example.com"),
    )];
    for refusal in [
        Refusal::TokenMissing,
        Refusal::UserNotFound,
        Refusal::Panicked,
    ] {
        let denial = denial(own.clone(), &refusal);
        assert_eq!(header(&denial, "cache-control"), Some("no-store"));
        assert_eq!(header(&denial, "x-support"), Some("help.example.com"));
    }
}

#[test]
fn statuses_and_messages_are_the_operators_and_codes_are_not() {
    for format in [Format::Json, Format::Problem, Format::Supabase] {
        let mut own = config(format);
        own.statuses.insert(Code::UserNotFound, 401);
        own.messages
            .insert(Code::UserNotFound, "Sign \"in\"".to_owned());
        let denial = denial(own, &Refusal::UserNotFound);
        assert_eq!(denial.status, 401);
        let body: serde_json::Value = serde_json::from_str(&denial.body).unwrap();
        let body_says = |text: &str| {
            body.as_object()
                .unwrap()
                .values()
                .any(|value| value == text)
        };
        assert!(
            body_says("user_not_found") && body_says("Sign \"in\""),
            "{body}"
        );
    }
}

#[test]
fn a_body_is_under_1_kib_with_the_longest_message_and_request_id() {
    for format in [Format::Json, Format::Problem, Format::Supabase] {
        for message in ["\"".repeat(256), "\u{fc}".repeat(128), "x".repeat(256)] {
            let mut own = config(format);
            own.messages.insert(Code::UserNotFound, message);
            let responses = Responses::new(own);
            for request in [None, Some(grpc())] {
                let id = "i".repeat(128);
                let denial = responses.denial(&Refusal::UserNotFound, request.as_ref(), Some(&id));
                assert!(denial.body.len() < 1024, "{}", denial.body.len());
            }
            let long = "i".repeat(2000);
            let denial = responses.denial(&Refusal::UserNotFound, None, Some(&long));
            assert!(
                denial.body.len() < 1024,
                "a request id too long is left out"
            );
        }
    }
}

#[test]
fn nothing_that_a_step_saw_stands_in_a_denial() {
    let hit = crate::revocation::Hit {
        kind: crate::revocation::Kind::Token,
        at: None,
        reason: Some("secret-reason".into()),
    };
    for refusal in [
        Refusal::Revoked(hit),
        Refusal::UserIncomplete("secret-attribute".into()),
        Refusal::Token(TokenError::Claims(
            crate::token::claims::ClaimsError::Missing("secret-claim".to_owned()),
        )),
    ] {
        assert!(refusal.to_string().contains("secret"));
        let written = format!("{:?}", denial(config(Format::Json), &refusal));
        assert!(!written.contains("secret"), "{written}");
    }
}

#[test]
fn without_a_request_id_there_is_none_in_the_body() {
    let denial = Responses::new(config(Format::Json)).denial(&Refusal::UserNotFound, None, None);
    let body: serde_json::Value = serde_json::from_str(&denial.body).unwrap();
    assert!(
        body.get("request_id")
            .is_none_or(serde_json::Value::is_null)
    );
}
