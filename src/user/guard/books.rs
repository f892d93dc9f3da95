//! The books of the guard: evidence by group, and what follows from it.

use super::evidence::Evidence;
use super::tally::{Rule, Voice};
use super::{Books, Group, GroupStatus, Hold, MOST_GROUPS, Member, News, Status, Verdict};
use crate::user::VanishGuard;
use crate::user::directory::Query;
use std::collections::hash_map::Entry;
use tokio::time::Instant;

impl Books {
    /// Counts an answer about a user of a group, and says how the group stands; one that finds no room
    /// is not held alone.
    pub(super) fn count(&mut self, query: &Query<'_>, answer: impl FnOnce(&mut Evidence)) -> Hold {
        let group = Group::from(query);
        let full = self.groups.len() >= MOST_GROUPS;
        let member = match self.groups.entry(group.clone()) {
            Entry::Occupied(member) => member.into_mut(),
            Entry::Vacant(_) if full => {
                self.uncounted += 1;
                return Hold::default();
            }
            Entry::Vacant(place) => {
                self.voices.add(Voice::default());
                self.unreleased.add(Voice::default());
                place.insert(Member::default())
            }
        };
        answer(&mut member.evidence);
        self.judge(&group)
    }

    /// What becomes of a not-found of a group that stands so.
    pub(super) fn verdict(&mut self, group: Hold) -> Verdict {
        self.judge_all();
        let held = group.held || (self.all.held && !group.released);
        if held && !self.all.released {
            Verdict::Held
        } else {
            Verdict::Believed
        }
    }

    /// Judges by another rule what is known.
    pub(super) fn obey(&mut self, config: &VanishGuard, now: Instant) {
        if *config == self.config {
            return;
        }
        if config.window != self.config.window {
            (self.start, self.window) = (now, 0);
        }
        self.rule = Rule::new(config);
        self.config = config.clone();
        self.judge_each(|_| {});
    }

