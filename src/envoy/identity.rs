//! The headers that tell the service behind Envoy who is calling.
//!
//! Every name that could carry an identity is either set here or taken from the request, in each
//! spelling that a backend could take for it: what a client sends under such a name never arrives.

use super::encode::{remove_header, set_header};
use crate::decision::{Caller, Permit, Refusal};
use crate::token::VerifiedToken;
use bytes::BytesMut;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What never stands bare in a value: all but visible ASCII, and the percent sign that escapes.
const ESCAPED: &[u8] = b"%";

/// In an element of a list, the comma that separates too.
const ESCAPED_IN_LIST: &[u8] = b"%,";

/// Writes identity headers as configured.
#[derive(Debug)]
pub struct Identity {
    config: Config,
    /// Removed always, encoded: what is only ever stripped, and the other spellings of each name.
    always: BytesMut,
}

impl Identity {
    /// Prepares the removals; `credentials` are the headers that may bear a token.
    pub fn new(config: Config, credentials: &[String]) -> Self {
        let mut names: BTreeSet<String> = config.strip.iter().cloned().collect();
        for name in config
            .names()
            .into_iter()
            .chain(config.strip.iter().map(String::as_str))
        {
            names.extend(spellings(name));
        }
        if !config.forward_authorization {
            names.insert("authorization".to_owned());
            names.extend(credentials.iter().cloned());
        }
        for name in config.names() {
            names.remove(name);
        }
        let mut always = BytesMut::new();
        for name in &names {
            remove_header(&mut always, name.as_bytes());
        }
        Self { config, always }
    }

    /// Writes the headers of a permit and the removal of all others into an `OkHttpResponse`.
    pub(super) fn write(&self, permit: &Permit, ok: &mut BytesMut) -> Result<(), Refusal> {
        let mut writer = Writer {
            ok,
            value: BytesMut::with_capacity(64),
            bytes: 0,
        };
        let Config {
            user_id,
            subject,
            tenant,
            roles,
            issuer,
            client_id,
            headers,
            ..
        } = &self.config;
        let token = permit.token();
        let user = match permit.caller() {
            Caller::User { user, .. } => Some(user),
            Caller::Nobody | Caller::Client(_) | Caller::Unasked { .. } => None,
        };
        let named = match permit.caller() {
            Caller::User { token, .. } | Caller::Unasked { token, .. } => {
                token.subject().as_ref().ok()
            }
            Caller::Nobody | Caller::Client(_) => None,
        };
        let client = match permit.caller() {
            Caller::Client(token) => token
                .claims()
                .client()
                .or_else(|| token.claims().text("sub")),
            Caller::Nobody | Caller::Unasked { .. } | Caller::User { .. } => None,
        };
        writer.text(user_id.as_deref(), permit.user_id());
        writer.text(
            subject.as_deref(),
            named.map(|subject| &**subject.normalized()),
        );
        writer.text(tenant.as_deref(), permit.tenant().map(|tenant| &**tenant));
        writer.list(
            roles.as_deref(),
            user.map(|user| user.roles()).unwrap_or_default(),
        );
        writer.text(
            issuer.as_deref(),
            token.map(|token| &*token.issuer().config().issuer),
        );
        writer.text(Some(client_id), client);
        for (name, value) in headers {
            match value {
                Value::Attribute(attribute) => {
                    match user.and_then(|user| user.attribute(attribute)) {
                        Some([one]) => writer.text(Some(name), Some(one)),
                        other => writer.list(Some(name), other.unwrap_or_default()),
                    }
                }
                Value::Claim(claim) => {
                    writer.claim(name, token.and_then(|token| claimed(token, claim)));
                }
            }
        }
        let came = writer.bytes;
        if came > self.config.max_bytes {
            return Err(Refusal::IdentityTooLong {
                came,
                most: self.config.max_bytes,
            });
        }
        ok.extend_from_slice(&self.always);
        Ok(())
    }
}

/// Writes values, or the removal of the names that have none.
struct Writer<'o> {
    ok: &'o mut BytesMut,
    value: BytesMut,
    bytes: usize,
}

