//! A service that speaks `subgate.directory.v1`: what of its answers is believed.

mod transport;
mod watch;

use super::{REALM, open};
use crate::parts::directory_grpc::GrpcDirectory as Service;
use serde_json::{Value, json};
use std::time::Duration;
use subgate::event::Version;
use subgate::user::User;
use subgate::user::directory::{
    Answer, Answered, Directory, Lifetime, Query, Question, Reason, Unanswered,
};
use subgate::user::record::Status;

/// A service and the directory that asks it.
struct House {
    service: Service,
    directory: Box<dyn Directory>,
    _folder: tempfile::TempDir,
}

impl House {
    /// With more members of `grpc`, each after a comma.
    fn open(members: &str) -> Self {
        let service = Service::start();
        let folder = tempfile::tempdir().expect("a folder");
        let users = format!(
            "  grpc: {{endpoint: 'http://{}'{members}}}\n",
            service.address()
        );
        Self {
            directory: open(folder.path(), &users),
            service,
            _folder: folder,
        }
    }

    /// Answers every call with this message, whoever is asked for.
    fn says(&mut self, message: &Value) {
        self.service.order("answer", &json!({ "message": message }));
    }

    async fn reason(&self) -> Reason {
        match look_up(&*self.directory, Some("acme"), false).await {
            Err(unanswered) => unanswered.reason,
            Ok(answered) => panic!("expected no trustworthy answer, came {answered:?}"),
        }
    }

    async fn found(&self) -> User {
        match look_up(&*self.directory, Some("acme"), false).await {
            Ok(Answered {
                answer: Answer::Found(user),
                ..
            }) => user,
            other => panic!("expected a user, came {other:?}"),
        }
    }
}

/// Asks for `alice`.
async fn look_up(
    directory: &dyn Directory,
    tenant: Option<&str>,
    consistent: bool,
) -> Result<Answered, Unanswered> {
    let [realm, subject] = [REALM, "alice"].map(std::sync::Arc::<str>::from);
    let tenant = tenant.map(std::sync::Arc::from);
    let query = Query {
        realm: &realm,
        issuer: &realm,
        tenant: tenant.as_ref(),
        subject: &subject,
    };
    let question = Question {
        query,
        consistent,
        etag: None,
    };
    directory.look_up(question).await
}

fn record() -> Value {
    json!({
        "realm": REALM, "tenant": "acme", "subject": "alice", "id": "u-1",
        "status": "STATUS_ACTIVE",
    })
}

/// A user, with a member changed; null takes it away.
fn but(name: &str, value: Value) -> Value {
    let mut record = record();
    record[name] = value;
    json!({ "user": record })
}

fn not_found() -> Value {
    json!({"realm": REALM, "tenant": "acme", "subject": "alice"})
}

#[tokio::test]
async fn what_does_not_say_of_the_very_user_that_it_exists_or_not_is_not_believed() {
    let mut house = House::open("");
    let no = |name: &str| but(name, Value::Null);
    let gone_but = |name: &str, value: Value| {
        let mut not_found = not_found();
        not_found[name] = value;
        json!({ "not_found": not_found })
    };
    for (message, expected) in [
        (json!({}), Reason::MalformedAnswer),
        (json!({"max_age": "60s"}), Reason::MalformedAnswer),
        (json!({"user": {}}), Reason::OtherSubject),
        (but("subject", json!("mallory")), Reason::OtherSubject),
        (but("subject", json!("Alice")), Reason::OtherSubject),
        (no("subject"), Reason::OtherSubject),
        (
            but("realm", json!("https://id2.example.com")),
            Reason::OtherSubject,
        ),
        (no("realm"), Reason::OtherSubject),
        (but("tenant", json!("globex")), Reason::OtherTenant),
        (but("tenant", json!("")), Reason::OtherTenant),
        (no("tenant"), Reason::OtherTenant),
        (no("id"), Reason::MalformedAnswer),
        (no("status"), Reason::MalformedAnswer),
        (
            but("status", json!("STATUS_UNSPECIFIED")),
            Reason::MalformedAnswer,
        ),
        (but("status", json!(7)), Reason::MalformedAnswer),
        (
            json!({"user": record(), "max_age": "-1s"}),
            Reason::MalformedAnswer,
        ),
        (json!({"not_found": {}}), Reason::UnrecognizedNotFound),
        (
            gone_but("subject", json!("bob")),
            Reason::UnrecognizedNotFound,
        ),
        (
            gone_but("tenant", json!("globex")),
            Reason::UnrecognizedNotFound,
        ),
        (
            gone_but("tenant", Value::Null),
            Reason::UnrecognizedNotFound,
        ),
        (gone_but("realm", Value::Null), Reason::UnrecognizedNotFound),
        (but("id", json!("x".repeat(70_000))), Reason::TooLarge),
    ] {
        house.says(&message);
        assert_eq!(house.reason().await, expected, "{message}");
    }
    for (bytes, expected) in [
        // A field that ends beyond the message, a group, text that is no UTF-8.
        ("0aff", Reason::MalformedAnswer),
        ("0b", Reason::MalformedAnswer),
        ("0a031a01ff", Reason::MalformedAnswer),
        // Fields that nobody knows.
        ("f03f01", Reason::MalformedAnswer),
    ] {
        house.service.order("answer", &json!({ "bytes": bytes }));
        assert_eq!(house.reason().await, expected, "{bytes}");
    }
}

