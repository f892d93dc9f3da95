//! One look-up: asks the directory, judges and remembers the answer, and leaves the list however it
//! ends.

use super::Users;
use super::directory::{Answer, Answered, Lifetime, Query, Question, Reason, Unanswered};
use super::guard::Verdict;
use super::lane::{Errand, Lane};
use super::progress::Progress;
use super::record::User;
use super::remembered::{Found, Given, Key, Missing};
use super::strangers::Turn;
use crate::event::Version;
use crate::event::ledger::{Judgement, Mark, Person};
use std::cmp::Ordering as Order;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

/// How old the answer about a canary may be.
const CANARY_AGE: Duration = Duration::from_secs(1);

/// What a look-up brought.
pub(super) type Outcome = Result<Standing, Unanswered>;

/// How someone stands, as far as it can be trusted.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    Found(Arc<Found>),
    Missing(Arc<Missing>),
    Marked(Mark),
}

/// In which way it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// For requests that wait.
    Waited,
    /// For requests that wait, past replicas and caches that lag.
    Consistent,
    /// For nobody, if there is room at once.
    Background,
}

/// A look-up under way; it leaves the list however it ends.
pub(super) struct Running {
    pub(super) users: Users,
    pub(super) key: Key,
    pub(super) way: Way,
    /// Among those of the subject, where it is not a known user's.
    pub(super) turn: Option<Turn>,
    /// The room of a consistent re-read.
    pub(super) _reread: Option<OwnedSemaphorePermit>,
    pub(super) done: watch::Sender<Progress>,
}

/// When the question of an answer was sent, and how long the answer is good for.
struct Heard {
    sent: Instant,
    lifetime: Lifetime,
    etag: Option<Box<str>>,
}

impl Running {
    /// Asks, and remembers what was answered.
    pub(super) async fn run(&mut self) -> Outcome {
        let began = Instant::now();
        let outcome = match self.ask(self.way == Way::Consistent).await {
            // Something was told in the meantime, or a replica lags: once more, past it.
            Err(Unanswered {
                reason: Reason::Outdated,
                ..
            }) => self.ask(true).await,
            outcome => outcome,
        };
        match (&outcome, self.turn.take()) {
            (Ok(Standing::Found(_)), Some(turn)) => turn.found(),
            (Ok(Standing::Missing(_) | Standing::Marked(_)), Some(turn)) => {
                turn.not_found(Instant::now() + self.users.config.cache.not_found_for);
            }
            (Ok(_), None) | (Err(_), _) => {}
        }
        self.count(&outcome, began);
        outcome
    }

    /// Tells the outcome to those who wait, and leaves the list.
    pub(super) fn end(self, outcome: Outcome) {
        match (self.way, &outcome) {
            (
                Way::Background,
                Err(Unanswered {
                    reason: Reason::Crowded,
                    ..
                }),
            ) => Progress::no_room(&self.done),
            (Way::Background | Way::Waited | Way::Consistent, _) => {
                self.done.send_replace(Progress::Ended(outcome));
            }
        }
    }

    async fn ask(&self, consistent: bool) -> Outcome {
        let shared = &self.users.shared;
        let version = || {
            let versions = shared.directory.versions();
            versions.map(|versions| *versions.borrow())
        };
        let before = version();
        let known = shared.remembered.get_found(&self.key);
        let etag = known.as_ref().and_then(|found| found.etag());
        let question = Question {
            query: self.key.query(),
            consistent,
            etag: etag.filter(|_| !consistent),
        };
        let errand = Errand {
            lane: match &known {
                Some(_) => Lane::Known,
                None => Lane::Stranger,
            },
            user: shared.remembered.hash_subject(&self.key.query()),
            background: self.way == Way::Background,
        };
        let failed = |unanswered| Progress::failed(&self.done, unanswered);
        let (answer, heard) = self.users.heard(question, errand, failed).await?;
        self.users.judge_age(&answer, &heard, consistent)?;
        let standing = match (answer, &known) {
            (Answer::Found(user), _) => self.found(user, known.as_deref(), heard),
            // Nobody asked for that.
            (Answer::Unchanged, _) if question.etag.is_none() => {
                Err(Unanswered::because(Reason::MalformedAnswer))
            }
            (Answer::Unchanged, Some(found)) if self.is_remembered(found) => {
                let heard = heard.of_unchanged(found);
                self.found(found.to_user(), Some(found), heard)
            }
            // It was dropped in the meantime, and not for nothing.
            (Answer::Unchanged, _) => Err(Unanswered::because(Reason::Outdated)),
            (Answer::NotFound, _) => self.missing(known.as_deref(), heard).await,
        };
        // Remembered first: whoever clears the memory after the change clears it too, or it is seen
        // here.
        if version() != before {
            shared.remembered.forget(&self.key.query());
        }
        standing
    }

