//! A Status List Token (section 5): from an answer to a list that its issuer signed.

use super::packed::{NotAList, Packed};
use crate::clock::Timestamp;
use crate::load::Load;
use crate::net::http::{Answer, HttpError};
use crate::token::TokenError;
use crate::token::claims::date;
use crate::token::issuer::Issuer;
use crate::token::json;
use crate::token::jwk::Key;
use crate::token::jws::{Jws, media_type_is};
use crate::token::keyring::NoKey;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::Instant;

/// The media type of a Status List Token as a JWT.
pub(super) const MEDIA_TYPE: &str = "application/statuslist+jwt";

/// A list as its issuer signed it.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) list: Packed,
    pub(super) key: Arc<Key>,
    pub(super) issued: Timestamp,
    pub(super) expires: Option<Timestamp>,
    /// How long it may be used before another is asked for.
    pub(super) ttl: Option<Duration>,
}

/// Why a list could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListError {
    #[error("{0}")]
    Http(#[from] HttpError),
    #[error("the answer has status {0}: expected 2xx")]
    Status(u16),
    #[error("the answer has content type {0}: expected {MEDIA_TYPE}")]
    ContentType(Box<str>),
    #[error("status list token: {0}")]
    Token(TokenError),
    #[error("status list token: typ is not statuslist+jwt")]
    Type,
    #[error("status list token: the payload is not a JSON object with unique names")]
    NotAnObject,
    #[error("status list token: claim `{0}` is missing, or not what it must be")]
    Claim(&'static str),
    #[error("status list token: expired at {0}")]
    Expired(Timestamp),
    #[error("status list token: not valid before {0}")]
    NotYetValid(Timestamp),
    #[error("status list token: {0}")]
    List(#[from] NotAList),
    #[error("the list is older than the one that is held")]
    Outdated,
    #[error("the fetch panicked")]
    Panicked(#[from] JoinError),
}

impl ListError {
    /// Whether something came that is no list to use; else nothing came.
    pub(super) const fn is_refusal(&self) -> bool {
        match self {
            Self::Http(_) | Self::Status(_) | Self::Panicked(_) => false,
            Self::Token(error) => !matches!(error, TokenError::Key(_)),
            Self::ContentType(_)
            | Self::Type
            | Self::NotAnObject
            | Self::Claim(_)
            | Self::Expired(_)
            | Self::NotYetValid(_)
            | Self::List(_)
            | Self::Outdated => true,
        }
    }
}

/// Judges what came from `uri`, now.
pub(super) async fn read(
    answer: Answer,
    uri: &str,
    issuer: &Issuer,
    now: Timestamp,
) -> Result<Signed, ListError> {
    if !(200..300).contains(&answer.status) {
        return Err(ListError::Status(answer.status));
    }
    match answer.content_type.as_deref() {
        Some(MEDIA_TYPE) => {}
        other => {
            let came = other.unwrap_or("none").chars().take(100).collect();
            return Err(ListError::ContentType(came));
        }
    }
    let text = String::from_utf8_lossy(&answer.body);
    let (key, payload) = verify(text.trim_ascii(), issuer).await?;
    let (uri, identifier) = (uri.to_owned(), Arc::clone(&issuer.config().issuer));
    let leeway = issuer.config().leeway;
    // A long list takes long to unpack.
    spawn_blocking(move || claims(&payload, key, &uri, &identifier, leeway, now)).await?
}

/// The payload, and the key of the issuer that signed it.
async fn verify(text: &str, issuer: &Issuer) -> Result<(Arc<Key>, Vec<u8>), ListError> {
    let malformed = |error| ListError::Token(TokenError::Malformed(error));
    let jws = Jws::parse(text).map_err(malformed)?;
    if !jws
        .token_type()
        .is_some_and(|came| media_type_is(came, MEDIA_TYPE))
    {
        return Err(ListError::Type);
    }
    // A place of its own: it is no request, and keeps none of theirs.
    let now = Instant::now();
    let own = Load::new(1, 1).admit(now + issuer.config().keyring.timeout);
    let place = own.ok_or(ListError::Token(TokenError::Key(NoKey::Crowded)))?;
    let key = issuer.verify(&jws, now, &place).await;
    Ok((key.map_err(ListError::Token)?, jws.into_payload()))
}

fn claims(
    payload: &[u8],
    key: Arc<Key>,
    uri: &str,
    identifier: &str,
    leeway: Duration,
    now: Timestamp,
) -> Result<Signed, ListError> {
    let all = json::object(payload).map_err(|_| ListError::NotAnObject)?;
    if all.get("sub").and_then(Value::as_str) != Some(uri) {
        return Err(ListError::Claim("sub"));
    }
    if all
        .get("iss")
        .is_some_and(|came| came.as_str() != Some(identifier))
    {
        return Err(ListError::Claim("iss"));
    }
    let time = |name| date(&all, name).map_err(|_| ListError::Claim(name));
    let issued = time("iat")?.ok_or(ListError::Claim("iat"))?;
    let from = time("nbf")?.unwrap_or(issued).max(issued);
    if from > now.plus(leeway) {
        return Err(ListError::NotYetValid(from));
    }
    let expires = time("exp")?;
    if let Some(expires) = expires.filter(|expires| now >= expires.plus(leeway)) {
        return Err(ListError::Expired(expires));
    }
    Ok(Signed {
        ttl: ttl(&all)?,
        list: list(&all)?,
        key,
        issued,
        expires,
    })
}

/// A positive number of seconds.
fn ttl(all: &Map<String, Value>) -> Result<Option<Duration>, ListError> {
    let Some(written) = all.get("ttl") else {
        return Ok(None);
    };
    written
        .as_f64()
        .filter(|seconds| *seconds > 0.0)
        .map(|seconds| Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)))
        .ok_or(ListError::Claim("ttl"))
}

fn list(all: &Map<String, Value>) -> Result<Packed, ListError> {
    let written = all.get("status_list").and_then(Value::as_object);
    let bits = written.and_then(|list| list.get("bits")?.as_u64());
    let packed = written.and_then(|list| list.get("lst")?.as_str());
    let (bits, packed) = bits.zip(packed).ok_or(ListError::Claim("status_list"))?;
    Ok(Packed::decode(bits, packed)?)
}

#[cfg(test)]
mod tests;
