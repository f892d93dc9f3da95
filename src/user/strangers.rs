//! Floods: how often one subject of one issuer may be looked up in vain.
//!
//! A token says who somebody is; the tenant often comes from elsewhere, from the host or a path. One
//! valid token could so be asked about in every tenant there is. So one (issuer, subject) has at most
//! two look-ups under way, and at most ten tenants in which it was not found are remembered at a time;
//! another tenant is refused before anything is asked.

use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use tokio::time::Instant;

/// The most look-ups under way for one (issuer, subject).
const MOST_UNDER_WAY: usize = 2;

/// The most tenants in which one (issuer, subject) is remembered as not found.
const MOST_TENANTS: usize = 10;

/// The most not-founds remembered for all of them; beyond it the oldest go.
const MOST_NOT_FOUND: usize = 65_536;

/// Keeps the books of who was looked up in vain; a handle, cheap to clone.
///
/// They hold keyed hashes, not names, so that their size is bounded whatever a token says: one entry a
/// look-up under way, whose number others bound, and one a not-found that is remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Strangers {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    hasher: RandomState,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    subjects: HashMap<u64, Subject>,
    /// Every not-found in the order in which it came, those that were renewed or taken back too.
    not_found: VecDeque<(Instant, u64, u64)>,
}

/// One (issuer, subject), with tenants by their hash.
#[derive(Debug, Default)]
struct Subject {
    under_way: Vec<u64>,
    not_found: Vec<(u64, Instant)>,
}

/// One look-up; it is under way until this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    shared: Arc<Shared>,
    subject: u64,
    tenant: u64,
}

/// Too many look-ups of one (issuer, subject).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Crowded {
    /// So many are under way.
    #[error("at most {MOST_UNDER_WAY} look-ups of one subject are under way at once")]
    UnderWay,
    /// In so many tenants it was not found.
    #[error("the subject was not found in {MOST_TENANTS} other tenants a moment ago")]
    Tenants,
}

impl Strangers {
    /// Lets a look-up begin.
    pub(super) fn admit(
        &self,
        issuer: &str,
        subject: &str,
        tenant: Option<&str>,
        now: Instant,
    ) -> Result<Turn, Crowded> {
        let hasher = &self.shared.hasher;
        let (subject, tenant) = (hasher.hash_one((issuer, subject)), hasher.hash_one(tenant));
        let books = &mut *self.shared.books.lock();
        books.drop_old(now);
        let known = books.subjects.entry(subject).or_default();
        // One that is under way may come to be a not-found, so it counts as one.
        if known.under_way.len() >= MOST_UNDER_WAY {
            return Err(Crowded::UnderWay);
        }
        if known.other_tenants(tenant, now) >= MOST_TENANTS {
            return Err(Crowded::Tenants);
        }
        known.under_way.push(tenant);
        Ok(Turn {
            shared: Arc::clone(&self.shared),
            subject,
            tenant,
        })
    }

    /// Forgets all not-founds, when the directory says that they may be untrue.
    pub(super) fn clear(&self) {
        let books = &mut *self.shared.books.lock();
        books.not_found.clear();
        books.subjects.retain(|_, subject| {
            subject.not_found.clear();
            !subject.under_way.is_empty()
        });
    }

    /// Subjects in the books.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.shared.books.lock().subjects.len()
    }
}

impl Turn {
    /// The subject was not found in this tenant; that is remembered until then.
    pub(super) fn not_found(self, until: Instant) {
        let books = &mut *self.shared.books.lock();
        if let Some(subject) = books.subjects.get_mut(&self.subject) {
            subject
                .not_found
                .retain(|(tenant, _)| *tenant != self.tenant);
            subject.not_found.push((self.tenant, until));
            books
                .not_found
                .push_back((until, self.subject, self.tenant));
        }
    }

    /// The subject was found in this tenant.
    pub(super) fn found(self) {
        let books = &mut *self.shared.books.lock();
        if let Some(subject) = books.subjects.get_mut(&self.subject) {
            subject
                .not_found
                .retain(|(tenant, _)| *tenant != self.tenant);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let books = &mut *self.shared.books.lock();
        if let Some(subject) = books.subjects.get_mut(&self.subject) {
            let own = subject.under_way.iter().position(|at| *at == self.tenant);
            if let Some(own) = own {
                subject.under_way.swap_remove(own);
            }
        }
        books.strike_if_idle(self.subject);
    }
}

impl Books {
    /// Drops what has ended, and the oldest where there is too much.
    fn drop_old(&mut self, now: Instant) {
        while let Some((until, subject, tenant)) = self.not_found.front().copied() {
            if until > now && self.not_found.len() <= MOST_NOT_FOUND {
                return;
            }
            self.not_found.pop_front();
            if let Some(known) = self.subjects.get_mut(&subject) {
                known.not_found.retain(|entry| *entry != (tenant, until));
            }
            self.strike_if_idle(subject);
        }
    }

    fn strike_if_idle(&mut self, subject: u64) {
        let idle = |known: &Subject| known.under_way.is_empty() && known.not_found.is_empty();
        if self.subjects.get(&subject).is_some_and(idle) {
            self.subjects.remove(&subject);
        }
    }
}

impl Subject {
    /// How many tenants, this one aside, are asked about or remembered.
    fn other_tenants(&self, tenant: u64, now: Instant) -> usize {
        let stands = |(_, until): &&(u64, Instant)| *until > now;
        let remembered = self.not_found.iter().filter(stands).map(|(at, _)| *at);
        let mut others: Vec<_> = self.under_way.iter().copied().chain(remembered).collect();
        others.sort_unstable();
        others.dedup();
        others.into_iter().filter(|at| *at != tenant).count()
    }
}

#[cfg(test)]
mod tests;
