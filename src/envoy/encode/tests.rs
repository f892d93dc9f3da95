use super::*;
use crate::decision::{Caller, Code, Sink};
use crate::envoy::identity::{Config as Names, Identity};
use crate::envoy::response::{Config, Format, Unavailable};
use crate::token::sample;
use crate::user::directory::{Reason, Unanswered};
use crate::user::{Found, NotKnown, User};
use envoy_types::ext_authz::v3::pb::{
    CheckResponse, HeaderAppendAction, HeaderValueOption, HttpResponse,
};
use envoy_types::pb::google::protobuf::value::Kind as ValueKind;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// A sink that takes nothing.
#[derive(Debug)]
struct Deaf;

impl Sink for Deaf {
    fn take(&self, _: &Record<'_>) {}
}

fn record() -> Record<'static> {
    let mut record = Record::open(&Deaf, Instant::now());
    record.identify(Some("req-1"));
    record
}

/// What Envoy's own types read in leave to pass.
pub(in crate::envoy) fn allowed(
    permit: &Permit,
    identity: &Identity,
) -> Result<CheckResponse, Refusal> {
    let answer = Answer::allow(permit, identity, &record(), &Privacy::Plain)?;
    Ok(CheckResponse::decode(answer.as_bytes()).unwrap())
}

fn responses(unavailable: Unavailable) -> Responses {
    Responses::new(Config {
        format: Format::Json,
        unavailable,
        statuses: BTreeMap::new(),
        messages: BTreeMap::new(),
        headers: vec![(
            http::HeaderName::from_static("x-own"),
            http::HeaderValue::from_static("own"),
        )],
        realm: "subgate".to_owned(),
    })
}

/// What Envoy's own types read in a denial.
fn denied(refusal: &Refusal, unavailable: Unavailable) -> CheckResponse {
    let mut record = record();
    record.refuse(refusal);
    let responses = responses(unavailable);
    let answer = Answer::deny(refusal, None, &responses, &record, &Privacy::Plain);
    assert!(!answer.as_bytes().is_empty());
    CheckResponse::decode(answer.as_bytes()).unwrap()
}

/// ENV-01: every version of Envoy heeds one of the two.
#[track_caller]
#[expect(deprecated, reason = "Envoy up to 1.36 heeds this field alone")]
fn overwrites(headers: &[HeaderValueOption]) {
    for option in headers {
        let append = option.append.as_ref().map(|append| append.value);
        assert_eq!(append, Some(false), "{option:?}");
        assert_eq!(
            option.append_action(),
            HeaderAppendAction::OverwriteIfExistsOrAdd
        );
        let header = option.header.as_ref().unwrap();
        assert!(
            header.raw_value.is_empty(),
            "Envoy does not read raw_value in answers"
        );
        assert!(!header.value.is_empty() && !header.value.contains(['\r', '\n', '\0']));
    }
}

fn metadata(answer: &CheckResponse) -> BTreeMap<String, String> {
    let fields = answer.dynamic_metadata.clone().unwrap().fields;
    fields
        .into_iter()
        .map(|(name, value)| match value.kind {
            Some(ValueKind::StringValue(text)) => (name, text),
            other => panic!("{name}: {other:?}"),
        })
        .collect()
}

fn names() -> Names {
    let name = |name: &str| Some(name.to_owned());
    Names {
        user_id: name("x-user-id"),
        subject: name("x-user-subject"),
        tenant: name("x-tenant-id"),
        roles: name("x-user-roles"),
        issuer: name("x-user-issuer"),
        client_id: "x-client-id".to_owned(),
        headers: Vec::new(),
        strip: vec!["x-forwarded-user".to_owned()],
        max_bytes: 1 << 20,
        forward_authorization: true,
    }
}

