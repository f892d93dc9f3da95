//! Fresh, stale or spent: pure, and told the time.

use super::Cache;
use std::time::Duration;
use tokio::time::Instant;

/// After a look-up without an answer, how long a stale user is served before it is tried again.
pub const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// What an answer of some age is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It is served at once.
    Fresh,
    /// It is served only while the directory gives no trustworthy answer.
    Stale {
        /// Whether the directory is to be asked now, or failed a moment ago.
        ask: bool,
    },
    /// It is not served.
    Spent,
}

impl Freshness {
    /// Judges a found answer whose request was sent at `answered`; `failed` is the last look-up that
    /// brought none. Failures never lengthen a window.
    pub fn of_found(
        cache: &Cache,
        answered: Instant,
        failed: Option<Instant>,
        now: Instant,
    ) -> Self {
        let age = now.saturating_duration_since(answered);
        if age < cache.fresh {
            Self::Fresh
        } else if age < cache.fresh.saturating_add(cache.stale_if_error) {
            let ask = failed.is_none_or(|at| now.saturating_duration_since(at) >= ERROR_PAUSE);
            Self::Stale { ask }
        } else {
            Self::Spent
        }
    }

    /// Judges a recognized not-found.
    pub fn of_not_found(cache: &Cache, answered: Instant, now: Instant) -> Self {
        if now.saturating_duration_since(answered) < cache.not_found_for {
            Self::Fresh
        } else {
            Self::Spent
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn windows_begin_with_the_answer_and_failures_do_not_move_them() {
        let secs = Duration::from_secs;
        let cache = Cache {
            fresh: secs(60),
            stale_if_error: secs(900),
            not_found_for: secs(5),
            max_memory: 0,
        };
        let start = Instant::now();
        let at = |age: u64| start + secs(age);
        for (age, failed, expected) in [
            (0, None, Freshness::Fresh),
            (59, Some(58), Freshness::Fresh),
            (60, None, Freshness::Stale { ask: true }),
            (61, Some(61), Freshness::Stale { ask: false }),
            (62, Some(61), Freshness::Stale { ask: true }),
            (959, Some(959), Freshness::Stale { ask: false }),
            (960, Some(959), Freshness::Spent),
        ] {
            let freshness = Freshness::of_found(&cache, start, failed.map(at), at(age));
            assert_eq!(freshness, expected, "{age} {failed:?}");
        }
        assert_eq!(
            Freshness::of_not_found(&cache, start, at(4)),
            Freshness::Fresh
        );
        assert_eq!(
            Freshness::of_not_found(&cache, start, at(5)),
            Freshness::Spent
        );
        // A clock that seems to stand before the answer makes nothing stale.
        assert_eq!(
            Freshness::of_found(&cache, at(10), None, start),
            Freshness::Fresh
        );
    }
}
