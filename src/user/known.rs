//! What is known of a user, and why nothing is.

use super::directory::{Reason, Unanswered};
use super::freshness::Freshness;
use super::remembered::Found;
use crate::clock::Timestamp;
use crate::event::ledger::{Mark, MarkKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// When someone is asked about, and by what token.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The time of everything that ages.
    pub now: Instant,
    /// How long ago the token was issued; `None` if it does not say.
    pub issued: Option<Duration>,
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
        user: Arc<Found>,
        /// Tokens issued at or before this are dead: the user was deleted then, and is there again.
        revoked: Option<Timestamp>,
    },
    /// The directory said, recognizably, that there is none; or an event told that the user is gone.
    Gone,
    /// An event told that the user may not act.
    Disabled,
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

/// An answer that is remembered, good for something or not.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The user; `None` for a recognized not-found.
    pub user: Option<Arc<Found>>,
    /// How long ago the question was sent.
    pub age: Duration,
    /// What it is good for.
    pub freshness: Freshness,
}

impl Known {
    pub(super) fn there(found: Arc<Found>, cached: Cached) -> Self {
        Self {
            existence: Existence::There {
                revoked: found.revoked(),
                user: found,
            },
            cached,
            reason: None,
        }
    }

    pub(super) const fn gone(cached: Cached) -> Self {
        Self {
            existence: Existence::Gone,
            cached,
            reason: None,
        }
    }

    pub(super) const fn of_mark(mark: Mark) -> Self {
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
