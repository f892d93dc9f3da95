//! A directory that says what it is told to, and users who are found in it.

use crate::clock::SystemClock;
use crate::event::{Version, ledger};
use crate::load::Load;
use crate::user::directory::Config as DirectoryConfig;
use crate::user::directory::{Answer, Answered, Changes, Lifetime, Question, Unanswered};
use crate::user::*;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A directory that says what it is told to, in this order; the last word stands.
#[derive(Clone)]
pub(super) struct Script(pub(super) Arc<Book>);

pub(super) struct Book {
    lines: Mutex<VecDeque<Line>>,
    calls: AtomicUsize,
    pub(super) running: AtomicUsize,
    pub(super) most: AtomicUsize,
    pub(super) versions: watch::Sender<u64>,
    /// What it tells by itself, until someone listens.
    pub(super) changes: Mutex<Option<Changes>>,
    /// Whether each question was to be answered consistently, and its validator.
    pub(super) asked: Mutex<Vec<(bool, Option<String>)>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Line {
    Found(&'static str),
    NotFound,
    Fails(Reason),
    FoundAfter(Duration),
    NotFoundAfter(Duration),
    Throttled(Duration),
    Panics,
    /// Of a version.
    Version(&'static str, u64),
    /// Good for as long as this says, with a validator.
    Lasting(&'static str, Lifetime, &'static str),
    /// The record of the validator.
    Unchanged,
    UnchangedAfter(Duration),
    /// No such user, as it was a while ago.
    NotFoundOfAge(Duration),
}

impl Script {
    pub(super) fn new(lines: &[Line]) -> Self {
        Self(Arc::new(Book {
            lines: Mutex::new(lines.iter().copied().collect()),
            calls: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            versions: watch::Sender::new(0),
            changes: Mutex::default(),
            asked: Mutex::default(),
        }))
    }

    pub(super) fn now_says(&self, lines: &[Line]) {
        *self.0.lines.lock() = lines.iter().copied().collect();
    }

    pub(super) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    async fn answer(&self, question: Question<'_>) -> Result<Answered, Unanswered> {
        let asked = (question.consistent, question.etag.map(str::to_owned));
        self.0.asked.lock().push(asked);
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        let running = self.0.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(running, Ordering::SeqCst);
        let _end = End(self);
        let line = {
            let mut lines = self.0.lines.lock();
            match lines.len() {
                1 => lines[0],
                _ => lines.pop_front().unwrap(),
            }
        };
        let found = |id: &str| {
            let user = User {
                id: Some(id.into()),
                ..User::default()
            };
            Ok(Answer::Found(user).into())
        };
        match line {
            Line::Found(id) => found(id),
            Line::NotFound => Ok(Answer::NotFound.into()),
            Line::Fails(reason) => Err(Unanswered::because(reason)),
            Line::FoundAfter(delay) => {
                tokio::time::sleep(delay).await;
                found("late")
            }
            Line::NotFoundAfter(delay) => {
                tokio::time::sleep(delay).await;
                Ok(Answer::NotFound.into())
            }
            Line::Throttled(after) => Err(Unanswered {
                reason: Reason::Throttled,
                retry_after: Some(after),
            }),
            Line::Panics => panic!("as the script says"),
            Line::Version(id, version) => {
                let user = User {
                    id: Some(id.into()),
                    version: Some(Version::Number(version)),
                    ..User::default()
                };
                Ok(Answer::Found(user).into())
            }
            Line::Lasting(id, lifetime, etag) => Ok(Answered {
                lifetime,
                etag: Some(etag.into()),
                ..found(id)?
            }),
            Line::Unchanged => Ok(Answer::Unchanged.into()),
            Line::UnchangedAfter(delay) => {
                tokio::time::sleep(delay).await;
                Ok(Answer::Unchanged.into())
            }
            Line::NotFoundOfAge(age) => Ok(Answered {
                lifetime: Lifetime {
                    age,
                    ..Lifetime::default()
                },
                ..Answer::NotFound.into()
            }),
        }
    }
}

struct End<'s>(&'s Script);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl Directory for Script {
    fn look_up<'d>(
        &'d self,
        question: Question<'d>,
    ) -> Pin<Box<dyn Future<Output = Result<Answered, Unanswered>> + Send + 'd>> {
        Box::pin(self.answer(question))
    }

    fn proves_tenant(&self) -> bool {
        true
    }

    fn names_by_subject(&self) -> bool {
        false
    }

    fn versions(&self) -> Option<watch::Receiver<u64>> {
        Some(self.0.versions.subscribe())
    }

