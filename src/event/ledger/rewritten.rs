//! The books under other settings.

use super::Settings;
use super::alias::Alias;
use super::books::{Books, Row};
use super::fence::Fence;
use super::suspension::Suspension;
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
}
