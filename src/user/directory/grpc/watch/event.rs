//! An event as it was sent, read into one of ours.

use super::super::wire::google::protobuf;
use super::super::wire::{self, event};
use crate::clock::Timestamp;
use crate::event::{Event, EventError, Kind, Version, Whom};
use std::sync::Arc;

/// The longest name of anything in an event, in bytes.
const MAX_NAME: usize = 255;

/// Why an event is skipped.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum Unread {
    #[error(transparent)]
    Event(#[from] EventError),
    #[error("time: expected one from 1970 to 9999")]
    Time,
    #[error("realm: expected one that is watched")]
    Realm,
    #[error("{0}: expected 1 to {MAX_NAME} bytes, came {1}")]
    Name(&'static str, usize),
    #[error("new_subject: expected another than the old one")]
    SameSubject,
    #[error("expected no subject and no user id in an event of a tenant")]
    Somebody,
}

/// Reads an event of one of these realms.
pub(super) fn read(event: &wire::Event, realms: &[Arc<str>]) -> Result<Event, Unread> {
    let wire::Event {
        id: _,
        r#type,
        time,
        realm,
        tenant,
        whom,
        new_subject,
        all_tokens,
        version,
    } = event;
    let kind = match &**r#type {
        "user.created" => Kind::UserCreated,
        "user.updated" => Kind::UserUpdated,
        "user.disabled" => Kind::UserDisabled,
        "user.enabled" => Kind::UserEnabled,
        "user.deleted" => Kind::UserDeleted,
        "user.id_changed" => Kind::UserIdChanged {
            to: name("new_subject", new_subject)?,
            all_tokens: *all_tokens,
        },
        "tenant.suspended" => Kind::TenantSuspended,
        "tenant.resumed" => Kind::TenantResumed,
        other => {
            let came = other.chars().take(64).collect();
            return Err(EventError::Unknown { came }.into());
        }
    };
    let realm = realms.iter().find(|own| ***own == **realm);
    let tenant = tenant.as_deref().map(|tenant| name("tenant", tenant));
    let tenant = tenant.transpose()?;
    let whom = match whom {
        None => None,
        Some(event::Whom::Subject(subject)) => Some(Whom::Subject(name("subject", subject)?)),
        Some(event::Whom::UserId(id)) => Some(Whom::Id(name("user_id", id)?)),
    };
    fits(&kind, tenant.is_some(), whom.as_ref())?;
    Ok(Event {
        time: time.as_ref().and_then(timestamp).ok_or(Unread::Time)?,
        realm: Arc::clone(realm.ok_or(Unread::Realm)?),
        tenant,
        whom,
        version: Version::parse(version),
        kind,
    })
}

/// Whether an event of this kind can happen to these.
fn fits(kind: &Kind, has_tenant: bool, whom: Option<&Whom>) -> Result<(), Unread> {
    match (kind, whom) {
        (Kind::TenantSuspended | Kind::TenantResumed, Some(_)) => Err(Unread::Somebody),
        (Kind::TenantSuspended | Kind::TenantResumed, None) if has_tenant => Ok(()),
        (Kind::TenantSuspended | Kind::TenantResumed, None) => Err(EventError::NoTenant.into()),
        (Kind::UserIdChanged { to, .. }, Some(Whom::Subject(from))) if to == from => {
            Err(Unread::SameSubject)
        }
        (Kind::UserIdChanged { .. }, Some(Whom::Id(_))) => Err(EventError::NoSubject.into()),
        (
            Kind::UserCreated
            | Kind::UserUpdated
            | Kind::UserDisabled
            | Kind::UserEnabled
            | Kind::UserDeleted
            | Kind::UserIdChanged { .. },
            whom,
        ) => whom.map(drop).ok_or_else(|| EventError::Nobody.into()),
    }
}

fn name(what: &'static str, name: &str) -> Result<Arc<str>, Unread> {
    match name.len() {
        1..=MAX_NAME => Ok(name.into()),
        length => Err(Unread::Name(what, length)),
    }
}

fn timestamp(time: &protobuf::Timestamp) -> Option<Timestamp> {
    let seconds = u64::try_from(time.seconds).ok()?;
    let nanos = u64::try_from(time.nanos).ok()?;
    let millis = seconds.checked_mul(1000)?.checked_add(nanos / 1_000_000)?;
    let time = Timestamp::from_millis(millis);
    (nanos < 1_000_000_000 && time < Timestamp::END).then_some(time)
}
