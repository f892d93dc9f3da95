//! Answers that are remembered: found and not found, each in a segment of its own.

use super::directory::{Lifetime, Query};
use super::freshness::{ERROR_PAUSE, Freshness, Term};
use super::record::{User, allocated};
use super::{Cache as Settings, Entry};
use crate::clock::Timestamp;
use equivalent::Equivalent;
use moka::sync::Cache;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The share of the memory that not-found answers may take: strangers never crowd out users.
const NOT_FOUND_SHARE: u64 = 16;

/// What the cache itself takes for an entry, beside key and user (measured: about 320 bytes).
const OVERHEAD: usize = 320;

/// The two segments.
#[derive(Debug)]
pub(super) struct Remembered {
    settings: Settings,
    found: Cache<Key, Arc<Found>>,
    missing: Cache<Key, Arc<Missing>>,
    /// The moment from which times are counted.
    start: Instant,
    draw: RandomState,
    /// Answers to questions sent before this may be untrue; in microseconds from the start.
    missed: AtomicU64,
}

/// What is remembered of someone.
#[derive(Clone, Debug)]
pub(super) enum Memory {
    Found(Arc<Found>),
    Missing(Arc<Missing>),
}

/// A user who was found; small, since a million of them are kept.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) user: Arc<User>,
    pub(super) etag: Option<Box<str>>,
    /// When the question was sent, in microseconds from the start.
    sent: u64,
    /// How old the answer was when it came, and how long it is fresh from when it was made, in
    /// milliseconds.
    age: u32,
    fresh: u32,
    revalidate: bool,
    /// Milliseconds from the start to the last look-up without an answer; zero for none.
    failed: AtomicU64,
    /// The ledger's epoch at which it stood.
    epoch: AtomicU64,
    /// Tokens issued at or before this, in milliseconds since the epoch, are dead; zero for none.
    revoked: AtomicU64,
}

/// Someone who was not found, or whom a mark hides.
#[derive(Debug)]
pub(super) struct Missing {
    /// Whether a mark hides him: that is no not-found, and says only that he was asked for.
    marked: bool,
    /// The id that the directory gave, where a mark hides him.
    id: Option<Box<str>>,
    sent: u64,
    /// How long that is remembered, in milliseconds.
    good_for: u32,
    /// When that was first heard of this subject.
    first: u64,
    /// Consistent re-reads so far, and when the last one was.
    rereads: AtomicU32,
    reread: AtomicU64,
    epoch: AtomicU64,
}

