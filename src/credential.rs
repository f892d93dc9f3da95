//! What was presented: finds the one token a request carries.

use crate::request::{Once, Request};
use std::fmt;

/// Where a credential is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A header with the `Bearer` scheme (RFC 6750 2.1); the name is in lower case.
    Bearer(String),
    /// A header that holds the bare token; the name is in lower case.
    Header(String),
    /// A cookie that holds the bare token.
    Cookie(String),
}

/// A token that was presented, and of which nothing is known yet. Its `Debug` says nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credential<'r>(&'r str);

/// Why what was presented cannot be one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// One source has several, or two sources differ: which one counts is not ours to guess.
    #[error("more than one credential was presented")]
    Several,
    /// A source holds something, and it is not a token.
    #[error("expected `Bearer`, one space or more, and one token")]
    Malformed,
}

impl<'r> Credential<'r> {
    /// Finds the one credential among the sources; `None` means that there is none at all.
    pub fn find(
        request: &Request<'r>,
        sources: &[Source],
    ) -> Result<Option<Self>, CredentialError> {
        let mut found: Option<Self> = None;
        for source in sources {
            let Some(here) = source.read(request)? else {
                continue;
            };
            match found {
                Some(before) if before != here => return Err(CredentialError::Several),
                Some(_) | None => found = Some(here),
            }
        }
        Ok(found)
    }

    /// The token's text. It goes to the verification and nowhere else.
    pub(crate) const fn expose(self) -> &'r str {
        self.0
    }

    fn of(bytes: &'r [u8]) -> Result<Self, CredentialError> {
        // Whatever else no token has in it, the verification refuses before it reads on.
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.is_empty() && !text.contains(' ') => Ok(Self(text)),
            Ok(_) | Err(_) => Err(CredentialError::Malformed),
        }
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

impl Source {
    fn read<'r>(&self, request: &Request<'r>) -> Result<Option<Credential<'r>>, CredentialError> {
        match self {
            Self::Bearer(name) => match request.header(name) {
                Once::Absent => Ok(None),
                Once::One(value) => bearer(value),
                Once::Repeated => Err(CredentialError::Several),
            },
            Self::Header(name) => match request.header(name) {
                Once::Absent => Ok(None),
                Once::One(value) if value.contains(&b',') => Err(CredentialError::Several),
                Once::One(value) => Credential::of(value).map(Some),
                Once::Repeated => Err(CredentialError::Several),
            },
            Self::Cookie(name) => cookie(request, name),
        }
    }
}

/// Reads `Bearer` and a token (RFC 6750 2.1; RFC 9110 11.1: a scheme's case does not matter).
///
/// Envoy joins repeated headers with a comma, which no token has: a second credential behind one of
/// another scheme is found too.
fn bearer(value: &[u8]) -> Result<Option<Credential<'_>>, CredentialError> {
    let Some(rest) = after_scheme(value) else {
        let mut others = value
            .split(|byte| *byte == b',')
            .skip(1)
            .map(<[u8]>::trim_ascii);
        return if others.any(|part| after_scheme(part).is_some()) {
            Err(CredentialError::Several)
        } else {
            Ok(None)
        };
    };
    if rest.contains(&b',') {
        return Err(CredentialError::Several);
    }
    let token = rest
        .iter()
        .position(|byte| *byte != b' ')
        .and_then(|start| rest.get(start..));
    match token {
        Some(token) if rest.first() == Some(&b' ') => Credential::of(token).map(Some),
        Some(_) | None => Err(CredentialError::Malformed),
    }
}

/// What follows the scheme `Bearer`; `None` where the scheme is another.
fn after_scheme(value: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer";
    let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
    let ends = rest
        .first()
        .is_none_or(|byte| !byte.is_ascii_graphic() || *byte == b',');
    (scheme.eq_ignore_ascii_case(SCHEME) && ends).then_some(rest)
}

/// Reads a cookie (RFC 6265 5.4); HTTP/2 may bring several `cookie` headers, and joining them is
/// Envoy's affair, so a comma separates as a semicolon does.
fn cookie<'r>(
    request: &Request<'r>,
    name: &str,
) -> Result<Option<Credential<'r>>, CredentialError> {
    let mut found = None;
    let headers = request
        .headers
        .iter()
        .filter(|header| header.name == "cookie")
        .map(|header| header.value.bytes());
    for pair in headers.flat_map(|value| value.split(|byte| matches!(byte, b';' | b','))) {
        let Some(value) = pair.trim_ascii().strip_prefix(name.as_bytes()) else {
            continue;
        };
        let Some(value) = value.trim_ascii_start().strip_prefix(b"=") else {
            continue;
        };
        let value = value.trim_ascii();
        let bare = value
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""))
            .unwrap_or(value);
        if found.replace(Credential::of(bare)?).is_some() {
            return Err(CredentialError::Several);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
