//! Someone who was not found, or whom a mark hides.

use super::start::Start;
use crate::user::Cache as Settings;
use crate::user::directory::Lifetime;
use crate::user::freshness::Term;
use crate::user::record::allocated;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use tokio::time::Instant;

/// A subject is read again at most once in so many microseconds.
const BETWEEN_REREADS: u64 = 1_000_000;

/// Someone who was not found, or whom a mark hides.
#[derive(Debug)]
pub(in crate::user) struct Missing {
    /// Whether a mark hides him: that is no not-found, and says only that he was asked for.
    marked: bool,
    /// The id that the directory gave, where a mark hides him.
    id: Option<Box<str>>,
    pub(super) sent: u64,
    lifetime: Lifetime,
    /// When that was first heard of this subject.
    pub(super) first: u64,
    /// Consistent re-reads so far, and when the last one was.
    rereads: AtomicU32,
    reread: AtomicU64,
    epoch: AtomicU64,
}

impl Missing {
    /// Someone not found; what is known of him stays.
    pub(super) fn new(sent: u64, lifetime: Lifetime, epoch: u64, known: Option<&Self>) -> Self {
        let known = known.filter(|known| !known.marked);
        let rereads = known.map_or(0, |known| known.rereads.load(Ordering::Relaxed));
        let reread = known.map_or(0, |known| known.reread.load(Ordering::Relaxed));
        Self {
            marked: false,
            id: None,
            sent,
            lifetime,
            first: known.map_or(sent, |known| known.first),
            rereads: AtomicU32::new(rereads),
            reread: AtomicU64::new(reread),
            epoch: AtomicU64::new(epoch),
        }
    }

    /// Someone whom a mark hides, by this id perhaps.
    pub(super) fn marked(sent: u64, id: Option<&str>) -> Self {
        Self {
            marked: true,
            id: id.map(Box::from),
            ..Self::new(sent, Lifetime::default(), 0, None)
        }
    }

    /// Whether it still stands for itself.
    pub(super) fn is_fresh(&self, settings: &Settings, start: Start, now: Instant) -> bool {
        let age = start.since(self.sent, now) + self.lifetime.age;
        age < Term::of_not_found(settings, self.lifetime)
    }

    /// Takes one of the re-reads that a subject has: one a second, and `most` in all.
    pub(super) fn take_reread(&self, most: u32, now: u64) -> bool {
        let now = now.max(1);
        let last = self.reread.load(Ordering::Relaxed);
        let is_early = last != 0 && now.saturating_sub(last) < BETWEEN_REREADS;
        if is_early || self.rereads.load(Ordering::Relaxed) >= most {
            return false;
        }
        let taken = self
            .reread
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
        if taken.is_ok() {
            self.rereads.fetch_add(1, Ordering::Relaxed);
        }
        taken.is_ok()
    }

    /// Whether a mark hides him.
    pub(in crate::user) const fn is_marked(&self) -> bool {
        self.marked
    }

    /// The id that the directory gave, where a mark hides him.
    pub(in crate::user) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(in crate::user) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(in crate::user) fn stands(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Release);
    }

    /// About what it takes in memory, in bytes, itself included.
    pub(super) fn weight(&self) -> usize {
        let id = self.id.as_ref().map_or(0, |id| allocated(id.len()));
        allocated(size_of::<Self>() + 16) + id
    }
}
