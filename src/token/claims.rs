//! What a verified payload claims (RFC 7519 4), each claim of its RFC's type or refused.

use super::issuer::{Audiences, ClaimIs, Config};
use super::json;
use crate::clock::Timestamp;
use serde_json::{Map, Number, Value};
use std::time::Duration;

/// The claims of one token, typed but not yet judged.
#[derive(Clone, Debug)]
pub struct Claims {
    all: Map<String, Value>,
    issuer: String,
    audience: Vec<String>,
    expires: Timestamp,
    not_before: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    scopes: Vec<String>,
}

/// Why claims are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    /// The payload is not one JSON object with unique member names.
    #[error("the payload is not a JSON object with unique names")]
    NotAnObject,
    /// A claim has another type than its RFC gives it, or a value out of range.
    #[error("claim `{0}` has the wrong type or is out of range")]
    Type(&'static str),
    /// A claim that must be there is not.
    #[error("claim `{0}` is missing")]
    Missing(String),
    /// It is a security event token, which is no access token (RFC 8725 3.12).
    #[error("a security event token, by its `events`, is no access token")]
    SecurityEvent,
    /// It is a status list token, which is no access token (RFC 8725 3.12).
    #[error("a status list token, by its `status_list`, is no access token")]
    StatusList,
    /// The token is for someone else.
    #[error("the audience is another")]
    Audience,
    /// `exp` has passed.
    #[error("expired at {0}")]
    Expired(Timestamp),
    /// `nbf` or `iat` lies ahead.
    #[error("not valid before {0}")]
    NotYetValid(Timestamp),
    /// The token lives too long.
    #[error("lives longer than {}", humantime::format_duration(*.0))]
    Lifetime(Duration),
}

impl Claims {
    /// Reads a payload. What it says is not trusted for having the right types.
    pub fn parse(payload: &[u8]) -> Result<Self, ClaimsError> {
        let all = json::object(payload).map_err(|_| ClaimsError::NotAnObject)?;
        let issuer = match all.get("iss") {
            Some(Value::String(issuer)) => issuer.clone(),
            Some(_) => return Err(ClaimsError::Type("iss")),
            None => return Err(ClaimsError::Missing("iss".to_owned())),
        };
        let expires = date(&all, "exp")?.ok_or_else(|| ClaimsError::Missing("exp".to_owned()))?;
        for name in ["jti", "sid", "client_id", "azp"] {
            optional_text(&all, name)?;
        }
        Ok(Self {
            issuer,
            audience: texts(&all, "aud", |_| None)?,
            expires,
            not_before: date(&all, "nbf")?,
            issued_at: date(&all, "iat")?,
            scopes: scopes(&all)?,
            all,
        })
    }

    /// Judges the claims by what their issuer may sign, now.
    pub fn check(&self, issuer: &Config, now: Timestamp) -> Result<(), ClaimsError> {
        if self.issuer != *issuer.issuer {
            return Err(ClaimsError::Type("iss"));
        }
        for name in &issuer.required_claims {
            if self.all.get(name).is_none_or(Value::is_null) {
                return Err(ClaimsError::Missing(name.clone()));
            }
        }
        if self.is_security_event() {
            return Err(ClaimsError::SecurityEvent);
        }
        if self.is_status_list() {
            return Err(ClaimsError::StatusList);
        }
        // The declared subject is judged by its own step; `sub` beside it has its RFC's type.
        if issuer.subject.claim != "sub" {
            optional_text(&self.all, "sub")?;
        }
        if let Audiences::Of(expected) = &issuer.audiences
            && !self.is_for(expected)
        {
            return Err(ClaimsError::Audience);
        }
        self.check_window(issuer.leeway, now)?;
        let lifetime = self.expires.since(self.issued_at.unwrap_or(now));
        if lifetime > issuer.max_lifetime {
            return Err(ClaimsError::Lifetime(issuer.max_lifetime));
        }
        Ok(())
    }

