//! Tenants that are closed.

use super::books::{Books, Row};
use super::shelf::Place;
use crate::clock::Timestamp;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug)]
pub(super) struct Suspension {
    pub(super) time: Timestamp,
    pub(super) holds: bool,
    pub(super) arrived: Instant,
    /// How long it is known that it holds no more; one that holds does not end by itself.
    pub(super) ends: Instant,
}

impl Books {
    /// Of two at one time the suspension stands.
    pub(super) fn put_suspension(&mut self, place: &Place, suspension: Suspension) {
        let known = self.tenants.at(place).copied();
        let newer = known.is_none_or(|known| {
            suspension.time > known.time || (suspension.time == known.time && suspension.holds)
        });
        if !newer {
            return;
        }
        if let Some(known) = known {
            self.suspended -= usize::from(known.holds);
            if !known.holds {
                self.lasting.cut(Row::Tenants, place, known.ends);
            }
        }
        self.tenants.put(place, suspension);
        self.suspended += usize::from(suspension.holds);
        if !suspension.holds {
            self.lasting.put(Row::Tenants, place, suspension.ends);
        }
    }

    /// Keeps for longer what is known of a tenant that was resumed.
    pub(super) fn prolong_resumed(&mut self, place: &Place, resumed: Suspension) {
        if let Some(known) = self.tenants.put(place, resumed) {
            self.lasting.cut(Row::Tenants, place, known.ends);
        }
        self.lasting.put(Row::Tenants, place, resumed.ends);
    }

    pub(super) fn is_suspended(&self, realm: &str, tenant: &str) -> bool {
        let (_, suspension) = self.tenants.of(realm, tenant, None);
        suspension.is_some_and(|suspension| suspension.holds)
    }
}
