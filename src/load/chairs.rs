//! Chairs for those who wait: nobody takes all of them.

use super::Who;
use std::collections::HashMap;

/// The fewest of all chairs that one subject may take, as one part of so many.
const SUBJECTS: usize = 8;

/// One subject may take so many, however few there are: a browser asks for a page and all that is on
/// it at once.
const HANDFUL: usize = 8;

/// Chairs that are taken, and by whom.
///
/// One subject takes at most an eighth of them, in whatever tenants it is asked for: so eight must
/// conspire to take all. Those who are not known take at most half together: what is left of it is for
/// known users, whoever else comes.
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
        let is_full = self.taken >= self.all
            || (!who.is_known() && self.unknown >= self.all.div_ceil(2))
            || who
                .subject()
                .is_some_and(|subject| self.of(subject) >= (self.all / SUBJECTS).max(HANDFUL));
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
    fn one_subject_takes_an_eighth_of_them_known_or_not() {
        for who in [Who::Known(7), Who::Stranger(7)] {
            let mut chairs = Chairs::new(256);
            assert_eq!(taken(&mut chairs, |_| who, 1000), 32);
            assert!(chairs.take(Who::Known(8)) && chairs.take(Who::Stranger(8)));
            chairs.leave(who);
            assert_eq!(taken(&mut chairs, |_| who, 1000), 1);
        }
    }

    #[test]
    fn those_who_are_not_known_take_half_of_them_together() {
        let mut chairs = Chairs::new(256);
        assert_eq!(taken(&mut chairs, Who::Stranger, 100), 100);
        assert_eq!(taken(&mut chairs, |_| Who::Unverified, 1000), 28);
        assert!(!chairs.take(Who::Stranger(1000)));
        assert_eq!(taken(&mut chairs, Who::Known, 1000), 128);
        assert_eq!(chairs.taken(), 256);
    }

    #[test]
    fn of_few_chairs_one_subject_takes_a_handful_and_a_single_one_is_anybodys() {
        assert_eq!(taken(&mut Chairs::new(20), |_| Who::Known(7), 100), 8);
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
                prop_assert!(chairs.subjects.values().all(|&of| of <= HANDFUL));
            }
            for who in sit {
                chairs.leave(who);
            }
            prop_assert!(chairs.taken == 0 && chairs.unknown == 0 && chairs.subjects.is_empty());
        }
    }
}
