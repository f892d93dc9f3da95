//! Chairs for those who wait: nobody takes all of them.

use super::Who;
use std::collections::HashMap;

/// The part of a room that is kept for those who have few chairs, as one of so many.
const KEPT: usize = 8;

/// Whoever has so many does not have few.
const FEW: usize = 8;

/// Chairs that are taken, and by whom.
///
/// Those who are not known users take at most half of them together: the rest is for known users,
/// whoever else comes. In the whole room, and in that half, the last eighth is for subjects that have
/// fewer than eight, in whatever tenants they are asked for: a browser may ask for a page and all that
/// is on it at once, and still leaves room for others. Half of that eighth is open to those whose
/// token is not verified yet, too: in rooms of 64 and more no one subject keeps them out, and all of
/// them together do not keep out a subject that has few. Smaller rooms have less to keep.
#[derive(Debug)]
pub(super) struct Chairs {
    pub(super) all: usize,
    taken: usize,
    /// By those who are not known users.
    unknown: usize,
    /// By each subject that has any.
    subjects: HashMap<u64, usize>,
}

impl Chairs {
    pub(super) fn new(all: usize) -> Self {
        Self {
            all,
            taken: 0,
            unknown: 0,
            subjects: HashMap::new(),
        }
    }

    /// Chairs that are taken.
    pub(super) const fn taken(&self) -> usize {
        self.taken
    }

    /// Takes a chair, if there is one for them.
    pub(super) fn take(&mut self, who: Who) -> bool {
        let half = self.all.div_ceil(2);
        let has_few = who.subject().map(|subject| self.of(subject) < FEW);
        let is_over = |taken: usize, room: usize| {
            let kept = match has_few {
                Some(true) => 0,
                Some(false) => room / KEPT,
                None => (room / KEPT).div_ceil(2),
            };
            taken >= room - kept
        };
        let is_full =
            is_over(self.taken, self.all) || (!who.is_known() && is_over(self.unknown, half));
        if is_full {
            return false;
        }
        self.taken += 1;
        self.unknown += usize::from(!who.is_known());
        if let Some(subject) = who.subject() {
            *self.subjects.entry(subject).or_default() += 1;
        }
        true
    }

    /// Gives back a chair that these have taken.
    pub(super) fn leave(&mut self, who: Who) {
        self.taken -= 1;
        self.unknown -= usize::from(!who.is_known());
        let Some(subject) = who.subject() else {
            return;
        };
        match self.of(subject) {
            0 | 1 => {
                self.subjects.remove(&subject);
            }
            more => {
                self.subjects.insert(subject, more - 1);
            }
        }
    }

    fn of(&self, subject: u64) -> usize {
        self.subjects.get(&subject).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken(chairs: &mut Chairs, who: impl Fn(u64) -> Who, times: u64) -> usize {
        (0..times).filter(|&at| chairs.take(who(at))).count()
    }

    #[test]
    fn one_subject_leaves_an_eighth_of_the_room_to_others() {
        for (who, most) in [(Who::Known(7), 224), (Who::Stranger(7), 112)] {
            let mut chairs = Chairs::new(256);
            assert_eq!(taken(&mut chairs, |_| who, 1000), most);
            let other = |at| match who {
                Who::Known(_) => Who::Known(100 + at),
                Who::Stranger(_) | Who::Unverified => Who::Stranger(100 + at),
            };
            assert_eq!(taken(&mut chairs, other, 1000), most / 7);
            chairs.leave(other(0));
            assert!(!chairs.take(who) && chairs.take(other(0)));
        }
    }

    #[test]
    fn those_who_are_not_known_take_half_of_them_together() {
        let mut chairs = Chairs::new(256);
        assert_eq!(taken(&mut chairs, Who::Stranger, 100), 100);
        assert_eq!(taken(&mut chairs, |_| Who::Unverified, 1000), 20);
        let others = |at| Who::Stranger(1000 + at);
        assert_eq!(taken(&mut chairs, others, 1000), 8);
        assert_eq!(taken(&mut chairs, Who::Known, 1000), 128);
        assert_eq!(chairs.taken(), 256);
    }

    #[test]
    fn no_subject_keeps_out_those_whose_token_is_not_verified_yet() {
        for (who, left) in [(Who::Known(7), 16), (Who::Stranger(7), 8)] {
            let mut chairs = Chairs::new(256);
            taken(&mut chairs, |_| who, 1000);
            assert_eq!(taken(&mut chairs, |_| Who::Unverified, 1000), left);
        }
    }

    #[test]
    fn rooms_of_64_and_more_have_enough_to_keep() {
        for room in 64..300 {
            for who in [Who::Known(7), Who::Stranger(7), Who::Unverified] {
                for other in [Who::Known(8), Who::Stranger(8), Who::Unverified] {
                    let mut chairs = Chairs::new(room);
                    taken(&mut chairs, |_| who, 1000);
                    let is_same = who == other;
                    assert!(is_same || chairs.take(other), "{room}: {who:?}, {other:?}");
                }
            }
        }
    }

    #[test]
    fn those_whose_token_is_not_verified_yet_leave_room_to_those_who_have_few() {
        let mut chairs = Chairs::new(256);
        assert_eq!(taken(&mut chairs, |_| Who::Unverified, 1000), 120);
        assert_eq!(taken(&mut chairs, Who::Stranger, 1000), 8);
        assert_eq!(taken(&mut chairs, Who::Known, 1000), 128);
    }

    #[test]
    fn a_single_chair_is_anybodys() {
        for who in [Who::Known(7), Who::Stranger(7), Who::Unverified] {
            assert_eq!(taken(&mut Chairs::new(1), |_| who, 100), 1, "{who:?}");
            assert_eq!(taken(&mut Chairs::new(0), |_| who, 100), 0, "{who:?}");
        }
    }

    proptest! {
        #[test]
        fn no_sequence_passes_the_shares_or_leaves_anything_behind(
            steps in proptest::collection::vec((0..4_u64, 0..3_u8, any::<bool>(), any::<usize>()), 0..300),
            all in 0..40_usize,
        ) {
            let mut chairs = Chairs::new(all);
            let mut sit = Vec::new();
            for (subject, who, leaves, at) in steps {
                let who = match who {
                    0 => Who::Known(subject),
                    1 => Who::Stranger(subject),
                    _ => Who::Unverified,
                };
                if leaves && !sit.is_empty() {
                    chairs.leave(sit.swap_remove(at % sit.len()));
                } else if chairs.take(who) {
                    sit.push(who);
                }
                prop_assert!(chairs.taken() == sit.len() && sit.len() <= all);
                prop_assert!(chairs.unknown <= all.div_ceil(2));
                let most = (all - all / KEPT).max(FEW);
                prop_assert!(chairs.subjects.values().all(|&of| of <= most));
            }
            for who in sit {
                chairs.leave(who);
            }
            prop_assert!(chairs.taken == 0 && chairs.unknown == 0 && chairs.subjects.is_empty());
        }
    }
}
