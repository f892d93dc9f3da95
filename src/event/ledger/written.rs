//! The ledger as it is written down, and read again by the next process.

use super::MarkKind;
use super::alias::Alias;
use super::books::{Books, Row};
use super::fence::Fence;
use super::shelf::Place;
use super::suspension::Suspension;
use crate::clock::Timestamp;
use crate::event::{TenantForm, Version};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// One thing that events told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    realm: Arc<str>,
    /// A subject, an id, or the name of a tenant.
    name: Arc<str>,
    tenant: Option<Arc<str>>,
    /// Milliseconds since the epoch, as all times here.
    time: u64,
    told: Told,
    /// How much longer it is kept.
    left: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Told {
    Fence {
        by_id: bool,
        version: Option<String>,
        decided: Option<(u64, Option<String>)>,
        mark: Option<Said>,
        revoked: Option<u64>,
        lasts: bool,
    },
    Alias {
        to: Arc<str>,
        all_tokens: bool,
    },
    Suspended(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Disabled,
    Deleted,
}

impl Entry {
    /// Under the tenant's form of today; one that is no tenant any more stays as it was written.
    pub(super) fn read_by(mut self, tenants: &TenantForm) -> Self {
        let read = |written: &mut Arc<str>| {
            if let Some(read) = tenants.read(written) {
                *written = read;
            }
        };
        match &self.told {
            Told::Suspended(_) => read(&mut self.name),
            Told::Fence { .. } | Told::Alias { .. } => self.tenant.iter_mut().for_each(read),
        }
        self
    }
}

impl Books {
    pub(super) fn entries(&self, now: Instant) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut write = |place: Place, time: Timestamp, ends: Instant, told: Told| {
            entries.push(Entry {
                realm: place.realm,
                name: place.name,
                tenant: place.tenant,
                time: time.as_millis(),
                told,
                left: ends.saturating_duration_since(now),
            });
        };
        for (by_id, shelf) in [(false, &self.subjects), (true, &self.ids)] {
            shelf.each(|place, fence| {
                let text = |version: Option<Version>| version.map(|version| version.to_string());
                let decided = fence.decided;
                let told = Told::Fence {
                    by_id,
                    version: text(fence.version),
                    decided: decided.map(|(at, version)| (at.as_millis(), text(version))),
                    mark: fence.mark.map(Said::from),
                    revoked: fence.revoked.map(Timestamp::as_millis),
                    lasts: fence.lasts,
                };
                write(place, fence.time, fence.ends, told);
            });
        }
        self.aliases.each(|place, alias| {
            let told = Told::Alias {
                to: Arc::clone(&alias.to),
                all_tokens: alias.all_tokens,
            };
            write(place, alias.time, alias.ends, told);
        });
        self.tenants.each(|place, suspension| {
            let told = Told::Suspended(suspension.holds);
            write(place, suspension.time, suspension.ends, told);
        });
        entries
    }

    /// Takes in what was written down `ago`; what is known already, and newer, stays.
    pub(super) fn restore(&mut self, entry: Entry, ago: Duration, now: Instant) {
        let place = Place {
            realm: entry.realm,
            name: entry.name,
            tenant: entry.tenant,
        };
        let time = Timestamp::from_millis(entry.time);
        let left = entry.left.saturating_sub(ago);
        match entry.told {
            Told::Fence {
                by_id,
                version,
                decided,
                mark,
                revoked,
                lasts,
            } => {
                let read = |version: Option<String>| version.as_deref().and_then(Version::parse);
                let row = if by_id { Row::Ids } else { Row::Subjects };
                let version = read(version);
                let fence = Fence {
                    arrived: now,
                    time,
                    version,
                    unversioned: version.is_none().then_some(now),
                    decided: decided
                        .map(|(at, version)| (Timestamp::from_millis(at), read(version))),
                    mark: mark.map(MarkKind::from),
                    moved: None,
                    revoked: revoked.map(Timestamp::from_millis),
                    lasts,
                    ends: now + left.min(self.settings.kept(lasts)),
                };
                if !left.is_zero() {
                    // An event may have come before the file was read.
                    let known = self.fence(row, &place, now);
                    let fence = known.map_or(fence, |known| known.and(fence));
                    self.put_fence(row, &place, fence);
                }
            }
            Told::Alias { to, all_tokens } => {
                let alias = Alias {
                    to,
                    time,
                    all_tokens,
                    arrived: now,
                    ends: now + left.min(self.settings.alias_for),
                };
                // What was told meanwhile may lead to the old subject.
                if !left.is_zero() && !self.leads_back(&place, &alias.to, now) {
                    self.put_alias(&place, alias, now);
                }
            }
            Told::Suspended(holds) => {
                let ends = now + left.min(self.settings.tombstone_for);
                let arrived = now;
                let suspension = Suspension {
                    time,
                    holds,
                    arrived,
                    ends,
                };
                if holds || !left.is_zero() {
                    self.put_suspension(&place, suspension);
                }
            }
        }
        self.make_room(now);
    }
}

impl From<MarkKind> for Said {
    fn from(kind: MarkKind) -> Self {
        match kind {
            MarkKind::Disabled => Self::Disabled,
            MarkKind::Deleted => Self::Deleted,
        }
    }
}

impl From<Said> for MarkKind {
    fn from(said: Said) -> Self {
        match said {
            Said::Disabled => Self::Disabled,
            Said::Deleted => Self::Deleted,
        }
    }
}
