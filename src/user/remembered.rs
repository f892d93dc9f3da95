//! Answers that are remembered: found and not found, each in a segment of its own.

mod found;
mod missing;
mod pool;
mod segments;
mod slot;
mod start;

pub use found::Found;
pub(super) use missing::Missing;
pub(super) use slot::{Key, Slot};

use super::directory::{Lifetime, Query};
use super::freshness::{Freshness, Term};
use super::record::User;
use super::{Cache as Settings, Entry};
use crate::clock::Timestamp;
use pool::Pool;
use segments::Segments;
use slot::Scope;
use start::Start;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Answers, and for how long they are good; a handle. Those with other settings can have the same
/// answers.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    settings: Settings,
    kept: Arc<Kept>,
}

#[derive(Debug)]
struct Kept {
    segments: Segments,
    start: Start,
    draw: RandomState,
    /// Answers to questions sent before this may be untrue; in microseconds from the start.
    missed: AtomicU64,
    scopes: Pool<Scope>,
    roles: Pool<[Box<str>]>,
}

/// What is remembered of someone.
#[derive(Clone, Debug)]
pub(super) enum Memory {
    Found(Arc<Found>),
    Missing(Arc<Missing>),
}

/// When and how an answer was given.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// When its question was sent.
    pub(super) sent: Instant,
    pub(super) lifetime: Lifetime,
    pub(super) etag: Option<Box<str>>,
    /// The ledger's epoch at which it was held against the ledger, and what that gave.
    pub(super) epoch: u64,
    pub(super) revoked: Option<Timestamp>,
}

/// A user whom another process remembered.
#[derive(Debug)]
pub(super) struct Restored {
    pub(super) user: Arc<User>,
    pub(super) etag: Option<Box<str>>,
    /// How old the answer is by now.
    pub(super) age: Duration,
}

