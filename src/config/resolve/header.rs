//! Header names and values.

use crate::config::report::At;
use crate::yaml::shown;
use http::{HeaderName, HeaderValue};
use std::collections::BTreeMap;

/// Headers of one connection (RFC 9110 7.6.1), and those that frame a message.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A valid name in lower case, and nothing more.
pub(super) fn name(at: &At<'_>, written: &str) -> Option<String> {
    if HeaderName::from_lowercase(written.as_bytes()).is_ok() {
        return Some(written.to_owned());
    }
    let lower = written.to_lowercase();
    let remedy = if HeaderName::from_lowercase(lower.as_bytes()).is_ok() {
        format!("write `{lower}`")
    } else {
        "write letters, digits and `-`".to_owned()
    };
    at.wrong("a header's name in lower case", shown(written), remedy);
    None
}

/// A name that Envoy may set towards the service behind, or remove.
///
/// Each `-` is removed in the spelling `_` too and the other way round, so that their number is bounded;
/// Envoy itself
/// ignores changes of `host`, of pseudo headers and of `x-envoy-*`.
pub(super) fn identity(at: &At<'_>, written: &str) -> Option<String> {
    let refused = if written.starts_with(':') {
        "no pseudo header"
    } else if written == "host" || written.starts_with("x-envoy-") {
        "neither `host` nor `x-envoy-…`"
    } else if HOP_BY_HOP.contains(&written) {
        "no header of the connection itself"
    } else if written.matches(['-', '_']).count() > 5 {
        "a header's name with at most five hyphens and underscores"
    } else {
        return name(at, written);
    };
    at.wrong(
        refused,
        shown(written),
        "choose another name, such as `x-user-email`",
    );
    None
}

/// Names and values; `refused` are names that are set elsewhere, each with the remedy.
pub(super) fn map(
    at: &At<'_>,
    headers: BTreeMap<String, String>,
    refused: &[(&str, &str)],
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut all = Some(Vec::new());
    for (written, value) in headers {
        let at = at.key(&written);
        match (one(&at, &written, &value, refused), &mut all) {
            (Some(header), Some(headers)) => headers.push(header),
            (Some(_), None) => {}
            (None, _) => all = None,
        }
    }
    all
}

fn one(
    at: &At<'_>,
    written: &str,
    value: &str,
    refused: &[(&str, &str)],
) -> Option<(HeaderName, HeaderValue)> {
    let lower = written.to_lowercase();
    let refused = refused.iter().find(|(name, _)| *name == lower);
    let remedy = match refused {
        Some((_, remedy)) => Some(*remedy),
        None if lower == "host" || HOP_BY_HOP.contains(&lower.as_str()) => Some("remove it"),
        None => None,
    };
    if let Some(remedy) = remedy {
        at.wrong("another header", shown(written), remedy);
        return None;
    }
    let Ok(name) = HeaderName::from_bytes(lower.as_bytes()) else {
        at.wrong(
            "a header's name",
            shown(written),
            "write letters, digits and `-`",
        );
        return None;
    };
    let Ok(value) = HeaderValue::from_str(value) else {
        at.wrong(
            "a header's value of visible ASCII",
            "other characters",
            "remove line breaks and non-ASCII characters",
        );
        return None;
    };
    Some((name, value))
}
