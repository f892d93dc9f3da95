//! A server that answers as Supabase Auth does, by the shapes of `tests/fixtures/gotrue.json`.

use super::http::{Answer, Request, Server};
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// A running server.
pub(crate) struct GoTrue {
    server: Server,
    users: Arc<Mutex<HashMap<String, Value>>>,
    asked: Arc<Mutex<Option<Request>>>,
}

impl GoTrue {
    /// What it takes for the time of every answer.
    pub(crate) const DATE: &'static str = "Mon, 23 Nov 2026 12:00:00 GMT";

    /// Starts without users.
    pub(crate) fn start() -> Self {
        let users: Arc<Mutex<HashMap<String, Value>>> = Arc::default();
        let asked: Arc<Mutex<Option<Request>>> = Arc::default();
        let server = Server::start({
            let (users, asked) = (Arc::clone(&users), Arc::clone(&asked));
            move |request| {
                *asked.lock() = Some(request.clone());
                match users.lock().get(&request.target) {
                    Some(user) => Self::answer_with("user", user),
                    None if request.target.contains("/admin/users/") => {
                        Self::answer("user_not_found")
                    }
                    None => Answer::new(404, "text/plain; charset=utf-8", "404 page not found\n"),
                }
            }
        });
        Self {
            server,
            users,
            asked,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The `cache-control` of the latest question.
    pub(crate) fn asked(&self) -> String {
        let asked = self.asked.lock();
        let asked = asked.as_ref().expect("a question");
        asked.values("cache-control").join(",")
    }

    /// Closes its port.
    pub(crate) fn down(&self) {
        self.server.down();
    }

    /// Answers the paths of users with these records, and no others.
    pub(crate) fn put(&self, users: HashMap<String, Value>) {
        *self.users.lock() = users;
    }

    /// The record of the fixture.
    pub(crate) fn user() -> Value {
        Self::shape("user")["body"].clone()
    }

    /// An answer of the fixture.
    pub(crate) fn answer(name: &str) -> Answer {
        Self::answer_with(name, &Self::shape(name)["body"])
    }

    /// An answer of the fixture with another body.
    pub(crate) fn answer_with(name: &str, body: &Value) -> Answer {
        let shape = Self::shape(name);
        let status = shape["status"]
            .as_u64()
            .and_then(|status| status.try_into().ok());
        let media_type = shape["content_type"].as_str().expect("a media type");
        Answer::new(status.expect("a status"), media_type, body.to_string())
            .header("date", Self::DATE)
    }

    fn shape(name: &str) -> Value {
        let shapes = include_str!("../fixtures/gotrue.json");
        let mut shapes: Value = serde_json::from_str(shapes).expect("JSON");
        let shape = shapes.get_mut(name).map(Value::take);
        shape.unwrap_or_else(|| panic!("no shape {name}"))
    }
}
