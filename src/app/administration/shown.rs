//! What the process knows, as the admin API says it.

use crate::event::ledger::{MarkKind, Told};
use crate::event::{Event, Kind, Whom};
use crate::server::admin::message::{
    self, Age, CanaryView, EventView, FenceView, GuardGroup, Lasting, MarkView, Record, State,
    Status,
};
use crate::user::freshness::Freshness;
use crate::user::{CanaryHeard, CanaryState, Entry, Found, GroupStatus, record};
use std::sync::Arc;

impl From<&Entry> for State {
    fn from(entry: &Entry) -> Self {
        match entry.user {
            Some(_) => Self::Found,
            None => Self::NotFound,
        }
    }
}

impl From<&Entry> for Age {
    fn from(entry: &Entry) -> Self {
        Self {
            age_seconds: entry.age.as_secs_f64(),
            freshness: match entry.freshness {
                Freshness::Fresh => Lasting::Fresh,
                Freshness::Revalidate => Lasting::Revalidate,
                Freshness::Stale => Lasting::Stale,
                Freshness::Spent => Lasting::Spent,
            },
        }
    }
}

impl Record {
    pub(super) fn of(user: &Found, subject: &str) -> Self {
        let names = user.attributes().iter().map(|(name, _)| name.to_string());
        Self {
            id: user.id().unwrap_or(subject).to_owned(),
            status: match user.status() {
                record::Status::Active => Status::Active,
                record::Status::Disabled => Status::Disabled,
            },
            roles: user.roles().iter().map(ToString::to_string).collect(),
            attributes: names.collect(),
            lacks: user.lacks().map(str::to_owned),
            version: user.version().map(|version| version.to_string()),
        }
    }
}

impl From<Told> for FenceView {
    fn from(fence: Told) -> Self {
        Self {
            time: fence.time.to_string(),
            version: fence.version.map(|version| version.to_string()),
            mark: fence.mark.map(|mark| match mark {
                MarkKind::Deleted => MarkView::Deleted,
                MarkKind::Disabled => MarkView::Disabled,
            }),
            revoked: fence.revoked.map(|revoked| revoked.to_string()),
        }
    }
}

impl From<GroupStatus> for GuardGroup {
    fn from(status: GroupStatus) -> Self {
        let GroupStatus {
            group,
            known,
            vanished,
            held,
            released,
        } = status;
        Self {
            realm: group.realm.to_string(),
            tenant: group.tenant.as_deref().map(str::to_owned),
            known,
            vanished,
            held,
            released,
        }
    }
}

impl From<(Arc<str>, Option<CanaryHeard>)> for CanaryView {
    fn from((realm, heard): (Arc<str>, Option<CanaryHeard>)) -> Self {
        Self {
            realm: realm.to_string(),
            state: match heard.map(|(state, _)| state) {
                None => message::CanaryState::Unasked,
                Some(CanaryState::Found) => message::CanaryState::Found,
                Some(CanaryState::Missing) => message::CanaryState::Missing,
                Some(CanaryState::Unanswered(_)) => message::CanaryState::Unanswered,
            },
            age_seconds: heard.map(|(_, ago)| ago.as_secs_f64()),
        }
    }
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        let (subject, user_id) = match &event.whom {
            Some(Whom::Subject(subject)) => (Some(subject.to_string()), None),
            Some(Whom::Id(id)) => (None, Some(id.to_string())),
            None => (None, None),
        };
        let (new_subject, all_tokens) = match &event.kind {
            Kind::UserIdChanged { to, all_tokens } => (Some(to.to_string()), Some(*all_tokens)),
            Kind::UserCreated
            | Kind::UserUpdated
            | Kind::UserDisabled
            | Kind::UserEnabled
            | Kind::UserDeleted
            | Kind::TenantSuspended
            | Kind::TenantResumed => (None, None),
        };
        Self {
            kind: event.kind.as_str().to_owned(),
            time: event.time.to_string(),
            realm: event.realm.to_string(),
            tenant: event.tenant.as_deref().map(str::to_owned),
            subject,
            user_id,
            new_subject,
            all_tokens,
            version: event.version.map(|version| version.to_string()),
        }
    }
}
