//! The books themselves, under the ledger's lock.

use super::fence::Fence;
use super::shelf::{Place, Shelf};
use super::{Judgement, Person, Settings, Size, Told};
use crate::clock::Timestamp;
use crate::event::{Event, EventError, Kind, Version, Whom};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use tokio::time::Instant;

/// The most renamings that are followed from one subject.
const LONGEST_CHAIN: usize = 16;

#[derive(Debug)]
pub(super) struct Books {
    pub(super) settings: Settings,
    /// The most fences and aliases together.
    most: usize,
    pub(super) subjects: Shelf<Fence>,
    pub(super) ids: Shelf<Fence>,
    pub(super) aliases: Shelf<Alias>,
    /// Tenants by name, in their realms.
    pub(super) tenants: Shelf<Suspension>,
    /// Where entries stand, in the order in which they end; one that was renewed stands twice.
    ends: VecDeque<(Instant, Row, Place)>,
    marks: usize,
    suspended: usize,
    dropped: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Row {
    Subjects,
    Ids,
    Aliases,
    Tenants,
}

#[derive(Clone, Debug)]
pub(super) struct Alias {
    pub(super) to: Arc<str>,
    /// When the subject changed: tokens issued later are not meant, unless all are.
    pub(super) time: Timestamp,
    pub(super) all_tokens: bool,
    pub(super) ends: Instant,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Suspension {
    pub(super) time: Timestamp,
    pub(super) holds: bool,
    /// How long it is known that it holds no more; one that holds does not end by itself.
    pub(super) ends: Instant,
}

impl Books {
    pub(super) fn new(settings: Settings, most: usize) -> Self {
        Self {
            settings,
            most,
            subjects: Shelf::new(),
            ids: Shelf::new(),
            aliases: Shelf::new(),
            tenants: Shelf::new(),
            ends: VecDeque::new(),
            marks: 0,
            suspended: 0,
            dropped: 0,
        }
    }

    pub(super) fn take(&mut self, event: &Event, arrived: Instant) -> Result<(), EventError> {
        while self.ends.front().is_some_and(|(ends, ..)| *ends <= arrived) {
            self.let_go();
        }
        let realm = || Arc::clone(&event.realm);
        match (&event.kind, &event.whom) {
            (Kind::TenantSuspended | Kind::TenantResumed, _) => {
                let place = Place {
                    realm: realm(),
                    name: event.tenant.clone().ok_or(EventError::NoTenant)?,
                    tenant: None,
                };
                let suspension = Suspension {
                    time: event.time,
                    holds: event.kind == Kind::TenantSuspended,
                    ends: arrived + self.settings.tombstone_for,
                };
                self.put_suspension(place, suspension);
                Ok(())
            }
            (Kind::UserIdChanged { to, all_tokens }, Some(Whom::Subject(from))) => {
                let place = Place {
                    realm: realm(),
                    name: Arc::clone(from),
                    tenant: event.tenant.clone(),
                };
                let alias = Alias {
                    to: Arc::clone(to),
                    time: event.time,
                    all_tokens: *all_tokens,
                    ends: arrived + self.settings.alias_for,
                };
                if self.leads_to(&place, to, from) {
                    return Err(EventError::Cycle(Arc::clone(from)));
                }
                // Whoever is remembered under the old name is not who bears it now; and whoever was not
                // found under the new one is there.
                let gone = Event {
                    version: None,
                    ..event.clone()
                };
                self.tell(Row::Subjects, place.clone(), &gone, arrived);
                let there = Event {
                    kind: Kind::UserUpdated,
                    ..event.clone()
                };
                let new = Place {
                    name: Arc::clone(to),
                    ..place.clone()
                };
                self.tell(Row::Subjects, new, &there, arrived);
                self.put_alias(place, alias);
                Ok(())
            }
            (Kind::UserIdChanged { .. }, Some(Whom::Id(_)) | None) => Err(EventError::NoSubject),
            (
                Kind::UserCreated
                | Kind::UserUpdated
                | Kind::UserDisabled
                | Kind::UserEnabled
                | Kind::UserDeleted,
                whom,
            ) => {
                let (row, name) = match whom.as_ref().ok_or(EventError::Nobody)? {
                    Whom::Subject(subject) => (Row::Subjects, Arc::clone(subject)),
                    Whom::Id(id) => (Row::Ids, Arc::clone(id)),
                };
                let place = Place {
                    realm: realm(),
                    name,
                    tenant: event.tenant.clone(),
                };
                self.tell(row, place, event, arrived);
                Ok(())
            }
        }
    }

