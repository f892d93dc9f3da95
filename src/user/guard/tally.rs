//! The arithmetic of the two rules, in whole numbers: millionths of a user.

use super::VanishGuard;
use std::collections::BTreeMap;

const MILLION: i128 = 1_000_000;

/// The share and the fewest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// In millionths.
    share: i128,
    min: u64,
}

/// What a group says where all are judged, in millionths of the users that it speaks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Voice {
    /// Those that vanished.
    lost: i128,
    /// Those that vanished beyond the share; below zero where fewer did.
    beyond: i128,
}

/// What all groups say.
#[derive(Debug, Default)]
pub(super) struct Tally {
    lost: Sum,
    beyond: Sum,
}

/// A sum that knows its greatest part.
#[derive(Debug, Default)]
struct Sum {
    total: i128,
    parts: BTreeMap<i128, usize>,
}

impl Rule {
    pub(super) fn new(config: &VanishGuard) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a share is between 0 and 1; whatever is not would be cut to the nearest number"
        )]
        let share = (config.share * 1_000_000.0).round() as i128;
        Self {
            share,
            min: u64::try_from(config.min.max(1)).unwrap_or(u64::MAX),
        }
    }

    /// Whether a group is held alone.
    pub(super) fn holds_alone(&self, known: u64, vanished: u64) -> bool {
        vanished >= self.min && self.is_passed(known, vanished)
    }

    /// Whether a group lost more than the share, however few that are.
    pub(super) fn is_passed(&self, known: u64, vanished: u64) -> bool {
        i128::from(vanished) * MILLION > self.share * i128::from(known)
    }

    /// What a group says where all are judged.
    pub(super) fn voice(&self, known: u64, vanished: u64) -> Voice {
        let spoken_for = i128::from(known.min(self.min));
        let lost = i128::from(vanished) * spoken_for * MILLION / i128::from(known.max(1));
        Voice {
            lost,
            beyond: lost - self.share * spoken_for,
        }
    }

    /// Whether all are held: whichever group is left out, the others pass.
    pub(super) fn holds_all(&self, tally: &Tally) -> bool {
        tally.lost.without_greatest() >= i128::from(self.min) * MILLION
            && tally.beyond.without_greatest() > 0
    }
}

impl Tally {
    /// Puts a group's new voice in the place of its old one.
    pub(super) fn replace(&mut self, old: Voice, new: Voice) {
        if old != new {
            self.remove(old);
            self.add(new);
        }
    }

    pub(super) fn add(&mut self, voice: Voice) {
        self.lost.add(voice.lost);
        self.beyond.add(voice.beyond);
    }

    pub(super) fn remove(&mut self, voice: Voice) {
        self.lost.remove(voice.lost);
        self.beyond.remove(voice.beyond);
    }
}

impl Sum {
    fn add(&mut self, part: i128) {
        self.total += part;
        *self.parts.entry(part).or_default() += 1;
    }

    fn remove(&mut self, part: i128) {
        if let Some(count) = self.parts.get_mut(&part) {
            *count -= 1;
            if *count == 0 {
                self.parts.remove(&part);
            }
            self.total -= part;
        }
    }