    fn is_remembered(&self, known: &Arc<Found>) -> bool {
        let now = self.users.shared.remembered.get_found(&self.key);
        now.is_some_and(|now| Arc::ptr_eq(&now, known))
    }

    fn found(&self, user: User, known: Option<&Found>, heard: Heard) -> Outcome {
        let shared = &self.users.shared;
        let person = self.key.query().person(user.id.as_deref());
        let epoch = shared.ledger.epoch();
        let given = |revoked| Given {
            sent: heard.sent,
            lifetime: heard.lifetime,
            etag: heard.etag,
            epoch,
            revoked,
        };
        let revoked = match shared.ledger.judge_found(person, user.version, heard.sent) {
            Judgement::Renamed | Judgement::Outdated => {
                return Err(Unanswered::because(Reason::Outdated));
            }
            Judgement::Marked(mark) => {
                return Ok(self.marked(mark, user.id.as_deref(), heard.sent));
            }
            Judgement::Stands { .. } if shared.remembered.is_missed(heard.sent) => {
                return Err(Unanswered::because(Reason::Outdated));
            }
            Judgement::Stands { revoked } => revoked,
        };
        if let Some(known) = known {
            // However long ago that was: an older state is no news, and nobody told of it.
            if is_older(user.version, known.version()) {
                return Err(Unanswered::because(Reason::Outdated));
            }
            self.users
                .guard
                .confirmed(&self.key.query(), Instant::now());
        }
        if let Some(version) = user.version.filter(|_| epoch != 0) {
            shared.ledger.lift(person, version);
        }
        let found = shared.remembered.found(&self.key, user, given(revoked));
        Ok(Standing::Found(found))
    }

    async fn missing(&self, known: Option<&Found>, heard: Heard) -> Outcome {
        let shared = &self.users.shared;
        let came = Instant::now();
        let query = self.key.query();
        let id = known.and_then(|known| known.id());
        let epoch = shared.ledger.epoch();
        let given = Given {
            sent: heard.sent,
            lifetime: heard.lifetime,
            etag: None,
            epoch,
            revoked: None,
        };
        let mark = || match shared.ledger.judge_not_found(query.person(id), heard.sent) {
            Judgement::Renamed | Judgement::Outdated => Err(Unanswered::because(Reason::Outdated)),
            Judgement::Marked(mark) => Ok(Some(mark)),
            Judgement::Stands { .. } if shared.remembered.is_missed(heard.sent) => {
                Err(Unanswered::because(Reason::Outdated))
            }
            Judgement::Stands { .. } => Ok(None),
        };
        if let Some(mark) = mark()? {
            return Ok(self.marked(mark, id, heard.sent));
        }
        let canaries = &self.users.canaries;
        let exists = |canary| self.users.exists(canary);
        canaries.vouch(&self.key.realm, came, exists).await?;
        // That may have taken a while.
        if let Some(mark) = mark()? {
            return Ok(self.marked(mark, id, heard.sent));
        }
        // Whose subject went to another has not vanished.
        let epoch = shared.ledger.epoch();
        let is_same = |known: &Found| self.users.judge(&query, known, epoch) != Judgement::Renamed;
        let is_held = known.is_some_and(is_same)
            && shared.directory.lags()
            && self.users.guard.vanished(&query, Instant::now()) == Verdict::Held;
        if is_held {
            return Err(Unanswered::because(Reason::VanishGuard));
        }
        let missing = shared.remembered.missing(&self.key, &given);
        Ok(Standing::Missing(missing))
    }

    fn marked(&self, mark: Mark, id: Option<&str>, sent: Instant) -> Standing {
        let remembered = &self.users.shared.remembered;
        remembered.marked(&self.key, id, sent);
        Standing::Marked(mark)
    }