/// Who is asked about: a subject in its realm and tenant.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) realm: Arc<str>,
    pub(super) issuer: Arc<str>,
    pub(super) tenant: Option<Arc<str>>,
    pub(super) subject: Arc<str>,
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
        let share = settings.max_memory / NOT_FOUND_SHARE;
        Self {
            found: Cache::builder()
                .max_capacity(settings.max_memory - share)
                .weigher(|key: &Key, found: &Arc<Found>| {
                    let etag = found.etag.as_ref().map_or(0, |etag| allocated(etag.len()));
                    let own = size_of::<Found>() + etag + found.user.weight();
                    weight(key, own)
                })
                .build(),
            missing: Cache::builder()
                .max_capacity(share)
                .weigher(|key: &Key, missing: &Arc<Missing>| {
                    let id = missing.id.as_ref().map_or(0, |id| allocated(id.len()));
                    weight(key, size_of::<Missing>() + id)
                })
                .build(),
            settings: settings.clone(),
            start: Instant::now(),
            draw: RandomState::new(),
            missed: AtomicU64::new(0),
        }
    }

    /// What is remembered of someone.
    pub(super) fn get(&self, query: &Query<'_>) -> Option<Memory> {
        match self.found.get(query) {
            Some(found) => Some(Memory::Found(found)),
            None => self.missing.get(query).map(Memory::Missing),
        }
    }

    /// The user who was found, however long ago.
    pub(super) fn get_found(&self, key: &Key) -> Option<Arc<Found>> {
        self.found.get(key)
    }

    /// What a found answer is good for now.
    pub(super) fn freshness(&self, found: &Found, now: Instant) -> Freshness {
        let term = Term {
            fresh: millis(found.fresh),
            revalidate: found.revalidate,
        };
        Freshness::of(&self.settings, term, self.age(found, now))
    }

    /// How old a found answer is.
    pub(super) fn age(&self, found: &Found, now: Instant) -> Duration {
        let made = Duration::from_micros(found.sent);
        self.since_start(now).saturating_sub(made) + millis(found.age)
    }

    /// Whether a not-found answer still stands for itself.
    pub(super) fn is_fresh(&self, missing: &Missing, now: Instant) -> bool {
        let age = self
            .since_start(now)
            .saturating_sub(Duration::from_micros(missing.sent));
        age < millis(missing.good_for)
    }

    /// When the question was sent that an answer answered.
    pub(super) fn sent(&self, found: &Found) -> Instant {
        self.start + Duration::from_micros(found.sent)
    }

    /// Says that whatever was answered until now may be untrue.
    pub(super) fn miss_all(&self, now: Instant) {
        let now = micros(self.since_start(now));
        self.missed.store(now, Ordering::Release);
    }

    /// Whether an answer may be untrue, since changes after its question was sent were missed.
    pub(super) fn is_missed(&self, sent: Instant) -> bool {
        micros(self.since_start(sent)) < self.missed.load(Ordering::Acquire)
    }

    pub(super) fn missing_sent(&self, missing: &Missing) -> Instant {
        self.start + Duration::from_micros(missing.sent)
    }

    /// Whether a look-up of this user brought nothing a moment ago.
    pub(super) fn failed_just_now(&self, found: &Found, now: Instant) -> bool {
        let failed = found.failed.load(Ordering::Relaxed);
        let since = self
            .since_start(now)
            .saturating_sub(Duration::from_millis(failed));
        failed != 0 && since < ERROR_PAUSE
    }

    /// How long ago someone was first not found.
    pub(super) fn first_missed(&self, missing: &Missing, now: Instant) -> Duration {
        self.since_start(now)
            .saturating_sub(Duration::from_micros(missing.first))
    }

    /// Takes one of the re-reads that a subject has: one a second, and `most` in all.
    pub(super) fn take_reread(&self, missing: &Missing, most: u32, now: Instant) -> bool {
        let now = micros(self.since_start(now)).max(1);
        let last = missing.reread.load(Ordering::Relaxed);
        let is_early = last != 0 && now.saturating_sub(last) < 1_000_000;
        if is_early || missing.rereads.load(Ordering::Relaxed) >= most {
            return false;
        }
        let taken =
            missing
                .reread
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
        if taken.is_ok() {
            missing.rereads.fetch_add(1, Ordering::Relaxed);
        }
        taken.is_ok()
    }

    /// A keyed hash of a subject, whatever the tenant: it is one who may ask in many.
    pub(super) fn hash_subject(&self, query: &Query<'_>) -> u64 {
        self.draw.hash_one((query.realm, query.subject))
    }

    /// Remembers a user who was found.
    pub(super) fn found(&self, key: Key, user: Arc<User>, given: Given) -> Arc<Found> {
        let draw = u8::try_from(self.draw.hash_one(&key) & 0xff).unwrap_or_default();
        let term = Term::of_found(&self.settings, given.lifetime, draw);
        let found = Arc::new(Found {
            user,
            etag: given.etag,
            sent: micros(self.since_start(given.sent)),
            age: in_millis(given.lifetime.age),
            fresh: in_millis(term.fresh),
            revalidate: term.revalidate,
            failed: AtomicU64::new(0),
            epoch: AtomicU64::new(given.epoch),
            revoked: AtomicU64::new(given.revoked.map_or(0, Timestamp::as_millis)),
        });
        self.missing.invalidate(&key);
        self.found.insert(key, Arc::clone(&found));
        found
    }

    /// Remembers a user whom another process found, as stale; not one who is spent, or known here.
    pub(super) fn restore(&self, key: Key, restored: Restored) -> bool {
        let Restored { user, etag, age } = restored;
        let found = Found {
            user,
            etag,
            sent: 0,
            age: in_millis(age),
            // How long it was fresh is not known any more: nothing may become longer by a restart.
            fresh: 0,
            revalidate: false,
            failed: AtomicU64::new(0),
            epoch: AtomicU64::new(0),
            revoked: AtomicU64::new(0),
        };
        let is_spent = self.freshness(&found, self.start) == Freshness::Spent;
        if is_spent || self.found.contains_key(&key) {
            return false;
        }
        self.found.insert(key, Arc::new(found));
        true
    }

    /// Remembers that someone was not found; when that was first heard stays.
    pub(super) fn missing(&self, key: Key, given: &Given) -> Arc<Missing> {
        let sent = micros(self.since_start(given.sent));
        let known = self.missing.get(&key);
        let known = known.as_deref().filter(|known| !known.marked);
        let good_for =
            Term::of_not_found(&self.settings, given.lifetime).saturating_sub(given.lifetime.age);
        let rereads = known.map_or(0, |known| known.rereads.load(Ordering::Relaxed));
        let missing = Arc::new(Missing {
            marked: false,
            id: None,
            sent,
            good_for: in_millis(good_for),
            first: known.map_or(sent, |known| known.first),
            rereads: AtomicU32::new(rereads),
            reread: AtomicU64::new(known.map_or(0, |known| known.reread.load(Ordering::Relaxed))),
            epoch: AtomicU64::new(given.epoch),
        });
        self.found.invalidate(&key);
        self.missing.insert(key, Arc::clone(&missing));
        missing
    }

    /// Remembers that someone was asked for whom a mark hides, by this id perhaps. The mark is looked
    /// at each time.
    pub(super) fn marked(&self, key: Key, id: Option<&str>, sent: Instant) {
        let sent = micros(self.since_start(sent));
        let missing = Missing {
            marked: true,
            id: id.map(Box::from),
            sent,
            good_for: in_millis(self.settings.not_found_for),
            first: sent,
            rereads: AtomicU32::new(0),
            reread: AtomicU64::new(0),
            epoch: AtomicU64::new(0),
        };
        self.found.invalidate(&key);
        self.missing.insert(key, Arc::new(missing));
    }

    /// Notes that a look-up brought nothing.
    pub(super) fn unanswered(&self, key: &Key, now: Instant) {
        if let Some(found) = self.found.get(key) {
            let now = in_millis_u64(self.since_start(now)).max(1);
            found.failed.store(now, Ordering::Relaxed);
        }
    }

    /// What is remembered, how old it is, and what it is good for by its age.
    pub(super) fn entry(&self, query: &Query<'_>, now: Instant) -> Option<Entry> {
        Some(match self.get(query)? {
            Memory::Found(found) => Entry {
                age: self.age(&found, now),
                freshness: self.freshness(&found, now),
                user: Some(Arc::clone(&found.user)),
            },
            Memory::Missing(missing) if missing.marked => return None,
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

    pub(super) fn forget(&self, query: &Query<'_>) -> bool {
        let key = query.owned();
        let known = self.found.remove(&key).is_some();
        self.missing.remove(&key).is_some() || known
    }

    /// Forgets a user, but not when someone was first not found.
    pub(super) fn forget_found(&self, query: &Query<'_>) {
        self.found.invalidate(query);
    }

    pub(super) fn clear(&self) {
        self.found.invalidate_all();
        self.missing.invalidate_all();
    }

    /// All users who were found, in no order.
    pub(super) fn each_found(&self) -> impl Iterator<Item = (Arc<Key>, Arc<Found>)> + '_ {
        self.found.iter()
    }

    pub(super) fn size(&self) -> (u64, u64, u64) {
        // The counts are those of the latest housekeeping, which an idle cache puts off.
        self.found.run_pending_tasks();
        self.missing.run_pending_tasks();
        (
            self.found.entry_count(),
            self.found.weighted_size(),
            self.missing.entry_count(),
        )
    }

    fn since_start(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.start)
    }
}

