//! Who that is: asks the directory, and remembers what it said for as long as it may.
//!
//! An answer is *fresh* for a while, then *stale*: served only where the directory gives no
//! trustworthy answer; then *spent*. Concurrent look-ups of one user are one, and go on when those
//! who asked have left.

pub mod directory;
pub mod freshness;
mod look_up;
pub mod record;
mod remembered;

pub use record::User;

use crate::load::{NoWait, Place};
use directory::{Directory, Query, Reason, Unanswered};
use freshness::Freshness;
use look_up::{Running, ended};
use parking_lot::Mutex;
use remembered::{Key, Remembered};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

/// Knows users; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub struct Users {
    config: Arc<Config>,
    room: Arc<Semaphore>,
    shared: Arc<Shared>,
}

/// What outlives a change of time-outs and of concurrency.
#[derive(Debug)]
struct Shared {
    directory: Box<dyn Directory>,
    remembered: Remembered,
    under_way: Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>,
    counts: Counts,
}

/// How look-ups ended, for the metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// The user is there.
    pub found: AtomicU64,
    /// The user, recognizably, is not.
    pub not_found: AtomicU64,
    /// No trustworthy answer, by reason.
    pub unanswered: [AtomicU64; Reason::ALL.len()],
    /// Time spent in look-ups, in microseconds.
    pub micros: AtomicU64,
}

/// What a look-up brought.
type Outcome = Result<Option<Arc<User>>, Unanswered>;

/// Where the knowledge of a user came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cached {
    /// Remembered and fresh.
    Hit,
    /// Asked for now.
    Miss,
    /// Remembered, past its freshness, and served because the directory does not answer.
    Stale,
    /// Remembered as not found.
    Negative,
}

impl Cached {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hit, Self::Miss, Self::Stale, Self::Negative];

    /// The name in metrics and metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
            Self::Negative => "negative",
        }
    }
}

/// What is known of a user's existence.
#[derive(Clone, Debug)]
pub struct Known {
    /// The user; `None` if the directory said, recognizably, that there is none.
    pub user: Option<Arc<User>>,
    /// Where that comes from.
    pub cached: Cached,
}

/// Why nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotKnown {
    /// The directory gave no trustworthy answer.
    #[error("{0}")]
    Unanswered(Unanswered),
    /// The answer did not come while the request could wait; the look-up goes on.
    #[error("the directory did not answer within the time that a request waits")]
    Late,
    /// Too many requests wait already.
    #[error("too many requests wait for look-ups")]
    Crowded,
}

impl Users {
    /// Knows the users of a directory.
    pub fn new(config: Config, directory: Box<dyn Directory>) -> Self {
        let shared = Shared {
            remembered: Remembered::new(&config.cache),
            under_way: Mutex::default(),
            counts: Counts::default(),
            directory,
        };
        let users = Self {
            room: Arc::new(Semaphore::new(config.concurrency)),
            config: Arc::new(config),
            shared: Arc::new(shared),
        };
        users.forget_on_change();
        users
    }

    /// These users under another configuration, with all that is remembered; `None` where that asks
    /// another directory, or remembers otherwise.
    pub fn reconfigured(&self, config: &Config) -> Option<Self> {
        let same = config.directory == self.config.directory && config.cache == self.config.cache;
        same.then(|| Self {
            room: Arc::new(Semaphore::new(config.concurrency)),
            config: Arc::new(config.clone()),
            shared: Arc::clone(&self.shared),
        })
    }

