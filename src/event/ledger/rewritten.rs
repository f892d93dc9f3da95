//! The books under other settings, and under another form of tenants.

use super::Settings;
use super::alias::Alias;
use super::books::{Books, Row};
use super::fence::Fence;
use super::shelf::Place;
use super::spellings::Ways;
use super::suspension::Suspension;
use crate::event::TenantForm;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

impl Books {
    /// Keeps from now on for another time, and for longer what has not ended. Gives whether that
    /// changes what is believed.
    pub(super) fn keep_for(&mut self, settings: Settings, now: Instant) -> bool {
        let old = std::mem::replace(&mut self.settings, settings);
        let longer = |ends: Instant, arrived: Instant, kept: Duration| {
            let later = ends.max(arrived + kept);
            (ends > now && later > ends).then_some(later)
        };
        let (marks, aliases) = (settings.kept(true), settings.alias_for);
        if marks > old.kept(true) {
            for row in [Row::Subjects, Row::Ids] {
                let lasting = self.shelf(row).filtered(|fence| {
                    let ends = longer(fence.ends, fence.arrived, marks)?;
                    fence.lasts.then_some(Fence { ends, ..*fence })
                });
                for (place, fence) in lasting {
                    self.put_fence(row, &place, fence);
                }
            }
            let resumed = self.tenants.filtered(|tenant| {
                let ends = longer(tenant.ends, tenant.arrived, marks)?;
                (!tenant.holds).then_some(Suspension { ends, ..*tenant })
            });
            for (place, resumed) in resumed {
                self.prolong_resumed(&place, resumed);
            }
        }
        if aliases > old.alias_for {
            let prolonged = self.aliases.filtered(|alias| {
                let ends = longer(alias.ends, alias.arrived, aliases)?;
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

    /// Puts what was told of tenants where it is looked for in another form of theirs; gives whether
    /// anything moved. Where that form tells spellings of one tenant apart, each has all of it: what
    /// was told in which is not known any more.
    pub(super) fn respell(&mut self, tenants: &TenantForm, now: Instant) -> bool {
        let mut names = BTreeSet::new();
        self.each_tenant(|tenant| {
            names.insert(Arc::clone(tenant));
        });
        let ways = self.spellings.respell(tenants, names);
        if ways.is_empty() {
            return false;
        }
        self.gaps.respell(&ways);
        let fences = [Row::Subjects, Row::Ids].map(|row| (row, self.shelf(row).of_tenants(&ways)));
        let aliases = self.aliases.of_tenants(&ways);
        let mut tenants = self.tenants.filtered(|tenant| Some(*tenant));
        tenants.retain(|(place, _)| ways.contains_key(&place.name));
        // All go before any comes: one may come to where another was.
        for (row, fences) in &fences {
            for (place, _) in fences {
                self.let_go(*row, place);
            }
        }
        for (place, _) in &aliases {
            self.let_go(Row::Aliases, place);
        }
        for (place, _) in &tenants {
            self.let_go(Row::Tenants, place);
        }
        for (row, fences) in fences {
            for (place, fence) in fences.into_iter().filter(|(_, fence)| fence.ends > now) {
                for place in led(&ways, &place) {
                    let known = self.fence(row, &place, now);
                    let fence = known.map_or(fence, |known| known.and(fence));
                    self.put_fence(row, &place, fence);
                }
            }
        }
        for (place, alias) in aliases.into_iter().filter(|(_, alias)| alias.ends > now) {
            for place in led(&ways, &place) {
                // What was told in another spelling may lead to the old subject.
                if !self.leads_back(&place, &alias.to, now) {
                    self.put_alias(&place, alias.clone(), now);
                }
            }
        }
        tenants.retain(|(_, tenant)| tenant.holds || tenant.ends > now);
        for (place, tenant) in tenants {
            for name in ways.get(&place.name).into_iter().flatten() {
                let name = Arc::clone(name);
                let place = Place {
                    name,
                    ..place.clone()
                };
                self.put_suspension(&place, tenant);
            }
        }
        self.make_room(now);
        true
    }

    /// Every tenant of whom something is kept.
    fn each_tenant(&self, mut take: impl FnMut(&Arc<str>)) {
        self.subjects.each_tenant(&mut take);
        self.ids.each_tenant(&mut take);
        self.aliases.each_tenant(&mut take);
        self.gaps.each_tenant(&mut take);
        self.tenants.each(|place, _| take(&place.name));
    }
}

/// The places to which the ways of its tenant lead from this one.
fn led(ways: &Ways, from: &Place) -> Vec<Place> {
    let to = from.tenant.as_ref().and_then(|tenant| ways.get(tenant));
    let to = to.into_iter().flatten();
    to.map(|tenant| Place {
        tenant: Some(Arc::clone(tenant)),
        ..from.clone()
    })
    .collect()
}
