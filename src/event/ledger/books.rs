//! The books themselves, under the ledger's lock: what they take in, and for how long.

use super::alias::Alias;
use super::fence::Fence;
use super::gaps::Gaps;
use super::queue::Queue;
use super::shelf::{Place, Shelf};
use super::suspension::Suspension;
use super::{Settings, Size};
use crate::event::{Event, EventError, Kind, Whom};
use std::sync::Arc;
use tokio::time::Instant;

/// The most entries that have ended and are let go with one event: more than an event brings, and
/// never so many that decisions wait for it.
pub(super) const SWEPT: usize = 8;

#[derive(Debug)]
pub(super) struct Books {
    pub(super) settings: Settings,
    most: Most,
    pub(super) subjects: Shelf<Fence>,
    pub(super) ids: Shelf<Fence>,
    pub(super) aliases: Shelf<Alias>,
    /// Tenants by name, in their realms.
    pub(super) tenants: Shelf<Suspension>,
    /// Fences that only hold back older answers.
    passing: Queue,
    /// Other fences, aliases, and what is known of tenants that were resumed.
    pub(super) lasting: Queue,
    pub(super) gaps: Gaps,
    marks: usize,
    pub(super) suspended: usize,
    /// Of the passing ones, and of the lasting ones.
    dropped: (u64, u64),
    /// Whose entry the last of these was.
    lost: Option<Place>,
}

/// The most entries that are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    /// Of fences that only hold back older answers.
    pub(super) passing: usize,
    /// Of other fences, aliases and resumed tenants.
    pub(super) lasting: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Row {
    Subjects,
    Ids,
    Aliases,
    Tenants,
}

impl Books {
    pub(super) fn new(settings: Settings, most: Most) -> Self {
        Self {
            settings,
            most,
            subjects: Shelf::new(),
            ids: Shelf::new(),
            aliases: Shelf::new(),
            tenants: Shelf::new(),
            passing: Queue::default(),
            lasting: Queue::default(),
            gaps: Gaps::new(),
            marks: 0,
            suspended: 0,
            dropped: (0, 0),
            lost: None,
        }
    }

    pub(super) fn take(&mut self, event: &Event, arrived: Instant) -> Result<(), EventError> {
        self.sweep(arrived);
        let place = |name: &Arc<str>, tenant: Option<&Arc<str>>| Place {
            realm: Arc::clone(&event.realm),
            name: Arc::clone(name),
            tenant: tenant.cloned(),
        };
        let tenant = event.tenant.as_ref();
        match (&event.kind, &event.whom) {
            (Kind::TenantSuspended | Kind::TenantResumed, _) => {
                let place = place(tenant.ok_or(EventError::NoTenant)?, None);
                let suspension = Suspension {
                    time: event.time,
                    holds: event.kind == Kind::TenantSuspended,
                    arrived,
                    ends: arrived + self.settings.tombstone_for,
                };
                self.put_suspension(&place, suspension);
            }
            (Kind::UserIdChanged { to, all_tokens }, Some(Whom::Subject(from))) => {
                let old = place(from, tenant);
                if self.leads_back(&old, to, arrived) {
                    return Err(EventError::Cycle(Arc::clone(from)));
                }
                let alias = Alias {
                    to: Arc::clone(to),
                    time: event.time,
                    all_tokens: *all_tokens,
                    arrived,
                    ends: arrived + self.settings.alias_for,
                };
                // Whoever is remembered under the old name is not who bears it now; and whoever was not
                // found under the new one is there.
                let gone = Event {
                    version: None,
                    ..event.clone()
                };
                self.tell(Row::Subjects, &old, &gone, arrived);
                let there = Event {
                    kind: Kind::UserUpdated,
                    ..event.clone()
                };
                self.tell(Row::Subjects, &place(to, tenant), &there, arrived);
                self.put_alias(&old, alias, arrived);
            }
            (Kind::UserIdChanged { .. }, Some(Whom::Id(_)) | None) => {
                return Err(EventError::NoSubject);
            }
            (
                Kind::UserCreated
                | Kind::UserUpdated
                | Kind::UserDisabled
                | Kind::UserEnabled
                | Kind::UserDeleted,
                whom,
            ) => match whom.as_ref().ok_or(EventError::Nobody)? {
                Whom::Subject(subject) => {
                    self.tell(Row::Subjects, &place(subject, tenant), event, arrived);
                }
                Whom::Id(id) => self.tell(Row::Ids, &place(id, tenant), event, arrived),
            },
        }
        self.make_room(arrived);
        Ok(())
    }

    fn tell(&mut self, row: Row, place: &Place, event: &Event, arrived: Instant) {
        let fence = match self.fence(row, place, arrived) {
            Some(known) => known.told(event, arrived, &self.settings),
            None => Fence::first(event, arrived, &self.settings),
        };
        let everywhere = Place {
            tenant: None,
            ..place.clone()
        };
        let fence = match self.fence(row, &everywhere, arrived) {
            Some(all) if place.tenant.is_some() => fence.beside(&all),
            Some(_) | None => fence,
        };
        self.put_fence(row, place, fence);
    }

