//! What a `GetUserResponse` means, if it can be trusted to mean anything.

use super::super::{Answer, Answered, Lifetime, Query, Reason};
use super::wire::google::protobuf;
use super::wire::{self, GetUserResponse, NotFound, get_user_response};
use crate::event::Version;
use crate::user::record::{Attribute, Status, User};
use std::collections::BTreeMap;
use std::time::Duration;

/// Reads the answer to a question, and takes it only for that.
pub(super) fn judge(
    asked: Query<'_>,
    said: GetUserResponse,
    required: &[String],
) -> Result<Answered, Reason> {
    let GetUserResponse { result, max_age } = said;
    let answer = match result.ok_or(Reason::MalformedAnswer)? {
        get_user_response::Result::User(user) => Answer::Found(found(asked, user, required)?),
        get_user_response::Result::NotFound(not_found) if repeats(asked, &not_found) => {
            Answer::NotFound
        }
        get_user_response::Result::NotFound(_) => return Err(Reason::UnrecognizedNotFound),
    };
    let lifetime = Lifetime {
        fresh: max_age.map(duration).transpose()?,
        ..Lifetime::default()
    };
    Ok(Answered {
        answer,
        lifetime,
        etag: None,
    })
}

fn repeats(asked: Query<'_>, said: &NotFound) -> bool {
    let NotFound {
        realm,
        tenant,
        subject,
    } = said;
    *realm == **asked.realm
        && *subject == **asked.subject
        && tenant.as_deref() == asked.tenant.map(|tenant| &**tenant)
}

fn found(asked: Query<'_>, user: wire::User, required: &[String]) -> Result<User, Reason> {
    let status = user.status();
    let wire::User {
        realm,
        tenant,
        subject,
        id,
        status: _,
        roles,
        attributes,
        version,
    } = user;
    if subject != **asked.subject || realm != **asked.realm {
        return Err(Reason::OtherSubject);
    }
    if let Some(asked) = asked.tenant
        && tenant.as_deref() != Some(asked)
    {
        return Err(Reason::OtherTenant);
    }
    if id.is_empty() {
        return Err(Reason::MalformedAnswer);
    }
    let attributes = present(attributes);
    let lacks = required
        .iter()
        .find(|required| !attributes.iter().any(|(own, _)| **own == ***required));
    Ok(User {
        id: Some(id.into()),
        status: match status {
            wire::Status::Active => Status::Active,
            wire::Status::Disabled => Status::Disabled,
            wire::Status::Unspecified => return Err(Reason::MalformedAnswer),
        },
        roles: roles.into_iter().map(String::into_boxed_str).collect(),
        attributes,
        lacks: lacks.map(|name| name.as_str().into()),
        version: Version::parse(&version),
    })
}

/// The attributes; empty texts or none are as good as no attribute.
fn present(attributes: BTreeMap<String, wire::AttributeValues>) -> Box<[Attribute]> {
    let attributes = attributes
        .into_iter()
        .filter(|(_, attribute)| attribute.values.iter().any(|value| !value.is_empty()));
    attributes
        .map(|(name, attribute)| {
            let values = attribute.values.into_iter().map(String::into_boxed_str);
            (name.into(), values.collect())
        })
        .collect()
}

fn duration(said: protobuf::Duration) -> Result<Duration, Reason> {
    let (Ok(seconds), Ok(nanos @ ..=999_999_999)) =
        (u64::try_from(said.seconds), u32::try_from(said.nanos))
    else {
        return Err(Reason::MalformedAnswer);
    };
    Ok(Duration::new(seconds, nanos))
}
