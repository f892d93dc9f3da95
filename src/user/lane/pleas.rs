//! `Retry-After`: the directory's pleas not to be asked about someone, or at all, for a while.

use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// The longest `Retry-After` that is obeyed.
const MOST_OBEYED: Duration = Duration::from_secs(60);

/// It wants not to be asked at all, if it says so of so many different users.
///
/// Fewer than the breaker needs, since it says what it wants; one alone would let whoever provokes a
/// single 429 shut out everybody, and two are still one person with two accounts.
const MANY: usize = 3;

/// The most users whose pause is remembered.
const MOST_USERS: usize = 1024;

/// Who is not to be asked for until when, as the directory said to one lane.
#[derive(Debug, Default)]
pub(super) struct Pleas {
    users: HashMap<u64, Instant>,
    /// Those of the users whose pauses end last, since the latest answer; each once.
    longest: Vec<(u64, Instant)>,
}

impl Pleas {
    /// The directory wants not to be asked about this user for a while.
    pub(super) fn hear(&mut self, user: u64, wait: Duration, now: Instant) {
        let until = now + wait.min(MOST_OBEYED);
        if !self.users.contains_key(&user) {
            self.make_room(now);
        }
        let known = self.users.entry(user).or_insert(until);
        *known = until.max(*known);
        let until = *known;
        self.longest.retain(|(other, _)| *other != user);
        self.longest.push((user, until));
        self.longest.sort_unstable_by_key(|(_, until)| *until);
        if self.longest.len() > MANY {
            self.longest.remove(0);
        }
    }

    /// The directory answered: it may be asked about others.
    pub(super) fn answered(&mut self) {
        self.longest.clear();
    }

    /// Until when it is not to be asked about this user.
    pub(super) fn until(&self, user: u64) -> Option<Instant> {
        self.users.get(&user).copied().max(self.until_for_all())
    }

    /// Until when it is not to be asked about anybody: as long as so many users wait.
    pub(super) fn until_for_all(&self) -> Option<Instant> {
        let (_, until) = self.longest.first()?;
        (self.longest.len() == MANY).then_some(*until)
    }

    /// Room for another user: pauses that are over go, and else the one that ends first.
    fn make_room(&mut self, now: Instant) {
        if self.users.len() < MOST_USERS {
            return;
        }
        self.users.retain(|_, until| *until > now);
        if self.users.len() < MOST_USERS {
            return;
        }
        let first = self.users.iter().min_by_key(|(_, until)| **until);
        if let Some(first) = first.map(|(user, _)| *user) {
            self.users.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn all_wait_for_as_long_as_three_users_wait_and_one_long_plea_holds_its_own_user_alone() {
        let (mut pleas, now) = (Pleas::default(), Instant::now());
        pleas.hear(1, 86_400 * SECOND, now);
        pleas.hear(1, SECOND, now);
        pleas.hear(2, 9 * SECOND, now);
        assert_eq!(pleas.until(1), Some(now + 60 * SECOND));
        assert_eq!(pleas.until(2), Some(now + 9 * SECOND));
        assert_eq!((pleas.until(7), pleas.until_for_all()), (None, None));
        pleas.hear(3, 4 * SECOND, now);
        assert_eq!(pleas.until(7), Some(now + 4 * SECOND));
        pleas.hear(4, 20 * SECOND, now);
        assert_eq!(pleas.until(7), Some(now + 9 * SECOND));
        pleas.answered();
        assert_eq!(pleas.until(7), None);
        assert_eq!(pleas.until(4), Some(now + 20 * SECOND), "he was told so");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_longest_pauses_stay() {
        let (mut pleas, now) = (Pleas::default(), Instant::now());
        for user in 0..5000 {
            let wait = if user == 0 { 50 } else { 20 };
            pleas.hear(user, wait * SECOND, now);
        }
        assert_eq!(pleas.users.len(), MOST_USERS);
        pleas.answered();
        assert_eq!(pleas.until(0), Some(now + 50 * SECOND));
        pleas.hear(9999, SECOND, now + 51 * SECOND);
        assert_eq!(pleas.users.len(), 1, "pauses that are over go first");
    }

    proptest! {
        #[test]
        fn all_wait_only_while_three_different_users_would(
            steps in proptest::collection::vec((0..6_u64, 0..70_u64, 0..10_u32, 0..8_u8), 0..60),
        ) {
            let mut pleas = Pleas::default();
            let mut now = Instant::now();
            let mut told: HashMap<u64, Instant> = HashMap::new();
            for (user, wait, after, answered) in steps {
                now += SECOND * after;
                if answered == 0 {
                    pleas.answered();
                    told.clear();
                }
                let wait = Duration::from_secs(wait);
                pleas.hear(user, wait, now);
                let until = pleas.users[&user];
                told.insert(user, until);
                let wait_now = told.values().filter(|until| **until > now).count();
                let all = pleas.until_for_all().is_some_and(|until| until > now);
                prop_assert_eq!(all, wait_now >= MANY);
            }
        }
    }
}
