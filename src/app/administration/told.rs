//! A lifecycle event as an operator tells it.

use super::invalid;
use super::names::{Names, Scope};
use crate::clock::Timestamp;
use crate::event::{Event, EventError, Kind, Version, Whom};
use crate::server::admin::AdminError;
use crate::server::admin::message::{EventRequest, WrittenVersion};
use std::sync::Arc;

/// The longest user id, in characters.
const LONGEST_ID: usize = 1024;

/// Reads an event: every member that its type does not have is a mistake.
pub(super) fn read(
    request: &EventRequest,
    names: &Names<'_>,
    now: Timestamp,
) -> Result<Event, AdminError> {
    let time = match request.time.as_deref() {
        None => now,
        Some(written) => Timestamp::parse_rfc3339(written)
            .ok_or_else(|| invalid("time", "an RFC 3339 time", written))?,
    };
    let scope = names.scope(request.issuer.as_deref(), request.realm.as_deref())?;
    let kind = kind(request, &scope)?;
    // Whatever its source, the tenant of an event is read where it is taken.
    let tenant = request.tenant.as_deref().map(Arc::from);
    let whom = match &kind {
        Kind::TenantSuspended | Kind::TenantResumed => {
            if tenant.is_none() {
                return Err(invalid("tenant", "one, in an event of a tenant", "none"));
            }
            nobody(request)?
        }
        Kind::UserIdChanged { .. } if request.user_id.is_some() => {
            let expected = "the old subject in `user.id_changed`";
            return Err(invalid("user_id", expected, "a user id"));
        }
        Kind::UserCreated
        | Kind::UserUpdated
        | Kind::UserDisabled
        | Kind::UserEnabled
        | Kind::UserDeleted
        | Kind::UserIdChanged { .. } => Some(somebody(request, &scope)?),
    };
    if let (Some(Whom::Subject(old)), Kind::UserIdChanged { to, .. }) = (&whom, &kind)
        && old == to
    {
        let error = EventError::Cycle(Arc::clone(old));
        return Err(AdminError::Conflict(error.to_string()));
    }
    Ok(Event {
        time,
        realm: Arc::clone(scope.realm),
        tenant,
        whom,
        version: request.version.as_ref().map(version).transpose()?,
        kind,
    })
}

fn kind(request: &EventRequest, scope: &Scope<'_>) -> Result<Kind, AdminError> {
    let kind = match request.kind.as_str() {
        "user.created" => Kind::UserCreated,
        "user.updated" => Kind::UserUpdated,
        "user.disabled" => Kind::UserDisabled,
        "user.enabled" => Kind::UserEnabled,
        "user.deleted" => Kind::UserDeleted,
        "tenant.suspended" => Kind::TenantSuspended,
        "tenant.resumed" => Kind::TenantResumed,
        "user.id_changed" => {
            let Some(new) = request.new_subject.as_deref() else {
                return Err(invalid("new_subject", "the new subject", "none"));
            };
            return Ok(Kind::UserIdChanged {
                to: scope.subject("new_subject", new)?,
                all_tokens: request.all_tokens.unwrap_or_default(),
            });
        }
        other => {
            let expected = format!("one of {}", Kind::NAMES.join(", "));
            return Err(invalid("type", expected, other));
        }
    };
    let alone = "none but in `user.id_changed`";
    if request.new_subject.is_some() {
        return Err(invalid("new_subject", alone, "one"));
    }
    if request.all_tokens.is_some() {
        return Err(invalid("all_tokens", alone, "it"));
    }
    Ok(kind)
}

fn nobody(request: &EventRequest) -> Result<Option<Whom>, AdminError> {
    let none = "none in an event of a tenant";
    match (&request.subject, &request.user_id) {
        (None, None) => Ok(None),
        (Some(_), _) => Err(invalid("subject", none, "one")),
        (None, Some(_)) => Err(invalid("user_id", none, "one")),
    }
}

fn somebody(request: &EventRequest, scope: &Scope<'_>) -> Result<Whom, AdminError> {
    match (request.subject.as_deref(), request.user_id.as_deref()) {
        (Some(subject), None) => scope.subject("subject", subject).map(Whom::Subject),
        (None, Some(id)) => {
            let fits = !id.is_empty() && id.chars().nth(LONGEST_ID).is_none();
            if !fits || id.chars().any(char::is_control) {
                let expected = format!("1 to {LONGEST_ID} characters, none of them a control");
                return Err(invalid("user_id", expected, "others"));
            }
            Ok(Whom::Id(id.into()))
        }
        (Some(_), Some(_)) => Err(invalid("user_id", "`subject` or `user_id`", "both")),
        (None, None) => Err(invalid("subject", "`subject` or `user_id`", "neither")),
    }
}

fn version(written: &WrittenVersion) -> Result<Version, AdminError> {
    match written {
        WrittenVersion::Number(number) => Ok(Version::Number(*number)),
        WrittenVersion::Text(text) => Version::parse(text).ok_or_else(|| {
            let expected = "an unsigned integer or an RFC 3339 time";
            invalid("version", expected, text.as_str())
        }),
    }
}
