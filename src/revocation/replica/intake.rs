//! What a reader makes of what it has read.

use super::reader::Reader;
use super::wire::Entry;
use crate::event;
use crate::revocation::copy::Cleared;
use crate::revocation::name::Name;
use crate::revocation::store::{Key, StoredEvent, Value};
use crate::revocation::strike::Strike;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

impl Reader {
    /// Takes in an entry.
    pub(super) fn apply(&mut self, entry: &Entry) {
        self.shared.counts.entries.fetch_add(1, Ordering::Relaxed);
        match &*entry.op {
            "put" => {
                let copy = self.shared.copy.load();
                let diverged = self.shared.diverged.load(Ordering::Acquire);
                self.take(&entry.name, &entry.value, |name, strikes, cleared| {
                    if diverged {
                        // The store may have lost what was known under this name before.
                        copy.join(name, strikes, cleared);
                    } else {
                        copy.put(name, strikes, cleared);
                    }
                });
            }
            "event" => self.tell(&entry.value),
            "beat" => {
                let millis = entry.link.id.split('-').next();
                let written = millis.and_then(|millis| millis.parse().ok());
                self.beat = written.map(|at| (at, Instant::now())).or(self.beat);
            }
            "accept" => self.accepted = true,
            _ => self.unreadable("an unknown operation"),
        }
    }

    /// Takes in what is known under a name; `put` does it where that is a revocation.
    pub(super) fn take(
        &self,
        name: &str,
        value: &str,
        put: impl FnOnce(Name<'_>, Vec<Strike>, Option<Cleared>),
    ) {
        let value = serde_json::from_str::<Value>(value);
        match (Key::parse(name), value) {
            (Some(Key::Revoked(named)), Ok(value)) => {
                put(named.lent(), value.strikes(), value.cleared());
            }
            (Some(Key::Revoked(named)), Err(_)) => {
                self.unreadable("a value");
                let whatever = Strike {
                    reason: Some("what the store says of it cannot be read".into()),
                    ..Strike::default()
                };
                put(named.lent(), vec![whatever], None);
            }
            (Some(Key::Lifecycle { .. }), Ok(value)) => {
                for event in &value.events {
                    self.tell(event);
                }
            }
            (None, _) | (Some(Key::Lifecycle { .. }), Err(_)) => {
                self.unreadable("a name or an event");
            }
        }
    }

    fn tell(&self, written: &str) {
        let event = serde_json::from_str::<StoredEvent>(written).ok();
        let Some(event) = event.and_then(|event| event.event()) else {
            return self.unreadable("an event");
        };
        if let Err(error) = event::apply(&event, &self.ledger, self.clock.now()) {
            // The error itself may name a subject.
            tracing::warn!(
                why = error.kind(),
                event = event.kind.as_str(),
                "event of the store not taken"
            );
        }
    }

    fn unreadable(&self, what: &'static str) {
        let count: &AtomicU64 = &self.shared.counts.unreadable;
        if count.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!(
                what,
                "the revocation store holds something that is not of its format; more of it is only counted"
            );
        }
    }
}
