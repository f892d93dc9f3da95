//! What is known of one group: which of its users were confirmed and which vanished, lately.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// The most users of a group that are remembered of one window: beyond it every second one is.
const MOST_USERS: usize = 4096;

/// Users by a keyed hash, so that the sets themselves need no key.
type Set = HashSet<u64, BuildHasherDefault<DefaultHasher>>;

/// Users that were asked for in the current window and the one before; each is in one set.
///
/// Up to [`MOST_USERS`] a window the counts are exact; beyond it they are estimated from a sample of
/// users, drawn by their hash, that is halved as often as needed.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    current: Window,
    before: Window,
}

#[derive(Debug, Default)]
struct Window {
    confirmed: Set,
    vanished: Set,
    /// How often the sample was halved.
    halved: u32,
}

impl Evidence {
    /// The user was found.
    pub(super) fn confirmed(&mut self, user: u64) {
        self.forget(user);
        if self.current.samples(user) {
            self.current.confirmed.insert(user);
            self.current.bound();
        }
    }

    /// The user was not found.
    pub(super) fn vanished(&mut self, user: u64) {
        self.forget(user);
        if self.current.samples(user) {
            self.current.vanished.insert(user);
            self.current.bound();
        }
    }

    /// The next window begins.
    pub(super) fn turn(&mut self) {
        self.before = std::mem::take(&mut self.current);
    }

    /// About how many users were asked for, and how many of them vanished.
    pub(super) fn counts(&self) -> (u64, u64) {
        let (known, vanished) = self.current.counts();
        let (known_before, vanished_before) = self.before.counts();
        (known + known_before, vanished + vanished_before)
    }

    fn forget(&mut self, user: u64) {
        for window in [&mut self.current, &mut self.before] {
            window.confirmed.remove(&user);
            window.vanished.remove(&user);
        }
    }
}

impl Window {
    fn samples(&self, user: u64) -> bool {
        user.trailing_zeros() >= self.halved
    }

    fn bound(&mut self) {
        while self.confirmed.len() + self.vanished.len() > MOST_USERS && self.halved < u64::BITS {
            self.halved += 1;
            let halved = self.halved;
            self.confirmed
                .retain(|user| user.trailing_zeros() >= halved);
            self.vanished.retain(|user| user.trailing_zeros() >= halved);
        }
    }

    fn counts(&self) -> (u64, u64) {
        let estimate = |sample: usize| {
            let sample = u64::try_from(sample).unwrap_or(u64::MAX);
            sample.saturating_mul(1_u64.checked_shl(self.halved).unwrap_or(u64::MAX))
        };
        let vanished = estimate(self.vanished.len());
        (
            vanished.saturating_add(estimate(self.confirmed.len())),
            vanished,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::Hasher;

    /// A hash that is the same in every run.
    fn hash(user: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(user);
        hasher.finish()
    }

    #[test]
    fn each_user_counts_once_and_ages_with_its_last_answer() {
        let mut evidence = Evidence::default();
        for _ in 0..3 {
            evidence.confirmed(1);
            evidence.vanished(2);
        }
        assert_eq!(evidence.counts(), (2, 1));
        evidence.turn();
        evidence.vanished(2);
        evidence.vanished(1);
        evidence.confirmed(1);
        assert_eq!(evidence.counts(), (2, 1));
        evidence.turn();
        evidence.vanished(2);
        evidence.turn();
        assert_eq!(evidence.counts(), (1, 1));
        evidence.turn();
        assert_eq!(evidence.counts(), (0, 0));
    }

    #[test]
    fn a_great_group_is_sampled_within_bounds_and_keeps_its_share() {
        let mut evidence = Evidence::default();
        for round in 0..2 {
            // A user that comes again in the next window is not counted twice.
            for user in 0..200_000 {
                if user % 4 == 0 {
                    evidence.vanished(hash(user));
                } else {
                    evidence.confirmed(hash(user));
                }
            }
            let kept = |window: &Window| window.confirmed.len() + window.vanished.len();
            assert!(kept(&evidence.current) <= MOST_USERS, "{round}");
            assert!(kept(&evidence.before) <= MOST_USERS, "{round}");
            let (known, vanished) = evidence.counts();
            assert!((180_000..220_000).contains(&known), "{known}");
            assert!((44_000..56_000).contains(&vanished), "{vanished}");
            evidence.turn();
        }
    }
}
