//! Moments, counted from one, so that they take little room.

use std::time::Duration;
use tokio::time::Instant;

/// The moment from which times are counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start(Instant);

impl Start {
    pub(super) fn now() -> Self {
        Self(Instant::now())
    }

    /// A moment, in microseconds from the start.
    pub(super) fn micros(self, moment: Instant) -> u64 {
        let since = moment.saturating_duration_since(self.0);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    /// The moment that lies so many microseconds from the start.
    pub(super) fn moment(self, micros: u64) -> Instant {
        self.0 + Duration::from_micros(micros)
    }

    /// How long ago a moment was.
    pub(super) fn since(self, micros: u64, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.0);
        since.saturating_sub(Duration::from_micros(micros))
    }

    /// A moment in milliseconds from the start, of which the upper half is cut off.
    pub(super) fn turning_millis(self, moment: Instant) -> u32 {
        let since = moment.saturating_duration_since(self.0).as_millis();
        u32::try_from(since & u128::from(u32::MAX)).unwrap_or_default()
    }
}

pub(super) const fn millis(count: u32) -> Duration {
    Duration::from_millis(count as u64)
}

pub(super) fn in_millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
