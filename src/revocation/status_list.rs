//! Token Status List (draft-ietf-oauth-status-list-20): tokens that point to a list in which their
//! issuer says whether they still hold.
//!
//! Lists are kept in memory, packed as they come, and fetched beside the road; only the first request
//! that needs a list waits for it. A list is believed where its URL is beneath a configured prefix and the
//! token's own issuer signed it.

mod held;
mod kept;
pub mod packed;
mod reference;
mod shelf;
mod token;

pub use reference::Fault;
pub use shelf::Counts;

use super::{Hit, Kind};
use crate::clock::{Clock, Timestamp};
use crate::load::Place;
use crate::net::http::HttpError;
use crate::token::VerifiedToken;
use crate::token::issuer::Issuer;
use reference::Reference;
use shelf::Shelf;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The lists of all issuers that have some.
#[derive(Debug)]
pub struct StatusLists {
    shelves: HashMap<Arc<str>, Arc<Shelf>>,
}

/// Why a token does not pass by its status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// What it says of its status leads nowhere.
    #[error("{0}")]
    Malformed(Fault),
    /// It does not hold any more.
    #[error("the status list says that it does not hold")]
    Revoked(Hit),
    /// No list may be used.
    #[error("no list of statuses may be used; ask again in {retry_after:?}")]
    Unavailable {
        /// When asking again may help.
        retry_after: Duration,
    },
    /// Too many requests wait.
    #[error("too many requests wait for a list of statuses")]
    Crowded,
}

/// What is held of one issuer's lists, for the metrics.
#[derive(Debug)]
pub struct Size<'l> {
    /// The issuer's name.
    pub issuer: &'l Arc<str>,
    /// Lists held.
    pub lists: u64,
    /// How long ago the fetch began that brought the oldest of them.
    pub oldest: Option<Duration>,
    /// How fetches ended.
    pub counts: &'l Counts,
}

impl StatusLists {
    /// Makes room for the lists of these issuers. Issuers that `earlier` has too keep theirs.
    pub fn new(
        issuers: &[Arc<Issuer>],
        clock: &Arc<dyn Clock>,
        earlier: Option<&Self>,
    ) -> Result<Self, HttpError> {
        let with_lists = issuers
            .iter()
            .filter(|issuer| !issuer.config().status_lists.is_empty());
        let shelves = with_lists.map(|issuer| {
            let name = Arc::clone(&issuer.config().issuer);
            let kept = earlier
                .and_then(|earlier| earlier.shelves.get(&name))
                .filter(|shelf| Arc::ptr_eq(shelf.issuer(), issuer));
            if let Some(shelf) = kept {
                return Ok((name, Arc::clone(shelf)));
            }
            let shelf = Shelf::new(Arc::clone(issuer), Arc::clone(clock))?;
            Ok((name, Arc::new(shelf)))
        });
        Ok(Self {
            shelves: shelves.collect::<Result<_, HttpError>>()?,
        })
    }

    /// Whether a token holds, as the list says that it points to; a token that points to none does.
    ///
    /// The claim means nothing where its issuer has no prefixes. Waits only for a list that is not held,
    /// or that ends before the token's place.
    pub async fn check(
        &self,
        token: &VerifiedToken,
        wall: Timestamp,
        now: Instant,
        place: &Place,
    ) -> Result<(), StatusError> {
        let Some(lists) = self.shelves.get(&token.issuer().config().issuer) else {
            return Ok(());
        };
        let reference = Reference::of(token.claims()).map_err(StatusError::Malformed)?;
        let Some(reference) = reference else {
            return Ok(());
        };
        let looked = lists
            .look(reference, wall, now)
            .map_err(StatusError::Malformed)?;
        let status = match looked {
            Ok(status) => status,
            // Boxed, so that a decision that needs none of it does not carry it along.
            Err(kept) => Box::pin(kept.ask(reference.index, wall, place)).await?,
        };
        judge(status)
    }

    /// What is held, issuer by issuer.
    pub fn sizes(&self, now: Instant) -> impl Iterator<Item = Size<'_>> {
        self.shelves.values().map(move |shelf| {
            let (lists, oldest) = shelf.held(now);
            Size {
                issuer: &shelf.issuer().config().name,
                lists,
                oldest,
                counts: shelf.counts(),
            }
        })
    }
}

/// Section 7.1: 0 is valid, 1 invalid, 2 suspended; what the others mean is not ours to know.
fn judge(status: u8) -> Result<(), StatusError> {
    let reason = match status {
        0 => return Ok(()),
        1 => "its status list says: invalid".into(),
        2 => "its status list says: suspended".into(),
        other => format!("its status list says: status {other}").into(),
    };
    Err(StatusError::Revoked(Hit {
        kind: Kind::Token,
        at: None,
        reason: Some(reason),
    }))
}

#[cfg(test)]
mod tests;
