//! The key `identity`.

use super::{header, quantity};
use crate::config::document::{Identity, Size};
use crate::config::report::At;
use crate::envoy::identity::{Config, Value};
use crate::yaml::shown;
use std::collections::BTreeMap;

/// Holds the client of a machine token; not configurable.
const CLIENT_ID: &str = "x-client-id";

pub(super) fn resolve(at: &At<'_>, identity: Identity) -> Option<Config> {
    let Identity {
        user_id,
        subject,
        tenant,
        roles,
        issuer,
        headers,
        strip,
        max_bytes,
        forward_authorization,
    } = identity;
    let mut names = Names::default();
    names.claim(at, "client_id", CLIENT_ID);
    let subject_is_on = subject.as_deref().is_some_and(|name| name != "none");
    if subject_is_on && issuer == "none" {
        at.key("subject").wrong(
            "`identity.issuer` beside it, because a subject means nothing without its issuer",
            "`issuer: none`",
            "turn `issuer` on, or `subject` off",
        );
    }
    let user_id = names.optional(at, "user_id", &user_id);
    let subject = names.optional(at, "subject", subject.as_deref().unwrap_or("none"));
    let tenant = names.optional(at, "tenant", &tenant);
    let roles = names.optional(at, "roles", &roles);
    let issuer = names.optional(at, "issuer", &issuer);
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, source)| {
            let at = at.key("headers");
            let value = value(&at.key(name), source);
            Some((names.named(&at, name, name)?, value?))
        })
        .collect();
    let strip: Vec<_> = strip
        .iter()
        .enumerate()
        .map(|(index, name)| names.named(&at.key("strip"), &index.to_string(), name))
        .collect();
    let max_bytes = quantity::size(&at.key("max_bytes"), max_bytes, Size(256), Size::kib(60));
    Some(Config {
        user_id: user_id?,
        subject: subject?,
        tenant: tenant?,
        roles: roles?,
        issuer: issuer?,
        client_id: CLIENT_ID.to_owned(),
        headers: headers.into_iter().collect::<Option<_>>()?,
        strip: strip.into_iter().collect::<Option<_>>()?,
        max_bytes: usize::try_from(max_bytes?).ok()?,
        forward_authorization,
    })
}

fn value(at: &At<'_>, source: &str) -> Option<Value> {
    match source.split_once('.') {
        Some(("attributes", name)) if !name.is_empty() => Some(Value::Attribute(name.to_owned())),
        Some(("claims", name)) if !name.is_empty() => Some(Value::Claim(name.to_owned())),
        Some(_) | None => {
            at.wrong(
                "`attributes.NAME` or `claims.NAME`",
                shown(source),
                "write for example `attributes.email`",
            );
            None
        }
    }
}

/// The names given so far, by their spelling with hyphens: many services take `_` for `-`.
#[derive(Debug, Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    /// The header of a setting that `none` turns off.
    #[expect(clippy::option_option, reason = "off, or a mistake that was reported")]
    fn optional(&mut self, at: &At<'_>, key: &str, written: &str) -> Option<Option<String>> {
        if written == "none" {
            return Some(None);
        }
        self.named(at, key, written).map(Some)
    }

    fn named(&mut self, at: &At<'_>, key: &str, written: &str) -> Option<String> {
        let name = header::identity(&at.key(key), written)?;
        self.claim(at, key, &name);
        Some(name)
    }

    fn claim(&mut self, at: &At<'_>, key: &str, name: &str) {
        let folded = name.replace('_', "-");
        if let Some(other) = self.0.insert(folded, key.to_owned()) {
            at.key(key).wrong(
                "a header of its own",
                format!("{}, which `{other}` has", shown(name)),
                "choose another name",
            );
        }
    }
}