    /// Whether now lies within the token's time, clocks being apart by up to `leeway`.
    ///
    /// RFC 7519 4.1.4: now must be *before* `exp`; 4.1.5: now may be `nbf`.
    pub fn check_window(&self, leeway: Duration, now: Timestamp) -> Result<(), ClaimsError> {
        if now >= self.expires.plus(leeway) {
            return Err(ClaimsError::Expired(self.expires));
        }
        match self.not_before.max(self.issued_at) {
            Some(from) if from > now.plus(leeway) => Err(ClaimsError::NotYetValid(from)),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether this is a security event token (RFC 8417 2.2), such as a logout token, whose `typ` may
    /// be missing: an object `events` whose names are URIs.
    fn is_security_event(&self) -> bool {
        self.all
            .get("events")
            .and_then(Value::as_object)
            .is_some_and(|events| {
                !events.is_empty() && events.keys().all(|name| name.contains(':'))
            })
    }

    /// Whether this is a status list token (draft-ietf-oauth-status-list, section 5.1), whose `typ` may
    /// be missing: an object `status_list` with a list.
    fn is_status_list(&self) -> bool {
        let list = self.all.get("status_list");
        list.is_some_and(|list| list.get("lst").is_some())
    }

    /// The issuer, as claimed.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether the token is for one of these.
    pub fn is_for(&self, audiences: &[String]) -> bool {
        self.audience
            .iter()
            .any(|audience| audiences.contains(audience))
    }

    /// Whether the token grants a scope, by `scope` (RFC 8693 4.2) or `scp`.
    pub fn grants(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    /// When the token ends.
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// When it was issued, if it says so.
    pub const fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// Any claim.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.all.get(name)
    }

    /// A claim that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.all.get(name).and_then(Value::as_str)
    }

    /// Whether a claim is this string, or an array with it.
    pub fn has(&self, wanted: &ClaimIs) -> bool {
        match self.all.get(&wanted.claim) {
            Some(Value::String(text)) => *text == wanted.is,
            Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(&wanted.is)),
            Some(Value::Bool(value)) => value.to_string() == wanted.is,
            Some(Value::Number(number)) => number.to_string() == wanted.is,
            Some(Value::Null | Value::Object(_)) | None => false,
        }
    }

    /// The client a token was issued to: `client_id` (RFC 9068), else `azp`.
    pub fn client(&self) -> Option<&str> {
        self.text("client_id").or_else(|| self.text("azp"))
    }

    /// Whether the token's subject is the client itself (RFC 9700 4.15), by either claim.
    pub fn subject_is_client(&self) -> bool {
        self.text("sub").is_some_and(|subject| {
            [self.text("client_id"), self.text("azp")].contains(&Some(subject))
        })
    }
}

fn optional_text<'c>(
    all: &'c Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'c str>, ClaimsError> {
    all.get(name)
        .map(|value| value.as_str().ok_or(ClaimsError::Type(name)))
        .transpose()
}

/// A claim that is one string or an array of strings; `split` may take one string apart.
fn texts(
    all: &Map<String, Value>,
    name: &'static str,
    split: fn(&str) -> Option<Vec<String>>,
) -> Result<Vec<String>, ClaimsError> {
    match all.get(name) {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(split(one).unwrap_or_else(|| vec![one.clone()])),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| {
                item.as_str()
                    .map(str::to_owned)
                    .ok_or(ClaimsError::Type(name))
            })
            .collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            Err(ClaimsError::Type(name))
        }
    }
}

fn scopes(all: &Map<String, Value>) -> Result<Vec<String>, ClaimsError> {
    let words = |text: &str| {
        Some(
            text.split(' ')
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    };
    let mut scopes = texts(all, "scope", words)?;
    scopes.extend(texts(all, "scp", words)?);
    Ok(scopes)
}

/// A `NumericDate` (RFC 7519 2): seconds, perhaps with a fraction, from the epoch to the end of 9999.
pub(crate) fn date(
    all: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Timestamp>, ClaimsError> {
    let Some(value) = all.get(name) else {
        return Ok(None);
    };
    let Value::Number(number) = value else {
        return Err(ClaimsError::Type(name));
    };
    millis(number)
        .map(Timestamp::from_millis)
        .filter(|time| *time < Timestamp::END)
        .map(Some)
        .ok_or(ClaimsError::Type(name))
}

fn millis(number: &Number) -> Option<u64> {
    if let Some(seconds) = number.as_u64() {
        return seconds.checked_mul(1000);
    }
    let millis = number.as_f64()? * 1000.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the range was just checked"
    )]
    (millis >= 0.0 && millis < Timestamp::END.as_millis() as f64).then_some(millis as u64)
}

#[cfg(test)]
mod tests;
