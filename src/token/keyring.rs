//! The keys of one issuer: kept fresh beside the road, asked on it without a lock.

mod fetch;

use super::discovery::Source;
use super::issuer::{Algorithm, Keyring as Settings};
use super::jwk::Key;
use super::keyset::{Choice, KeySet};
use crate::load::{NoWait, Place, Who};
use crate::net::watch::Watch;
use arc_swap::ArcSwapOption;
use backon::{BackoffBuilder, ExponentialBuilder};
use fetch::ended;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How many unknown key ids are remembered with the moment they were first seen.
const MAX_STRANGERS: usize = 4096;

/// The keys of one issuer.
pub struct Keyring {
    name: Arc<str>,
    source: Source,
    settings: Settings,
    held: ArcSwapOption<Held>,
    asking: Mutex<Asking>,
    counts: Counts,
    first: watch::Sender<First>,
}

/// How far a keyring has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum First {
    /// Its source was not asked yet.
    Unasked,
    /// Its source was asked, in vain so far.
    Asked,
    /// It has had keys.
    Had,
}

#[derive(Debug)]
struct Held {
    set: KeySet,
    /// When the fetch that brought the set began.
    began: Instant,
}

#[derive(Default)]
struct Asking {
    /// The fetch under way.
    running: Option<watch::Receiver<Option<Fetched>>>,
    last_began: Option<Instant>,
    /// When unknown key ids were first seen, under a hash: an id is as long as its sender likes.
    strangers: HashMap<u64, Instant>,
    hasher: RandomState,
}

/// How a fetch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// A new set is held.
    Replaced,
    /// It failed; what was held is held.
    Failed,
}

