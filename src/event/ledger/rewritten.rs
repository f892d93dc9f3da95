//! The books under other settings, and under another form of tenants.

use super::Settings;
use super::alias::Alias;
use super::books::{Books, Row};
use super::fence::Fence;
use super::shelf::Place;
use super::suspension::Suspension;
use crate::event::TenantForm;
use std::time::Duration;
use tokio::time::Instant;

impl Books {
    /// Keeps from now on for another time, and for as much longer what has not ended. Gives whether
    /// that changes what is believed.
    pub(super) fn keep_for(&mut self, settings: Settings, now: Instant) -> bool {
        let old = std::mem::replace(&mut self.settings, settings);
        let marks = Longer::new(old.kept(true), settings.kept(true), now);
        let aliases = Longer::new(old.alias_for, settings.alias_for, now);
        if let Some(marks) = marks {
            for row in [Row::Subjects, Row::Ids] {
                let lasting = self.shelf(row).filtered(|fence| {
                    let ends = marks.ends(fence.ends)?;
                    fence.lasts.then_some(Fence { ends, ..*fence })
                });
                for (place, fence) in lasting {
                    self.put_fence(row, &place, fence);
                }
            }
            let resumed = self.tenants.filtered(|tenant| {
                let ends = marks.ends(tenant.ends)?;
                (!tenant.holds).then_some(Suspension { ends, ..*tenant })
            });
            for (place, resumed) in resumed {
                self.prolong_resumed(&place, resumed);
            }
        }
        if let Some(aliases) = aliases {
            let prolonged = self.aliases.filtered(|alias| {
                let ends = aliases.ends(alias.ends)?;
                let alias = alias.clone();
                Some(Alias { ends, ..alias })
            });
            for (place, alias) in prolonged {
                self.put_alias(&place, alias, now);
            }
        }
        // Fences may have ended that answers need which are remembered for longer now.
        let may_miss = settings.fence_for > old.fence_for;
        if may_miss {
            self.gaps.note_everywhere(now);
        }
        may_miss
    }

    /// Puts what was told of a tenant where the tenant's new form leads, too. It stays where it was: a
    /// request under way looks there, and so does whoever gets the old form back.
    pub(super) fn respell(&mut self, tenants: &TenantForm, now: Instant) -> bool {
        let read = |tenant: &str| tenants.read(tenant);
        let mut moved = self.gaps.respell(read);
        for row in [Row::Subjects, Row::Ids] {
            for (place, fence) in self.shelf(row).respelled(read) {
                if fence.ends > now {
                    let known = self.fence(row, &place, now);
                    let fence = known.map_or(fence, |known| known.and(fence));
                    self.put_fence(row, &place, fence);
                    moved = true;
                }
            }
        }
        for (place, alias) in self.aliases.respelled(read) {
            // What was told under the other form may lead to the old subject.
            if alias.ends > now && !self.leads_back(&place, &alias.to, now) {
                self.put_alias(&place, alias, now);
                moved = true;
            }
        }
        for (place, suspension) in self.tenants.filtered(|tenant| Some(*tenant)) {
            let read = read(&place.name).filter(|read| *read != place.name);
            if let Some(name) = read.filter(|_| suspension.holds || suspension.ends > now) {
                let place = Place { name, ..place };
                self.put_suspension(&place, suspension);
                moved = true;
            }
        }
        self.make_room(now);
        moved
    }
}

/// How much longer something is kept than when it was put.
#[derive(Clone, Copy)]
struct Longer {
    by: Duration,
    now: Instant,
    /// Nothing is kept for longer than what comes now.
    latest: Instant,
}

impl Longer {
    fn new(old: Duration, new: Duration, now: Instant) -> Option<Self> {
        (new > old).then(|| Self {
            by: new.saturating_sub(old),
            now,
            latest: now + new,
        })
    }

    /// When it ends then; what has ended is not kept.
    fn ends(&self, ends: Instant) -> Option<Instant> {
        (ends > self.now).then(|| (ends + self.by).min(self.latest).max(ends))
    }
}
