//! What the books make of an answer.

use super::books::{Books, Row};
use super::fence::Fence;
use super::shelf::Place;
use super::{Judgement, Person, Told};
use crate::event::Version;
use tokio::time::Instant;

impl Books {
    pub(super) fn judge_found(
        &self,
        person: Person<'_>,
        version: Option<Version>,
        sent: Instant,
        now: Instant,
    ) -> Judgement {
        let judgements = self
            .fences(person, now)
            .map(|fence| fence.judge(version, sent));
        judgements.fold(self.unless_forgotten(person, sent), Judgement::and)
    }

    pub(super) fn judge_not_found(
        &self,
        person: Person<'_>,
        sent: Instant,
        now: Instant,
    ) -> Judgement {
        let judgements = self
            .fences(person, now)
            .map(|fence| fence.judge_not_found(sent));
        judgements.fold(self.unless_forgotten(person, sent), Judgement::and)
    }

    /// What holds where no fence says anything.
    fn unless_forgotten(&self, person: Person<'_>, sent: Instant) -> Judgement {
        if self.gaps.lies_after(sent, person.realm, person.tenant) {
            Judgement::Outdated
        } else {
            Judgement::Stands { revoked: None }
        }
    }

    pub(super) fn told(&self, person: Person<'_>, now: Instant) -> Option<Told> {
        let newest = self.fences(person, now).max_by_key(|fence| fence.time)?;
        let marks = self.fences(person, now).filter_map(|fence| fence.mark);
        let revoked = self.fences(person, now).filter_map(|fence| fence.revoked);
        Some(Told {
            time: newest.time,
            version: newest.version,
            mark: marks.max(),
            revoked: revoked.max(),
        })
    }

    /// The fences of a person: by subject and by id, in the tenant and in all. A mark of all tenants
    /// does not stand in one where something newer says that the user is there.
    fn fences<'b>(
        &'b self,
        person: Person<'b>,
        now: Instant,
    ) -> impl Iterator<Item = Fence> + use<'b> {
        names(person).flat_map(move |(row, name)| {
            let (own, all) = self.standing(row, name, person, now);
            let all = all.map(|all| match own {
                Some(own) if own.overrules(&all) => all.lifted(),
                Some(_) | None => all,
            });
            own.into_iter().chain(all)
        })
    }

    /// The fence of a name in the person's tenant, and the one in all, unless they have ended.
    fn standing(
        &self,
        row: Row,
        name: &str,
        person: Person<'_>,
        now: Instant,
    ) -> (Option<Fence>, Option<Fence>) {
        let (own, all) = self.shelf(row).of(person.realm, name, person.tenant);
        let stands = |fence: &&Fence| fence.ends > now;
        (own.filter(stands).copied(), all.filter(stands).copied())
    }

    /// Takes back the marks of a person that an answer of this version lifts, in his tenant alone.
    pub(super) fn lift(&mut self, person: Person<'_>, version: Version, now: Instant) -> bool {
        let mut lifted = false;
        for (row, name) in names(person) {
            let (own, all) = self.standing(row, name, person, now);
            let (own, all) = match person.tenant {
                Some(_) => (own, all),
                None => (all, None),
            };
            let after = match own {
                Some(own) if own.is_lifted_by(version) => Some(own.lifted_by(version)),
                own => own,
            };
            let after = match all {
                Some(all) if all.is_lifted_by(version) => match after {
                    Some(own) if own.mark.is_some() || own.overrules(&all) => after,
                    Some(own) => Some(own.lifted_past(&all, version)),
                    None => Some(all.lifted_past(&all, version)),
                },
                Some(_) | None => after,
            };
            if let Some(fence) = after.filter(|_| after != own) {
                let place = Place {
                    realm: person.realm.into(),
                    name: name.into(),
                    tenant: person.tenant.map(Into::into),
                };
                self.put_fence(row, &place, fence);
                lifted = true;
            }
        }
        if lifted {
            self.make_room(now);
        }
        lifted
    }
}

/// The names under which fences of a person stand.
fn names(person: Person<'_>) -> impl Iterator<Item = (Row, &str)> {
    let by_id = person.id.map(|id| (Row::Ids, id));
    [(Row::Subjects, person.subject)].into_iter().chain(by_id)
}
