//! The two segments: users who were found, and those who were not.
//!
//! A cache cannot be given another size. To change it a second pair is filled from the first, while
//! whatever is written goes into both; then it takes the place of the first. Who reads notices nothing.

use super::found::Found;
use super::missing::Missing;
use super::slot::Slot;
use crate::user::directory::Query;
use arc_swap::{ArcSwap, Guard};
use moka::sync::Cache;
use parking_lot::{Mutex, RwLock};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The share of the memory that not-found answers may take: strangers never crowd out users.
const NOT_FOUND_SHARE: u64 = 16;

/// What the cache itself takes for an entry, its key included (measured).
const OVERHEAD: usize = 304;

/// A pair of segments, whose size can be changed.
#[derive(Debug)]
pub(super) struct Segments {
    pair: ArcSwap<Pair>,
    /// The pair that is being filled; read by whoever writes, written by whoever fills.
    next: RwLock<Option<Arc<Pair>>>,
    /// The most memory that is wanted, in bytes.
    wanted: AtomicU64,
    /// Held while another pair is filled.
    filling: Mutex<()>,
}

#[derive(Debug)]
pub(super) struct Pair {
    max_memory: u64,
    pub(super) found: Cache<Slot, Arc<Found>>,
    pub(super) missing: Cache<Slot, Arc<Missing>>,
}

impl Segments {
    pub(super) fn new(max_memory: u64) -> Self {
        Self {
            pair: ArcSwap::from_pointee(Pair::new(max_memory)),
            next: RwLock::new(None),
            wanted: AtomicU64::new(max_memory),
            filling: Mutex::new(()),
        }
    }

    /// For reading.
    pub(super) fn pair(&self) -> Guard<Arc<Pair>> {
        self.pair.load()
    }

    pub(super) fn insert_found(&self, slot: &Slot, found: &Arc<Found>) {
        self.write(|pair| {
            pair.found.insert(slot.clone(), Arc::clone(found));
            pair.missing.invalidate(slot);
        });
    }

    pub(super) fn insert_missing(&self, slot: &Slot, missing: &Arc<Missing>) {
        self.write(|pair| {
            pair.missing.insert(slot.clone(), Arc::clone(missing));
            pair.found.invalidate(slot);
        });
    }

    pub(super) fn remove_found(&self, query: &Query<'_>) {
        self.write(|pair| pair.found.invalidate(query));
    }

    /// Tells whether there was anything.
    pub(super) fn remove(&self, query: &Query<'_>) -> bool {
        let mut known = false;
        self.write(|pair| {
            known |= pair.found.remove(query).is_some();
            known |= pair.missing.remove(query).is_some();
        });
        known
    }

    pub(super) fn clear(&self) {
        self.write(|pair| {
            pair.found.invalidate_all();
            pair.missing.invalidate_all();
        });
    }

    /// Says how much memory may be taken from now on; whether [`fill`](Self::fill) has to be called.
    pub(super) fn want(&self, max_memory: u64) -> bool {
        self.wanted.store(max_memory, Ordering::Relaxed);
        self.pair.load().max_memory != max_memory || self.filling.is_locked()
    }

    /// Makes the segments as large as was wanted last, and keeps of what they hold as much as there is
    /// room for. It takes a while, about two microseconds an answer, and meanwhile the memory of both.
    pub(super) fn fill(&self) {
        let _alone = self.filling.lock();
        let max_memory = self.wanted.load(Ordering::Relaxed);
        let old = self.pair.load_full();
        if old.max_memory == max_memory {
            return;
        }
        let new = Arc::new(Pair::new(max_memory));
        *self.next.write() = Some(Arc::clone(&new));
        for (slot, _) in &old.found {
            // What was written or removed meanwhile is so in both.
            let _nobody_writes = self.next.write();
            if let Some(found) = old.found.get(&*slot) {
                new.found.insert(Slot::clone(&slot), found);
            }
        }
        for (slot, _) in &old.missing {
            let _nobody_writes = self.next.write();
            if let Some(missing) = old.missing.get(&*slot) {
                new.missing.insert(Slot::clone(&slot), missing);
            }
        }
        let next = &mut *self.next.write();
        self.pair.store(new);
        *next = None;
    }

    fn write(&self, mut change: impl FnMut(&Pair)) {
        let next = self.next.read();
        change(&self.pair.load());
        if let Some(next) = &*next {
            change(next);
        }
    }
}

impl Pair {
    fn new(max_memory: u64) -> Self {
        let share = max_memory / NOT_FOUND_SHARE;
        Self {
            max_memory,
            found: Cache::builder()
                .max_capacity(max_memory - share)
                .weigher(|slot: &Slot, found: &Arc<Found>| weight(slot, found.weight()))
                .build(),
            missing: Cache::builder()
                .max_capacity(share)
                .weigher(|slot: &Slot, missing: &Arc<Missing>| weight(slot, missing.weight()))
                .build(),
        }
    }
}

fn weight(slot: &Slot, answer: usize) -> u32 {
    u32::try_from(OVERHEAD + slot.weight() + answer).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::pool::Pool;
    use super::super::slot::Key;
    use super::*;
    use crate::user::record::User;
    use std::thread;

    fn slot(number: usize) -> Slot {
        let key = Key {
            realm: "realm".into(),
            issuer: "issuer".into(),
            tenant: None,
            subject: number.to_string().into(),
        };
        Slot::new(&key, &Pool::default())
    }

    fn user(id: &str) -> Arc<Found> {
        Found::sample(User {
            id: Some(id.into()),
            ..User::default()
        })
    }

    #[test]
    fn what_is_written_removed_and_read_while_segments_are_filled_is_so_afterwards() {
        const USERS: usize = 6000;
        let segments = Segments::new(1 << 24);
        for number in 0..USERS {
            segments.insert_found(&slot(number), &user("old"));
        }
        assert!(segments.want(1 << 25));
        thread::scope(|threads| {
            threads.spawn(|| segments.fill());
            for number in (0..USERS).rev() {
                let slot = slot(number);
                assert!(segments.pair().found.contains_key(&slot), "{number}");
                match number % 3 {
                    0 => segments.insert_found(&slot, &user("new")),
                    1 => assert!(segments.remove(&slot.key().query())),
                    _ => {}
                }
            }
        });
        assert!(!segments.want(1 << 25));
        let pair = segments.pair();
        for number in 0..USERS {
            let found = pair.found.get(&slot(number));
            let id = found.as_deref().and_then(Found::id);
            let expected = [Some("new"), None, Some("old")];
            assert_eq!(Some(&id), expected.get(number % 3), "{number}");
        }
    }

    #[test]
    fn the_size_that_was_wanted_last_is_taken() {
        let segments = Segments::new(1 << 20);
        assert!(!segments.want(1 << 20));
        segments.insert_found(&slot(1), &user("u"));
        assert!(segments.want(1 << 21));
        assert!(segments.want(1 << 22));
        segments.fill();
        segments.fill();
        assert_eq!(segments.pair().max_memory, 1 << 22);
        assert!(segments.pair().found.contains_key(&slot(1)));
    }
}