    fn tell(&mut self, row: Row, place: Place, event: &Event, arrived: Instant) {
        let ends = arrived + self.settings.tombstone_for;
        let fence = match self.shelf(row).at(&place) {
            Some(known) => known.told(event, arrived, ends),
            None => Fence::first(event, arrived, ends),
        };
        self.put_fence(row, place, fence);
    }

    pub(super) const fn shelf(&self, row: Row) -> &Shelf<Fence> {
        match row {
            Row::Ids => &self.ids,
            Row::Subjects | Row::Aliases | Row::Tenants => &self.subjects,
        }
    }

    const fn shelf_mut(&mut self, row: Row) -> &mut Shelf<Fence> {
        match row {
            Row::Ids => &mut self.ids,
            Row::Subjects | Row::Aliases | Row::Tenants => &mut self.subjects,
        }
    }

    pub(super) fn put_fence(&mut self, row: Row, place: Place, fence: Fence) {
        let old = self.shelf_mut(row).put(&place, fence);
        self.marks += usize::from(fence.mark.is_some());
        self.marks -= usize::from(old.is_some_and(|old| old.mark.is_some()));
        self.list(fence.ends, row, place);
    }

    /// Of two renamings of one subject the newer stands.
    pub(super) fn put_alias(&mut self, place: Place, alias: Alias) {
        let is_older = |known: &Alias| known.time > alias.time;
        if self.aliases.at(&place).is_some_and(is_older) {
            return;
        }
        let ends = alias.ends;
        self.aliases.put(&place, alias);
        self.list(ends, Row::Aliases, place);
    }

    /// Of two at one time the suspension stands.
    pub(super) fn put_suspension(&mut self, place: Place, suspension: Suspension) {
        let known = self.tenants.at(&place).copied();
        let newer = known.is_none_or(|known| {
            suspension.time > known.time || (suspension.time == known.time && suspension.holds)
        });
        if !newer {
            return;
        }
        self.tenants.put(&place, suspension);
        self.suspended += usize::from(suspension.holds);
        self.suspended -= usize::from(known.is_some_and(|known| known.holds));
        if !suspension.holds {
            self.list(suspension.ends, Row::Tenants, place);
        }
    }

    /// Whether `from` is where the renamings of a subject lead to, or whether they are too many.
    fn leads_to(&self, place: &Place, subject: &Arc<str>, from: &Arc<str>) -> bool {
        let mut subject = Arc::clone(subject);
        for _ in 0..LONGEST_CHAIN {
            if subject == *from {
                return true;
            }
            let tenant = place.tenant.as_deref();
            match self.aliases.of(&place.realm, &subject, tenant).next() {
                Some(alias) => subject = Arc::clone(&alias.to),
                None => return false,
            }
        }
        true
    }

    /// The subjects to which an old one leads, one after the other, for a token that was issued then.
    pub(super) fn aliases(
        &self,
        person: Person<'_>,
        issued: Option<Timestamp>,
        now: Instant,
    ) -> Vec<Arc<str>> {
        let is_meant = |alias: &&Alias| {
            alias.ends > now && (alias.all_tokens || issued.is_none_or(|at| at <= alias.time))
        };
        let mut names: Vec<Arc<str>> = Vec::new();
        while names.len() < LONGEST_CHAIN {
            let subject = names.last().map_or(person.subject, |name| name);
            let mut aliases = self.aliases.of(person.realm, subject, person.tenant);
            match aliases.find(is_meant) {
                // A name that was seen leads round in a circle.
                Some(alias) if names.contains(&alias.to) || *alias.to == *person.subject => break,
                Some(alias) => names.push(Arc::clone(&alias.to)),
                None => break,
            }
        }
        names
    }

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
        judgements.fold(Judgement::Stands { revoked: None }, Judgement::and)
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
        judgements.fold(Judgement::Stands { revoked: None }, Judgement::and)
    }

