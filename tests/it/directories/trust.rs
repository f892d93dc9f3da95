//! Which answer of a user service means that a user is there, or is not, and what is read in it.

use super::{REALM, ask, open};
use crate::parts::http::{Answer as Said, Server};
use serde_json::{Value, json};
use std::time::Duration;
use subgate::event::Version;
use subgate::user::User;
use subgate::user::directory::{Answer, Reason, Unanswered};
use subgate::user::record::Status;

/// What comes of asking for `alice` in `acme` if the service says this, with more members of `http`.
pub(super) async fn told(members: &str, said: Said) -> Result<Answer, Unanswered> {
    let server = Server::start(move |_| said.clone());
    let folder = tempfile::tempdir().expect("a folder");
    let code = if members.contains("not_found:") {
        ""
    } else {
        "    not_found: {code: user_not_found}\n"
    };
    let users = format!(
        "  http:\n    url: http://{}/t/{{tenant}}/u/{{subject}}?realm={{realm}}\n{code}{members}",
        server.address()
    );
    let directory = open(folder.path(), &users);
    ask(&*directory, REALM, Some("acme"), "alice").await
}

pub(super) async fn reason(members: &str, said: Said) -> Reason {
    match told(members, said).await {
        Err(unanswered) => unanswered.reason,
        Ok(answer) => panic!("expected no trustworthy answer, came {answer:?}"),
    }
}

async fn found(members: &str, record: &Value) -> User {
    match told(members, Said::json(200, record)).await {
        Ok(Answer::Found(user)) => user,
        other => panic!("expected a user of {record}, came {other:?}"),
    }
}

pub(super) fn record() -> Value {
    json!({"id": "u-1", "subject": "alice", "tenant": "acme"})
}

/// The record with a member changed.
pub(super) fn with(name: &str, value: Value) -> Value {
    let mut record = record();
    record[name] = value;
    record
}

pub(super) fn not_found() -> Value {
    json!({"code": "user_not_found"})
}

#[tokio::test]
async fn a_not_found_is_believed_in_its_configured_form_alone() {
    for status in [404, 410] {
        assert_eq!(
            told("", Said::json(status, &not_found())).await,
            Ok(Answer::NotFound)
        );
        let parameters = Said::new(
            status,
            "Application/JSON; charset=utf-8",
            not_found().to_string(),
        );
        assert_eq!(told("", parameters).await, Ok(Answer::NotFound));
    }
    let own = "    not_found: {status: [200, 422], content_type: application/problem+json, \
               code: {pointer: /error/type, is: gone}}\n";
    let gone = json!({"error": {"type": "gone"}}).to_string();
    let problem = |status| Said::new(status, "application/problem+json", gone.clone());
    for status in [200, 422] {
        assert_eq!(
            told(own, problem(status)).await,
            Ok(Answer::NotFound),
            "{status}"
        );
    }
    assert_eq!(
        reason(own, problem(404)).await,
        Reason::UnrecognizedNotFound
    );
    assert_eq!(
        reason(own, Said::json(422, &json!({}))).await,
        Reason::UnrecognizedNotFound
    );
    assert_eq!(
        reason(own, Said::json(404, &not_found())).await,
        Reason::UnrecognizedNotFound
    );
    // A service that says both with 200 can still say that a user is there.
    assert_eq!(found(own, &record()).await.id.as_deref(), Some("u-1"));
}

#[tokio::test]
async fn numbers_are_names_and_nulls_are_nothing() {
    let numeric = json!({"id": 7, "subject": "alice", "tenant": "acme", "version": 3});
    let user = found("", &numeric).await;
    assert_eq!(
        (user.id.as_deref(), user.version),
        (Some("7"), Some(Version::Number(3)))
    );
    let long = found("", &with("id", json!(u64::MAX))).await;
    assert_eq!(long.id.as_deref(), Some("18446744073709551615"));
    let nulls = json!({
        "id": "u-1", "subject": "alice", "tenant": "acme", "status": null, "roles": null,
        "version": null, "email": null,
    });
    let user = found("    attributes: {email: /email}\n", &nulls).await;
    let expected = User {
        id: Some("u-1".into()),
        ..User::default()
    };
    assert_eq!(user, expected);
}