    fn without_greatest(&self) -> i128 {
        let greatest = self.parts.last_key_value().map_or(0, |(part, _)| *part);
        self.total - greatest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    const SHARE: f64 = 0.2;
    const MIN: u64 = 20;

    fn rule() -> Rule {
        Rule::new(&VanishGuard {
            share: SHARE,
            window: Duration::from_secs(60),
            min: 20,
        })
    }

    fn tally(groups: &[(u64, u64)]) -> Tally {
        let mut tally = Tally::default();
        for (known, vanished) in groups {
            tally.add(rule().voice(*known, *vanished));
        }
        tally
    }

    /// Whether groups pass the rule over all by so many users, none left out; written anew.
    fn pass(groups: &[(u64, u64)], by: f64) -> bool {
        let (mut spoken_for, mut lost) = (0.0, 0.0);
        for (known, vanished) in groups.iter().filter(|(known, _)| *known > 0) {
            #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
            let (known, vanished) = (*known as f64, *vanished as f64);
            spoken_for += known.min(20.0);
            lost += vanished * known.min(20.0) / known;
        }
        lost >= 19.999 && lost - SHARE * spoken_for > by
    }

    /// Whether they pass it whichever is left out.
    fn pass_less_any(groups: &[(u64, u64)], by: f64) -> bool {
        (0..groups.len()).all(|left_out| {
            let mut rest = groups.to_vec();
            rest.remove(left_out);
            pass(&rest, by)
        })
    }

    #[test]
    fn a_group_is_held_alone_beyond_the_share_and_from_the_fewest_on() {
        let holds = |known, vanished| rule().holds_alone(known, vanished);
        assert!(!holds(19, 19));
        assert!(holds(20, 20));
        assert!(!holds(100, 20));
        assert!(holds(99, 20));
        assert!(!holds(1_000_000, 200_000));
        assert!(holds(1_000_000, 200_001));
        let never = Rule::new(&VanishGuard {
            share: 1.0,
            window: Duration::from_secs(60),
            min: 0,
        });
        assert!(!never.holds_alone(50, 50));
        let mut all = Tally::default();
        for _ in 0..50 {
            all.add(never.voice(50, 50));
        }
        assert!(!never.holds_all(&all));
    }

    #[test]
    fn all_are_held_only_if_more_than_one_group_lost_enough() {
        let holds = |groups: &[(u64, u64)]| rule().holds_all(&tally(groups));
        assert!(!holds(&[]));
        assert!(!holds(&[(1000, 1000)]));
        // The other one lost one user.
        assert!(!holds(&[(1000, 1000), (1000, 1)]));
        // Small ones, emptied: none of them would be held alone.
        assert!(!holds(&[(5, 5); 4]));
        assert!(holds(&[(5, 5); 5]));
        assert!(holds(&[(1000, 1000), (1000, 1000)]));
        // Among many that are well.
        let mut groups = vec![(1000, 0); 20];
        groups.extend([(1000, 1000), (1000, 1000)]);
        assert!(!holds(&groups));
        groups.extend([(1000, 1000); 10]);
        assert!(holds(&groups));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn one_group_neither_holds_nor_frees_the_others(
            others in proptest::collection::vec((0..60_u64, 0..=100_u64), 0..14),
            (known, percent) in (0..100_000_u64, 0..=100_u64),
        ) {
            let lost = |(known, percent): &(u64, u64)| (*known, known * percent / 100);
            let others: Vec<_> = others.iter().map(lost).collect();
            let mut with = others.clone();
            with.push((known, known * percent / 100));
            let (without, with) = (rule().holds_all(&tally(&others)), rule().holds_all(&tally(&with)));
            // A hair's breadth, since one side counts in whole millionths.
            if with || without {
                prop_assert!(pass(&others, -0.001), "held, and the others did not pass");
            }
            #[expect(clippy::cast_precision_loss, reason = "the number is small")]
            if !others.is_empty() && pass_less_any(&others, SHARE * MIN as f64 + 0.001) {
                prop_assert!(with, "freed, and the others had passed by far");
            }
        }

        #[test]
        fn a_sum_without_its_greatest_part_is_what_it_says(
            parts in proptest::collection::vec(-50..50_i128, 0..30), keep in 0..30_usize,
        ) {
            let mut sum = Sum::default();
            for part in &parts {
                sum.add(*part);
            }
            let kept = parts.get(keep..).unwrap_or_default();
            for part in parts.iter().take(keep) {
                sum.remove(*part);
            }
            let greatest = kept.iter().max().copied().unwrap_or_default();
            prop_assert_eq!(sum.without_greatest(), kept.iter().sum::<i128>() - greatest);
        }
    }
}
