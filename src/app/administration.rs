//! What the admin API can do, over the generation that is at work.

mod names;
mod shown;
mod told;

use super::Parts;
use crate::clock::Clock;
use crate::event::ledger::Person;
use crate::event::{self, EventError, Kind, Ledger, Whom};
use crate::server::admin::message::{
    Age, EventRequest, EventView, Forgotten, GuardView, Record, Release, Released, State,
    UserQuery, UserView,
};
use crate::server::admin::{AdminError, Administration};
use crate::server::generation::Generation;
use crate::telemetry::privacy::Privacy;
use crate::token::issuer::Issuer;
use crate::user::{self, GuardStatus};
use arc_swap::ArcSwap;
use names::{Group, Names};
use std::sync::Arc;
use tokio::time::Instant;

/// Does what an operator asks.
#[derive(Debug)]
pub(super) struct Desk {
    current: Arc<ArcSwap<Generation>>,
    issuers: Arc<ArcSwap<Vec<Arc<Issuer>>>>,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
}

impl Desk {
    pub(super) fn new(parts: &Parts, clock: Arc<dyn Clock>) -> Self {
        Self {
            current: Arc::clone(&parts.current),
            issuers: Arc::clone(&parts.issuers),
            ledger: parts.ledger.clone(),
            clock,
        }
    }

    /// Does something with the names of the configuration as it is now.
    fn with<T>(&self, does: impl FnOnce(&Generation, &Names<'_>) -> T) -> T {
        let (generation, issuers) = (self.current.load(), self.issuers.load());
        let names = Names {
            issuers: &issuers,
            tenants: generation.decider.tenants().config(),
        };
        does(&generation, &names)
    }
}

impl Administration for Desk {
    fn user(&self, query: &UserQuery) -> Result<UserView, AdminError> {
        self.with(|generation, names| {
            let named = names.user(query)?;
            let users = generation.decider.users();
            let entry = users.remembered(&named.query(), Instant::now());
            let record = entry.as_ref().and_then(|entry| entry.user.as_deref());
            let person = Person {
                realm: &named.realm,
                tenant: named.tenant.as_deref(),
                subject: &named.subject,
                id: record.and_then(|user| user.id()),
            };
            Ok(UserView {
                key: named.key(),
                state: entry.as_ref().map_or(State::Absent, State::from),
                age: entry.as_ref().map(Age::from),
                user: record.map(|user| Record::of(user, &named.subject)),
                fence: self.ledger.told(person).map(Into::into),
                alias: self.ledger.newest_subject(person).map(|to| to.to_string()),
            })
        })
    }

    fn forget(&self, query: &UserQuery) -> Result<Forgotten, AdminError> {
        self.with(|generation, names| {
            let named = names.user(query)?;
            let forgotten = generation.decider.users().forget(&named.query());
            tracing::info!(
                realm = &*named.realm,
                tenant = named.tenant.as_deref(),
                subject = generation.privacy.shown(&named.subject).as_deref(),
                forgotten,
                "admin: a remembered user was dropped"
            );
            Ok(Forgotten {
                key: named.key(),
                forgotten,
            })
        })
    }

    fn guard(&self) -> GuardView {
        let generation = self.current.load();
        let (users, now) = (generation.decider.users(), Instant::now());
        let GuardStatus {
            all_held, groups, ..
        } = users.guard(now);
        GuardView {
            all_held,
            groups: groups.into_iter().map(Into::into).collect(),
            canaries: users.canaries(now).into_iter().map(Into::into).collect(),
        }
    }

    fn release(&self, which: &Release) -> Result<Released, AdminError> {
        let Group { realm, tenant } = self.with(|_, names| names.group(which))?;
        let (generation, now) = (self.current.load(), Instant::now());
        let users = generation.decider.users();
        let is_meant = |group: &user::Group| {
            realm.as_ref().is_none_or(|realm| *realm == group.realm)
                && (tenant.is_none() || tenant == group.tenant)
        };
        let released = if realm.is_none() && tenant.is_none() {
            users.release(None, now)
        } else {
            let groups = users.guard(now).groups.into_iter();
            let meant = groups.filter(|status| is_meant(&status.group));
            meant
                .map(|status| users.release(Some(&status.group), now))
                .sum()
        };
        tracing::info!(
            realm = realm.as_deref(),
            tenant = tenant.as_deref(),
            released,
            "admin: the vanish guard was released"
        );
        Ok(Released {
            released: released as u64,
            guard: self.guard(),
        })
    }

    fn event(&self, request: &EventRequest) -> Result<EventView, AdminError> {
        let now = self.clock.now();
        self.with(|generation, names| {
            let event = told::read(request, names, now)?;
            let taken = event::apply(&event, &self.ledger, now);
            let event = taken.map_err(|error| refused(&error, &event))?;
            log(&event, &generation.privacy);
            Ok(EventView::from(&event))
        })
    }
}

fn log(event: &event::Event, privacy: &Privacy) {
    let (subject, user_id) = match &event.whom {
        Some(Whom::Subject(subject)) => (privacy.shown(subject), None),
        Some(Whom::Id(id)) => (None, privacy.shown(id)),
        None => (None, None),
    };
    tracing::info!(
        event = event.kind.as_str(),
        time = %event.time,
        realm = &*event.realm,
        tenant = event.tenant.as_deref(),
        subject = subject.as_deref(),
        user_id = user_id.as_deref(),
        "admin: an event was taken"
    );
}

/// What the ledger says against an event that is whole.
fn refused(error: &EventError, event: &event::Event) -> AdminError {
    match error {
        EventError::Tenant => names::bad_tenant(event.tenant.as_deref().unwrap_or_default()),
        EventError::Cycle(_) => AdminError::Conflict(error.to_string()),
        EventError::Ahead(time) => invalid("time", "one at most 5 minutes ahead", time.to_string()),
        EventError::Nobody => invalid("subject", "`subject` or `user_id`", "neither"),
        EventError::NoSubject => invalid("user_id", "the old subject", "a user id"),
        EventError::NoTenant => invalid("tenant", "one, in an event of a tenant", "none"),
        EventError::Unknown { came } => {
            let expected = format!("one of {}", Kind::NAMES.join(", "));
            invalid("type", expected, came)
        }
    }
}

/// A member that is not what it should be.
fn invalid(
    field: &'static str,
    expected: impl Into<String>,
    came: impl Into<String>,
) -> AdminError {
    AdminError::Invalid {
        field,
        expected: expected.into(),
        came: came.into(),
    }
}
