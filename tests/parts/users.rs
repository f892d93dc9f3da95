//! A user service of our own, with every way such a service goes wrong.
//!
//! `GET /v1/realms/{realm}/tenants/{tenant}/users/{subject}`, or `GET /v1/users/{subject}` where it
//! has no tenants. A user that is not there is a 404 with `{"code":"user_not_found"}`.

use super::http::{Answer, Request, Server};
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A running user service.
pub(crate) struct Users {
    server: Server,
    books: Arc<Mutex<Books>>,
}

#[derive(Default)]
struct Books {
    people: Vec<User>,
    every: Mood,
    by_subject: HashMap<String, Mood>,
    slow: Duration,
    calls: HashMap<String, usize>,
    seen: Vec<Request>,
}

/// How it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Mood {
    /// As it should.
    #[default]
    Well,
    /// With this status and a JSON error.
    Status(u16),
    /// With the 404 page of an ingress.
    HtmlNotFound,
    /// With a JSON 404 of another shape.
    OtherNotFound,
    /// With 200 and a body that is no JSON.
    Garbage,
    /// With half an answer.
    CutOff,
    /// With bytes that are no HTTP.
    NoHttp,
    /// With somebody else's record.
    OtherUser,
    /// With a record out of another tenant.
    OtherTenant,
}

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct User {
    subject: String,
    tenant: String,
    status: &'static str,
    email: Option<String>,
    roles: Vec<&'static str>,
    version: u64,
}

impl User {
    /// An active user of `acme`, with the id `u-{subject}`, an e-mail address and the role `reader`.
    pub(crate) fn named(subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            tenant: "acme".to_owned(),
            status: "active",
            email: Some(format!("{subject}@example.com")),
            roles: vec!["reader"],
            version: 1,
        }
    }

    /// In another tenant.
    pub(crate) fn of(mut self, tenant: &str) -> Self {
        tenant.clone_into(&mut self.tenant);
        self
    }

    /// With another status.
    pub(crate) fn status(mut self, status: &'static str) -> Self {
        self.status = status;
        self
    }

    /// Without an e-mail address.
    pub(crate) fn without_email(mut self) -> Self {
        self.email = None;
        self
    }

    /// With these roles.
    pub(crate) fn roles(mut self, roles: &[&'static str]) -> Self {
        self.roles = roles.to_vec();
        self
    }

    fn record(&self) -> Value {
        let mut record = json!({
            "id": format!("u-{}", self.subject),
            "subject": self.subject,
            "tenant": self.tenant,
            "status": self.status,
            "roles": self.roles,
            "version": self.version,
            "plan": "gold",
        });
        if let Some(email) = &self.email {
            record["email"] = email.as_str().into();
        }
        record
    }
}

impl Users {
    /// Starts with these users.
    pub(crate) fn start(people: impl IntoIterator<Item = User>) -> Self {
        let books = Books {
            people: people.into_iter().collect(),
            ..Books::default()
        };
        let books = Arc::new(Mutex::new(books));
        let server = Server::start({
            let books = Arc::clone(&books);
            move |request| books.lock().answer(request)
        });
        Self { server, books }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Takes a user in.
    pub(crate) fn add(&self, user: User) {
        self.books.lock().people.push(user);
    }

    /// Forgets a user.
    pub(crate) fn delete(&self, subject: &str) {
        self.books
            .lock()
            .people
            .retain(|user| user.subject != subject);
    }

    /// Forgets everybody.
    pub(crate) fn empty(&self) {
        self.books.lock().people.clear();
    }

    /// Answers everything in this way.
    pub(crate) fn mood(&self, mood: Mood) {
        self.books.lock().every = mood;
    }

    /// Answers about one subject in this way.
    pub(crate) fn mood_about(&self, subject: &str, mood: Mood) {
        self.books
            .lock()
            .by_subject
            .insert(subject.to_owned(), mood);
    }

    /// Answers only after a while.
    pub(crate) fn slow(&self, delay: Duration) {
        self.books.lock().slow = delay;
    }

    /// Refuses connections.
    pub(crate) fn down(&self) {
        self.server.down();
    }

    /// Takes connections again.
    pub(crate) fn up(&self) {
        self.server.up();
    }

    /// How often a subject was asked for.
    pub(crate) fn calls(&self, subject: &str) -> usize {
        self.books.lock().calls.get(subject).copied().unwrap_or(0)
    }

    /// How often anything was asked for.
    pub(crate) fn all_calls(&self) -> usize {
        self.books.lock().calls.values().sum()
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.books.lock().seen.clone()
    }
}

impl Books {
    fn answer(&mut self, request: &Request) -> Answer {
        let path = request.target.split('?').next().unwrap_or_default();
        let parts: Vec<String> = path
            .split('/')
            .skip(1)
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (tenant, subject) = match parts.as_slice() {
            ["v1", "realms", _, "tenants", tenant, "users", subject] => (Some(*tenant), *subject),
            ["v1", "users", subject] => (None, *subject),
            _ => return Answer::new(404, "text/plain", "no such page"),
        };
        *self.calls.entry(subject.to_owned()).or_default() += 1;
        self.seen.push(request.clone());
        let mood = self.by_subject.get(subject).copied().unwrap_or(self.every);
        self.answer_about(mood, tenant, subject).after(self.slow)
    }

    fn answer_about(&self, mood: Mood, tenant: Option<&str>, subject: &str) -> Answer {
        let known = self
            .people
            .iter()
            .find(|user| user.subject == subject && tenant.is_none_or(|one| user.tenant == one));
        let found = |record: &Value| Answer::json(200, record);
        match (mood, known) {
            (Mood::Well, Some(user)) => found(&user.record()),
            (Mood::Well, None) => Answer::json(404, &json!({"code": "user_not_found"})),
            (Mood::Status(status), _) => Answer::json(status, &json!({"error": "no luck today"})),
            (Mood::HtmlNotFound, _) => {
                Answer::new(404, "text/html", "<html><h1>404 Not Found</h1></html>")
            }
            (Mood::OtherNotFound, _) => Answer::json(404, &json!({"detail": "Not Found"})),
            (Mood::Garbage, _) => Answer::new(200, "application/json", "{\"id\": \"u-\u{1}"),
            (Mood::CutOff, _) => found(&User::named(subject).record()).cut_off(),
            (Mood::NoHttp, _) => Answer::no_http(),
            (Mood::OtherUser, _) => {
                found(&User::named("mallory").of(tenant.unwrap_or("acme")).record())
            }
            (Mood::OtherTenant, _) => found(&User::named(subject).of("elsewhere").record()),
        }
    }
}