#[tokio::test]
async fn a_status_is_active_unless_it_is_one_of_the_disabled_values() {
    for (members, status, expected) in [
        ("", json!("active"), Status::Active),
        ("", json!("anything"), Status::Active),
        ("", json!("Suspended"), Status::Disabled),
        ("", json!("deleted"), Status::Disabled),
        (
            "    disabled_values: ['false']\n",
            json!(false),
            Status::Disabled,
        ),
        (
            "    disabled_values: ['false']\n",
            json!(true),
            Status::Active,
        ),
        ("    disabled_values: ['0']\n", json!(0), Status::Disabled),
        (
            "    disabled_values: [locked]\n",
            json!("disabled"),
            Status::Active,
        ),
        (
            "    fields: {status: none}\n",
            json!("disabled"),
            Status::Active,
        ),
    ] {
        let user = found(members, &with("status", status.clone())).await;
        assert_eq!(user.status, expected, "{members}{status}");
    }
}

#[tokio::test]
async fn attributes_are_texts_and_lists_of_texts_and_what_is_required_is_missed() {
    let members = "    attributes: {email: /contact/email, teams: /teams, plan: /plan}\n    required: [email, teams]\n";
    let full = json!({
        "id": "u-1", "subject": "alice", "tenant": "acme", "plan": 5,
        "contact": {"email": "a@example.com"}, "teams": ["x", "y, z"],
    });
    let user = found(members, &full).await;
    let values = |name: &str| -> Vec<String> {
        let values = user.attribute(name).unwrap_or_default();
        values.iter().map(ToString::to_string).collect()
    };
    assert_eq!(values("email"), ["a@example.com"]);
    assert_eq!(values("teams"), ["x", "y, z"]);
    assert_eq!(values("plan"), ["5"]);
    assert_eq!(user.lacks, None);

    for (member, value, lacks) in [
        ("contact", json!(null), "email"),
        ("contact", json!({"email": ""}), "email"),
        ("contact", json!({"email": null}), "email"),
        ("teams", json!([]), "teams"),
        ("teams", json!([""]), "teams"),
    ] {
        let mut record = full.clone();
        record[member] = value;
        assert_eq!(
            found(members, &record).await.lacks.as_deref(),
            Some(lacks),
            "{record}"
        );
    }
    for value in [json!({"a": 1}), json!([1]), json!([["x"]])] {
        let mut record = full.clone();
        record["teams"] = value;
        assert_eq!(
            reason(members, Said::json(200, &record)).await,
            Reason::MalformedAnswer
        );
    }
}

#[tokio::test]
async fn what_is_written_as_none_is_not_asked_of_the_record() {
    let lax = "    fields: {id: none, subject: none, tenant: none, roles: none, version: none}\n";
    let bare = json!({"roles": "admin", "version": [], "subject": "mallory"});
    assert_eq!(found(lax, &bare).await, User::default());
}

#[tokio::test]
async fn when_to_ask_again_is_taken_from_a_429_and_a_503() {
    for (status, header, expected) in [
        (429, "7", Some(Duration::from_secs(7))),
        (503, "0", Some(Duration::ZERO)),
        (503, "86400", Some(Duration::from_secs(3600))),
        (
            429,
            "Sun, 06 Nov 1994 08:50:07 GMT",
            Some(Duration::from_secs(30)),
        ),
        (503, "Sun, 06 Nov 1994 08:00:00 GMT", Some(Duration::ZERO)),
        (429, "soon", None),
        (429, "-1", None),
    ] {
        let said = Said::json(status, &json!({}))
            .header("retry-after", header)
            .header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let unanswered = told("", said).await.expect_err("no answer");
        assert_eq!(unanswered.retry_after, expected, "{header}");
    }
}

#[tokio::test]
async fn inside_a_tenant_nobody_is_asked_for_without_one() {
    let server = Server::start(|_| Said::json(404, &not_found()));
    let folder = tempfile::tempdir().expect("a folder");
    let users = format!(
        "  http:\n    url: http://{}/t/{{tenant}}/u/{{subject}}?realm={{realm}}\n    not_found: {{code: user_not_found}}\n",
        server.address()
    );
    let directory = open(folder.path(), &users);
    let unanswered = ask(&*directory, REALM, None, "alice")
        .await
        .expect_err("no tenant");
    assert_eq!(unanswered.reason, Reason::TenantUnasked);
    server.down();
    let unanswered = ask(&*directory, REALM, Some("acme"), "alice")
        .await
        .expect_err("no server");
    assert_eq!(unanswered.reason, Reason::Connect);
}
