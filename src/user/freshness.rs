//! Fresh, stale or spent: pure, and told the time (RFC 9111, RFC 5861).

use super::Cache;
use super::directory::Lifetime;
use std::time::Duration;

/// After a look-up without an answer, how long a stale user is served before it is tried again.
pub const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// What `fresh` is shortened by at most, so that users who came together are not asked for together.
const JITTER: u32 = 16;

/// What an answer of some age is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It is served at once.
    Fresh,
    /// It is served at once, and asked for again in the background.
    Revalidate,
    /// It is served only while the directory gives no trustworthy answer.
    Stale,
    /// It is not served.
    Spent,
}

/// For how long a found answer is good, from when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// How long it is fresh.
    pub fresh: Duration,
    /// Whether it may be served while it is asked for again.
    pub revalidate: bool,
}

impl Term {
    /// What the directory said shortens what is configured, and so does a share of a sixteenth that
    /// `draw` decides; nothing lengthens it.
    pub fn of_found(cache: &Cache, lifetime: Lifetime, draw: u8) -> Self {
        let jitter = cache.fresh / JITTER * u32::from(draw) / 256;
        let ceiling = cache.fresh.saturating_sub(jitter);
        let fresh = match (lifetime.revalidate, lifetime.fresh) {
            (true, _) => Duration::ZERO,
            (false, Some(fresh)) => fresh.min(ceiling),
            (false, None) => ceiling,
        };
        Self {
            fresh,
            revalidate: !lifetime.revalidate,
        }
    }

    /// How long a not-found is remembered.
    pub fn of_not_found(cache: &Cache, lifetime: Lifetime) -> Duration {
        match (lifetime.revalidate, lifetime.fresh) {
            (true, _) => Duration::ZERO,
            (false, Some(fresh)) => fresh.min(cache.not_found_for),
            (false, None) => cache.not_found_for,
        }
    }
}

impl Freshness {
    /// Judges a found answer of some age, from when it was made. Both windows begin where its
    /// freshness ends; failures never lengthen one.
    pub fn of(cache: &Cache, term: Term, age: Duration) -> Self {
        let Some(stale) = age.checked_sub(term.fresh) else {
            return Self::Fresh;
        };
        if term.revalidate && stale < cache.stale_while_revalidate {
            Self::Revalidate
        } else if stale < cache.stale_if_error {
            Self::Stale
        } else {
            Self::Spent
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn secs(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    const CACHE: Cache = Cache {
        fresh: secs(64),
        stale_while_revalidate: secs(30),
        stale_if_error: secs(900),
        not_found_for: secs(5),
        tombstone_for: secs(90_000),
        max_memory: 0,
    };

    fn lifetime(fresh: Option<u64>, revalidate: bool) -> Lifetime {
        Lifetime {
            age: Duration::ZERO,
            fresh: fresh.map(secs),
            revalidate,
        }
    }

    #[test]
    fn both_windows_begin_where_freshness_ends() {
        let term = Term::of_found(&CACHE, lifetime(None, false), 0);
        for (age, expected) in [
            (0, Freshness::Fresh),
            (63, Freshness::Fresh),
            (64, Freshness::Revalidate),
            (93, Freshness::Revalidate),
            (94, Freshness::Stale),
            (963, Freshness::Stale),
            (964, Freshness::Spent),
        ] {
            assert_eq!(Freshness::of(&CACHE, term, secs(age)), expected, "{age}");
        }
    }

    #[test]
    fn what_the_directory_says_is_a_ceiling() {
        let fresh = |said, revalidate| {
            Term::of_found(&CACHE, lifetime(said, revalidate), 0)
                .fresh
                .as_secs()
        };
        assert_eq!(fresh(Some(10), false), 10);
        assert_eq!(fresh(Some(1000), false), 64);
        assert_eq!(fresh(Some(1000), true), 0);
        let not_found =
            |said, revalidate| Term::of_not_found(&CACHE, lifetime(said, revalidate)).as_secs();
        assert_eq!(not_found(None, false), 5);
        assert_eq!(not_found(Some(1), false), 1);
        assert_eq!(not_found(Some(60), false), 5);
        assert_eq!(not_found(None, true), 0);
    }

    #[test]
    fn what_must_be_asked_for_again_is_served_stale_only_on_error() {
        let term = Term::of_found(&CACHE, lifetime(None, true), 0);
        assert_eq!(Freshness::of(&CACHE, term, secs(0)), Freshness::Stale);
        assert_eq!(Freshness::of(&CACHE, term, secs(899)), Freshness::Stale);
        assert_eq!(Freshness::of(&CACHE, term, secs(900)), Freshness::Spent);
    }

    proptest! {
        #[test]
        fn jitter_only_shortens_and_by_a_sixteenth_at_most(draw in any::<u8>()) {
            let term = Term::of_found(&CACHE, lifetime(None, false), draw);
            prop_assert!(term.fresh <= CACHE.fresh);
            prop_assert!(term.fresh >= CACHE.fresh * 15 / 16);
        }

        #[test]
        fn an_answer_never_gets_fresher_with_age(age in 0_u64..2000, more in 0_u64..2000, draw in any::<u8>()) {
            let term = Term::of_found(&CACHE, lifetime(None, false), draw);
            let rank = |age| match Freshness::of(&CACHE, term, secs(age)) {
                Freshness::Fresh => 0,
                Freshness::Revalidate => 1,
                Freshness::Stale => 2,
                Freshness::Spent => 3,
            };
            prop_assert!(rank(age) <= rank(age + more));
        }
    }
}
