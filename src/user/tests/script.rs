//! A directory that says what it is told to.

use crate::event::Version;
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
