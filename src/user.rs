//! Who that is: asks the directory, and remembers what it said for as long as it may.
//!
//! An answer is *fresh* for a while, then *stale*: served while it is asked for again, and after
//! that only where the directory gives no trustworthy answer; then *spent*. What events told goes
//! before every answer that is older. Concurrent look-ups of one user are one, and go on when those
//! who asked have left.

mod audit;
mod canary;
mod config;
pub mod directory;
pub mod freshness;
mod guard;
mod lane;
mod look_up;
pub mod record;
mod remembered;
pub mod snapshot;
mod strangers;
mod warm;

pub use audit::{Audited, Drift};
pub use canary::{Heard as CanaryHeard, State as CanaryState};
pub use config::{Audit, Cache, Canary, Config, Snapshot, VanishGuard};
pub use guard::{Group, GroupStatus, Status as GuardStatus};
pub use lane::BreakerState;
pub use record::User;
pub use warm::WarmError;

use crate::clock::{Clock, Timestamp};
use crate::event::ledger::{Judgement, Mark, MarkKind};
use crate::event::{self, Ledger};
use crate::load::{NoWait, Place};
use canary::Canaries;
use directory::{Change, Directory, Query, Reason, Unanswered, WatchCounts};
use freshness::Freshness;
use futures_util::StreamExt as _;
use guard::Guard;
use lane::{Lane, Lanes, Settings};
use look_up::{Outcome, Running, Standing, Way, ended};
use parking_lot::Mutex;
use remembered::{Found, Key, Memory, Missing, Remembered};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use strangers::Strangers;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// How often a young subject is read again consistently, within `creation_grace`.
const REREADS: u32 = 3;

/// Knows users; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub struct Users {
    config: Arc<Config>,
    lanes: Lanes,
    canaries: Arc<Canaries>,
    strangers: Strangers,
    guard: Guard,
    _auditor: Option<Arc<AbortOnDropHandle<()>>>,
    shared: Arc<Shared>,
}

/// What outlives a change of time-outs and of concurrency.
#[derive(Debug)]
struct Shared {
    directory: Box<dyn Directory>,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    remembered: Remembered,
    under_way: Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>,
    counts: Counts,
    audited: Audited,
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

/// Where the knowledge of a user came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cached {
    /// Remembered and fresh.
    Hit,
    /// Remembered, no longer fresh, and asked for again in the background.
    Revalidating,
    /// Asked for now.
    Miss,
    /// Remembered, past its freshness, and served because the directory does not answer.
    Stale,
    /// Remembered as not found.
    Negative,
    /// Told by an event: the user was deleted or disabled.
    Mark,
}

impl Cached {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Hit,
        Self::Revalidating,
        Self::Miss,
        Self::Stale,
        Self::Negative,
        Self::Mark,
    ];

    /// The name in metrics and metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Revalidating => "revalidating",
            Self::Miss => "miss",
            Self::Stale => "stale",
            Self::Negative => "negative",
            Self::Mark => "mark",
        }
    }
}

/// What is known of a user's existence.
#[derive(Clone, Debug)]
pub struct Known {
    /// How the user stands.
    pub existence: Existence,
    /// Where that comes from.
    pub cached: Cached,
    /// Why nothing newer is known, where a stale user is served.
    pub reason: Option<Reason>,
}

/// How a user stands.
#[derive(Clone, Debug)]
pub enum Existence {
    /// The user is there.
    There {
        /// The record.
        user: Arc<User>,
        /// Tokens issued at or before this are dead: the user was deleted then, and is there again.
        revoked: Option<Timestamp>,
    },
    /// The directory said, recognizably, that there is none; or an event told that the user is gone.
    Gone,
    /// An event told that the user may not act.
    Disabled,
}

/// An answer that is remembered, good for something or not.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The user; `None` for a recognized not-found.
    pub user: Option<Arc<User>>,
    /// How long ago the question was sent.
    pub age: Duration,
    /// What it is good for.
    pub freshness: Freshness,
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
    /// Too many requests wait already, or the subject is asked for in too many tenants.
    #[error("too many requests wait for look-ups")]
    Crowded,
    /// The token is young, and its user is not there yet.
    #[error(
        "the token was issued less than users.creation_grace ago, and the user is not visible yet"
    )]
    NotYetVisible,
}

impl NotKnown {
    /// Why the directory gave no trustworthy answer, if that is it.
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::Unanswered(unanswered) => Some(unanswered.reason),
            Self::Late => Some(Reason::Timeout),
            Self::Crowded | Self::NotYetVisible => None,
        }
    }
}

