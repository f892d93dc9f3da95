//! What the directories that are asked over HTTP have in common: how they are reached, their URLs,
//! and pointers into their answers.

use crate::config::document::{ClientTls, ConsistentRead};
use crate::config::report::At;
use crate::config::resolve::template::{self, Part};
use crate::config::resolve::url::{self, Plain};
use crate::config::resolve::{file, header};
use crate::user::directory::{Pointer, Reach, UrlPart, UrlTemplate};
use crate::yaml::shown;
use std::collections::BTreeMap;

/// The keys with which every directory that is asked over HTTP says how it is reached.
pub(super) struct Reaching {
    pub(super) allow_plaintext: bool,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) token: (&'static str, Option<String>),
    /// The headers in which the token is shown.
    pub(super) shown_in: &'static [&'static str],
    pub(super) tls: ClientTls,
}

impl Reaching {
    /// `consistent` are the headers of a consistent read, and where they are written.
    pub(super) fn resolve(
        self,
        at: &At<'_>,
        (at_consistent, consistent): (At<'_>, BTreeMap<String, String>),
    ) -> Option<Reach> {
        if self.allow_plaintext {
            at.key("allow_plaintext").warn(
                "true",
                "users may be asked for in plain text, where anyone may answer",
            );
        }
        let (token_key, token) = self.token;
        let remedy = format!("write the token into a file, for `{token_key}`");
        let secret: Vec<_> = self.shown_in.iter().map(|&name| (name, &*remedy)).collect();
        let headers = header::map(&at.key("headers"), self.headers, &secret);
        let consistent_read = header::map(&at_consistent, consistent, &secret);
        let token_file = match token {
            None => Some(None),
            Some(written) => file::secret(&at.key(token_key), &written, 1).map(Some),
        };
        let tls = file::client_tls(&at.key("tls"), self.tls);
        Some(Reach {
            headers: headers?,
            consistent_read: consistent_read?,
            token_file: token_file?,
            tls: tls?,
        })
    }

    /// With the header that HTTP itself has for a consistent read.
    pub(super) fn resolve_plainly(self, at: &At<'_>) -> Option<Reach> {
        let consistent = ConsistentRead::default().header;
        self.resolve(at, (at.key("headers"), consistent))
    }
}

/// Names and JSON pointers.
pub(super) fn pointers(
    at: &At<'_>,
    written: BTreeMap<String, String>,
) -> Option<BTreeMap<String, Pointer>> {
    let all: Vec<_> = written
        .into_iter()
        .map(|(name, written)| {
            let pointer = pointer(&at.key(&name), &written)?;
            Some((name, pointer))
        })
        .collect();
    all.into_iter().collect()
}

/// A URL to which paths are added.
pub(super) fn base_url(at: &At<'_>, written: &str, allow_plaintext: bool) -> Option<UrlTemplate> {
    let bare = written.strip_suffix('/').unwrap_or(written);
    let parts = url_parts(at, bare, &["tenant", "realm"], allow_plaintext)?;
    if bare.contains('?') {
        at.wrong(
            "a URL without `?`",
            shown(written),
            "write the base, such as `https://id.example.com/scim/v2`",
        );
        return None;
    }
    Some(UrlTemplate { parts })
}

/// The values are a client's to choose: they may stand in path and query, never in the host.
pub(super) fn url_parts(
    at: &At<'_>,
    written: &str,
    names: &[&str],
    allow_plaintext: bool,
) -> Option<Vec<UrlPart>> {
    let parts = template::parts(at, written, names)?;
    let sample: String = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text,
            Part::Name(_) => "x",
        })
        .collect();
    let url = url::fetched(
        at,
        &sample,
        "https://users.example.com/path",
        Plain::Cluster,
        allow_plaintext,
    )?;
    if url::is_exposed(&url, Plain::Cluster) {
        at.warn(&shown(written), "subjects travel in plain text");
    }
    let after_scheme = written.split_once("://").map_or(written, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('{') {
        at.wrong(
            "names between braces in path and query only",
            shown(authority),
            "write the host out",
        );
        return None;
    }
    let parts = parts.into_iter().map(|part| match part {
        Part::Name("tenant") => UrlPart::Tenant,
        Part::Name("realm") => UrlPart::Realm,
        Part::Name("issuer") => UrlPart::Issuer,
        Part::Name(_) => UrlPart::Subject,
        Part::Text(text) => UrlPart::Text(text.to_owned()),
    });
    Some(parts.collect())
}

/// A pointer, or the written-out `none`.
#[expect(
    clippy::option_option,
    reason = "`none`, or a mistake that was reported"
)]
pub(super) fn field(at: &At<'_>, written: &str) -> Option<Option<Pointer>> {
    if written == "none" {
        return Some(None);
    }
    pointer(at, written).map(Some)
}

pub(super) fn pointer(at: &At<'_>, written: &str) -> Option<Pointer> {
    let pointer = Pointer::parse(written);
    if pointer.is_none() {
        at.wrong(
            "a JSON pointer (RFC 6901)",
            shown(written),
            "write for example `/user/email`",
        );
    }
    pointer
}