    fn count(&self, outcome: &Outcome, began: Instant) {
        let counts = &self.users.shared.counts;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        counts.micros.fetch_add(micros, Ordering::Relaxed);
        match outcome {
            Ok(Standing::Found(_)) => {
                counts.found.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Standing::Missing(_) | Standing::Marked(_)) => {
                counts.not_found.fetch_add(1, Ordering::Relaxed);
            }
            Err(unanswered) => {
                if let Some(count) = counts.unanswered.get(unanswered.reason.index()) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                tracing::debug!(reason = unanswered.reason.as_str(), "no trustworthy answer");
            }
        }
    }
}

impl Heard {
    /// What an unchanged record does not say anew stays (RFC 9111, 4.3.4).
    fn of_unchanged(self, found: &Found) -> Self {
        let Lifetime {
            age,
            fresh,
            revalidate,
        } = self.lifetime;
        let lifetime = if fresh.is_none() && !revalidate {
            Lifetime {
                age,
                ..found.lifetime()
            }
        } else {
            self.lifetime
        };
        Self {
            lifetime,
            etag: self.etag.or_else(|| found.etag().map(Box::from)),
            ..self
        }
    }
}

impl Users {
    /// An answer that would be spent by now, had it been heard when it was made, is none: a cache on the
    /// way keeps it for longer than we may.
    fn judge_age(
        &self,
        answer: &Answer,
        heard: &Heard,
        consistent: bool,
    ) -> Result<(), Unanswered> {
        let cache = &self.config.cache;
        let most = match (answer, consistent) {
            // One that is no longer fresh is good only where past that cache there is none.
            (Answer::Found(_) | Answer::Unchanged, false) => cache.fresh,
            (Answer::Found(_) | Answer::Unchanged, true) => {
                cache.fresh.saturating_add(cache.stale_if_error)
            }
            (Answer::NotFound, _) => cache.not_found_for,
        };
        if heard.lifetime.age > most {
            return Err(Unanswered::because(Reason::Outdated));
        }
        Ok(())
    }

    /// Asks the directory, as often as may help; `failed` hears of each answer that is of no use.
    async fn heard(
        &self,
        question: Question<'_>,
        errand: Errand,
        failed: impl Fn(Unanswered),
    ) -> Result<(Answer, Heard), Unanswered> {
        let attempt = || async {
            let sent = Instant::now();
            let Answered {
                answer,
                lifetime,
                etag,
            } = self
                .shared
                .directory
                .look_up(question)
                .await
                .inspect_err(|unanswered| failed(*unanswered))?;
            let heard = Heard {
                sent,
                lifetime,
                etag,
            };
            Ok((answer, heard))
        };
        self.lanes.ask(errand, attempt).await
    }

    /// Whether a canary is there.
    async fn exists(&self, query: Query<'_>) -> Result<bool, Unanswered> {
        let question = Question {
            query,
            consistent: true,
            etag: None,
        };
        let errand = Errand {
            lane: Lane::Known,
            user: self.shared.remembered.hash_subject(&query),
            background: false,
        };
        let (answer, heard) = self.heard(question, errand, |_| {}).await?;
        // A cache on the way may have it though the directory has lost it.
        if heard.lifetime.age > CANARY_AGE {
            return Err(Unanswered::because(Reason::Outdated));
        }
        Ok(matches!(answer, Answer::Found(_)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let shared = &self.users.shared;
        // No answer, or no outcome at all: a panic is no reason to ask again at once.
        if !matches!(&*self.done.borrow(), Progress::Ended(Ok(_))) {
            shared.remembered.unanswered(&self.key, Instant::now());
        }
        shared.under_way.lock().remove(&self.key);
    }
}

impl<'q> Query<'q> {
    /// Who that is to the ledger.
    pub(super) fn person(&self, id: Option<&'q str>) -> Person<'q> {
        Person {
            realm: self.realm,
            tenant: self.tenant.map(|tenant| &**tenant),
            subject: self.subject,
            id,
        }
    }
}

/// Whether a version is older than another that it can be compared with.
fn is_older(version: Option<Version>, than: Option<Version>) -> bool {
    let order = version.and_then(|version| version.partial_cmp(&than?));
    order == Some(Order::Less)
}