/// When someone is asked about, and by what token.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The time of everything that ages.
    pub now: Instant,
    /// How long ago the token was issued; `None` if it does not say.
    pub issued: Option<Duration>,
}

/// What memory has to say.
enum Recalled {
    Known(Known),
    /// The directory has to be asked; what is remembered is good if it does not answer.
    Ask(Option<Arc<Found>>),
    /// It is not there, and may be in a moment.
    Young(Arc<Missing>),
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
            under_way: Mutex::default(),
            counts: Counts::default(),
            audited: Audited::default(),
            ledger,
            clock,
            directory,
        };
        let users = Self {
            lanes: Lanes::new(config.lanes()),
            canaries: Arc::new(Canaries::new(&config.canaries)),
            strangers: Strangers::default(),
            guard: Guard::new(&config.vanish_guard, Instant::now()),
            _auditor: None,
            config: Arc::new(config),
            shared: Arc::new(shared),
        };
        users.forget_on_change();
        users.follow_changes();
        users.audited()
    }

    /// These users under another configuration, with all that is remembered; `None` where that asks
    /// another directory, or remembers otherwise.
    pub fn reconfigured(&self, config: &Config) -> Option<Self> {
        let same = config.directory == self.config.directory && config.cache == self.config.cache;
        same.then(|| {
            let users = self.with(config);
            users.audited()
        })
    }

    fn with(&self, config: &Config) -> Self {
        Self {
            lanes: self.lanes.reconfigured(config.lanes()),
            canaries: Arc::new(Canaries::new(&config.canaries)),
            strangers: self.strangers.clone(),
            guard: self
                .guard
                .reconfigured(&config.vanish_guard, Instant::now()),
            _auditor: None,
            config: Arc::new(config.clone()),
            shared: Arc::clone(&self.shared),
        }
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

    /// What memory has to say, without waiting for anything.
    fn recall(&self, query: &Query<'_>, asked: Asked) -> Recalled {
        let Shared {
            ledger, remembered, ..
        } = &*self.shared;
        let epoch = ledger.epoch();
        match remembered.get(query) {
            Some(Memory::Found(found)) => match self.judge(query, &found, epoch) {
                Judgement::Marked(mark) => {
                    remembered.forget_found(query);
                    Recalled::Known(Known::of_mark(mark))
                }
                Judgement::Outdated => self.stale(found, asked.now),
                Judgement::Stands { .. } => self.aged(query, found, asked.now),
            },
            Some(Memory::Missing(missing)) => {
                let judgement = if missing.epoch() == epoch {
                    Judgement::Stands { revoked: None }
                } else {
                    let sent = remembered.missing_sent(&missing);
                    ledger.judge_not_found(query.person(None), sent)
                };
                let is_fresh = remembered.is_fresh(&missing, asked.now);
                match judgement {
                    Judgement::Marked(mark) => self.marked(query, mark, is_fresh),
                    Judgement::Outdated => Recalled::Ask(None),
                    Judgement::Stands { .. } => {
                        missing.stands(epoch);
                        match (is_fresh, self.is_young(&missing, asked)) {
                            (false, _) => Recalled::Ask(None),
                            (true, true) => Recalled::Young(missing),
                            (true, false) => Recalled::Known(Known::gone(Cached::Negative)),
                        }
                    }
                }
            }
            None if epoch == 0 => Recalled::Ask(None),
            None => match ledger.judge_not_found(query.person(None), asked.now) {
                Judgement::Marked(mark) => self.marked(query, mark, false),
                Judgement::Outdated | Judgement::Stands { .. } => Recalled::Ask(None),
            },
        }
    }

    /// Holds a remembered user against what was told since it was done last.
    fn judge(&self, query: &Query<'_>, found: &Found, epoch: u64) -> Judgement {
        let Shared {
            ledger, remembered, ..
        } = &*self.shared;
        if found.epoch() == epoch {
            return Judgement::Stands {
                revoked: found.revoked(),
            };
        }
        let person = query.person(found.user.id.as_deref());
        let sent = remembered.sent(found);
        let judgement = match ledger.judge_found(person, found.user.version, sent) {
            Judgement::Stands { .. } if remembered.is_missed(found) => Judgement::Outdated,
            judgement @ (Judgement::Stands { .. } | Judgement::Outdated | Judgement::Marked(_)) => {
                judgement
            }
        };
        if let Judgement::Stands { revoked } = judgement {
            found.stands(epoch, revoked);
        }
        judgement
    }

    /// A user who was found, as old as that is by now.
    fn aged(&self, query: &Query<'_>, found: Arc<Found>, now: Instant) -> Recalled {
        match self.shared.remembered.freshness(&found, now) {
            Freshness::Fresh => Recalled::Known(Known::there(&found, Cached::Hit)),
            Freshness::Revalidate => {
                if !self.shared.remembered.failed_just_now(&found, now) {
                    self.refresh(query);
                }
                Recalled::Known(Known::there(&found, Cached::Revalidating))
            }
            Freshness::Stale => self.stale(found, now),
            Freshness::Spent => Recalled::Ask(None),
        }
    }

    /// A user who is served only if the directory gives no trustworthy answer.
    fn stale(&self, found: Arc<Found>, now: Instant) -> Recalled {
        let remembered = &self.shared.remembered;
        match remembered.freshness(&found, now) {
            Freshness::Spent => Recalled::Ask(None),
            Freshness::Fresh | Freshness::Revalidate | Freshness::Stale
                if remembered.failed_just_now(&found, now) =>
            {
                Recalled::Known(Known::there(&found, Cached::Stale))
            }
            Freshness::Fresh | Freshness::Revalidate | Freshness::Stale => {
                Recalled::Ask(Some(found))
            }
        }
    }

    /// Someone who was deleted or disabled. Where a greater version would lift that, it is asked for
    /// in the background, unless it was a moment ago.
    fn marked(&self, query: &Query<'_>, mark: Mark, was_asked: bool) -> Recalled {
        if mark.version.is_some() && !was_asked {
            self.refresh(query);
        }
        Recalled::Known(Known::of_mark(mark))
    }

    /// Whether a token is so young that its user may be there in a moment.
    fn is_young(&self, missing: &Missing, asked: Asked) -> bool {
        let grace = self.config.creation_grace;
        asked.issued.is_some_and(|ago| ago < grace)
            && self.shared.remembered.first_missed(missing, asked.now) < grace
            && self.shared.directory.lags()
    }

    async fn ask(
        &self,
        query: Query<'_>,
        stale: Option<Arc<Found>>,
        asked: Asked,
        place: &Place,
    ) -> Result<Known, NotKnown> {
        let failure = match self.waited(query, Way::Waited, asked.now, place).await {
            Ok(Standing::Found(found)) => return Ok(Known::there(&found, Cached::Miss)),
            Ok(Standing::Marked(mark)) => return Ok(Known::of_mark(mark)),
            Ok(Standing::Missing(missing)) => {
                if self.is_young(&missing, asked) {
                    return self.read_again(query, &missing, asked, place).await;
                }
                return Ok(Known::gone(Cached::Miss));
            }
            Err(failure) => failure,
        };
        match stale {
            Some(found) => Ok(Known {
                reason: failure.reason(),
                ..Known::there(&found, Cached::Stale)
            }),
            None => Err(failure),
        }
    }

    /// Reads a young subject once more, past whatever lags, if it has not been read too often.
    async fn read_again(
        &self,
        query: Query<'_>,
        missing: &Missing,
        asked: Asked,
        place: &Place,
    ) -> Result<Known, NotKnown> {
        let remembered = &self.shared.remembered;
        let is_under_way = || self.shared.under_way.lock().contains_key(&query.owned());
        let now = Instant::now();
        let _permit = if is_under_way() {
            None
        } else {
            let permit = self.lanes.reread().ok_or(NotKnown::NotYetVisible)?;
            if !remembered.take_reread(missing, REREADS, now) {
                return Err(NotKnown::NotYetVisible);
            }
            Some(permit)
        };
        match self.waited(query, Way::Consistent, asked.now, place).await {
            Ok(Standing::Found(found)) => Ok(Known::there(&found, Cached::Miss)),
            Ok(Standing::Marked(mark)) => Ok(Known::of_mark(mark)),
            Ok(Standing::Missing(_)) | Err(_) => Err(NotKnown::NotYetVisible),
        }
    }

    /// Waits for a look-up as long as the request may.
    async fn waited(
        &self,
        query: Query<'_>,
        way: Way,
        now: Instant,
        place: &Place,
    ) -> Result<Standing, NotKnown> {
        let until = now + self.config.wait;
        // Whoever may not wait begins no look-up either.
        let looked_up = async {
            let running = self.look_up(query.owned(), way, now)?;
            ended(running).await.map_err(NotKnown::Unanswered)
        };
        match place.wait(until, looked_up).await {
            Ok(outcome) => outcome,
            Err(NoWait::Late) => Err(NotKnown::Late),
            Err(NoWait::Full) => Err(NotKnown::Crowded),
        }
    }

    /// Asks for someone in the background, if nobody does and there is room.
    fn refresh(&self, query: &Query<'_>) {
        // What comes of it is remembered; whoever asks next sees it there.
        let _ = self.look_up(query.owned(), Way::Background, Instant::now());
    }

    /// Joins the look-up of this user that is under way, or begins one; it ends by itself.
    fn look_up(
        &self,
        key: Key,
        way: Way,
        now: Instant,
    ) -> Result<watch::Receiver<Option<Outcome>>, NotKnown> {
        let mut under_way = self.shared.under_way.lock();
        if let Some(running) = under_way.get(&key) {
            return Ok(running.clone());
        }
        if let Some(standing) = self.just_answered(&key, way, now) {
            return Ok(watch::channel(Some(Ok(standing))).1);
        }
        let is_known = self.shared.remembered.get_found(&key).is_some();
        let turn = if is_known {
            None
        } else {
            let tenant = key.tenant.as_deref();
            let turn = self.strangers.admit(&key.issuer, &key.subject, tenant, now);
            Some(turn.map_err(|_| NotKnown::Crowded)?)
        };
        let (done, outcome) = watch::channel(None);
        under_way.insert(key.clone(), outcome.clone());
        drop(under_way);
        let mut running = Running {
            users: self.clone(),
            key,
            way,
            turn,
            done,
        };
        tokio::spawn(async move {
            let outcome = running.run().await;
            running.done.send_replace(Some(outcome));
        });
        Ok(outcome)
    }

    /// What a look-up brought that ended a moment ago: it has left the list and its answer behind.
    fn just_answered(&self, key: &Key, way: Way, now: Instant) -> Option<Standing> {
        let Shared {
            remembered, ledger, ..
        } = &*self.shared;
        let epoch = ledger.epoch();
        match (way, remembered.get(&key.query())?) {
            (Way::Waited, Memory::Found(found))
                if found.epoch() == epoch
                    && remembered.freshness(&found, now) == Freshness::Fresh =>
            {
                Some(Standing::Found(found))
            }
            (Way::Waited, Memory::Missing(missing))
                if missing.epoch() == epoch && remembered.is_fresh(&missing, now) =>
            {
                Some(Standing::Missing(missing))
            }
            (Way::Waited | Way::Consistent | Way::Background, _) => None,
        }
    }

    /// Whether nobody of a tenant may act, as an event told.
    pub fn is_suspended(&self, realm: &str, tenant: &str) -> bool {
        self.shared.ledger.is_suspended(realm, tenant)
    }

    /// The newest subject of someone whose subject changed, for a token that was issued then.
    pub fn alias(&self, query: &Query<'_>, issued: Option<Timestamp>) -> Option<Arc<str>> {
        self.shared.ledger.alias(query.person(None), issued)
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
    pub fn canaries(&self, now: Instant) -> Vec<CanaryHeard> {
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

    /// Forgets everything when a directory that lies in a file says that it changed.
    fn forget_on_change(&self) {
        let Some(mut versions) = self.shared.directory.versions() else {
            return;
        };
        let (shared, strangers) = (Arc::downgrade(&self.shared), self.strangers.clone());
        tokio::spawn(async move {
            while versions.changed().await.is_ok() {
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                shared.remembered.clear();
                strangers.clear();
            }
        });
    }

    /// Takes in what a directory tells by itself.
    fn follow_changes(&self) {
        let Some(mut changes) = self.shared.directory.changes() else {
            return;
        };
        let shared = Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            while let Some(change) = changes.next().await {
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                shared.learn(change);
            }
        });
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

impl Shared {
    fn learn(&self, change: Change) {
        match change {
            Change::Event(event) => {
                if let Err(error) = event::apply(&event, &self.ledger, self.clock.now()) {
                    tracing::warn!(%error, event = event.kind.as_str(), "event of the directory not taken");
                }
            }
            Change::Missed => {
                self.remembered.miss_all(Instant::now());
                self.ledger.touch();
            }
        }
    }
}

impl Known {
    fn there(found: &Found, cached: Cached) -> Self {
        Self {
            existence: Existence::There {
                user: Arc::clone(&found.user),
                revoked: found.revoked(),
            },
            cached,
            reason: None,
        }
    }

    const fn gone(cached: Cached) -> Self {
        Self {
            existence: Existence::Gone,
            cached,
            reason: None,
        }
    }

    const fn of_mark(mark: Mark) -> Self {
        Self {
            existence: match mark.kind {
                MarkKind::Deleted => Existence::Gone,
                MarkKind::Disabled => Existence::Disabled,
            },
            cached: Cached::Mark,
            reason: None,
        }
    }
}

#[cfg(test)]
mod tests;