proptest! {
    #[test]
    fn whatever_a_permit_says_envoys_types_read_leave_to_pass(
        who in 0..4,
        id in ".{0,40}",
        subject in "[^\\p{Cc} ]{1,40}",
        roles in vec(".{0,20}", 0..5),
        tenant in proptest::option::of("[a-z]{1,10}"),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        let token = sample::token(sample::config("https://id.example.com"), &json!({"sub": subject}));
        let user = User {
            id: Some(id.as_str().into()),
            roles: roles.into_iter().map(String::into_boxed_str).collect(),
            ..User::default()
        };
        let caller = match who {
            0 => Caller::Nobody,
            1 => Caller::Client(token),
            2 => Caller::Unasked { token, id: Some("alice".into()) },
            _ => Caller::User { token, user: Found::sample(user), subject: "alice".into() },
        };
        let permit = Permit::sample(caller, tenant.as_deref());
        let identity = Identity::new(names(), &[]);
        let answer = allowed(&permit, &identity).unwrap();
        prop_assert_eq!(answer.status.as_ref().map(|status| status.code), Some(0));
        let Some(HttpResponse::OkResponse(ok)) = &answer.http_response else {
            return Err(TestCaseError::fail("no leave to pass"));
        };
        overwrites(&ok.headers);
        let set: BTreeSet<_> = ok.headers.iter().map(|one| &one.header.as_ref().unwrap().key).collect();
        prop_assert_eq!(set.len(), ok.headers.len());
        prop_assert!(ok.headers_to_remove.iter().all(|name| !set.contains(name)));
        for name in names().names() {
            let name = name.to_owned();
            prop_assert!(set.contains(&name) != ok.headers_to_remove.contains(&name), "{}", name);
        }
        let visible = |one: &HeaderValueOption| {
            let header = one.header.as_ref().unwrap();
            header.value.bytes().all(|byte| byte.is_ascii_graphic())
        };
        prop_assert!(ok.headers.iter().all(visible));
    }
}

/// Every kind of refusal that a decision can come to without more than a name.
fn refusals() -> Vec<Refusal> {
    use crate::credential::CredentialError;
    use crate::revocation::{Hit, Kind as What};
    use crate::subject::{Invalid, SubjectError};
    use crate::tenant::TenantError;
    use crate::token::TokenError;
    use crate::token::claims::ClaimsError;
    use crate::token::keyring::NoKey;
    use std::time::Duration;
    let secs = Duration::from_secs;
    let hit = Hit {
        kind: What::Token,
        at: None,
        reason: Some("stolen".into()),
    };
    let throttled = Unanswered {
        reason: Reason::Throttled,
        retry_after: Some(secs(7)),
    };
    vec![
        Refusal::TokenMissing,
        Refusal::Credential(CredentialError::Several),
        Refusal::Token(TokenError::AlgorithmNotAllowed),
        Refusal::Token(TokenError::Key(NoKey::Unknown)),
        Refusal::Token(TokenError::Key(NoKey::Unavailable {
            retry_after: secs(3),
        })),
        Refusal::Token(TokenError::SignatureInvalid),
        Refusal::Token(TokenError::IssuerUnknown),
        Refusal::Token(TokenError::Claims(ClaimsError::Audience)),
        Refusal::Token(TokenError::Claims(ClaimsError::Expired(
            crate::clock::Timestamp::END,
        ))),
        Refusal::Token(TokenError::Claims(ClaimsError::NotYetValid(
            crate::clock::Timestamp::END,
        ))),
        Refusal::Token(TokenError::Claims(ClaimsError::Lifetime(secs(1)))),
        Refusal::Revoked(hit),
        Refusal::Subject(SubjectError::Missing),
        Refusal::Subject(SubjectError::Invalid(Invalid::Control)),
        Refusal::Subject(SubjectError::Reserved),
        Refusal::Tenant(TenantError::Missing),
        Refusal::Tenant(TenantError::Sources),
        Refusal::Tenant(TenantError::Unknown),
        Refusal::UserNotFound,
        Refusal::UserDisabled,
        Refusal::UserIncomplete("email".into()),
        Refusal::Scopes("orders:read".into()),
        Refusal::NotKnown(NotKnown::Unanswered(throttled)),
        Refusal::NotKnown(NotKnown::Late),
        Refusal::NotKnown(NotKnown::Crowded),
        Refusal::PolicyUnknown,
        Refusal::Overloaded,
        Refusal::NoHeaders,
        Refusal::Undecodable,
        Refusal::Panicked,
    ]
}

