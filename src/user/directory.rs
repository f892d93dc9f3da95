//! Where knowledge of users comes from: one contract, several ways to ask.

use crate::net::tls::ClientTls;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Which directory is asked, and how.
#[derive(Clone, Debug, PartialEq)]
pub enum Config {
    /// A JSON user service.
    Http(Http),
    /// A watched `users.yaml`.
    File(PathBuf),
}

/// How a JSON user service is asked, and how its answers are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// The URL, with `{subject}` and, where wanted, `{tenant}`, `{realm}`, `{issuer}`.
    pub url: UrlTemplate,
    /// Headers sent with every request.
    pub headers: Vec<(http::HeaderName, http::HeaderValue)>,
    /// A watched file that holds the bearer token.
    pub token_file: Option<PathBuf>,
    /// How the service is reached.
    pub tls: ClientTls,
    /// What a real "does not exist" looks like.
    pub not_found: NotFound,
    /// Where in the answer things are.
    pub fields: Fields,
    /// Values of `fields.status` that mean disabled; any other is active.
    pub disabled_values: Vec<String>,
    /// Attributes kept for identity headers: name to pointer.
    pub attributes: BTreeMap<String, Pointer>,
    /// Attributes without which a record is incomplete.
    pub required: Vec<String>,
    /// Headers of a request whose answer must not come from a cache.
    pub consistent_read: Vec<(http::HeaderName, http::HeaderValue)>,
}

/// A URL with named places in it; every value is percent-encoded as one path segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTemplate {
    /// The parts, in order.
    pub parts: Vec<UrlPart>,
}

/// A part of a [`UrlTemplate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlPart {
    /// Text as it stands.
    Text(String),
    /// The subject.
    Subject,
    /// The tenant.
    Tenant,
    /// The realm.
    Realm,
    /// The issuer's URL.
    Issuer,
}

/// What a real "does not exist" looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound {
    /// One of these statuses.
    pub status: Vec<u16>,
    /// This media type, parameters aside.
    pub content_type: String,
    /// This content.
    pub code: NotFoundCode,
}

/// The content of a recognized not-found answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFoundCode {
    /// The JSON string at this pointer has this value.
    At {
        /// The place, `/code` for the short form.
        pointer: Pointer,
        /// The value.
        is: String,
    },
}

/// Where in the answer things are; `None` is the written-out `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The user's canonical id; `None`: the normalized subject is the id.
    pub id: Option<Pointer>,
    /// The subject, which must equal what was asked; `None`: not checked.
    pub subject: Option<Pointer>,
    /// The tenant, which must equal what was asked where one was; `None`: not checked.
    pub tenant: Option<Pointer>,
    /// The status.
    pub status: Option<Pointer>,
    /// The roles, an array of strings.
    pub roles: Option<Pointer>,
    /// The record's version.
    pub version: Option<Pointer>,
}

/// A JSON pointer (RFC 6901), known to be well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    /// Reads a pointer; `None` if it is not well-formed.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = (text.is_empty() || text.starts_with('/'))
            && text
                .split('~')
                .skip(1)
                .all(|rest| rest.starts_with(['0', '1']));
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The pointer as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
