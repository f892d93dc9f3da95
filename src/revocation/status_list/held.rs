//! A list that is held: how long it may be used, and when another is asked for.

use super::token::Signed;
use crate::clock::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// The least interval between two fetches of a list.
pub(super) const LEAST: Duration = Duration::from_secs(10);

/// How often a list is asked for that does not say.
const ORDINARY: Duration = Duration::from_secs(300);

/// The longest that a list is used before it is asked for again, whatever it allows.
const MOST: Duration = Duration::from_secs(86_400);

/// A list, with its times.
#[derive(Debug)]
pub(super) struct Held {
    signed: Signed,
    /// When the fetch that brought it began.
    pub(super) began: Instant,
    /// Until when it is used while there is no newer one.
    until: Instant,
    /// When its issuer says that it ends, clocks being apart by up to the leeway.
    ends: Option<Timestamp>,
}

/// What the issuer's configuration says of lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) leeway: Duration,
    /// How long a list serves beyond its time to live while there is no newer one.
    pub(super) max_stale: Duration,
}

/// What is known of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Its status.
    Status(u8),
    /// The list has no such place.
    OutOfRange,
    /// No list may be used.
    Nothing,
}

impl Held {
    /// Beyond its time to live a list serves until its `exp`, which its issuer says; without one, for its
    /// time to live once more. Neither is longer than `max_stale`.
    pub(super) fn new(signed: Signed, began: Instant, rules: Rules) -> Self {
        let ttl = ttl(&signed);
        let more = match signed.expires {
            Some(_) => rules.max_stale,
            None => rules.max_stale.min(ttl),
        };
        Self {
            until: later(later(began, ttl), more),
            ends: signed.expires.map(|expires| expires.plus(rules.leeway)),
            signed,
            began,
        }
    }

    /// What it says of an index.
    pub(super) fn say(&self, index: u64, wall: Timestamp, now: Instant) -> Known {
        if !self.is_usable(wall, now) {
            return Known::Nothing;
        }
        match self.signed.list.get(index) {
            Some(status) => Known::Status(status),
            None => Known::OutOfRange,
        }
    }

    /// A list dies with the key that signed it, as a token does.
    pub(super) fn is_usable(&self, wall: Timestamp, now: Instant) -> bool {
        now <= self.until && self.ends.is_none_or(|ends| wall < ends) && self.signed.key.is_alive()
    }

    /// How long after its fetch another is asked for: in time before it ends.
    pub(super) fn refresh_after(&self, wall: Timestamp) -> Duration {
        let ttl = ttl(&self.signed);
        let halfway = self.signed.expires.map(|ends| ends.since(wall) / 2);
        halfway.map_or(ttl, |halfway| ttl.min(halfway)).max(LEAST)
    }

    /// Whether another was signed before this one, so that a cache on the way brought it.
    pub(super) fn is_newer_than(&self, other: &Signed) -> bool {
        self.signed.issued > other.issued && self.signed.key.is_alive()
    }

    /// What it takes in memory, in bytes.
    pub(super) fn size(&self) -> usize {
        self.signed.list.size()
    }
}

fn ttl(signed: &Signed) -> Duration {
    signed.ttl.unwrap_or(ORDINARY).clamp(LEAST, MOST)
}

fn later(moment: Instant, duration: Duration) -> Instant {
    moment.checked_add(duration).unwrap_or(moment)
}

#[cfg(test)]
impl Held {
    /// The key that signed it.
    pub(super) const fn key(&self) -> &std::sync::Arc<crate::token::jwk::Key> {
        &self.signed.key
    }
}

#[cfg(test)]
pub(super) mod tests;