impl Found {
    /// How long it was good for when it came.
    pub(super) const fn lifetime(&self) -> Lifetime {
        Lifetime {
            age: Duration::ZERO,
            fresh: Some(millis(self.fresh)),
            revalidate: !self.revalidate,
        }
    }

    /// The epoch of the ledger at which it stood last.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Notes that it stands at an epoch, and which tokens are dead.
    pub(super) fn stands(&self, epoch: u64, revoked: Option<Timestamp>) {
        // Two may note it at once; what is dead stays so.
        let revoked = revoked.map_or(0, Timestamp::as_millis);
        self.revoked.fetch_max(revoked, Ordering::Relaxed);
        self.epoch.store(epoch, Ordering::Release);
    }

    /// Tokens issued at or before this are dead.
    pub(super) fn revoked(&self) -> Option<Timestamp> {
        match self.revoked.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(Timestamp::from_millis(millis)),
        }
    }
}

impl Missing {
    /// Whether a mark hides him.
    pub(super) const fn is_marked(&self) -> bool {
        self.marked
    }

    /// The id that the directory gave, where a mark hides him.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(super) fn stands(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Release);
    }
}

fn weight(key: &Key, rest: usize) -> u32 {
    let key = size_of::<Key>() + 16 + allocated(key.subject.len());
    u32::try_from(OVERHEAD + key + rest).unwrap_or(u32::MAX)
}

const fn millis(count: u32) -> Duration {
    Duration::from_millis(count as u64)
}

fn in_millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn in_millis_u64(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Key {
    pub(super) const fn query(&self) -> Query<'_> {
        Query {
            realm: &self.realm,
            issuer: &self.issuer,
            tenant: self.tenant.as_ref(),
            subject: &self.subject,
        }
    }
}

impl Query<'_> {
    pub(super) fn owned(&self) -> Key {
        Key {
            realm: Arc::clone(self.realm),
            issuer: Arc::clone(self.issuer),
            tenant: self.tenant.cloned(),
            subject: Arc::clone(self.subject),
        }
    }
}

impl Equivalent<Key> for Query<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self == key.query()
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.query().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.query() == other.query()
    }
}

impl Eq for Key {}
