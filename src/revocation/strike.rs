//! One revocation, and whether it hits a token.

use super::name::Kind;
use crate::clock::Timestamp;
use crate::token::VerifiedToken;

/// One revocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strike {
    /// What was issued at or before this is struck; `None` strikes everything.
    pub before: Option<Timestamp>,
    /// When the entry ends.
    pub until: Option<Timestamp>,
    /// When it was made, if known.
    pub at: Option<Timestamp>,
    /// Why, in the operator's words.
    pub reason: Option<Box<str>>,
}

/// What was revoked, of a token that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The kind of thing.
    pub kind: Kind,
    /// Since when.
    pub at: Option<Timestamp>,
    /// Why.
    pub reason: Option<Box<str>>,
}

/// When a token was issued, by its issuer's clock; a token that does not say was issued before all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Issued {
    at: Option<Timestamp>,
    now: Timestamp,
}

impl Issued {
    pub(super) fn of(token: &VerifiedToken, now: Timestamp) -> Self {
        let ahead = token.issuer().config().clock_ahead;
        Self {
            at: token.claims().issued_at().map(|at| at.minus(ahead)),
            now,
        }
    }

    pub(super) fn under(self, strike: &Strike, kind: Kind) -> Result<(), Hit> {
        if !self.is_under(strike.before, strike.until) {
            return Ok(());
        }
        Err(Hit {
            kind,
            at: strike.at.or(strike.before),
            reason: strike.reason.clone(),
        })
    }

    /// Whether a strike of this instant, which ends then, hits.
    pub(super) fn is_under(self, before: Option<Timestamp>, until: Option<Timestamp>) -> bool {
        let ended = until.is_some_and(|until| self.now >= until);
        let later = match (before, self.at) {
            (Some(before), Some(at)) => at > before,
            (Some(_) | None, None) | (None, Some(_)) => false,
        };
        !ended && !later
    }
}
