//! Where fences are missing that went before their time.

use super::shelf::{Place, Shelf};
use std::sync::Arc;
use tokio::time::Instant;

/// The most tenants that have a gap of their own; beyond it all have the same.
const MOST_HOUSES: usize = 1000;

/// Up to when events may be forgotten: an answer to a question that was sent before is not believed,
/// whomever it is about. Without these, an answer older than a fence that had to go would pass.
///
/// A tenant's own events make a gap for that tenant alone.
#[derive(Debug)]
pub(super) struct Gaps {
    /// By tenant; the name is of no account.
    houses: Shelf<Instant>,
    everywhere: Option<Instant>,
}

impl Gaps {
    pub(super) fn new() -> Self {
        Self {
            houses: Shelf::new(),
            everywhere: None,
        }
    }

    /// Notes that what an event told is forgotten.
    pub(super) fn note(&mut self, of: &Place, arrived: Instant) {
        let house = Place {
            name: Arc::from(""),
            ..of.clone()
        };
        let known = self.houses.at(&house).copied();
        self.houses
            .put(&house, arrived.max(known.unwrap_or(arrived)));
        if self.houses.len() > MOST_HOUSES {
            let mut latest = self.everywhere;
            self.houses.each(|_, gap| latest = latest.max(Some(*gap)));
            *self = Self {
                everywhere: latest,
                ..Self::new()
            };
        }
    }

    /// Notes that what events told may be forgotten, of any tenant.
    pub(super) fn note_everywhere(&mut self, arrived: Instant) {
        self.everywhere = self.everywhere.max(Some(arrived));
    }

    /// Whether something may be forgotten that was told after this was asked for.
    pub(super) fn lies_after(&self, sent: Instant, realm: &str, tenant: Option<&str>) -> bool {
        if self.everywhere.is_none() && self.houses.len() == 0 {
            return false;
        }
        let (own, all) = self.houses.of(realm, "", tenant);
        let gaps = [own, all, self.everywhere.as_ref()];
        gaps.into_iter().flatten().any(|gap| sent < *gap)
    }
}
