//! What events told of one user, and what that makes of an answer.

use super::newer::{Decision, compared, decision, is_newer, order};
use super::{Judgement, Mark, MarkKind, Settings};
use crate::clock::Timestamp;
use crate::event::{Event, Kind, Version};
use std::cmp::Ordering;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    /// When the latest event arrived.
    pub(super) arrived: Instant,
    /// The time of the newest event.
    pub(super) time: Timestamp,
    /// The version that it told, or, where it told none, the one that was told before it.
    pub(super) version: Option<Version>,
    /// When the latest event arrived that told no version: a version says nothing against it.
    pub(super) unversioned: Option<Instant>,
    /// Time and version of the newest event that said whether the user is there: an update does not.
    pub(super) decided: Option<(Timestamp, Option<Version>)>,
    /// What it said, until it is lifted.
    pub(super) mark: Option<MarkKind>,
    /// When it was told that the subject has another bearer, or none.
    pub(super) moved: Option<Instant>,
    /// When the user was last deleted: once that is lifted, tokens issued at or before this are dead.
    pub(super) revoked: Option<Timestamp>,
    /// Whether it ever did more than to hold back answers that are older: it marked somebody, or gave
    /// the subject to another. Then it stands for as long as any token lives.
    pub(super) lasts: bool,
    pub(super) ends: Instant,
}

impl Fence {
    pub(super) fn first(event: &Event, arrived: Instant, settings: &Settings) -> Self {
        let nothing = Self {
            arrived,
            time: event.time,
            version: event.version,
            unversioned: None,
            decided: None,
            mark: None,
            moved: None,
            revoked: None,
            lasts: false,
            ends: arrived,
        };
        nothing.told(event, arrived, settings)
    }

    /// This fence after another event; the order in which events arrive does not matter.
    pub(super) fn told(self, event: &Event, arrived: Instant, settings: &Settings) -> Self {
        let decides = decision(&event.kind);
        let known = (self.time, self.version);
        let (time, version) = if is_newer(event, known, decides) {
            (event.time.max(self.time), event.version.or(self.version))
        } else {
            known
        };
        let unversioned = match event.version {
            Some(_) => self.unversioned,
            None => Some(arrived),
        };
        let moved = match event.kind {
            Kind::UserIdChanged { .. } => Some(arrived),
            Kind::UserCreated
            | Kind::UserUpdated
            | Kind::UserDisabled
            | Kind::UserEnabled
            | Kind::UserDeleted
            | Kind::TenantSuspended
            | Kind::TenantResumed => self.moved,
        };
        let told = Self {
            arrived,
            time,
            version,
            unversioned,
            moved,
            ..self
        };
        let is_newest = told
            .decided
            .is_none_or(|known| is_newer(event, known, decides));
        let told = match decides {
            Some(decision) if is_newest => told.decide(decision, event),
            Some(_) | None => told,
        };
        let lasts = told.lasts || told.mark.is_some() || told.moved.is_some();
        Self {
            lasts,
            ends: self.ends.max(arrived + settings.kept(lasts)),
            ..told
        }
    }

    fn decide(self, decision: Decision, event: &Event) -> Self {
        let after = match (decision, self.mark) {
            (Decision::There, _) => self.lifted(),
            // Who is gone is not merely disabled.
            (Decision::Marked(MarkKind::Disabled), Some(MarkKind::Deleted)) => self,
            (Decision::Marked(MarkKind::Disabled), _) => Self {
                mark: Some(MarkKind::Disabled),
                ..self
            },
            (Decision::Marked(MarkKind::Deleted), _) => Self {
                mark: Some(MarkKind::Deleted),
                revoked: self.revoked.max(Some(event.time)),
                ..self
            },
        };
        Self {
            decided: Some((event.time, event.version)),
            ..after
        }
    }

    /// Without its mark; tokens from before a deletion stay dead.
    pub(super) const fn lifted(self) -> Self {
        Self { mark: None, ..self }
    }

    /// Without its mark, since the directory knows the user in this version: events that are older
    /// than that no longer decide.
    pub(super) fn lifted_by(self, version: Version) -> Self {
        Self {
            version: Some(version),
            decided: self.decided.map(|(at, _)| (at, Some(version))),
            ..self.lifted()
        }
    }

    /// This fence of one tenant, where the directory knows the user in this version there though a
    /// fence of all tenants marks it: that mark no longer stands in this one.
    pub(super) fn lifted_past(self, all: &Self, version: Version) -> Self {
        let at = |fence: &Self| fence.decided.map_or(fence.time, |(at, _)| at);
        Self {
            arrived: self.arrived.max(all.arrived),
            time: self.time.max(all.time),
            version: Some(version),
            decided: Some((at(&self).max(at(all)), Some(version))),
            revoked: self.revoked.max(all.revoked),
            lasts: true,
            ends: self.ends.max(all.ends),
            ..self.lifted()
        }
    }

