//! Answers of a user service that mean neither that a user is there nor that it is not.

use super::trust::{not_found, reason, record, told, with};
use super::{REALM, ask, open};
use crate::parts::http::{Answer as Said, Server};
use serde_json::{Value, json};
use subgate::user::directory::{Answer, Reason, Unanswered};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What a service says, and why that is not believed.
type Row = (&'static str, Said, Reason);

const JSON: &str = "application/json";

async fn are_not_believed(rows: impl IntoIterator<Item = Row>) {
    for (name, said, expected) in rows {
        assert_eq!(reason("", said).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_404_of_another_form_is_not_the_directorys() {
    let json = |body: Value| Said::json(404, &body);
    let typed = |media_type| Said::new(404, media_type, not_found().to_string());
    let rows = [
        ("a framework's 404", json(json!({"detail": "Not Found"}))),
        (
            "an ingress's 404",
            Said::new(404, "text/html", "<h1>404</h1>"),
        ),
        ("an empty 404", Said::new(404, JSON, "")),
        ("another code", json(json!({"code": "not_found"}))),
        (
            "the code as a list",
            json(json!({"code": ["user_not_found"]})),
        ),
        ("the code elsewhere", json(json!({"error": not_found()}))),
        ("a list", json(json!(["user_not_found"]))),
        ("the code in text", typed("text/plain")),
        ("the code in HTML", typed("text/html")),
        ("the code as problem", typed("application/problem+json")),
        ("another 410", Said::json(410, &json!({"gone": true}))),
    ];
    are_not_believed(rows.map(|(name, said)| (name, said, Reason::UnrecognizedNotFound))).await;
}

#[tokio::test]
async fn another_status_says_nothing_of_a_user_whatever_its_body() {
    let elsewhere = |status| Said::json(status, &record()).header("location", "/elsewhere");
    are_not_believed([
        (
            "the code with 400",
            Said::json(400, &not_found()),
            Reason::UnexpectedStatus,
        ),
        (
            "the code with 200",
            Said::json(200, &not_found()),
            Reason::OtherSubject,
        ),
        (
            "the code with 500",
            Said::json(500, &not_found()),
            Reason::ServerError,
        ),
        (
            "the code with 401",
            Said::json(401, &not_found()),
            Reason::Unauthorized,
        ),
        ("403", Said::json(403, &json!({})), Reason::Unauthorized),
        ("302", elsewhere(302), Reason::Redirected),
        ("308", elsewhere(308), Reason::Redirected),
        ("429", Said::json(429, &json!({})), Reason::Throttled),
        ("500", Said::json(500, &json!({})), Reason::ServerError),
        (
            "503 with a record",
            Said::json(503, &record()),
            Reason::ServerError,
        ),
        (
            "201 with a record",
            Said::json(201, &record()),
            Reason::UnexpectedStatus,
        ),
        ("204", Said::new(204, JSON, ""), Reason::UnexpectedStatus),
        ("206", Said::json(206, &record()), Reason::UnexpectedStatus),
        ("418", Said::json(418, &json!({})), Reason::UnexpectedStatus),
    ])
    .await;
}

#[tokio::test]
async fn a_body_that_is_no_record_says_nothing() {
    let body = |bytes: Vec<u8>| Said::new(200, JSON, bytes);
    let twice = format!("{0}{0}", record());
    let endless = format!("{{\"padding\":\"{}\"}}", "x".repeat(200_000));
    let hello = Said::new(200, "text/html", "<h1>Welcome</h1>");
    let half = Said::json(404, &not_found()).cut_off();
    are_not_believed([
        (
            "garbage",
            body(b"{\"id\": \"u-\x01".to_vec()),
            Reason::MalformedAnswer,
        ),
        ("HTML", hello, Reason::MalformedAnswer),
        ("nothing", body(Vec::new()), Reason::MalformedAnswer),
        (
            "null",
            Said::json(200, &json!(null)),
            Reason::MalformedAnswer,
        ),
        (
            "a list",
            Said::json(200, &json!([record()])),
            Reason::MalformedAnswer,
        ),
        (
            "a text",
            Said::json(200, &json!("alice")),
            Reason::MalformedAnswer,
        ),
        (
            "two documents",
            body(twice.into_bytes()),
            Reason::MalformedAnswer,
        ),
        (
            "bytes",
            body(vec![0xff, 0xfe, 0x7b]),
            Reason::MalformedAnswer,
        ),
        (
            "a deep nest",
            body(vec![b'['; 60_000]),
            Reason::MalformedAnswer,
        ),
        (
            "an endless body",
            body(endless.into_bytes()),
            Reason::TooLarge,
        ),
        (
            "an endless 404",
            Said::new(404, JSON, vec![b' '; 200_000]),
            Reason::TooLarge,
        ),
        (
            "half an answer",
            Said::json(200, &record()).cut_off(),
            Reason::Truncated,
        ),
        ("half a 404", half, Reason::Truncated),
        ("no HTTP", Said::no_http(), Reason::Truncated),
    ])
    .await;
}

#[tokio::test]
async fn a_record_of_another_or_with_values_of_wrong_types_says_nothing() {
    let but = |name, value| Said::json(200, &with(name, value));
    let without = |name: &str| {
        let mut record = record();
        record.as_object_mut().expect("an object").remove(name);
        Said::json(200, &record)
    };
    are_not_believed([
        (
            "another user",
            but("subject", json!("mallory")),
            Reason::OtherSubject,
        ),
        (
            "another case",
            but("subject", json!("Alice")),
            Reason::OtherSubject,
        ),
        ("no subject", without("subject"), Reason::OtherSubject),
        (
            "a null subject",
            but("subject", json!(null)),
            Reason::OtherSubject,
        ),
        (
            "a list of subjects",
            but("subject", json!(["alice"])),
            Reason::OtherSubject,
        ),
        (
            "an empty object",
            Said::json(200, &json!({})),
            Reason::OtherSubject,
        ),
        (
            "another tenant",
            but("tenant", json!("globex")),
            Reason::OtherTenant,
        ),
        ("no tenant", without("tenant"), Reason::OtherTenant),
        ("no id", without("id"), Reason::MalformedAnswer),
        ("a null id", but("id", json!(null)), Reason::MalformedAnswer),
        ("an empty id", but("id", json!("")), Reason::MalformedAnswer),
        (
            "an id of objects",
            but("id", json!({"v": 1})),
            Reason::MalformedAnswer,
        ),
        (
            "a broken number",
            but("id", json!(1.5)),
            Reason::MalformedAnswer,
        ),
        (
            "true for an id",
            but("id", json!(true)),
            Reason::MalformedAnswer,
        ),
        (
            "roles as a text",
            but("roles", json!("admin")),
            Reason::MalformedAnswer,
        ),
        (
            "roles as numbers",
            but("roles", json!([1])),
            Reason::MalformedAnswer,
        ),
        (
            "roles as an object",
            but("roles", json!({"a": true})),
            Reason::MalformedAnswer,
        ),
        (
            "a list of statuses",
            but("status", json!(["active"])),
            Reason::MalformedAnswer,
        ),
        (
            "a list of versions",
            but("version", json!([1])),
            Reason::MalformedAnswer,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        // An answer before the question would be none.
        stream.read_u8().await.expect("a question");
        let head = b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\n\
                     transfer-encoding: chunked\r\n\r\n";
        stream.write_all(head).await.expect("a reader");
        let chunk = format!("400\r\n{}\r\n", " ".repeat(0x400));
        // Until the other side has had enough.
        while stream.write_all(chunk.as_bytes()).await.is_ok() {}
    });
    let folder = tempfile::tempdir().expect("a folder");
    let users = format!(
        "  http:\n    url: http://{address}/{{realm}}/{{subject}}\n    not_found: {{code: c}}\n"
    );
    let directory = open(folder.path(), &users);
    let answer = ask(&*directory, REALM, Some("acme"), "alice").await;
    assert_eq!(answer, Err(Unanswered::because(Reason::TooLarge)));
    serving.await.expect("the server is let go");
}

#[tokio::test]
async fn any_content_is_a_not_found_only_where_that_was_said_and_in_the_media_type() {
    let members = "    not_found: {code: any}\n  canary:\n  \
         - {issuer: id.example.com, tenant: acme, subject: canary}\n  \
         - {issuer: id2.example.com, tenant: acme, subject: canary}\n";
    for body in [json!({"detail": "Not Found"}), json!([])] {
        let said = Said::json(404, &body);
        assert_eq!(told(members, said).await, Ok(Answer::NotFound), "{body}");
    }
    for (said, expected) in [
        (
            Said::new(404, "text/html", "<h1>404</h1>"),
            Reason::UnrecognizedNotFound,
        ),
        (Said::json(403, &json!({})), Reason::Unauthorized),
        (Said::json(500, &json!({})), Reason::ServerError),
    ] {
        assert_eq!(reason(members, said).await, expected);
    }
}

#[tokio::test]
async fn a_subject_that_would_be_another_path_is_not_asked_for() {
    let server = Server::start(|_| Said::json(404, &not_found()));
    let folder = tempfile::tempdir().expect("a folder");
    let users = format!(
        "  http:\n    url: http://{}/{{realm}}/{{subject}}\n    not_found: {{code: user_not_found}}\n",
        server.address()
    );
    let directory = open(folder.path(), &users);
    for subject in ["", ".", ".."] {
        let answer = ask(&*directory, REALM, Some("acme"), subject).await;
        assert_eq!(
            answer,
            Err(Unanswered::because(Reason::Unaskable)),
            "{subject:?}"
        );
    }
    let dots = ask(&*directory, REALM, Some("acme"), "...").await;
    assert_eq!(dots, Ok(Answer::NotFound));
}
