//! What was answered, told and seen, and whether what is seen now is allowed by that.

use super::liar::{Who, id};
use crate::clock::Timestamp;
use crate::event::{Kind, Whom};
use crate::user::{Cache, Cached, Existence, Known, NotKnown};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// When the first change happened.
pub(super) const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// No look-up lasts longer.
const LONGEST: Duration = Duration::from_secs(10);

/// Whom an event names, and in which tenant, if in one.
pub(super) type Fence = (Whom, Option<Arc<str>>);

/// What is promised.
pub(super) struct Rules {
    pub(super) cache: Cache,
    /// How long a fence stands that marks nobody.
    pub(super) fence_for: Duration,
    pub(super) grace: Duration,
    pub(super) versioned: bool,
    pub(super) canary: bool,
    pub(super) guard: bool,
    pub(super) kinds: Vec<Kind>,
}

pub(super) struct History {
    rules: Rules,
    answers: Vec<Answer>,
    told: HashMap<Fence, Vec<(usize, Instant)>>,
    missed: Option<Instant>,
    forgotten: Vec<(Who, Instant)>,
    seen: Vec<Seen>,
    /// Settings that ruled before those of the rules, and until when.
    before: Vec<(Cache, Instant)>,
}

#[derive(Clone, Debug)]
struct Answer {
    who: (String, String),
    sent: Instant,
    came: Instant,
    age: Duration,
    /// The change after which the user is as was said; `None` for a not-found.
    change: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) who: Who,
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) token: Option<Duration>,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    There(usize, Cached),
    Gone,
    Disabled,
    NotYetVisible,
    Unknown,
}

impl From<&Result<Known, NotKnown>> for Outcome {
    fn from(found: &Result<Known, NotKnown>) -> Self {
        match found {
            Ok(known) => match &known.existence {
                Existence::There { user, .. } => {
                    Self::There(user.roles()[0].parse().unwrap(), known.cached)
                }
                Existence::Gone => Self::Gone,
                Existence::Disabled => Self::Disabled,
            },
            Err(NotKnown::NotYetVisible) => Self::NotYetVisible,
            Err(NotKnown::Unanswered(_) | NotKnown::Late | NotKnown::Crowded) => Self::Unknown,
        }
    }
}

type Judged = Result<(), &'static str>;

fn promise(kept: bool, or: &'static str) -> Judged {
    if kept { Ok(()) } else { Err(or) }
}