    /// Whether this fence of one tenant says that the user is there, and is newer than the mark of a
    /// fence of all. Only one that lasts does: else the mark would stand again when it ends.
    pub(super) fn overrules(&self, all: &Self) -> bool {
        self.lasts && self.is_past(all)
    }

    /// This fence of one tenant, after an event: it lasts where it takes a mark of all back.
    pub(super) fn beside(self, all: &Self) -> Self {
        let lasts = self.lasts || (all.mark.is_some() && self.is_past(all));
        let ends = if lasts {
            self.ends.max(all.ends)
        } else {
            self.ends
        };
        Self {
            lasts,
            ends,
            ..self
        }
    }

    fn is_past(&self, all: &Self) -> bool {
        let decisions = self.decided.zip(all.decided);
        self.mark.is_none()
            && decisions.is_some_and(|(own, all)| order(own, all) == Ordering::Greater)
    }

    /// What it makes of a found answer of this version that was asked for then.
    pub(super) fn judge(&self, version: Option<Version>, sent: Instant) -> Judgement {
        let order = compared(version, self.version);
        match self.mark {
            Some(_) if version.is_some_and(|version| self.is_lifted_by(version)) => {
                Judgement::Stands {
                    revoked: self.revoked,
                }
            }
            Some(kind) => Judgement::Marked(Mark {
                kind,
                at: self.decided.map_or(self.time, |(at, _)| at),
                version: self.told_at_decision().and(self.version),
            }),
            None if self.moved.is_some_and(|arrived| sent < arrived) => Judgement::Renamed,
            None => {
                let outdated = match order {
                    Some(Ordering::Less) => true,
                    Some(Ordering::Equal | Ordering::Greater) => {
                        self.unversioned.is_some_and(|arrived| sent < arrived)
                    }
                    None => sent < self.arrived,
                };
                if outdated {
                    Judgement::Outdated
                } else {
                    Judgement::Stands {
                        revoked: self.revoked,
                    }
                }
            }
        }
    }

    /// What it makes of a not-found answer that was asked for then.
    pub(super) fn judge_not_found(&self, sent: Instant) -> Judgement {
        match self.judge(None, sent) {
            marked @ Judgement::Marked(_) => marked,
            Judgement::Renamed | Judgement::Outdated | Judgement::Stands { .. }
                if sent < self.arrived =>
            {
                Judgement::Outdated
            }
            Judgement::Renamed | Judgement::Outdated | Judgement::Stands { .. } => {
                Judgement::Stands { revoked: None }
            }
        }
    }

    /// Whether an answer of this version lifts its mark: the mark has one, and this is greater than
    /// all that were told.
    pub(super) fn is_lifted_by(&self, version: Version) -> bool {
        let greater = |told| compared(Some(version), told) == Some(Ordering::Greater);
        self.mark.is_some() && greater(self.version) && greater(self.told_at_decision())
    }

    /// This fence and another of the same user: what the events of both make together, in whatever
    /// order they came.
    pub(super) fn and(self, other: Self) -> Self {
        let told = |fence: &Self| (fence.time, fence.version);
        let (newest, oldest) = match order(told(&other), told(&self)) {
            Ordering::Greater => (other, self),
            Ordering::Equal | Ordering::Less => (self, other),
        };
        let decided = if other.decides_over(&self) {
            other
        } else {
            self
        };
        Self {
            arrived: self.arrived.max(other.arrived),
            time: self.time.max(other.time),
            version: newest.version.or(oldest.version),
            unversioned: self.unversioned.max(other.unversioned),
            decided: decided.decided,
            // Who is gone is not merely disabled.
            mark: decided.mark.and_then(|_| self.mark.max(other.mark)),
            moved: self.moved.max(other.moved),
            revoked: self.revoked.max(other.revoked),
            lasts: self.lasts || other.lasts,
            ends: self.ends.max(other.ends),
        }
    }

    /// Whether the newest decision of this fence is newer than that of the other; of two that are
    /// equally new the one that takes away stands.
    fn decides_over(&self, other: &Self) -> bool {
        match (self.decided, other.decided) {
            (Some(own), Some(known)) => match order(own, known) {
                Ordering::Greater => true,
                Ordering::Equal => self.mark > other.mark,
                Ordering::Less => false,
            },
            (own, None) => own.is_some(),
            (None, Some(_)) => false,
        }
    }

    fn told_at_decision(&self) -> Option<Version> {
        self.decided.and_then(|(_, version)| version)
    }
}