    pub(super) fn told(&self, person: Person<'_>, now: Instant) -> Option<Told> {
        let newest = self.fences(person, now).max_by_key(|fence| fence.time)?;
        Some(Told {
            time: newest.time,
            version: newest.version,
            mark: self
                .fences(person, now)
                .filter_map(|fence| fence.mark)
                .max(),
            revoked: self
                .fences(person, now)
                .filter_map(|fence| fence.revoked)
                .max(),
        })
    }

    /// The fences of a person: by subject and by id, in the tenant and in all.
    fn fences<'b>(&'b self, person: Person<'b>, now: Instant) -> impl Iterator<Item = &'b Fence> {
        let Person {
            realm,
            tenant,
            subject,
            id,
        } = person;
        let by_id = id.map(|id| self.ids.of(realm, id, tenant));
        self.subjects
            .of(realm, subject, tenant)
            .chain(by_id.into_iter().flatten())
            .filter(move |fence| fence.ends > now)
    }

    pub(super) fn lift(&mut self, person: Person<'_>, version: Version) -> bool {
        let Person {
            realm,
            tenant,
            subject,
            id,
        } = person;
        let by_id = id.map(|id| self.ids.of_mut(realm, id, tenant));
        let fences = self.subjects.of_mut(realm, subject, tenant);
        let mut lifted = 0;
        for fence in fences.chain(by_id.into_iter().flatten()) {
            if fence.is_lifted_by(version) {
                *fence = fence.lifted_by(version);
                lifted += 1;
            }
        }
        self.marks -= lifted;
        lifted > 0
    }

    pub(super) fn is_suspended(&self, realm: &str, tenant: &str) -> bool {
        self.tenants
            .of(realm, tenant, None)
            .any(|suspension| suspension.holds)
    }

    pub(super) const fn size(&self) -> Size {
        Size {
            fences: self.subjects.len() + self.ids.len(),
            marks: self.marks,
            aliases: self.aliases.len(),
            suspended: self.suspended,
            dropped: self.dropped,
        }
    }

    fn held(&self) -> usize {
        let resumed = self.tenants.len() - self.suspended;
        self.subjects.len() + self.ids.len() + self.aliases.len() + resumed
    }

    fn list(&mut self, ends: Instant, row: Row, place: Place) {
        self.ends.push_back((ends, row, place));
        if self.ends.len() > 2 * self.most {
            self.strike_renewed();
        }
        while self.held() > self.most {
            let before = self.held();
            self.let_go();
            self.dropped += (before - self.held()) as u64;
        }
    }

    /// Takes the places off the list whose entries were renewed or are gone, and keeps each other
    /// once: whoever renews his own again and again takes no room from others.
    fn strike_renewed(&mut self) {
        let mut listed = HashSet::new();
        let mut ends = std::mem::take(&mut self.ends);
        ends.retain(|(ends, row, place)| {
            let stands = match row {
                Row::Aliases => self.aliases.at(place).is_some_and(|at| at.ends == *ends),
                Row::Tenants => {
                    let resumed = self.tenants.at(place);
                    resumed.is_some_and(|at| !at.holds && at.ends == *ends)
                }
                Row::Subjects | Row::Ids => {
                    let fence = self.shelf(*row).at(place);
                    fence.is_some_and(|fence| fence.ends == *ends)
                }
            };
            stands && listed.insert((*row, place.clone()))
        });
        self.ends = ends;
    }

    /// Takes the first place off the list, and its entry with it unless that was renewed.
    fn let_go(&mut self) {
        let Some((ends, row, place)) = self.ends.pop_front() else {
            return;
        };
        match row {
            Row::Tenants => {
                self.tenants.cut(&place, |at| !at.holds && at.ends == ends);
            }
            Row::Aliases => {
                self.aliases.cut(&place, |alias| alias.ends == ends);
            }
            Row::Subjects | Row::Ids => {
                let fence = self.shelf_mut(row).cut(&place, |fence| fence.ends == ends);
                self.marks -= usize::from(fence.is_some_and(|fence| fence.mark.is_some()));
            }
        }
    }
}
