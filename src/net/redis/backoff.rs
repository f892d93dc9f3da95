//! How long to wait before the next attempt.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(50);

/// The jitter is added to it, up to as much again.
const LONGEST: Duration = Duration::from_millis(2500);

/// Pauses between attempts to connect: 50 ms at first, 5 s at most, each up to double by chance, so that
/// a thousand sidecars do not come back as one.
#[derive(Debug)]
pub struct Backoff(ExponentialBackoff);

impl Backoff {
    /// Begins with the shortest pause.
    pub fn new() -> Self {
        let builder = ExponentialBuilder::default()
            .with_min_delay(SHORTEST)
            .with_max_delay(LONGEST)
            .without_max_times()
            .with_jitter()
            .with_jitter_seed(RandomState::new().hash_one(()));
        Self(builder.build())
    }

    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        self.0.next().unwrap_or(LONGEST)
    }

    /// It works again: the next pause is short.
    pub fn reset(&mut self) {
        *self = Self::new();
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_50_ms_to_5_s_and_begin_anew() {
        let mut backoff = Backoff::new();
        let pauses: Vec<_> = std::iter::repeat_with(|| backoff.pause())
            .take(20)
            .collect();
        assert!((50..=100).contains(&pauses[0].as_millis()), "{pauses:?}");
        for pause in &pauses[10..] {
            assert!((2500..=5000).contains(&pause.as_millis()), "{pauses:?}");
        }
        backoff.reset();
        assert!(backoff.pause() <= Duration::from_millis(100));
    }

    #[test]
    fn two_do_not_wait_alike() {
        let pauses = |mut backoff: Backoff| [(); 8].map(|()| backoff.pause());
        assert_ne!(pauses(Backoff::new()), pauses(Backoff::new()));
    }
}
