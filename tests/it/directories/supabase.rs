//! Which answer of Supabase Auth means that a user is there, or is not.

use super::{REALM, ask, open, put_question};
use crate::parts::gotrue::GoTrue;
use crate::parts::http::{Answer as Said, Request, Server};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use subgate::event::Version;
use subgate::user::User;
use subgate::user::directory::{Answer, Reason, Unanswered};
use subgate::user::record::Status;

/// The id of the fixture's user.
const ALICE: &str = "2f9c2b1e-6a0d-4c53-9d8e-0b6f4f1d7a11";

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
    fs::write(folder.path().join("key"), "service-key\n").expect("a file");
    let users = format!(
        "  supabase:\n    url: http://{}/{{realm}}/auth/v1\n    service_key_file: key\n{members}",
        server.address()
    );
    let directory = open(folder.path(), &users);
    let answer = ask(&*directory, REALM, Some("acme"), subject).await;
    assert!(!format!("{directory:?}").contains("service-key"));
    let seen = seen.lock().clone();
    (answer, seen)
}

async fn told(members: &str, said: Said) -> Result<Answer, Unanswered> {
    asked(members, ALICE, said).await.0
}

async fn reason(members: &str, said: Said) -> Reason {
    match told(members, said).await {
        Err(unanswered) => unanswered.reason,
        Ok(answer) => panic!("expected no trustworthy answer, came {answer:?}"),
    }
}

async fn found(members: &str, record: &Value) -> User {
    match told(members, GoTrue::answer_with("user", record)).await {
        Ok(Answer::Found(user)) => user,
        other => panic!("expected a user of {record}, came {other:?}"),
    }
}

fn with(name: &str, value: Value) -> Value {
    let mut user = GoTrue::user();
    user[name] = value;
    user
}

#[tokio::test]
async fn a_user_is_asked_for_with_the_service_key_in_both_headers() {
    let (answer, seen) = asked("", ALICE, GoTrue::answer("user")).await;
    let Ok(Answer::Found(user)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(user.id.as_deref(), Some(ALICE));
    assert_eq!(user.version, Version::parse("2026-11-20T08:00:00.6Z"));
    let email = user.attribute("email").unwrap_or_default();
    assert_eq!(
        email.iter().map(|one| &**one).collect::<Vec<_>>(),
        ["alice@example.com"]
    );
    let request = seen.first().expect("a request");
    let expected = format!("/https%3A%2F%2Fid.example.com/auth/v1/admin/users/{ALICE}");
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("GET", &*expected)
    );
    assert_eq!(request.values("apikey"), ["service-key"]);
    assert_eq!(request.values("authorization"), ["Bearer service-key"]);
}

#[tokio::test]
async fn a_subject_that_is_no_uuid_is_not_asked_for_and_not_called_missing() {
    let upper = ALICE.to_uppercase();
    let bare = ALICE.replace('-', "");
    let long = format!("{ALICE}0");
    for subject in [
        "",
        "alice",
        "..",
        &upper,
        &bare,
        &long,
        "2f9c2b1e-6a0d-4c53-9d8e-0b6f4f1d7a1g",
    ] {
        let (answer, seen) = asked("", subject, GoTrue::answer("user_not_found")).await;
        assert_eq!(
            answer,
            Err(Unanswered::because(Reason::Unaskable)),
            "{subject:?}"
        );
        assert!(seen.is_empty(), "{subject:?}");
    }
}

