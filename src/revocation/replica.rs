//! A copy of the store that follows its log: snapshot first, then every entry, in order.

mod intake;
mod position;
mod reader;
mod wire;

use super::config;
use super::copy::{Copy, Prints};
use super::store::Keys;
use crate::clock::Clock;
use crate::event::Ledger;
use crate::net::redis::{Redis, SetupError};
use arc_swap::{ArcSwap, Guard};
use position::Break;
use reader::{Reader, Settings};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// Follows the store until dropped.
#[derive(Debug)]
pub struct Replica {
    shared: Arc<Shared>,
    config: config::Redis,
    _reader: AbortOnDropHandle<()>,
}

/// What the reader writes and decisions read.
#[derive(Debug)]
struct Shared {
    copy: ArcSwap<Copy>,
    /// The moment from which times are counted.
    start: Instant,
    /// When the end of the log was known to be reached last, in microseconds from the start; zero for
    /// never.
    caught_up: AtomicU64,
    ever: watch::Sender<bool>,
    /// Whether it holds what the store has lost, until an operator accepts that.
    diverged: AtomicBool,
    counts: Counts,
}

/// What a reader has done, for the metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Entries of the log that were applied.
    pub entries: AtomicU64,
    /// Snapshots that were taken in place of the copy, the first one too.
    pub replaced: AtomicU64,
    /// Snapshots that were united with the copy, since the thread was lost.
    pub united: AtomicU64,
    /// Entries and names that could not be read.
    pub unreadable: AtomicU64,
    /// Connections that failed or were lost.
    pub lost: AtomicU64,
}

impl Replica {
    /// Follows the store; lifecycle events go to the ledger.
    pub fn start(
        config: &config::Redis,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let redis = Redis::new(&config.connection, &config.connection.login)?;
        let prints = Prints::default();
        let shared = Arc::new(Shared {
            copy: ArcSwap::from_pointee(Copy::new(prints.clone())),
            start: Instant::now(),
            caught_up: AtomicU64::new(0),
            ever: watch::channel(false).0,
            diverged: AtomicBool::new(false),
            counts: Counts::default(),
        });
        let settings = Settings {
            keys: Keys::new(&config.key_prefix),
            max_staleness: config.max_staleness,
            heartbeat: config.heartbeat,
        };
        let reader = Reader::new(redis, settings, prints, ledger, clock, Arc::clone(&shared));
        Ok(Self {
            shared,
            config: config.clone(),
            _reader: AbortOnDropHandle::new(tokio::spawn(reader.run())),
        })
    }

    /// Whether it follows the store of a configuration, in the same way.
    pub fn follows(&self, config: &config::Redis) -> bool {
        let way = |config: &config::Redis| {
            let config::Redis {
                connection,
                writer: _,
                key_prefix,
                mode: _,
                keys: _,
                max_staleness,
                on_stale: _,
                heartbeat,
                min_replicas: _,
            } = config;
            (
                connection.clone(),
                key_prefix.clone(),
                *max_staleness,
                *heartbeat,
            )
        };
        way(config) == way(&self.config)
    }

    /// What is revoked, as far as the copy knows.
    pub fn copy(&self) -> Guard<Arc<Copy>> {
        self.shared.copy.load()
    }

    /// How old the copy is; `None` before it was complete for the first time.
    pub fn staleness(&self, now: Instant) -> Option<Duration> {
        let Shared {
            caught_up, start, ..
        } = &*self.shared;
        match caught_up.load(Ordering::Acquire) {
            0 => None,
            micros => Some(now.saturating_duration_since(*start + Duration::from_micros(micros))),
        }
    }

    /// How old it may be.
    pub const fn max_staleness(&self) -> Duration {
        self.config.max_staleness
    }

    /// Whether it is too old to say that something is not revoked.
    pub fn is_stale(&self, now: Instant) -> bool {
        let staleness = self.staleness(now);
        staleness.is_none_or(|age| age > self.config.max_staleness)
    }

    /// Ends when the copy was complete for the first time.
    pub async fn caught_up(&self) {
        // The sender lives as long as this.
        let mut ever = self.shared.ever.subscribe();
        let _closed = ever.wait_for(|ever| *ever).await;
    }

    /// Whether it holds what the store has lost.
    pub fn has_diverged(&self) -> bool {
        self.shared.diverged.load(Ordering::Acquire)
    }

    /// What its reader has done.
    pub fn counts(&self) -> &Counts {
        &self.shared.counts
    }
}

impl Shared {
    /// Notes that the copy held, at a moment, all that the store did.
    fn complete_at(&self, moment: Instant) {
        let micros = moment.saturating_duration_since(self.start).as_micros();
        let micros = u64::try_from(micros).unwrap_or(u64::MAX).max(1);
        self.caught_up.fetch_max(micros, Ordering::AcqRel);
        self.ever
            .send_if_modified(|ever| !std::mem::replace(ever, true));
    }

    fn diverge(&self, why: Break) {
        self.diverged.store(true, Ordering::Release);
        self.counts.united.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            why = why.as_str(),
            "the revocation store is not the one that was followed, or lost writes: what it lacks stays revoked here until `subgate restore --diverged`"
        );
    }
}

#[cfg(test)]
mod tests;