impl Remembered {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            kept: Arc::new(Kept {
                segments: Segments::new(settings.max_memory),
                start: Start::now(),
                draw: RandomState::new(),
                missed: AtomicU64::new(0),
                scopes: Pool::default(),
                roles: Pool::default(),
            }),
        }
    }

    /// The same answers under other settings. How much memory they take is another matter: see
    /// [`resize`](Self::resize).
    pub(super) fn under(&self, settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            kept: Arc::clone(&self.kept),
        }
    }

    /// Says that these settings rule how much memory is taken; the rest of the work, where there is
    /// any, blocks.
    pub(super) fn resize(&self) -> Option<impl FnOnce() + Send + use<>> {
        let is_more = self.kept.segments.want(self.settings.max_memory);
        is_more.then(|| {
            let kept = Arc::clone(&self.kept);
            move || kept.segments.fill()
        })
    }

    /// What is remembered of someone.
    pub(super) fn get(&self, query: &Query<'_>) -> Option<Memory> {
        let pair = self.kept.segments.pair();
        match pair.found.get(query) {
            Some(found) => Some(Memory::Found(found)),
            None => pair.missing.get(query).map(Memory::Missing),
        }
    }

    /// The user who was found, however long ago.
    pub(super) fn get_found(&self, key: &Key) -> Option<Arc<Found>> {
        self.kept.segments.pair().found.get(&key.query())
    }

    /// What a found answer is good for now.
    pub(super) fn freshness(&self, found: &Found, now: Instant) -> Freshness {
        let term = Term::of_found(&self.settings, found.lifetime(), found.draw);
        Freshness::of(&self.settings, term, self.age(found, now))
    }

    /// How old a found answer is.
    pub(super) fn age(&self, found: &Found, now: Instant) -> Duration {
        self.kept.start.since(found.sent, now) + found.age()
    }

    /// Whether a not-found answer still stands for itself.
    pub(super) fn is_fresh(&self, missing: &Missing, now: Instant) -> bool {
        missing.is_fresh(&self.settings, self.kept.start, now)
    }

    /// When the question was sent that an answer answered.
    pub(super) fn sent(&self, found: &Found) -> Instant {
        self.kept.start.moment(found.sent)
    }

    /// Says that whatever was answered until now may be untrue.
    pub(super) fn miss_all(&self, now: Instant) {
        let now = self.kept.start.micros(now);
        self.kept.missed.store(now, Ordering::Release);
    }

    /// Whether an answer may be untrue, since changes after its question was sent were missed.
    pub(super) fn is_missed(&self, sent: Instant) -> bool {
        self.kept.start.micros(sent) < self.kept.missed.load(Ordering::Acquire)
    }

    pub(super) fn missing_sent(&self, missing: &Missing) -> Instant {
        self.kept.start.moment(missing.sent)
    }

    /// Whether a look-up of this user brought nothing a moment ago.
    pub(super) fn failed_just_now(&self, found: &Found, now: Instant) -> bool {
        found.failed_just_now(self.kept.start, now)
    }

    /// How long ago someone was first not found.
    pub(super) fn first_missed(&self, missing: &Missing, now: Instant) -> Duration {
        self.kept.start.since(missing.first, now)
    }

    /// Takes one of the re-reads that a subject has: one a second, and `most` in all.
    pub(super) fn take_reread(&self, missing: &Missing, most: u32, now: Instant) -> bool {
        missing.take_reread(most, self.kept.start.micros(now))
    }

    /// A keyed hash of a subject, whatever the tenant: it is one who may ask in many.
    pub(super) fn hash_subject(&self, query: &Query<'_>) -> u64 {
        self.kept.draw.hash_one((query.realm, query.subject))
    }

    /// Remembers a user who was found.
    pub(super) fn found(&self, key: &Key, user: User, given: Given) -> Arc<Found> {
        let kept = &*self.kept;
        let draw = u8::try_from(kept.draw.hash_one(key) & 0xff).unwrap_or_default();
        let found = Arc::new(Found::new(user, given, draw, kept.start, &kept.roles));
        kept.segments.insert_found(&self.slot(key), &found);
        found
    }

    /// Remembers a user whom another process found, as stale; not one who is spent, or known here.
    pub(super) fn restore(&self, key: &Key, restored: Restored) -> bool {
        let kept = &*self.kept;
        let found = Arc::new(Found::restored(restored, &kept.roles));
        let is_spent = self.freshness(&found, kept.start.moment(0)) == Freshness::Spent;
        if is_spent || self.get_found(key).is_some() {
            return false;
        }
        kept.segments.insert_found(&self.slot(key), &found);
        true
    }

    /// Remembers that someone was not found; when that was first heard stays.
    pub(super) fn missing(&self, key: &Key, given: &Given) -> Arc<Missing> {
        let sent = self.kept.start.micros(given.sent);
        let known = self.kept.segments.pair().missing.get(&key.query());
        let missing = Missing::new(sent, given.lifetime, given.epoch, known.as_deref());
        let missing = Arc::new(missing);
        let slot = self.slot(key);
        self.kept.segments.insert_missing(&slot, &missing);
        missing
    }

    /// Remembers that someone was asked for whom a mark hides, by this id perhaps. The mark is looked
    /// at each time.
    pub(super) fn marked(&self, key: &Key, id: Option<&str>, sent: Instant) {
        let missing = Missing::marked(self.kept.start.micros(sent), id);
        let slot = self.slot(key);
        self.kept.segments.insert_missing(&slot, &Arc::new(missing));
    }

    /// Notes that a look-up brought nothing.
    pub(super) fn unanswered(&self, key: &Key, now: Instant) {
        if let Some(found) = self.get_found(key) {
            found.fails(self.kept.start, now);
        }
    }

    /// What is remembered, how old it is, and what it is good for by its age.
    pub(super) fn entry(&self, query: &Query<'_>, now: Instant) -> Option<Entry> {
        Some(match self.get(query)? {
            Memory::Found(found) => Entry {
                age: self.age(&found, now),
                freshness: self.freshness(&found, now),
                user: Some(found),
            },
            Memory::Missing(missing) if missing.is_marked() => return None,
            Memory::Missing(missing) => Entry {
                age: now.saturating_duration_since(self.missing_sent(&missing)),
                freshness: if self.is_fresh(&missing, now) {
                    Freshness::Fresh
                } else {
                    Freshness::Spent
                },
                user: None,
            },
        })
    }

    /// Tells whether there was anything.
    pub(super) fn forget(&self, query: &Query<'_>) -> bool {
        self.kept.segments.remove(query)
    }

    /// Forgets a user, but not when someone was first not found.
    pub(super) fn forget_found(&self, query: &Query<'_>) {
        self.kept.segments.remove_found(query);
    }

    pub(super) fn clear(&self) {
        self.kept.segments.clear();
    }

    /// All users who were found, in no order.
    pub(super) fn each_found(&self, mut each: impl FnMut(Arc<Slot>, Arc<Found>)) {
        let pair = self.kept.segments.pair();
        for (slot, found) in &pair.found {
            each(slot, found);
        }
    }

    pub(super) fn size(&self) -> (u64, u64, u64) {
        let pair = self.kept.segments.pair();
        // The counts are those of the latest housekeeping, which an idle cache puts off.
        pair.found.run_pending_tasks();
        pair.missing.run_pending_tasks();
        (
            pair.found.entry_count(),
            pair.found.weighted_size(),
            pair.missing.entry_count(),
        )
    }

    fn slot(&self, key: &Key) -> Slot {
        Slot::new(key, &self.kept.scopes)
    }
}
