//! How long an answer may be remembered, and how one that has not changed is told.

use super::{REALM, ask, open, put_question};
use crate::parts::express::Express;
use crate::parts::http::{Answer as Said, Request, Server};
use parking_lot::Mutex;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use subgate::user::directory::{Answer, Answered, Directory, Reason, Unanswered};
use tempfile::TempDir;

fn record() -> serde_json::Value {
    json!({"id": "u-1", "subject": "alice", "tenant": "acme"})
}

/// A directory whose service says this, and what it is asked.
struct House {
    directory: Box<dyn Directory>,
    seen: Arc<Mutex<Vec<Request>>>,
    _alive: (Server, TempDir),
}

impl House {
    fn new(members: &str, said: Said) -> Self {
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
            "  http:\n    url: http://{}/{{realm}}/{{subject}}\n    \
             not_found: {{code: user_not_found}}\n{members}",
            server.address()
        );
        Self {
            directory: open(folder.path(), &users),
            seen,
            _alive: (server, folder),
        }
    }

    async fn asked(&self, consistent: bool, etag: Option<&str>) -> Result<Answered, Unanswered> {
        put_question(&*self.directory, "alice", consistent, etag).await
    }

    fn sent(&self, header: &str) -> Vec<String> {
        let seen = self.seen.lock();
        let last = seen.last().expect("a request");
        last.values(header).into_iter().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn an_answer_carries_its_lifetime_and_its_validator() {
    let said = Said::json(200, &record())
        .header("cache-control", "max-age=30, must-revalidate")
        .header("age", "12")
        .header("etag", "W/\"7\"");
    let answered = House::new("", said)
        .asked(false, None)
        .await
        .expect("an answer");
    assert!(matches!(answered.answer, Answer::Found(_)));
    assert_eq!(answered.etag.as_deref(), Some("W/\"7\""));
    let lifetime = answered.lifetime;
    assert_eq!(
        (lifetime.age, lifetime.fresh),
        (Duration::from_secs(12), Some(Duration::from_secs(30)))
    );
    assert!(lifetime.revalidate);

    let missing = Said::json(404, &json!({"code": "user_not_found"}))
        .header("cache-control", "max-age=2")
        .header("etag", "\"7\"");
    let answered = House::new("", missing)
        .asked(false, None)
        .await
        .expect("an answer");
    assert_eq!((answered.answer, answered.etag), (Answer::NotFound, None));
    assert_eq!(answered.lifetime.fresh, Some(Duration::from_secs(2)));
}

#[tokio::test]
async fn a_304_is_believed_where_a_validator_was_sent_and_nowhere_else() {
    let said = Said::new(304, "text/plain", "").header("cache-control", "max-age=5");
    let house = House::new("", said);
    let answered = house.asked(false, Some("\"7\"")).await.expect("an answer");
    assert_eq!(house.sent("if-none-match"), ["\"7\""]);
    assert_eq!(answered.answer, Answer::Unchanged);
    assert_eq!(answered.etag.as_deref(), Some("\"7\""));
    assert_eq!(answered.lifetime.fresh, Some(Duration::from_secs(5)));

    // Neither without one, nor with one that cannot be sent, nor with one of the configuration.
    let not_believed = Err(Unanswered::because(Reason::UnexpectedStatus));
    assert_eq!(house.asked(false, None).await, not_believed);
    assert!(house.sent("if-none-match").is_empty());
    assert_eq!(house.asked(false, Some("\"7\n\"")).await, not_believed);
    let written = "    headers: {if-none-match: '\"7\"'}\n";
    let house = House::new(written, Said::new(304, "text/plain", ""));
    assert_eq!(house.asked(false, None).await, not_believed);
}

#[tokio::test]
async fn a_consistent_read_says_so_in_the_configured_headers() {
    let said = Said::json(200, &record());
    let house = House::new("", said.clone());
    house.asked(false, None).await.expect("an answer");
    assert!(house.sent("cache-control").is_empty());
    house.asked(true, None).await.expect("an answer");
    assert_eq!(house.sent("cache-control"), ["no-cache"]);

    let own = "    headers: {x-read: any}\n    consistent_read: {header: {x-read: primary}}\n";
    let house = House::new(own, said);
    house.asked(false, None).await.expect("an answer");
    assert_eq!(house.sent("x-read"), ["any"]);
    house.asked(true, None).await.expect("an answer");
    assert_eq!(
        (house.sent("x-read"), house.sent("cache-control")),
        (vec!["primary".to_owned()], vec![])
    );
}

#[tokio::test]
async fn a_framework_that_makes_validators_itself_is_understood() {
    let express = Express::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let users = format!(
        "  http:\n    url: http://{}/r/{{realm}}/t/{{tenant}}/u/{{subject}}\n    \
         not_found: {{code: user_not_found}}\n",
        express.address()
    );
    let directory = open(folder.path(), &users);
    let mut row = record();
    row["realm"] = REALM.into();
    express.put(&[row.clone()]);
    let first = put_question(&*directory, "alice", false, None)
        .await
        .expect("an answer");
    let etag = first.etag.clone().expect("a validator");
    let again = put_question(&*directory, "alice", false, Some(&etag))
        .await
        .expect("an answer");
    assert_eq!(
        (again.answer, again.etag),
        (Answer::Unchanged, Some(etag.clone()))
    );
    // Whoever asks for a consistent read gets the whole record.
    let consistent = put_question(&*directory, "alice", true, Some(&etag))
        .await
        .expect("an answer");
    assert_eq!(consistent.answer, first.answer);

    row["id"] = "u-2".into();
    express.put(&[row]);
    let changed = put_question(&*directory, "alice", false, Some(&etag))
        .await
        .expect("an answer");
    assert!(matches!(&changed.answer, Answer::Found(user) if user.id.as_deref() == Some("u-2")));
    assert_ne!(changed.etag, Some(etag.clone()));
    express.put(&[]);
    let gone = put_question(&*directory, "alice", false, Some(&etag))
        .await
        .expect("an answer");
    assert_eq!(gone.answer, Answer::NotFound);
}

#[tokio::test]
async fn the_pages_of_a_framework_say_nothing_of_a_user() {
    let express = Express::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    for (path, expected) in [
        (
            "/r/{realm}/t/{tenant}/u/{subject}/more",
            Reason::UnrecognizedNotFound,
        ),
        ("/{realm}/{tenant}/{subject}", Reason::UnrecognizedNotFound),
        (
            "/r/{realm}/t/{tenant}/u/crash?for={subject}",
            Reason::ServerError,
        ),
    ] {
        let users = format!(
            "  http:\n    url: http://{}{path}\n    not_found: {{code: user_not_found}}\n",
            express.address()
        );
        let directory = open(folder.path(), &users);
        let answer = ask(&*directory, REALM, Some("acme"), "alice").await;
        assert_eq!(answer, Err(Unanswered::because(expected)), "{path}");
    }
}