impl History {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            answers: Vec::new(),
            told: HashMap::new(),
            missed: None,
            forgotten: Vec::new(),
            seen: Vec::new(),
            before: Vec::new(),
        }
    }

    /// Other settings rule from now on; look-ups under way end by the old ones.
    pub(super) fn reloaded(&mut self, cache: &Cache, at: Instant) {
        let old = std::mem::replace(&mut self.rules.cache, cache.clone());
        self.before.push((old, at + LONGEST));
    }

    /// The settings that ruled at that moment or later.
    fn caches(&self, since: Instant) -> impl Iterator<Item = &Cache> {
        let before = self.before.iter().filter(move |(_, until)| *until >= since);
        before.map(|(cache, _)| cache).chain([&self.rules.cache])
    }

    /// The longest that any settings allow since then.
    fn most(&self, since: Instant, allows: impl Fn(&Cache) -> Duration) -> Duration {
        self.caches(since).map(allows).max().unwrap()
    }

    /// The shortest that any settings promise since then.
    fn least(&self, since: Instant, promises: impl Fn(&Cache) -> Duration) -> Duration {
        self.caches(since).map(promises).min().unwrap()
    }

    pub(super) fn answered(
        &mut self,
        who: &(String, String),
        sent: Instant,
        came: Instant,
        age: Duration,
        change: Option<usize>,
    ) {
        let who = who.clone();
        self.answers.push(Answer {
            who,
            sent,
            came,
            age,
            change,
        });
    }

    /// What is told after a fence has ended begins a new one.
    pub(super) fn told(&mut self, fence: Fence, change: usize, at: Instant) {
        let tombstone_for = self.rules.cache.tombstone_for;
        let told = self.told.entry(fence).or_default();
        if told
            .last()
            .is_some_and(|(_, last)| at - *last >= tombstone_for)
        {
            told.clear();
        }
        told.push((change, at));
    }

    pub(super) const fn missed(&mut self, at: Instant) {
        self.missed = Some(at);
    }

    pub(super) fn forgotten(&mut self, who: Who, at: Instant) {
        self.forgotten.push((who, at));
    }

    /// Whether this may be seen.
    pub(super) fn judge(&mut self, seen: Seen) -> Judged {
        match seen.outcome {
            Outcome::There(change, cached) => {
                self.is_trusted(&seen, change)?;
                self.is_unmarked(&seen, change)?;
                self.is_the_newest(&seen, change)?;
                if cached != Cached::Stale {
                    self.is_up_to_date(&seen, change)?;
                }
            }
            Outcome::Gone => promise(
                self.is_not_found(&seen) || self.is_marked(&seen, &Kind::UserDeleted),
                "gone, and neither a not-found that is believed nor a deletion says so",
            )?,
            Outcome::Disabled => promise(
                self.is_marked(&seen, &Kind::UserDisabled),
                "disabled, and no event says so",
            )?,
            Outcome::NotYetVisible => self.is_young(&seen)?,
            Outcome::Unknown => {}
        }
        self.seen.push(seen);
        Ok(())
    }

    fn answers<'h>(&'h self, seen: &'h Seen) -> impl Iterator<Item = &'h Answer> {
        let of = |answer: &&Answer| answer.who.0 == seen.who.0 && answer.who.1 == seen.who.1;
        self.answers.iter().filter(of)
    }

    /// What was told of someone, by fence, until then; without what has ended, and, unless that is
    /// wanted, without what names him by id.
    fn fences<'h>(
        &'h self,
        seen: &'h Seen,
        until: Instant,
        by_id: bool,
    ) -> impl Iterator<Item = Vec<(usize, Instant)>> + 'h {
        self.named_fences(seen, until, by_id).map(|(_, told)| told)
    }

    fn named_fences<'h>(
        &'h self,
        seen: &'h Seen,
        until: Instant,
        by_id: bool,
    ) -> impl Iterator<Item = (&'h Fence, Vec<(usize, Instant)>)> + 'h {
        let (tenant, subject) = seen.who;
        let of = move |(whom, house): &Fence| {
            let is_his = match whom {
                Whom::Subject(name) => **name == *subject,
                Whom::Id(name) => by_id && **name == *id(seen.who),
            };
            is_his && house.as_deref().is_none_or(|house| house == tenant)
        };
        let fences = self.told.iter().filter(move |(fence, _)| of(fence));
        fences.filter_map(move |(fence, told)| {
            let told: Vec<_> = told
                .iter()
                .filter(|(_, at)| *at <= until)
                .copied()
                .collect();
            Some((fence, self.standing(told, until)?))
        })
    }

    /// What one fence was told, since it last ended; `None` where it has ended.
    fn standing(
        &self,
        told: Vec<(usize, Instant)>,
        until: Instant,
    ) -> Option<Vec<(usize, Instant)>> {
        let Rules {
            cache,
            fence_for,
            kinds,
            ..
        } = &self.rules;
        let mut since: Vec<(usize, Instant)> = Vec::new();
        let mut ends: Option<Instant> = None;
        let (mut decided, mut lasts) = (None, false);
        for (change, at) in told {
            if ends.is_some_and(|ends| ends <= at) {
                (decided, lasts, ends) = (None, false, None);
                since.clear();
            }
            match kinds[change] {
                Kind::UserDeleted | Kind::UserDisabled if decided <= Some(change) => {
                    (decided, lasts) = (Some(change), true);
                }
                Kind::UserCreated | Kind::UserEnabled => decided = decided.max(Some(change)),
                Kind::UserDeleted
                | Kind::UserDisabled
                | Kind::UserUpdated
                | Kind::UserIdChanged { .. }
                | Kind::TenantSuspended
                | Kind::TenantResumed => {}
            }
            let stands = if lasts {
                cache.tombstone_for
            } else {
                *fence_for
            };
            ends = ends.max(Some(at + stands));
            since.push((change, at));
        }
        (ends? > until).then_some(since)
    }

    /// Whether it was told in his own tenant, and after this change, that someone is there: then no mark
    /// that stands in all tenants for that change stands in this one.
    fn is_there_after(&self, seen: &Seen, whom: &Whom, change: usize) -> bool {
        let own = self.told.get(&(whom.clone(), Some(seen.who.0.into())));
        let there = |told: &(usize, Instant)| {
            let kind = &self.rules.kinds[told.0];
            matches!(kind, Kind::UserCreated | Kind::UserEnabled) && told.1 <= seen.ended
        };
        let mut told = own.into_iter().flatten().filter(|told| there(told));
        told.any(|told| told.0 > change)
    }

    /// The latest moment at which something was told of someone, until then.
    fn last_told(&self, seen: &Seen, until: Instant) -> Option<Instant> {
        let told = self
            .fences(seen, until, true)
            .filter_map(|told| Some(told.last()?.1));
        told.max().max(self.missed.filter(|at| *at <= until))
    }

    /// The newest change of those told that says whether the user is there, if it takes him away.
    fn takes_away(&self, told: &[(usize, Instant)]) -> Option<usize> {
        let kind = |change: &usize| &self.rules.kinds[*change];
        let decides = |change: &usize| !matches!(kind(change), Kind::UserUpdated);
        let changes = told.iter().map(|(change, _)| *change);
        let newest = changes.filter(decides).max();
        newest.filter(|change| matches!(kind(change), Kind::UserDeleted | Kind::UserDisabled))
    }

    /// (a) A recognized not-found that is recent, newer than all that was told, and, where there is
    /// one, vouched for by the canary.
    fn is_not_found(&self, seen: &Seen) -> bool {
        let not_found_for = self.most(seen.began, |cache| cache.not_found_for);
        self.answers(seen).any(|answer| {
            let age = seen.began.saturating_duration_since(answer.sent) + answer.age;
            let is_recent =
                answer.age <= not_found_for && (answer.came >= seen.began || age < not_found_for);
            // Nobody knows whose id it is while he is not found.
            let told = self.fences(seen, seen.began, false);
            let last = told.filter_map(|told| Some(told.last()?.1)).max();
            let last = last.max(self.missed.filter(|at| *at <= seen.began));
            let is_newest = last.is_none_or(|at| at < answer.sent);
            answer.change.is_none() && is_recent && is_newest && self.is_vouched_for(answer, seen)
        })
    }

    fn is_vouched_for(&self, answer: &Answer, seen: &Seen) -> bool {
        let is_good = |canary: &&Answer| {
            canary.who.1 == super::CANARY.1
                && canary.change.is_some()
                && canary.came <= seen.ended
                && answer.came <= canary.sent + Duration::from_secs(1)
        };
        !self.rules.canary || self.answers.iter().any(|canary| is_good(&canary))
    }

    /// Whether, at a moment of the request, an event of this kind stood among those that take away.
    fn is_marked(&self, seen: &Seen, kind: &Kind) -> bool {
        let is_it = |told: &Vec<(usize, Instant)>| {
            let of_kind = told
                .iter()
                .any(|(change, _)| self.rules.kinds[*change] == *kind);
            of_kind && self.takes_away(told).is_some()
        };
        [seen.began, seen.ended]
            .into_iter()
            .any(|at| self.fences(seen, at, true).any(|told| is_it(&told)))
    }

    /// (b, d) A found answer stands behind it that is not spent, and no not-found came after that.
    fn is_trusted(&self, seen: &Seen, change: usize) -> Judged {
        let good_for = self.most(seen.began, |cache| {
            cache.fresh + cache.stale_if_error.max(cache.stale_while_revalidate)
        });
        let latest = self
            .answers(seen)
            .filter(|answer| answer.change == Some(change) && answer.came <= seen.ended)
            .filter(|answer| {
                let age = seen.began.saturating_duration_since(answer.sent) + answer.age;
                (answer.came >= seen.began && answer.age <= good_for) || age < good_for
            })
            .map(|answer| answer.sent)
            .max();
        let latest = latest.ok_or("there, and no answer that is not spent says so")?;
        // The canary and the guard have reasons of their own not to believe one.
        let is_simple = !self.rules.canary && !self.rules.guard;
        let is_later_not_found = |answer: &Answer| {
            let told = self.last_told(seen, answer.came);
            answer.change.is_none()
                && answer.came < seen.began
                && answer.age <= self.least(answer.sent, |cache| cache.not_found_for)
                && answer.sent > latest
                && told.is_none_or(|at| at < answer.sent)
        };
        let is_gone = is_simple && self.answers(seen).any(is_later_not_found);
        promise(!is_gone, "there, and a later not-found was believed")
    }

    /// (b) No deletion or disabling stands that it is not newer than.
    fn is_unmarked(&self, seen: &Seen, change: usize) -> Judged {
        let fences = self.named_fences(seen, seen.ended, true);
        let marks = fences.filter_map(|((whom, house), told)| {
            let mark = self.takes_away(&told)?;
            let is_lifted = house.is_none() && self.is_there_after(seen, whom, mark);
            (!is_lifted).then_some(mark)
        });
        for newest in marks {
            promise(
                self.rules.versioned && change > newest,
                "there, and a deletion or disabling stands",
            )?;
        }
        Ok(())
    }

    /// (c) No newer version was seen, however long ago.
    fn is_the_newest(&self, seen: &Seen, change: usize) -> Judged {
        if !self.rules.versioned {
            return Ok(());
        }
        for earlier in self.seen.iter().filter(|one| one.who == seen.who) {
            let Outcome::There(newer, _) = earlier.outcome else {
                continue;
            };
            let since = |at: Instant| at >= earlier.began;
            let was_gone = self
                .answers(seen)
                .any(|one| one.change.is_none() && since(one.came))
                || self.fences(seen, seen.ended, true).any(|told| {
                    let mut away = told.iter().filter(|(change, _)| {
                        matches!(
                            self.rules.kinds[*change],
                            Kind::UserDeleted | Kind::UserDisabled
                        )
                    });
                    away.any(|(_, at)| since(*at))
                })
                || self
                    .forgotten
                    .iter()
                    .any(|(who, at)| *who == seen.who && since(*at));
            promise(
                newer <= change || was_gone,
                "an older version replaced a newer one",
            )?;
        }
        Ok(())
    }

    /// Served as if nothing were wrong, it is as new as all that was told.
    fn is_up_to_date(&self, seen: &Seen, change: usize) -> Judged {
        if self.rules.versioned {
            let newest = self
                .fences(seen, seen.began, true)
                .flatten()
                .map(|(told, _)| told)
                .max();
            return promise(
                newest.is_none_or(|newest| newest <= change),
                "older than what was told, and not even stale",
            );
        }
        let is_newer = |answer: &Answer| {
            let told = self.last_told(seen, seen.began);
            answer.change == Some(change) && told.is_none_or(|at| at < answer.sent)
        };
        promise(
            self.answers(seen).any(is_newer),
            "asked for before the last event, and not even stale",
        )
    }

    /// (e) The token is young, its user was not found, and that for the first time not long ago.
    fn is_young(&self, seen: &Seen) -> Judged {
        let grace = self.rules.grace;
        promise(
            seen.token.is_some_and(|ago| ago < grace),
            "not yet visible, and the token is not young",
        )?;
        let reset = self
            .answers(seen)
            .filter(|one| one.change.is_some() && one.came <= seen.began)
            .map(|one| one.came)
            .chain(self.last_told(seen, seen.ended))
            .chain(
                self.forgotten
                    .iter()
                    .filter(|(who, _)| *who == seen.who)
                    .map(|(_, at)| *at),
            )
            .max();
        let missed = || self.answers(seen).filter(|one| one.change.is_none());
        promise(
            missed().any(|one| one.came <= seen.ended),
            "not yet visible, and nobody said that it is not there",
        )?;
        let first = missed().find(|one| reset.is_none_or(|at| one.came > at));
        let is_simple = !self.rules.canary && !self.rules.guard;
        let is_late = first.is_some_and(|one| {
            one.age.is_zero() && seen.began.saturating_duration_since(one.sent) >= grace
        });
        promise(
            !(is_simple && is_late),
            "not yet visible, for longer than creation_grace",
        )
    }
}