    fn changes(&self) -> Option<Changes> {
        self.0.changes.lock().take()
    }
}

/// Users of a scripted directory, and the places for those who ask.
pub(super) struct World {
    pub(super) script: Script,
    pub(super) users: Users,
    pub(super) ledger: Ledger,
    pub(super) load: Load,
}

pub(super) fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Ten seconds fresh, a hundred more if there is an error, five for a not-found; 180 ms of waiting.
pub(super) fn config() -> Config {
    Config {
        directory: DirectoryConfig::File("/nonexistent/users.yaml".into()),
        timeout: secs(1),
        wait: millis(180),
        retries: 0,
        concurrency: 64,
        creation_grace: secs(0),
        alias_for: secs(86_430),
        canaries: Vec::new(),
        vanish_guard: VanishGuard {
            share: 1.0,
            window: secs(60),
            min: 20,
        },
        audit: Audit {
            every: secs(600),
            sample: 0,
        },
        snapshot: None,
        cache: Cache {
            fresh: secs(10),
            stale_while_revalidate: secs(0),
            tombstone_for: secs(90_000),
            stale_if_error: secs(100),
            not_found_for: secs(5),
            max_memory: 1 << 20,
        },
    }
}

pub(super) fn world(lines: &[Line]) -> World {
    configured(config(), lines)
}

pub(super) fn configured(config: Config, lines: &[Line]) -> World {
    with(config, Script::new(lines))
}

pub(super) fn with(config: Config, script: Script) -> World {
    let ledger = Ledger::new(ledger::Settings {
        tombstone_for: config.cache.tombstone_for,
        alias_for: config.alias_for,
    });
    World {
        users: Users::new(
            config,
            Box::new(script.clone()),
            ledger.clone(),
            Arc::new(SystemClock),
        ),
        ledger,
        load: Load::new(10_000, 10_000),
        script,
    }
}

impl World {
    pub(super) async fn find(&self, subject: &str) -> Result<Known, NotKnown> {
        self.find_at("realm", Some("acme"), subject, secs(60)).await
    }

    /// Of a token that was issued so long ago.
    pub(super) async fn find_with(
        &self,
        name: &str,
        ago: Option<Duration>,
    ) -> Result<Known, NotKnown> {
        let now = Instant::now();
        let [realm, issuer, tenant, subject] =
            ["realm", "https://id.example.com", "acme", name].map(Arc::<str>::from);
        let query = Query {
            realm: &realm,
            issuer: &issuer,
            tenant: Some(&tenant),
            subject: &subject,
        };
        let place = self.load.admit(now + secs(60)).unwrap();
        self.users
            .find(query, Asked { now, issued: ago }, &place)
            .await
    }

    pub(super) async fn find_at(
        &self,
        realm: &str,
        tenant: Option<&str>,
        subject: &str,
        patience: Duration,
    ) -> Result<Known, NotKnown> {
        let now = Instant::now();
        let (realm, subject) = (Arc::from(realm), Arc::from(subject));
        let (issuer, tenant) = (Arc::from("https://id.example.com"), tenant.map(Arc::from));
        let query = Query {
            realm: &realm,
            issuer: &issuer,
            tenant: tenant.as_ref(),
            subject: &subject,
        };
        let place = self.load.admit(now + patience).unwrap();
        let asked = Asked { now, issued: None };
        self.users.find(query, asked, &place).await
    }

    /// Drops what is remembered of someone.
    pub(super) fn forget(&self, subject: &str) -> bool {
        self.users.forget(&key("acme", subject).query())
    }

    /// What is known of `alice`, in one word and her id.
    pub(super) async fn alice(&self) -> (&'static str, String) {
        match self.find("alice").await {
            Ok(known) => (known.cached.as_str(), id_of(&known)),
            Err(error) => ("unknown", error.to_string()),
        }
    }
}

/// Someone of a tenant.
pub(super) fn key(tenant: &str, subject: &str) -> Key {
    Key {
        realm: "realm".into(),
        issuer: "https://id.example.com".into(),
        tenant: Some(tenant.into()),
        subject: subject.into(),
    }
}

/// The id of a user who is there; else `none`.
pub(super) fn id_of(known: &Known) -> String {
    match &known.existence {
        Existence::There { user, .. } => user.id.as_deref().unwrap_or("none").to_owned(),
        Existence::Gone => "none".to_owned(),
        Existence::Disabled => "disabled".to_owned(),
    }
}

pub(super) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

pub(super) fn says(word: &'static str, id: &str) -> (&'static str, String) {
    (word, id.to_owned())
}