/// ENV-01, ENV-03, ENV-04: a denial states its status, twice, and its headers overwrite.
#[tokio::test]
async fn env_03_every_refusal_is_a_denial_that_states_its_status() {
    let mut codes = BTreeSet::new();
    for refusal in refusals() {
        let code = refusal.code();
        codes.insert(code);
        let answer = denied(&refusal, Unavailable::Deny);
        assert!(
            answer
                .status
                .as_ref()
                .is_some_and(|status| status.code != 0),
            "{code}"
        );
        let Some(HttpResponse::DeniedResponse(denied)) = &answer.http_response else {
            panic!("{code}: expected a denial");
        };
        let status = denied.status.as_ref().unwrap().code;
        assert_eq!(status, i32::from(code.default_status()), "{code}");
        overwrites(&denied.headers);
        let header = |name: &str| {
            let mut headers = denied.headers.iter().filter_map(|one| one.header.as_ref());
            headers
                .find(|header| header.key == name)
                .map(|header| header.value.as_str())
        };
        assert_eq!(header("cache-control"), Some("no-store"), "{code}");
        assert_eq!(header("content-type"), Some("application/json"), "{code}");
        assert_eq!(header("x-own"), Some("own"), "{code}");
        assert_eq!(
            header("retry-after").is_some(),
            refusal.retry_after().is_some(),
            "{code}"
        );
        let body: serde_json::Value = serde_json::from_str(&denied.body).unwrap();
        assert_eq!(body["code"], code.as_str());
        assert_eq!(body["request_id"], "req-1");
        assert_eq!(
            metadata(&answer),
            BTreeMap::from([("code".to_owned(), code.as_str().to_owned())])
        );
    }
    let later = [
        Code::TenantSuspended,
        Code::UserNotYetVisible,
        Code::RevocationUnavailable,
    ];
    for code in Code::ALL {
        assert!(codes.contains(code) != later.contains(code), "{code}");
    }
}

/// ENV-04: an error is for Envoy's failure mode, and it is one only where the operator wrote so.
#[tokio::test]
async fn env_04_an_error_response_is_sent_for_an_unavailable_directory_alone() {
    for refusal in refusals() {
        let answer = denied(&refusal, Unavailable::EnvoyError);
        let code = refusal.code();
        match (answer.http_response, code) {
            (Some(HttpResponse::ErrorResponse(error)), Code::DirectoryUnavailable) => {
                assert_eq!(error.status.unwrap().code, 503);
                overwrites(&error.headers);
            }
            (Some(HttpResponse::DeniedResponse(_)), code) => {
                assert_ne!(code, Code::DirectoryUnavailable);
            }
            (other, _) => panic!("{code}: {other:?}"),
        }
    }
}

#[test]
fn our_own_definitions_read_what_we_write() {
    use super::super::wire;
    let refusal = Refusal::UserNotFound;
    let mut record = record();
    record.refuse(&refusal);
    let responses = responses(Unavailable::Deny);
    let answer = Answer::deny(&refusal, None, &responses, &record, &Privacy::Plain);
    let read = wire::CheckResponse::decode(answer.as_bytes()).unwrap();
    assert_eq!(read.status.unwrap().code, 7);
    let Some(wire::check_response::HttpResponse::DeniedResponse(denied)) = read.http_response
    else {
        panic!("expected a denial");
    };
    assert_eq!(denied.status.unwrap().code, 403);
    assert!(
        denied
            .headers
            .iter()
            .all(|option| option.append_action == 2)
    );
}

#[test]
fn an_answer_without_a_status_would_be_an_allow_so_each_has_one_even_the_shortest() {
    let identity = Identity::new(
        Names {
            user_id: None,
            subject: None,
            tenant: None,
            roles: None,
            issuer: None,
            strip: Vec::new(),
            ..names()
        },
        &[],
    );
    let permit = Permit::sample(Caller::Nobody, None);
    let answer = allowed(&permit, &identity).unwrap();
    assert_eq!(answer.status.unwrap().code, 0);
    assert!(matches!(
        answer.http_response,
        Some(HttpResponse::OkResponse(_))
    ));
}
