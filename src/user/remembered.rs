//! Answers that are remembered: found and not found, each in a segment of its own.

use super::Cache as Settings;
use super::directory::Query;
use super::freshness::Freshness;
use super::record::{User, allocated};
use equivalent::Equivalent;
use moka::sync::Cache;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    not_found: Cache<Key, Instant>,
    /// The moment from which failures are counted.
    start: Instant,
}

#[derive(Debug)]
struct Found {
    user: Arc<User>,
    answered: Instant,
    /// Milliseconds from `start` to the last look-up without an answer; zero for none.
    failed: AtomicU64,
}

/// Who is asked about: a subject in its realm and tenant.
#[derive(Clone, Debug)]
pub(super) struct Key {
    realm: Arc<str>,
    issuer: Arc<str>,
    tenant: Option<Arc<str>>,
    subject: Arc<str>,
}

impl Remembered {
    pub(super) fn new(settings: &Settings) -> Self {
        let share = settings.max_memory / NOT_FOUND_SHARE;
        Self {
            found: Cache::builder()
                .max_capacity(settings.max_memory - share)
                .weigher(|key: &Key, found: &Arc<Found>| weight(key, found.user.weight()))
                .build(),
            not_found: Cache::builder()
                .max_capacity(share)
                .weigher(|key: &Key, _| weight(key, 0))
                .build(),
            settings: settings.clone(),
            start: Instant::now(),
        }
    }

    /// What is remembered, and what it is good for; a user, or the knowledge that there is none.
    pub(super) fn get(
        &self,
        query: &Query<'_>,
        now: Instant,
    ) -> Option<(Freshness, Option<Arc<User>>)> {
        if let Some(found) = self.found.get(query) {
            let failed = match found.failed.load(Ordering::Relaxed) {
                0 => None,
                millis => Some(self.start + Duration::from_millis(millis)),
            };
            let freshness = Freshness::of_found(&self.settings, found.answered, failed, now);
            return Some((freshness, Some(Arc::clone(&found.user))));
        }
        let answered = self.not_found.get(query)?;
        Some((Freshness::of_not_found(&self.settings, answered, now), None))
    }

    pub(super) fn found(&self, key: Key, user: Arc<User>, answered: Instant) {
        self.not_found.invalidate(&key);
        self.found.insert(
            key,
            Arc::new(Found {
                user,
                answered,
                failed: AtomicU64::new(0),
            }),
        );
    }

    pub(super) fn not_found(&self, key: Key, answered: Instant) {
        self.found.invalidate(&key);
        self.not_found.insert(key, answered);
    }

    pub(super) fn unanswered(&self, key: &Key, now: Instant) {
        if let Some(found) = self.found.get(key) {
            let millis = now.saturating_duration_since(self.start).as_millis();
            found.failed.store(
                u64::try_from(millis).unwrap_or(u64::MAX).max(1),
                Ordering::Relaxed,
            );
        }
    }

    pub(super) fn forget(&self, key: &Key) {
        self.found.invalidate(key);
        self.not_found.invalidate(key);
    }

    pub(super) fn clear(&self) {
        self.found.invalidate_all();
        self.not_found.invalidate_all();
    }

    pub(super) fn size(&self) -> (u64, u64, u64) {
        // The counts are those of the latest housekeeping, which an idle cache puts off.
        self.found.run_pending_tasks();
        self.not_found.run_pending_tasks();
        (
            self.found.entry_count(),
            self.found.weighted_size(),
            self.not_found.entry_count(),
        )
    }
}

fn weight(key: &Key, rest: usize) -> u32 {
    let key = size_of::<Key>() + 16 + allocated(key.subject.len());
    u32::try_from(OVERHEAD + key + rest).unwrap_or(u32::MAX)
}

impl Key {
    pub(super) fn query(&self) -> Query<'_> {
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