#[tokio::test]
async fn a_whole_answer_is_read_whole_and_with_its_lifetime() {
    let mut house = House::open(", required: [plan]");
    let mut whole = record();
    whole["roles"] = json!(["reader", "a,b"]);
    whole["version"] = json!("2026-11-23T11:30:00Z");
    whole["attributes"] = json!({
        "teams": {"values": ["x", "y, z"]}, "plan": {"values": [""]}, "none": {},
    });
    house.says(&json!({"user": whole, "max_age": "1.5s"}));
    let answered = look_up(&*house.directory, Some("acme"), false)
        .await
        .expect("an answer");
    let user = User {
        id: Some("u-1".into()),
        status: Status::Active,
        roles: ["reader".into(), "a,b".into()].into(),
        attributes: [("teams".into(), ["x".into(), "y, z".into()].into())].into(),
        lacks: Some("plan".into()),
        version: Version::parse("2026-11-23T11:30:00Z"),
    };
    let lifetime = Lifetime {
        fresh: Some(Duration::from_millis(1500)),
        ..Lifetime::default()
    };
    let expected = Answered {
        answer: Answer::Found(user),
        lifetime,
        etag: None,
    };
    assert_eq!(answered, expected);

    house.says(&but("version", json!("v7")));
    assert_eq!(house.found().await.version, None);
    house.says(&json!({"not_found": not_found(), "max_age": "0s"}));
    let answered = look_up(&*house.directory, Some("acme"), false).await;
    let answered = answered.expect("an answer");
    assert_eq!(answered.answer, Answer::NotFound);
    assert_eq!(answered.lifetime.fresh, Some(Duration::ZERO));
}

#[tokio::test]
async fn a_status_is_an_error_and_never_a_user_who_does_not_exist() {
    let mut house = House::open("");
    house.says(&json!({"user": record()}));
    assert_eq!(house.found().await.id.as_deref(), Some("u-1"));
    for (status, expected) in [
        ("NOT_FOUND", Reason::UnrecognizedNotFound),
        ("UNAUTHENTICATED", Reason::Unauthorized),
        ("PERMISSION_DENIED", Reason::Unauthorized),
        ("DEADLINE_EXCEEDED", Reason::Timeout),
        ("RESOURCE_EXHAUSTED", Reason::Throttled),
        ("UNAVAILABLE", Reason::ServerError),
        ("INTERNAL", Reason::ServerError),
        ("UNKNOWN", Reason::ServerError),
        ("DATA_LOSS", Reason::ServerError),
        ("ABORTED", Reason::ServerError),
        ("CANCELLED", Reason::ServerError),
        ("UNIMPLEMENTED", Reason::UnexpectedStatus),
        ("INVALID_ARGUMENT", Reason::UnexpectedStatus),
        ("ALREADY_EXISTS", Reason::UnexpectedStatus),
        ("FAILED_PRECONDITION", Reason::UnexpectedStatus),
    ] {
        house.service.order("answer", &json!({ "status": status }));
        assert_eq!(house.reason().await, expected, "{status}");
    }
    for (status, retry_after, expected) in [
        ("RESOURCE_EXHAUSTED", "7", Some(7)),
        ("UNAVAILABLE", "0", Some(0)),
        ("UNAVAILABLE", "86400", Some(3600)),
        ("RESOURCE_EXHAUSTED", "soon", None),
        ("UNAUTHENTICATED", "7", None),
    ] {
        let mood = json!({"status": status, "retry_after": retry_after});
        house.service.order("answer", &mood);
        let unanswered = look_up(&*house.directory, Some("acme"), false).await;
        let unanswered = unanswered.expect_err("no answer");
        assert_eq!(
            unanswered.retry_after,
            expected.map(Duration::from_secs),
            "{status} {retry_after}"
        );
    }
}

#[tokio::test]
async fn a_consistent_question_is_asked_as_one_and_a_tenant_only_where_there_is_one() {
    let mut house = House::open("");
    house.service.order("lag", &json!({"on": true}));
    let alice = json!({"realm": REALM, "subject": "alice", "id": "u-1"});
    house.service.order("put", &json!({ "rows": [alice] }));
    let asked = async |consistent| {
        let answered = look_up(&*house.directory, None, consistent).await;
        answered.expect("an answer").answer
    };
    assert_eq!(asked(false).await, Answer::NotFound);
    assert!(matches!(asked(true).await, Answer::Found(_)));
    let calls = house.service.order("called", &json!({}));
    let asked = |consistency| {
        json!({
            "realm": REALM, "issuer": REALM, "subject": "alice", "consistency": consistency,
            "authorization": null,
        })
    };
    let expected = ["CONSISTENCY_ORDINARY", "CONSISTENCY_CONSISTENT"].map(asked);
    assert_eq!(calls, json!(expected));
}
