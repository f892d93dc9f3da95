//! Who that is: asks the directory, and remembers what it said for as long as it may.
//!
//! An answer is *fresh* for a while, then *stale*: served while it is asked for again, and after
//! that only where the directory gives no trustworthy answer; then *spent*. What events told goes
//! before every answer that is older. Concurrent look-ups of one user are one, and go on when those
//! who asked have left.

mod ask;
mod audit;
mod canary;
mod changes;
mod config;
pub mod directory;
pub mod freshness;
mod guard;
mod known;
mod lane;
mod look_up;
mod progress;
mod recall;
pub mod record;
mod reload;
mod remembered;
pub mod snapshot;
mod strangers;
mod warm;

pub use audit::{Audited, Drift};
pub use canary::{Heard as CanaryHeard, State as CanaryState};
pub use config::{Audit, Cache, Canary, Config, Snapshot, VanishGuard};
pub use guard::{Group, GroupStatus, Status as GuardStatus};
pub use known::{Asked, Cached, Entry, Existence, Known, NotKnown};
pub use lane::BreakerState;
pub use record::User;
pub use remembered::Found;
pub use warm::WarmError;

use crate::clock::{Clock, Timestamp};
use crate::event::Ledger;
use crate::event::ledger::Mark;
use crate::load::Place;
use canary::Canaries;
use directory::{Directory, Query, Reason, WatchCounts};
use guard::Guard;
use lane::{Lane, Lanes, Settings};
use parking_lot::Mutex;
use progress::Progress;
use recall::Recalled;
use remembered::{Key, Remembered};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use strangers::Strangers;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// Knows users; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub struct Users {
    config: Arc<Config>,
    lanes: Lanes,
    canaries: Arc<Canaries>,
    strangers: Strangers,
    guard: Guard,
    _auditor: Option<Arc<AbortOnDropHandle<()>>>,
    /// Who listens to the directory.
    following: Option<Arc<AbortOnDropHandle<()>>>,
    shared: Arc<Shared>,
}

/// The directory, and what is known of its users; each part outlives what does not concern it.
#[derive(Debug)]
struct Shared {
    directory: Arc<dyn Directory>,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    remembered: Remembered,
    under_way: Arc<UnderWay>,
    counts: Arc<Counts>,
    audited: Arc<Audited>,
}

/// Look-ups that have begun and not ended.
type UnderWay = Mutex<HashMap<Key, watch::Receiver<Progress>>>;

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

impl Users {
    /// Knows the users of a directory, and what events tell of them.
    pub fn new(
        config: Config,
        directory: Box<dyn Directory>,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let shared = Shared {
            remembered: Remembered::new(&config.cache),
            under_way: Arc::default(),
            counts: Arc::default(),
            audited: Arc::default(),
            ledger,
            clock,
            directory: Arc::from(directory),
        };
        let mut users = Self {
            lanes: Lanes::new(config.lanes()),
            canaries: Arc::new(Canaries::new(&config.canaries)),
            strangers: Strangers::default(),
            guard: Guard::new(&config.vanish_guard, Instant::now()),
            _auditor: None,
            following: None,
            config: Arc::new(config),
            shared: Arc::new(shared),
        };
        users.forget_on_change();
        users.following = users.follow_changes();
        users.audited()
    }

    /// With an auditor, who works for as long as these users are held.
    fn audited(self) -> Self {
        Self {
            _auditor: self.audit(),
            ..self
        }
    }

    /// What is known of a user, from memory if it may, else from the directory.
    pub async fn find(
        &self,
        query: Query<'_>,
        asked: Asked,
        place: &Place,
    ) -> Result<Known, NotKnown> {
        // Boxed, so that a decision that does not wait does not carry it along.
        match self.recall(&query, asked) {
            Recalled::Known(known) => Ok(known),
            Recalled::Ask(stale) => Box::pin(self.ask(query, stale, asked, place)).await,
            Recalled::Young(missing) => {
                Box::pin(self.read_again(query, &missing, asked, place)).await
            }
        }
    }

    /// Whether nobody of a tenant may act, as an event told.
    pub fn is_suspended(&self, realm: &str, tenant: &str) -> bool {
        self.shared.ledger.is_suspended(realm, tenant)
    }

    /// The subjects of someone whose subject changed, one after the other up to the newest, for a
    /// token that was issued then.
    pub fn aliases(&self, query: &Query<'_>, issued: Option<Timestamp>) -> Vec<Arc<str>> {
        self.shared.ledger.aliases(query.person(None), issued)
    }

    /// The mark that events left on a subject.
    pub fn mark(&self, query: &Query<'_>) -> Option<Mark> {
        self.shared.ledger.mark(query.person(None))
    }

    /// What is remembered of a user; asks nobody.
    pub fn remembered(&self, query: &Query<'_>, now: Instant) -> Option<Entry> {
        self.shared.remembered.entry(query, now)
    }

    /// Drops what is remembered of a user; tells whether there was anything.
    pub fn forget(&self, query: &Query<'_>) -> bool {
        self.shared.remembered.forget(query)
    }

    /// How the vanish guard stands.
    pub fn guard(&self, now: Instant) -> GuardStatus {
        self.guard.status(now)
    }

    /// An operator's word that the not-founds of a group, or of all, are true; see
    /// [`GuardStatus`]. Returns how many holds it ended.
    pub fn release(&self, group: Option<&Group>, now: Instant) -> usize {
        self.guard.release(group, now)
    }

    /// How many answers the vanish guard has held.
    pub fn held_answers(&self) -> u64 {
        self.guard.held_answers()
    }

    /// What was last heard of each realm's canary, and how long ago.
    pub fn canaries(&self, now: Instant) -> Vec<(Arc<str>, Option<CanaryHeard>)> {
        self.canaries.states(now)
    }

    /// Attempts under way in the directory, and look-ups that wait for room.
    pub fn attempts(&self) -> (usize, usize) {
        self.lanes.now()
    }

    /// How the circuit breakers stand: whose, and in which state.
    pub fn breakers(&self, now: Instant) -> [(&'static str, BreakerState); Lane::ALL.len()] {
        Lane::ALL.map(|lane| (lane.as_str(), self.lanes.state(lane, now)))
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

    /// How the directory's own telling of changes goes, where it can tell.
    pub fn watch_counts(&self) -> Option<&WatchCounts> {
        self.shared.directory.watch_counts()
    }

    /// What audits found.
    pub fn audits(&self) -> &Audited {
        &self.shared.audited
    }

    /// Users remembered as found, the bytes they take, and how many are remembered as not found.
    pub fn size(&self) -> (u64, u64, u64) {
        self.shared.remembered.size()
    }
}

impl Config {
    const fn lanes(&self) -> Settings {
        Settings {
            timeout: self.timeout,
            retries: self.retries,
            concurrency: self.concurrency,
        }
    }
}

#[cfg(test)]
mod tests;
