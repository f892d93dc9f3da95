//! How much is taken on at once, and who may wait.

mod chairs;

use chairs::Chairs;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::{Instant, timeout_at};

/// The places for decisions that are made and for decisions that wait; a handle, cheap to clone.
///
/// A decision that waits for a key or a look-up gives its place to others, so that strangers who
/// make it wait cannot crowd out those who are known.
#[derive(Clone, Debug)]
pub struct Load {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
    /// Looked at by those alone who wait.
    chairs: Mutex<Chairs>,
}

/// Who waits; subjects are told apart by a keyed hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A user who was found before.
    Known(u64),
    /// Anybody else whose token is verified.
    Stranger(u64),
    /// The bearer of a token that waits for its key, or for the status that its issuer gives it.
    Unverified,
}

/// A place among the decisions that are made, given back when dropped.
#[derive(Debug)]
pub struct Place {
    shared: Arc<Shared>,
    /// The moment at which waiting must end.
    deadline: Instant,
}

/// Why a wait came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWait {
    /// Too many wait already, or too many of theirs.
    #[error("too many requests wait already")]
    Full,
    /// The time was over.
    #[error("the time was over")]
    Late,
}

impl Load {
    /// Makes room for so many.
    pub fn new(in_flight: usize, waiting: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                in_flight: AtomicUsize::new(0),
                max_in_flight: AtomicUsize::new(in_flight),
                chairs: Mutex::new(Chairs::new(waiting)),
            }),
        }
    }

    /// Changes the room; whoever has a place keeps it.
    pub fn resize(&self, in_flight: usize, waiting: usize) {
        self.shared
            .max_in_flight
            .store(in_flight, Ordering::Relaxed);
        self.shared.chairs.lock().all = waiting;
    }

    /// Takes a place, if one is free, for a decision that must be made by `deadline`.
    pub fn admit(&self, deadline: Instant) -> Option<Place> {
        let before = self.shared.in_flight.fetch_add(1, Ordering::Relaxed);
        let place = Place {
            shared: Arc::clone(&self.shared),
            deadline,
        };
        (before < self.shared.max_in_flight.load(Ordering::Relaxed)).then_some(place)
    }

    /// Decisions being made and decisions that wait.
    pub fn now(&self) -> (usize, usize) {
        (
            self.shared.in_flight.load(Ordering::Relaxed),
            self.shared.chairs.lock().taken(),
        )
    }
}

impl Place {
    /// When the decision must be made.
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Waits for `outcome`, no longer than `until` and the deadline, where there is a chair for them.
    pub async fn wait<T>(
        &self,
        who: Who,
        until: Instant,
        outcome: impl Future<Output = T>,
    ) -> Result<T, NoWait> {
        let Some(_chair) = Chair::take(&self.shared, who) else {
            return Err(NoWait::Full);
        };
        timeout_at(until.min(self.deadline), outcome)
            .await
            .map_err(|_| NoWait::Late)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Who {
    const fn is_known(self) -> bool {
        matches!(self, Self::Known(_))
    }

    const fn subject(self) -> Option<u64> {
        match self {
            Self::Known(subject) | Self::Stranger(subject) => Some(subject),
            Self::Unverified => None,
        }
    }
}

/// A chair for one who waits, who in the meantime takes no place.
struct Chair<'s> {
    shared: &'s Shared,
    who: Who,
}

impl<'s> Chair<'s> {
    fn take(shared: &'s Shared, who: Who) -> Option<Self> {
        shared.chairs.lock().take(who).then(|| {
            shared.in_flight.fetch_sub(1, Ordering::Relaxed);
            Self { shared, who }
        })
    }
}

impl Drop for Chair<'_> {
    fn drop(&mut self) {
        self.shared.in_flight.fetch_add(1, Ordering::Relaxed);
        self.shared.chairs.lock().leave(self.who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_leaves_his_place_to_others_and_no_more_wait_than_may() {
        let load = Load::new(1, 1);
        let far = Instant::now() + Duration::from_secs(60);
        let first = load.admit(far).unwrap();
        assert!(load.admit(far).is_none());
        let mut waiting = Box::pin(first.wait(Who::Known(1), far, std::future::pending::<()>()));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert_eq!(load.now(), (0, 1));
        let second = load.admit(far).unwrap();
        assert_eq!(
            second.wait(Who::Known(2), far, async {}).await,
            Err(NoWait::Full)
        );
        assert_eq!(waiting.as_mut().await, Err(NoWait::Late));
        drop(waiting);
        drop((first, second));
        assert_eq!(load.now(), (0, 0));
    }
}
