//! A directory that answers as it likes, and writes down what it said.

use super::history::History;
use crate::event::Version;
use crate::user::directory::{Answer, Answered, Directory, Lifetime, Question, Reason, Unanswered};
use crate::user::record::User;
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A tenant, and a subject in it.
pub(super) type Who = (&'static str, &'static str);

#[derive(Clone)]
pub(super) struct Liar(Arc<Shared>);

struct Shared {
    versioned: bool,
    moods: Mutex<HashMap<(String, String), Mood>>,
    history: Mutex<History>,
}

#[derive(Clone, Debug)]
pub(super) struct Mood {
    pub(super) says: Says,
    pub(super) delay: Duration,
    pub(super) age: Duration,
    pub(super) fresh: Option<Duration>,
    /// Whether it compares validators.
    pub(super) validates: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    /// As the user is after this change.
    Found(usize),
    NotFound,
    Fails(Reason),
    /// Whatever the validator is.
    Unchanged,
    /// A replica says something else than the truth.
    Lags {
        before: Option<usize>,
        now: Option<usize>,
    },
}

pub(super) fn id((tenant, subject): (&str, &str)) -> String {
    format!("{subject}-of-{tenant}")
}

impl Liar {
    pub(super) fn new(versioned: bool, history: History) -> Self {
        Self(Arc::new(Shared {
            versioned,
            moods: Mutex::default(),
            history: Mutex::new(history),
        }))
    }

    pub(super) fn now_says(&self, (tenant, subject): Who, mood: Mood) {
        let who = (tenant.to_owned(), subject.to_owned());
        self.0.moods.lock().insert(who, mood);
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.0.history.lock()
    }

    async fn answer(&self, question: Question<'_>) -> Result<Answered, Unanswered> {
        let sent = Instant::now();
        let tenant = question.query.tenant.unwrap().to_string();
        let who = (tenant, question.query.subject.to_string());
        let mood = self.0.moods.lock().get(&who).cloned();
        let Some(mood) = mood else {
            return Err(Unanswered::because(Reason::ServerError));
        };
        if !mood.delay.is_zero() {
            tokio::time::sleep(mood.delay).await;
        }
        let change = match mood.says {
            Says::Found(change) => Some(change),
            Says::NotFound => None,
            Says::Fails(reason) => return Err(Unanswered::because(reason)),
            Says::Unchanged => {
                let Some(etag) = question.etag else {
                    return Ok(Answer::Unchanged.into());
                };
                Some(etag.parse().unwrap())
            }
            Says::Lags { before, now } => {
                if question.consistent {
                    now
                } else {
                    before
                }
            }
        };
        self.history()
            .answered(&who, sent, Instant::now(), mood.age, change);
        let etag = change.map(|change| change.to_string().into_boxed_str());
        let is_unchanged = matches!(mood.says, Says::Unchanged)
            || (mood.validates && etag.is_some() && question.etag == etag.as_deref());
        let answer = match change {
            Some(_) if is_unchanged => Answer::Unchanged,
            Some(change) => Answer::Found(User {
                id: Some(id((&who.0, &who.1)).into()),
                roles: [change.to_string().into()].into(),
                version: self.0.versioned.then_some(Version::Number(change as u64)),
                ..User::default()
            }),
            None => Answer::NotFound,
        };
        Ok(Answered {
            answer,
            lifetime: Lifetime {
                age: mood.age,
                fresh: mood.fresh,
                revalidate: false,
            },
            etag,
        })
    }
}

impl fmt::Debug for Liar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Liar")
    }
}

impl Directory for Liar {
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
}