#[tokio::test]
async fn only_the_code_of_a_missing_user_says_that_one_is_missing() {
    for name in ["user_not_found", "user_not_found_2024_01_01"] {
        assert_eq!(
            told("", GoTrue::answer(name)).await,
            Ok(Answer::NotFound),
            "{name}"
        );
    }
    let code = |status, body| Said::json(status, &body);
    for (name, said, expected) in [
        (
            "another code",
            GoTrue::answer("no_uuid"),
            Reason::UnrecognizedNotFound,
        ),
        (
            "no code",
            GoTrue::answer("no_code"),
            Reason::UnrecognizedNotFound,
        ),
        (
            "no route",
            Said::new(404, "text/plain; charset=utf-8", "404 page not found\n"),
            Reason::UnrecognizedNotFound,
        ),
        (
            "a gateway without route",
            code(
                404,
                json!({"message": "no Route matched with those values"}),
            ),
            Reason::UnrecognizedNotFound,
        ),
        (
            "the code as text",
            Said::new(404, "text/plain", r#"{"error_code":"user_not_found"}"#),
            Reason::UnrecognizedNotFound,
        ),
        (
            "another code beside it",
            code(404, json!({"error_code": "x", "code": "user_not_found"})),
            Reason::UnrecognizedNotFound,
        ),
        (
            "the code with 410",
            code(410, json!({"error_code": "user_not_found"})),
            Reason::UnrecognizedNotFound,
        ),
        (
            "the code with 403",
            code(403, json!({"error_code": "user_not_found"})),
            Reason::Unauthorized,
        ),
        (
            "the code with 200",
            code(200, json!({"error_code": "user_not_found"})),
            Reason::OtherSubject,
        ),
        (
            "the key of another",
            GoTrue::answer("no_admin"),
            Reason::Unauthorized,
        ),
        (
            "no database",
            GoTrue::answer("database_down"),
            Reason::ServerError,
        ),
        (
            "a record as text",
            Said::new(200, "text/html", GoTrue::user().to_string()),
            Reason::MalformedAnswer,
        ),
        (
            "garbage",
            Said::new(200, "application/json", "{"),
            Reason::MalformedAnswer,
        ),
        (
            "half an answer",
            GoTrue::answer("user").cut_off(),
            Reason::Truncated,
        ),
    ] {
        assert_eq!(reason("", said).await, expected, "{name}");
    }
}

#[tokio::test]
async fn the_record_of_another_user_or_tenant_is_not_believed() {
    for id in [
        json!("2f9c2b1e-6a0d-4c53-9d8e-0b6f4f1d7a12"),
        json!(ALICE.to_uppercase()),
        json!(null),
        json!(7),
    ] {
        // Not even where it says that this other one was deleted.
        let mut record = with("id", id.clone());
        record["deleted_at"] = "2026-11-01T00:00:00Z".into();
        let said = GoTrue::answer_with("user", &record);
        assert_eq!(reason("", said).await, Reason::OtherSubject, "{id}");
    }
    let named = "    fields: {tenant: /app_metadata/tenant}\n";
    assert_eq!(
        found(named, &GoTrue::user()).await.id.as_deref(),
        Some(ALICE)
    );
    for metadata in [
        json!({"tenant": "globex"}),
        json!({"tenant": "ACME"}),
        json!({}),
        json!(null),
    ] {
        let said = GoTrue::answer_with("user", &with("app_metadata", metadata.clone()));
        assert_eq!(reason(named, said).await, Reason::OtherTenant, "{metadata}");
    }
}

#[tokio::test]
async fn a_user_who_was_deleted_softly_is_not_there() {
    let deleted = with("deleted_at", json!("2026-11-01T00:00:00Z"));
    let said = GoTrue::answer_with("user", &deleted);
    assert_eq!(told("", said).await, Ok(Answer::NotFound));
    let kept = with("deleted_at", json!(null));
    assert_eq!(found("", &kept).await.status, Status::Active);
    for wrong in [json!(""), json!("yes"), json!(true), json!(0)] {
        let said = GoTrue::answer_with("user", &with("deleted_at", wrong.clone()));
        assert_eq!(reason("", said).await, Reason::MalformedAnswer, "{wrong}");
    }
}

#[tokio::test]
async fn a_ban_lasts_until_its_time_has_come_by_the_clock_of_the_answer() {
    for (until, expected) in [
        (json!("2026-11-23T12:00:00.001Z"), Status::Disabled),
        (json!("2126-11-23T12:00:00Z"), Status::Disabled),
        (json!("2026-11-23T12:00:00Z"), Status::Active),
        (json!("2026-11-23T13:30:00+02:00"), Status::Active),
        (json!(null), Status::Active),
    ] {
        let user = found("", &with("banned_until", until.clone())).await;
        assert_eq!(user.status, expected, "{until}");
    }
    let banned = with("banned_until", json!("2026-11-23T12:00:30Z"));
    let aged = GoTrue::answer_with("user", &banned).header("age", "30");
    let Ok(Answer::Found(user)) = told("", aged).await else {
        panic!("a user");
    };
    assert_eq!(user.status, Status::Active);
    // Without a date, nobody knows.
    let undated = Said::json(200, &banned);
    assert_eq!(reason("", undated).await, Reason::MalformedAnswer);
}

#[tokio::test]
async fn roles_come_from_where_users_cannot_write() {
    let roles = async |members: &str| -> Vec<String> {
        let user = found(members, &GoTrue::user()).await;
        user.roles.iter().map(ToString::to_string).collect()
    };
    assert_eq!(roles("").await, ["reader", "a,b"]);
    assert_eq!(
        roles("    fields: {roles: /role}\n").await,
        ["authenticated"]
    );
    assert!(roles("    fields: {roles: none}\n").await.is_empty());
    assert!(
        roles("    fields: {roles: /app_metadata/none}\n")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn the_record_of_a_banned_user_has_no_validator_since_the_ban_ends_by_itself() {
    for (until, expected) in [
        ("2026-11-23T12:00:30Z", None),
        ("2026-11-23T11:00:00Z", Some("\"7\"")),
    ] {
        let record = with("banned_until", json!(until));
        let said = GoTrue::answer_with("user", &record).header("etag", "\"7\"");
        let server = Server::start(move |_| said.clone());
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("key"), "service-key").expect("a file");
        let users = format!(
            "  supabase: {{url: 'http://{}/{{realm}}', service_key_file: key}}\n",
            server.address()
        );
        let directory = open(folder.path(), &users);
        let answered = put_question(&*directory, ALICE, false, None).await;
        let etag = answered.expect("an answer").etag;
        assert_eq!(etag.as_deref(), expected, "{until}");
    }
}