/// How often keys were fetched, for the metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Fetches that brought a set.
    pub replaced: AtomicU64,
    /// Fetches that failed.
    pub failed: AtomicU64,
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// The current set has no such key.
    #[error("no such key in the issuer's current set")]
    Unknown,
    /// The key is for another algorithm.
    #[error("the key is for another algorithm")]
    OtherAlgorithm,
    /// No set is recent enough to say.
    #[error("no key set is recent enough to say; ask again in {retry_after:?}")]
    Unavailable {
        /// When asking again may help.
        retry_after: Duration,
    },
    /// Too many requests wait for keys.
    #[error("too many requests wait for keys")]
    Crowded,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Keyring {
    pub(super) fn new(name: Arc<str>, source: Source, settings: Settings) -> Self {
        Self {
            name,
            source,
            settings,
            held: ArcSwapOption::empty(),
            asking: Mutex::default(),
            counts: Counts::default(),
            first: watch::Sender::new(First::Unasked),
        }
    }

    /// Waits until the source was asked once, whatever came of it.
    pub async fn asked(&self) {
        self.reached(First::Asked).await;
    }

    /// Waits until there were keys.
    pub async fn arrived(&self) {
        self.reached(First::Had).await;
    }

    async fn reached(&self, first: First) {
        // The sender is ours: it does not close while we wait.
        let mut now = self.first.subscribe();
        let _reached = now.wait_for(|now| *now >= first).await;
    }

    /// The key that a token with this `kid` and algorithm means, waiting for a fetch if need be.
    pub async fn find(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
        now: Instant,
        place: &Place,
    ) -> Result<Arc<Key>, NoKey> {
        if let Some(answer) = self.look(id, algorithm, now) {
            return answer;
        }
        let first_seen = self.first_seen(id, now);
        let fetch = match self.ask_for(first_seen, now) {
            Ask::Answered => return Err(NoKey::Unknown),
            Ask::TooSoon(retry_after) => return Err(NoKey::Unavailable { retry_after }),
            Ask::Fetch(fetch) => fetch,
        };
        let arrived = place.wait(Who::Unverified, place.deadline(), ended(fetch));
        match arrived.await {
            Err(NoWait::Full) => return Err(NoKey::Crowded),
            Err(NoWait::Late) | Ok(Fetched::Failed | Fetched::Replaced) => {}
        }
        let now = Instant::now();
        self.look(id, algorithm, now).unwrap_or_else(|| {
            Err(if self.answers_since(first_seen) {
                NoKey::Unknown
            } else {
                self.unavailable(now)
            })
        })
    }

    /// Whether the held set was asked for after that moment, so that what it lacks is not there.
    fn answers_since(&self, moment: Instant) -> bool {
        let held = self.held.load();
        held.as_ref().is_some_and(|held| held.began >= moment)
    }

    /// Whether a set is held that may still be used; remembered tokens ask this.
    pub fn is_usable(&self, now: Instant) -> bool {
        self.held
            .load()
            .as_ref()
            .is_some_and(|held| self.within(held, now))
    }

    /// The error of a keyring that cannot say.
    pub fn unavailable(&self, now: Instant) -> NoKey {
        let last = self.asking.lock().last_began;
        let passed = last.map_or(Duration::ZERO, |began| now.saturating_duration_since(began));
        NoKey::Unavailable {
            retry_after: self.settings.min_refresh.saturating_sub(passed),
        }
    }

    /// Keys held, and how long ago the fetch that brought them began.
    pub fn held(&self, now: Instant) -> Option<(usize, Duration)> {
        let held = self.held.load();
        held.as_ref().map(|held| {
            (
                held.set.keys().len(),
                now.saturating_duration_since(held.began),
            )
        })
    }

    /// How often keys were fetched.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Fetches once; joins a fetch that is under way.
    pub async fn refresh(self: &Arc<Self>) -> Fetched {
        let fetch = self.start(&mut self.asking.lock(), Instant::now());
        ended(fetch).await
    }

    /// Keeps the set fresh until the task is dropped: every `refresh`, sooner after a failure, and
    /// when the file changes.
    pub(super) async fn keep_fresh(self: Arc<Self>, mut watch: Option<Watch>) {
        let mut failures = self.back_off();
        loop {
            let pause = match self.refresh().await {
                Fetched::Replaced => {
                    failures = self.back_off();
                    self.settings.refresh
                }
                Fetched::Failed => failures.next().unwrap_or(self.settings.refresh),
            };
            match &mut watch {
                Some(watch) => {
                    let _ = tokio::time::timeout(pause, watch.changed()).await;
                }
                None => tokio::time::sleep(pause).await,
            }
        }
    }

    fn back_off(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(500).min(self.settings.refresh))
            .with_max_delay(self.settings.refresh.min(Duration::from_secs(30)))
            .without_max_times()
            .with_jitter()
            // Without a seed every process would draw the same.
            .with_jitter_seed(RandomState::new().hash_one(()))
            .build()
    }

    /// The file behind the keys, if it is one.
    pub(super) fn file(&self) -> Option<&std::path::PathBuf> {
        self.source.file()
    }

    /// What the held set says; `None` where it has no such key, or there is no set.
    fn look(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        now: Instant,
    ) -> Option<Result<Arc<Key>, NoKey>> {
        let held = self.held.load();
        let held = held.as_ref()?;
        if !self.within(held, now) {
            return Some(Err(self.unavailable(now)));
        }
        match held.set.choose(id, algorithm) {
            Choice::Key(key) => Some(Ok(Arc::clone(key))),
            Choice::OtherAlgorithm => Some(Err(NoKey::OtherAlgorithm)),
            Choice::Ambiguous => Some(Err(NoKey::Unknown)),
            Choice::Absent => None,
        }
    }

    fn within(&self, held: &Held, now: Instant) -> bool {
        !self.source.is_remote()
            || now.saturating_duration_since(held.began) <= self.settings.max_stale
    }

    fn first_seen(&self, id: Option<&str>, now: Instant) -> Instant {
        let Asking {
            strangers, hasher, ..
        } = &mut *self.asking.lock();
        let id = hasher.hash_one(id);
        if let Some(first) = strangers.get(&id) {
            return *first;
        }
        if strangers.len() >= MAX_STRANGERS {
            strangers.clear();
        }
        strangers.insert(id, now);
        now
    }

    /// Whether a set may be fetched for a key first seen then, and if not, whether the held one answers.
    ///
    /// A key that was absent is asked for again: its issuer may have signed before it published.
    fn ask_for(self: &Arc<Self>, first_seen: Instant, now: Instant) -> Ask {
        let asking = &mut *self.asking.lock();
        if let Some(running) = &asking.running {
            return Ask::Fetch(running.clone());
        }
        if let Some(last) = asking.last_began {
            let passed = now.saturating_duration_since(last);
            if passed < self.settings.min_refresh {
                if self.answers_since(first_seen) {
                    return Ask::Answered;
                }
                return Ask::TooSoon(self.settings.min_refresh.saturating_sub(passed));
            }
        }
        Ask::Fetch(self.start(asking, now))
    }
}

enum Ask {
    Answered,
    TooSoon(Duration),
    Fetch(watch::Receiver<Option<Fetched>>),
}

#[cfg(test)]
mod tests;