    /// What is known of a user, from memory if it may, else from the directory.
    pub async fn find(
        &self,
        query: Query<'_>,
        now: Instant,
        place: &Place,
    ) -> Result<Known, NotKnown> {
        let (stale, mute) = match self.shared.remembered.get(&query, now) {
            Some((Freshness::Fresh, Some(user))) => {
                return Ok(Known {
                    user: Some(user),
                    cached: Cached::Hit,
                });
            }
            Some((Freshness::Fresh, None)) => {
                return Ok(Known {
                    user: None,
                    cached: Cached::Negative,
                });
            }
            Some((Freshness::Stale { ask }, user)) => (user, !ask),
            Some((Freshness::Spent, _)) | None => (None, false),
        };
        if let (Some(user), true) = (&stale, mute) {
            return Ok(Known {
                user: Some(Arc::clone(user)),
                cached: Cached::Stale,
            });
        }
        let until = now + self.config.wait;
        // Whoever may not wait begins no look-up either.
        let looked_up = async { ended(self.look_up(query.owned(), now)).await };
        // Boxed, so that a decision that does not wait does not carry it along.
        let waited = Box::pin(place.wait(until, looked_up)).await;
        let failure = match waited {
            Ok(Ok(user)) => {
                return Ok(Known {
                    user,
                    cached: Cached::Miss,
                });
            }
            Ok(Err(unanswered)) => NotKnown::Unanswered(unanswered),
            Err(NoWait::Late) => NotKnown::Late,
            Err(NoWait::Full) => NotKnown::Crowded,
        };
        match stale {
            Some(user) => Ok(Known {
                user: Some(user),
                cached: Cached::Stale,
            }),
            None => Err(failure),
        }
    }

    /// Whether a found answer proves the tenant in which it was asked for.
    pub fn proves_tenant(&self) -> bool {
        self.shared.directory.proves_tenant()
    }

    /// Whether the normalized subject is every user's canonical id.
    pub fn names_by_subject(&self) -> bool {
        self.shared.directory.names_by_subject()
    }

    /// What was configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How look-ups ended.
    pub fn counts(&self) -> &Counts {
        &self.shared.counts
    }

    /// Users remembered as found, the bytes they take, and how many are remembered as not found.
    pub fn size(&self) -> (u64, u64, u64) {
        self.shared.remembered.size()
    }

    /// Joins the look-up of this user that is under way, or begins one; it ends by itself.
    fn look_up(&self, key: Key, now: Instant) -> watch::Receiver<Option<Outcome>> {
        let mut under_way = self.shared.under_way.lock();
        if let Some(running) = under_way.get(&key) {
            return running.clone();
        }
        // One that ended a moment ago has left the list and its answer behind.
        if let Some((Freshness::Fresh, user)) = self.shared.remembered.get(&key.query(), now) {
            return watch::channel(Some(Ok(user))).1;
        }
        let (done, outcome) = watch::channel(None);
        under_way.insert(key.clone(), outcome.clone());
        drop(under_way);
        let running = Running {
            users: self.clone(),
            key,
            done,
        };
        tokio::spawn(async move {
            let outcome = running.ask().await;
            running.done.send_replace(Some(outcome));
        });
        outcome
    }

    /// Forgets everything when a directory that lies in a file says that it changed.
    fn forget_on_change(&self) {
        let Some(mut versions) = self.shared.directory.versions() else {
            return;
        };
        let shared = Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            while versions.changed().await.is_ok() {
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                shared.remembered.clear();
            }
        });
    }
}

/// How users are found and remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The directory that knows them.
    pub directory: directory::Config,
    /// The time-out of one look-up, also when nobody waits any more.
    pub timeout: Duration,
    /// The longest a request waits for a look-up.
    pub wait: Duration,
    /// How many look-ups may be under way at once.
    pub concurrency: usize,
    /// How answers are remembered.
    pub cache: Cache,
}

/// How answers are remembered (RFC 9111, RFC 5861).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// How long a found user is served without asking again.
    pub fresh: Duration,
    /// How long after that it is served while the directory gives no trustworthy answer.
    pub stale_if_error: Duration,
    /// How long a recognized not-found is remembered.
    pub not_found_for: Duration,
    /// The most memory that remembered users take, in bytes.
    pub max_memory: u64,
}

#[cfg(test)]
mod tests;
