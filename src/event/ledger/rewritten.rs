//! The books under other settings.

use super::Settings;
use super::alias::Alias;
use super::books::{Books, Row};
use super::fence::Fence;
use super::shelf::Place;
use super::suspension::Suspension;
use crate::event::TenantForm;
use tokio::time::Instant;

impl Books {
    /// Whether other settings are for what is kept already, too.
    pub(super) fn is_touched_by(&self, settings: Settings, tenants: &TenantForm) -> bool {
        let own = self.settings;
        let is_longer = settings.fence_for > own.fence_for
            || settings.kept(true) > own.kept(true)
            || settings.alias_for > own.alias_for;
        let mut is_renamed = false;
        let mut look = |written: Option<&str>| {
            let read = written.and_then(|written| Some((written, tenants.read(written)?)));
            is_renamed |= read.is_some_and(|(written, read)| *read != *written);
        };
        self.each_tenant(|tenant| look(Some(tenant)));
        self.tenants.each(|place, _| look(Some(&place.name)));
        is_longer || is_renamed
    }

    /// Writes everything anew: for as much longer as it is kept now, and under the tenant's new form. A
    /// tenant that is none any more stays as it was.
    pub(super) fn rewrite(&mut self, settings: Settings, tenants: &TenantForm, now: Instant) {
        let old = std::mem::replace(self, self.emptied(settings));
        let longer = |new: std::time::Duration, own| new.saturating_sub(own);
        let marks = longer(settings.kept(true), old.settings.kept(true));
        let aliases = longer(settings.alias_for, old.settings.alias_for);
        let read = |place: Place| Place {
            tenant: place.tenant.map(|own| tenants.read(&own).unwrap_or(own)),
            ..place
        };
        for row in [Row::Subjects, Row::Ids] {
            old.shelf(row).each(|place, fence| {
                let place = read(place);
                let ends = if fence.lasts {
                    fence.ends + marks
                } else {
                    fence.ends
                };
                let fence = Fence { ends, ..*fence };
                let known = self.fence(row, &place, now);
                let fence = known.map_or(fence, |known| known.and(fence));
                self.put_fence(row, &place, fence);
            });
        }
        old.aliases.each(|place, alias| {
            let ends = alias.ends + aliases;
            let alias = Alias {
                ends,
                ..alias.clone()
            };
            self.put_alias(&read(place), alias, now);
        });
        old.tenants.each(|place, suspension| {
            let name = tenants.read(&place.name).unwrap_or(place.name);
            let ends = suspension.ends + marks;
            let suspension = Suspension {
                ends,
                ..*suspension
            };
            self.put_suspension(&Place { name, ..place }, suspension);
        });
        self.gaps.note_everywhere(now);
        self.make_room(now);
    }
}
