//! Which answer of a SCIM service means that a user is there, or is not.

mod distrust;

use super::{REALM, ask, open};
use crate::parts::http::{Answer as Said, Request, Server};
use crate::parts::scim::ScimServer;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use subgate::event::Version;
use subgate::user::User;
use subgate::user::directory::{Answer, Reason, Unanswered};
use subgate::user::record::Status;

const BY_ID: &str = "by: id";
const BY_EXTERNAL_ID: &str = "filter: 'externalId eq \"{subject}\"'";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// What comes of asking for a subject if the service says this, and what it was asked.
async fn asked(
    members: &str,
    subject: &str,
    said: Said,
) -> (Result<Answer, Unanswered>, Vec<Request>) {
    let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
    let server = Server::start({
        let seen = Arc::clone(&seen);
        move |request| {
            seen.lock().push(request.clone());
            said.clone()
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let users = format!(
        "  scim:\n    url: http://{}/{{realm}}/{{tenant}}/\n    {members}\n",
        server.address()
    );
    let directory = open(folder.path(), &users);
    let answer = ask(&*directory, REALM, Some("acme"), subject).await;
    let seen = seen.lock().clone();
    (answer, seen)
}

async fn told(members: &str, said: Said) -> Result<Answer, Unanswered> {
    asked(members, "alice", said).await.0
}

async fn reason(members: &str, said: Said) -> Reason {
    match told(members, said).await {
        Err(unanswered) => unanswered.reason,
        Ok(answer) => panic!("expected no trustworthy answer, came {answer:?}"),
    }
}

async fn found(members: &str, resource: &Value) -> User {
    match told(members, scim(200, resource)).await {
        Ok(Answer::Found(user)) => user,
        other => panic!("expected a user of {resource}, came {other:?}"),
    }
}

fn scim(status: u16, body: &Value) -> Said {
    Said::new(
        status,
        "application/scim+json; charset=utf-8",
        body.to_string(),
    )
}

fn resource() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "alice", "externalId": "alice", "userName": "Alice",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut resource = resource();
    resource[name] = value;
    resource
}

fn list(total: impl Into<Value>, resources: impl Into<Value>) -> Value {
    let (total, resources) = (total.into(), resources.into());
    json!({"schemas": [LIST], "totalResults": total, "Resources": resources})
}

fn error(status: impl Into<Value>) -> Value {
    let status = status.into();
    json!({"schemas": [ERROR], "status": status, "detail": "User not found"})
}

#[tokio::test]
async fn a_user_is_asked_for_by_id_or_with_a_filter_that_no_subject_can_change() {
    let (_, seen) = asked(BY_ID, "a/../b?c", scim(200, &resource())).await;
    let target = |seen: &[Request]| seen.first().expect("a request").target.clone();
    let base = "/https%3A%2F%2Fid.example.com/acme/Users";
    assert_eq!(target(&seen), format!("{base}/a%2F..%2Fb%3Fc"));
    let accepted = seen.first().expect("a request").values("accept").join("");
    assert_eq!(accepted, "application/scim+json, application/json");

    let (_, seen) = asked(
        BY_EXTERNAL_ID,
        "x\" or \\active eq true",
        scim(200, &list(json!(0), json!([]))),
    )
    .await;
    let filter = "externalId%20eq%20%22x%5C%22%20or%20%5C%5Cactive%20eq%20true%22";
    assert_eq!(target(&seen), format!("{base}?count=2&filter={filter}"));
}

#[tokio::test]
async fn a_subject_that_cannot_be_asked_for_is_not() {
    for (members, subject) in [
        (BY_ID, ""),
        (BY_ID, "."),
        (BY_ID, ".."),
        (BY_EXTERNAL_ID, ""),
        (BY_EXTERNAL_ID, "a\nb"),
        (BY_EXTERNAL_ID, "a\u{85}b"),
    ] {
        let (answer, seen) = asked(members, subject, scim(404, &error(json!("404")))).await;
        let unanswered = answer.expect_err("no question");
        assert_eq!(unanswered.reason, Reason::Unaskable, "{subject:?}");
        assert!(seen.is_empty(), "{subject:?}");
    }
}

#[tokio::test]
async fn a_not_found_is_believed_in_the_forms_of_scim_alone() {
    for status in [json!("404"), json!(404)] {
        assert_eq!(
            told(BY_ID, scim(404, &error(status))).await,
            Ok(Answer::NotFound)
        );
    }
    let plain = Said::json(404, &error(json!("404")));
    assert_eq!(told(BY_ID, plain).await, Ok(Answer::NotFound));
    for empty in [list(json!(0), json!([])), list(json!(0), json!(null))] {
        assert_eq!(
            told(BY_EXTERNAL_ID, scim(200, &empty)).await,
            Ok(Answer::NotFound)
        );
    }
    let bare = json!({"schemas": [LIST], "totalResults": 0});
    assert_eq!(
        told(BY_EXTERNAL_ID, scim(200, &bare)).await,
        Ok(Answer::NotFound)
    );
}

#[tokio::test]
async fn an_attribute_may_lie_in_another_or_in_an_extension() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let core = "urn:ietf:params:scim:schemas:core:2.0:User:userName";
    let named = |path: &str| format!("filter: '{path} eq \"{{subject}}\"'");
    for (path, resource) in [
        (
            "name.formatted".to_owned(),
            with("name", json!({"formatted": "alice"})),
        ),
        (
            format!("{ENTERPRISE}:employeeNumber"),
            with(ENTERPRISE, json!({"employeeNumber": "alice"})),
        ),
        (core.to_owned(), with("userName", json!("alice"))),
    ] {
        let user = found(&named(&path), &list(json!(1), json!([resource]))).await;
        assert_eq!(user.id.as_deref(), Some("alice"), "{path}");
    }
}

#[tokio::test]
async fn a_user_is_active_unless_the_record_says_otherwise() {
    for (active, expected) in [
        (json!(null), Status::Active),
        (json!(true), Status::Active),
        (json!("True"), Status::Active),
        (json!(false), Status::Disabled),
        (json!("False"), Status::Disabled),
    ] {
        assert_eq!(
            found(BY_ID, &with("active", active.clone())).await.status,
            expected,
            "{active}"
        );
    }
    for active in [json!("yes"), json!(0), json!([])] {
        assert_eq!(
            reason(BY_ID, scim(200, &with("active", active))).await,
            Reason::MalformedAnswer
        );
    }
}

#[tokio::test]
async fn roles_are_texts_or_a_member_of_objects() {
    let roles = async |members: &str, resource: &Value| -> Vec<String> {
        let user = found(&format!("{BY_ID}\n    {members}"), resource).await;
        user.roles.iter().map(ToString::to_string).collect()
    };
    let mixed = with("roles", json!(["a", {"value": "b", "display": "B"}]));
    assert_eq!(roles("required: []", &mixed).await, ["a", "b"]);
    let grouped = with("groups", json!([{"value": "g-1", "display": "Admins"}]));
    assert_eq!(
        roles("roles: /groups\n    role: display", &grouped).await,
        ["Admins"]
    );
    assert!(roles("roles: none", &mixed).await.is_empty());
    for wrong in [
        json!("a"),
        json!([{"display": "B"}]),
        json!([7]),
        json!([null]),
    ] {
        let said = scim(200, &with("roles", wrong.clone()));
        assert_eq!(
            reason(BY_ID, said).await,
            Reason::MalformedAnswer,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_records_version_is_when_it_was_last_modified() {
    let meta = json!({"lastModified": "2026-11-23T12:00:00.5Z", "version": "W/\"7\""});
    let version = found(BY_ID, &with("meta", meta)).await.version;
    assert_eq!(version, Version::parse("2026-11-23T12:00:00.5Z"));
    let tagged = with("meta", json!({"version": "W/\"7\""}));
    assert_eq!(found(BY_ID, &tagged).await.version, None);
}

/// User names are compared without regard to case there (RFC 7643 4.1.1); subjects never are.
#[tokio::test]
async fn a_user_name_in_another_case_is_another_user() {
    let server = ScimServer::scim2_server().await;
    let folder = tempfile::tempdir().expect("a folder");
    let users = format!(
        "  scim:\n    url: http://{}/r/{{realm}}/t/{{tenant}}/v2\n    \
         filter: 'userName eq \"{{subject}}\"'\n",
        server.address()
    );
    let directory = open(folder.path(), &users);
    let user =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "Alice"});
    server.create(REALM, "acme", &user);
    let exact = ask(&*directory, REALM, Some("acme"), "Alice").await;
    assert!(matches!(exact, Ok(Answer::Found(_))), "{exact:?}");
    let other = ask(&*directory, REALM, Some("acme"), "alice").await;
    assert_eq!(other, Err(Unanswered::because(Reason::OtherSubject)));
}

#[tokio::test]
async fn a_filter_finds_one_of_several_on_a_server_that_reads_filters_its_own_way() {
    let server = ScimServer::scimmy().await;
    let folder = tempfile::tempdir().expect("a folder");
    let users = format!(
        "  scim:\n    url: http://{}/r/{{realm}}/t/{{tenant}}/v2\n    {BY_EXTERNAL_ID}\n",
        server.address()
    );
    let directory = open(folder.path(), &users);
    for subject in ["alice", "bob", "a/b", "x y"] {
        let mut user = resource();
        user["userName"] = format!("name of {subject}").into();
        user["externalId"] = subject.into();
        server.create(REALM, "acme", &user);
    }
    for subject in ["alice", "bob", "a/b", "x y"] {
        let answer = ask(&*directory, REALM, Some("acme"), subject).await;
        let Ok(Answer::Found(user)) = answer else {
            panic!("{subject}: {answer:?}");
        };
        assert_eq!(user.id.as_deref(), Some(subject));
    }
    let nobody = ask(&*directory, REALM, Some("acme"), "carol").await;
    assert_eq!(nobody, Ok(Answer::NotFound));
}