    /// Begins the windows up to now: evidence ages, and groups without any go.
    pub(super) fn turn_to(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.start).as_nanos();
        let window = passed / self.config.window.as_nanos().max(1);
        let turns = window.saturating_sub(self.window).min(2);
        if turns == 0 {
            return;
        }
        self.window = window;
        self.judge_each(|member| {
            for _ in 0..turns {
                member.evidence.turn();
            }
        });
        self.judge_all();
        let Self {
            groups,
            voices,
            unreleased,
            ..
        } = self;
        groups.retain(|_, member| {
            // An operator's word outlives the evidence while all would be held.
            let stays = member.evidence.counts().0 > 0 || member.hold.released;
            if !stays {
                voices.remove(member.voice);
                unreleased.remove(member.unreleased);
            }
            stays
        });
    }

    /// Holds all groups against the rule over all.
    pub(super) fn judge_all(&mut self) {
        let over = self.rule.holds_all(&self.voices);
        let released = self.all.released && over;
        let held = !released && self.rule.holds_all(&self.unreleased);
        let before = std::mem::replace(
            &mut self.all,
            Hold {
                held,
                released,
                over,
            },
        );
        if held != before.held {
            let (known, vanished) = self.counts();
            self.news.push(News {
                group: None,
                known,
                vanished,
                held,
                loud: true,
            });
        }
        if before.over && !over {
            // Words that stood for that alone are spent.
            self.judge_each(|_| {});
        }
    }

    /// Takes an operator's word for a group; false where nothing held it.
    pub(super) fn release(&mut self, group: &Group) -> bool {
        let held_with_all = self.all.held;
        let Some(member) = self.groups.get_mut(group) else {
            return false;
        };
        if member.hold.released || !(member.hold.held || held_with_all) {
            return false;
        }
        member.hold.released = true;
        self.judge(group);
        true
    }

    /// Takes an operator's word for all; how many holds that ended.
    pub(super) fn release_all(&mut self) -> usize {
        let all = self.all.held;
        let held = self.groups.iter().filter(|(_, member)| member.hold.held);
        let held: Vec<_> = held.map(|(group, _)| group.clone()).collect();
        let released = held.iter().filter(|group| self.release(group)).count();
        // Ended by the next look at the rule if that is not passed.
        self.all.released = true;
        usize::from(all) + released
    }

    /// Holds a group against its rule.
    fn judge(&mut self, group: &Group) -> Hold {
        let Some((group, mut member)) = self.groups.remove_entry(group) else {
            return Hold::default();
        };
        self.judge_member(&group, &mut member);
        let hold = member.hold;
        self.groups.insert(group, member);
        hold
    }

    /// Holds each group against its rule, after this was done to it.
    fn judge_each(&mut self, change: impl Fn(&mut Member)) {
        let mut groups = std::mem::take(&mut self.groups);
        for (group, member) in &mut groups {
            change(member);
            self.judge_member(group, member);
        }
        self.groups = groups;
    }

    fn judge_member(&mut self, group: &Group, member: &mut Member) {
        let (known, vanished) = member.evidence.counts();
        let over = self.rule.is_passed(known, vanished);
        let released = member.hold.released && (over || self.all.over);
        let held = !released && self.rule.holds_alone(known, vanished);
        let before = std::mem::replace(
            &mut member.hold,
            Hold {
                held,
                released,
                over,
            },
        );
        let voice = self.rule.voice(known, vanished);
        let unreleased = if released { Voice::default() } else { voice };
        self.voices.replace(member.voice, voice);
        self.unreleased.replace(member.unreleased, unreleased);
        (member.voice, member.unreleased) = (voice, unreleased);
        if held != before.held {
            self.news.push(News {
                group: Some(group.clone()),
                known,
                vanished,
                held,
                loud: !self.all.held,
            });
        }
    }

    pub(super) fn status(&self) -> Status {
        let (known, vanished) = self.counts();
        let mut groups: Vec<_> = self
            .groups
            .iter()
            .map(|(group, member)| {
                let (known, vanished) = member.evidence.counts();
                GroupStatus {
                    group: group.clone(),
                    known,
                    vanished,
                    held: member.hold.held,
                    released: member.hold.released,
                }
            })
            .filter(|status| status.vanished > 0 || status.released)
            .collect();
        groups.sort_by(|one, other| one.group.cmp(&other.group));
        Status {
            all_held: self.all.held,
            all_released: self.all.released,
            known,
            vanished,
            uncounted: self.uncounted,
            groups,
        }
    }

    fn counts(&self) -> (u64, u64) {
        self.groups
            .values()
            .map(|member| member.evidence.counts())
            .fold((0, 0), |(known, vanished), (more, gone)| {
                (known.saturating_add(more), vanished.saturating_add(gone))
            })
    }
}

impl News {
    pub(super) fn tell(&self) {
        let Self {
            group,
            known,
            vanished,
            held,
            loud,
        } = self;
        match (group, held) {
            (Some(Group { realm, tenant }), _) if !loud => tracing::debug!(
                %realm,
                tenant = tenant.as_deref(),
                known,
                vanished,
                held,
                "not-found answers are held for all tenants, and for this one on its own account"
            ),
            (Some(Group { realm, tenant }), true) => tracing::warn!(
                %realm,
                tenant = tenant.as_deref(),
                known,
                vanished,
                "too many known users of a tenant vanished at once: not-found answers are held; \
                 see whether the directory lost them, or release the tenant"
            ),
            (Some(Group { realm, tenant }), false) => tracing::info!(
                %realm,
                tenant = tenant.as_deref(),
                known,
                vanished,
                "not-found answers of a tenant are believed again"
            ),
            (None, true) => tracing::warn!(
                known,
                vanished,
                "too many known users of several tenants vanished at once: all not-found answers of \
                 known users are held; see whether the directory lost them, or release all"
            ),
            (None, false) => tracing::info!(
                known,
                vanished,
                "not-found answers are no longer held for all tenants"
            ),
        }
    }
}