impl Writer<'_> {
    fn text(&mut self, name: Option<&str>, value: Option<&str>) {
        let Some(name) = name else { return };
        self.value.clear();
        escape(value.unwrap_or_default(), ESCAPED, &mut self.value);
        self.finish(name);
    }

    fn list<T: AsRef<str>>(&mut self, name: Option<&str>, values: &[T]) {
        let Some(name) = name else { return };
        self.value.clear();
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.value.extend_from_slice(b",");
            }
            escape(value.as_ref(), ESCAPED_IN_LIST, &mut self.value);
        }
        self.finish(name);
    }

    /// A text, number or boolean, or a list of them; anything else is no value.
    fn claim(&mut self, name: &str, claim: Option<&Json>) {
        match claim {
            Some(Json::String(text)) => self.text(Some(name), Some(text)),
            Some(Json::Number(number)) => self.text(Some(name), Some(&number.to_string())),
            Some(Json::Bool(value)) => self.text(Some(name), Some(&value.to_string())),
            Some(Json::Array(items)) => {
                let texts: Option<Vec<_>> = items.iter().map(Json::as_str).collect();
                self.list(Some(name), &texts.unwrap_or_default());
            }
            Some(Json::Null | Json::Object(_)) | None => self.text(Some(name), None),
        }
    }

    fn finish(&mut self, name: &str) {
        if self.value.is_empty() {
            remove_header(self.ok, name.as_bytes());
        } else {
            self.bytes += self.value.len();
            set_header(self.ok, name.as_bytes(), &self.value);
        }
    }
}

fn claimed<'t>(token: &'t VerifiedToken, claim: &str) -> Option<&'t Json> {
    token.claims().get(claim)
}

/// Percent-encodes what a header value, or a reader of it, could take for something else.
fn escape(text: &str, escaped: &[u8], to: &mut BytesMut) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let hex = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or_default();
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !escaped.contains(&byte) {
            to.extend_from_slice(&[byte]);
        } else {
            to.extend_from_slice(&[b'%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
}

/// The other spellings of a name: each hyphen also as an underscore and the other way round, in every
/// combination, since a backend may take the two for one (RFC 3875 4.1.18).
fn spellings(name: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for character in name.chars() {
        let written: &[char] = match character {
            '-' | '_' => &['-', '_'],
            _ => &[character],
        };
        let longer = all.iter().flat_map(|spelling| {
            written
                .iter()
                .map(move |character| format!("{spelling}{character}"))
        });
        all = longer.collect();
    }
    all.retain(|spelling| spelling != name);
    all
}

/// Which headers are set, and which are never let through from a client; names are lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Holds the user's canonical id.
    pub user_id: Option<String>,
    /// Holds the token's normalized subject.
    pub subject: Option<String>,
    /// Holds the proven tenant.
    pub tenant: Option<String>,
    /// Holds the user's roles, comma-separated.
    pub roles: Option<String>,
    /// Holds the issuer's URL.
    pub issuer: Option<String>,
    /// Holds the client's id of a machine token; `x-client-id`.
    pub client_id: String,
    /// Further headers.
    pub headers: Vec<(String, Value)>,
    /// Headers that are removed and never set.
    pub strip: Vec<String>,
    /// The most that all values may sum up to, in bytes.
    pub max_bytes: usize,
    /// Whether the service behind sees the headers that may bear a credential; cookies it always sees.
    pub forward_authorization: bool,
}

/// What a further header holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An attribute of the user.
    Attribute(String),
    /// A claim of the token.
    Claim(String),
}

impl Config {
    /// The names that a permit may set.
    pub fn names(&self) -> Vec<&str> {
        let Self {
            user_id,
            subject,
            tenant,
            roles,
            issuer,
            client_id,
            headers,
            ..
        } = self;
        let single = [user_id, subject, tenant, roles, issuer]
            .into_iter()
            .flatten();
        let further = headers.iter().map(|(name, _)| name);
        single
            .chain([client_id])
            .chain(further)
            .map(String::as_str)
            .collect()
    }
}

#[cfg(test)]
mod tests;