    /// The fence at a place; one that has ended is none, though it may not be gone yet.
    pub(super) fn fence(&self, row: Row, place: &Place, now: Instant) -> Option<Fence> {
        let fence = self.shelf(row).at(place)?;
        (fence.ends > now).then_some(*fence)
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

    const fn queue_mut(&mut self, lasts: bool) -> &mut Queue {
        if lasts {
            &mut self.lasting
        } else {
            &mut self.passing
        }
    }

    pub(super) fn put_fence(&mut self, row: Row, place: &Place, fence: Fence) {
        self.queue_mut(fence.lasts).put(row, place, fence.ends);
        self.marks += usize::from(fence.mark.is_some());
        if let Some(old) = self.shelf_mut(row).put(place, fence) {
            self.marks -= usize::from(old.mark.is_some());
            if (old.lasts, old.ends) != (fence.lasts, fence.ends) {
                self.queue_mut(old.lasts).cut(row, place, old.ends);
            }
        }
    }

    /// Of two renamings of one subject the newer stands.
    pub(super) fn put_alias(&mut self, place: &Place, alias: Alias, now: Instant) {
        let known = self.aliases.at(place).filter(|known| known.ends > now);
        if known.is_some_and(|known| known.time > alias.time) {
            return;
        }
        let is_same = |known: &&Alias| known.time == alias.time && known.to == alias.to;
        let ends = known
            .filter(is_same)
            .map_or(alias.ends, |known| known.ends.max(alias.ends));
        let alias = Alias { ends, ..alias };
        if let Some(old) = self.aliases.put(place, alias) {
            self.lasting.cut(Row::Aliases, place, old.ends);
        }
        self.lasting.put(Row::Aliases, place, ends);
    }

    pub(super) const fn size(&self) -> Size {
        let (dropped_fences, dropped) = self.dropped;
        Size {
            fences: self.subjects.len() + self.ids.len(),
            marks: self.marks,
            aliases: self.aliases.len(),
            suspended: self.suspended,
            dropped_fences,
            dropped,
        }
    }

    #[cfg(test)]
    pub(super) const fn queued(&self) -> (usize, usize) {
        (self.passing.len(), self.lasting.len())
    }

    /// Whose mark or alias went before its time since that was asked last.
    pub(super) const fn lost(&mut self) -> Option<Place> {
        self.lost.take()
    }

    /// Lets some of those go that have ended.
    fn sweep(&mut self, now: Instant) {
        for lasts in [false, true] {
            for _ in 0..SWEPT {
                let Some((row, place)) = self.queue_mut(lasts).ended(now) else {
                    break;
                };
                self.let_go(row, &place);
            }
        }
    }

    /// Drops the oldest of whoever has most, until the rest have room.
    pub(super) fn make_room(&mut self, now: Instant) {
        while self.passing.len() > self.most.passing {
            let ended = self.passing.ended(now);
            let Some((row, place)) = ended.clone().or_else(|| self.passing.of_the_largest()) else {
                break;
            };
            let arrived = self.let_go(row, &place);
            if ended.is_none() {
                self.dropped.0 += 1;
                self.forgot(&place, arrived);
            }
        }
        while self.lasting.len() > self.most.lasting {
            let ended = self.lasting.ended(now);
            let Some((row, place)) = ended.clone().or_else(|| self.lasting.of_the_largest()) else {
                break;
            };
            let arrived = self.let_go(row, &place);
            if ended.is_none() {
                self.dropped.1 += 1;
                self.forgot(&place, arrived);
                self.lost = Some(place);
            }
        }
    }

    fn forgot(&mut self, place: &Place, arrived: Option<Instant>) {
        if let Some(arrived) = arrived {
            self.gaps.note(place, arrived);
        }
    }

    /// Takes an entry away; gives when a fence's last event arrived.
    pub(super) fn let_go(&mut self, row: Row, place: &Place) -> Option<Instant> {
        match row {
            Row::Tenants => {
                let tenant = self.tenants.cut(place)?;
                self.suspended -= usize::from(tenant.holds);
                if !tenant.holds {
                    self.lasting.cut(row, place, tenant.ends);
                }
                None
            }
            Row::Aliases => {
                let alias = self.aliases.cut(place)?;
                self.lasting.cut(row, place, alias.ends);
                None
            }
            Row::Subjects | Row::Ids => {
                let fence = self.shelf_mut(row).cut(place)?;
                self.marks -= usize::from(fence.mark.is_some());
                self.queue_mut(fence.lasts).cut(row, place, fence.ends);
                Some(fence.arrived)
            }
        }
    }
}
