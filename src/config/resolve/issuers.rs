//! The key `issuers`.

use super::url::{self, Plain};
use super::{keys, quantity, subject, tenant};
use crate::config::document::{Audiences as Written, Issuer, Keys, Machines, Period, Tenants};
use crate::config::report::At;
use crate::net::prefix::Prefix;
use crate::tenant::Config as Tenancy;
use crate::token::issuer::{self, Algorithm, Audiences, ClaimIs, Config};
use crate::yaml::shown;
use ::url::Url;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Each issuer; `None` for one with mistakes.
pub(super) fn resolve(
    at: &At<'_>,
    issuers: Vec<Issuer>,
    tenancy: Option<&Tenancy>,
) -> Vec<Option<Config>> {
    distinct(at, &issuers);
    issuers
        .into_iter()
        .enumerate()
        .map(|(index, issuer)| one(&at.item(index), issuer, tenancy))
        .collect()
}

/// Issuers and their names are keys: of a token's `iss`, of metrics, of revocations.
fn distinct(at: &At<'_>, issuers: &[Issuer]) {
    let mut identifiers = BTreeMap::new();
    let mut names = BTreeMap::new();
    for (index, issuer) in issuers.iter().enumerate() {
        let Some(identifier) = &issuer.issuer else {
            continue;
        };
        let at = at.item(index);
        if let Some(first) = identifiers.insert(identifier.clone(), index) {
            at.key("issuer").wrong(
                "each issuer once",
                format!("that of issuers/{first} again"),
                "remove one of the two",
            );
            continue;
        }
        let name = issuer
            .name
            .clone()
            .unwrap_or_else(|| default_name(identifier));
        if let Some(first) = names.insert(name.clone(), index) {
            at.key("name").wrong(
                "a name of its own",
                format!("{}, which issuers/{first} has", shown(&name)),
                "write another `name`",
            );
        }
    }
}

fn one(at: &At<'_>, issuer: Issuer, tenancy: Option<&Tenancy>) -> Option<Config> {
    let Issuer {
        issuer,
        name,
        realm,
        keys,
        algorithms,
        audiences,
        token_types,
        required_claims,
        leeway,
        max_lifetime,
        clock_ahead,
        tenants,
        machines,
        status_lists,
        subject,
    } = issuer;
    let algorithms: Vec<Algorithm> = algorithms.into_iter().map(Into::into).collect();
    let identifier = issuer.and_then(|written| identifier(at, written, &keys));
    let status_lists = prefixes(&at.key("status_lists"), &status_lists, keys.allow_plaintext);
    let keys = keys::resolve(&at.key("keys"), keys, (&at.key("algorithms"), &algorithms));
    let audiences = audiences.and_then(|written| audience(&at.key("audiences"), written));
    let name = name.map(|name| label(&at.key("name"), name));
    let leeway = quantity::within(
        &at.key("leeway"),
        leeway,
        Period::secs(0),
        Period::secs(300),
    );
    let max_lifetime = quantity::some(&at.key("max_lifetime"), max_lifetime);
    let clock_ahead = quantity::within(
        &at.key("clock_ahead"),
        clock_ahead,
        Period::secs(0),
        Period::hours(1),
    );
    let tenants = match tenants {
        Tenants::Any(_) => Some(issuer::Tenants::Any),
        Tenants::Of(list) => tenancy
            .and_then(|tenancy| {
                let at = at.key("tenants");
                tenant::tenants(&at, &list, &tenancy.normalize, &tenancy.format)
            })
            .map(issuer::Tenants::Of),
    };
    let machines = self::machines(machines);
    let subject = subject::resolve(&at.key("subject"), subject);
    let identifier = identifier?;
    let (keys, keyring) = keys?;
    Some(Config {
        name: match name {
            Some(name) => name?,
            None => default_name(&identifier).into(),
        },
        realm: realm.map_or_else(|| identifier.clone(), Arc::from),
        issuer: identifier,
        keys,
        keyring,
        algorithms,
        audiences: audiences?,
        token_types,
        required_claims,
        leeway: leeway?,
        max_lifetime: max_lifetime?,
        clock_ahead: clock_ahead?,
        tenants: tenants?,
        machines: machines?,
        subject: subject?,
        status_lists: status_lists?,
    })
}

/// The identifier: a URL without query and fragment (OpenID Connect Discovery 1.0, 3), or, where
/// nothing is fetched, any name (RFC 7519 4.1.1).
fn identifier(at: &At<'_>, written: String, keys: &Keys) -> Option<Arc<str>> {
    let at = at.key("issuer");
    let fetches = keys.jwks_file.is_none() && keys.secret_file.is_none();
    if fetches || written.contains("://") {
        // Where nothing is fetched, a plain URL is a name like any other.
        let plain = keys.allow_plaintext || !fetches;
        let url = url::fetched(
            &at,
            &written,
            "https://id.example.com/path",
            Plain::Loopback,
            plain,
        )?;
        if url.query().is_some() {
            at.wrong("an issuer without `?`", shown(&written), "remove the query");
            return None;
        }
    } else if !written.bytes().all(|byte| byte.is_ascii_graphic()) {
        at.wrong(
            "a URL, or a name of visible ASCII",
            shown(&written),
            "write exactly what the tokens have in `iss`",
        );
        return None;
    }
    Some(written.into())
}

fn label(at: &At<'_>, name: String) -> Option<Arc<str>> {
    if name.len() <= 128 && !name.chars().any(char::is_control) {
        return Some(name.into());
    }
    at.wrong(
        "a name of at most 128 bytes, without control characters",
        shown(&name),
        "write a short one",
    );
    None
}

/// Host and path of the issuer.
pub(super) fn default_name(issuer: &str) -> String {
    let Ok(url) = Url::parse(issuer) else {
        return issuer.to_owned();
    };
    let Some(host) = url.host_str() else {
        return issuer.to_owned();
    };
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("{host}{port}{}", url.path().trim_end_matches('/'))
}

fn audience(at: &At<'_>, written: Written) -> Option<Audiences> {
    match written {
        Written::Any(_) => {
            at.warn("any", "tokens that were issued for other services pass");
            Some(Audiences::Any)
        }
        Written::Of(list) => {
            let empty = list.iter().position(String::is_empty);
            if let Some(index) = empty {
                at.item(index)
                    .wrong("an audience", "an empty text", "remove it");
                return None;
            }
            Some(Audiences::Of(list))
        }
    }
}

/// Where status lists may be; they are as good as the road they come by.
fn prefixes(at: &At<'_>, written: &[String], allow_plaintext: bool) -> Option<Vec<Prefix>> {
    let one = |(index, written): (usize, &String)| {
        let at = at.item(index);
        let example = "https://id.example.com/status-lists/";
        let url = url::fetched(&at, written, example, Plain::Loopback, allow_plaintext)?;
        let prefix = Prefix::new(url);
        if prefix.is_none() {
            at.wrong(
                "a URL of a plain path, without `?`",
                shown(written),
                format!("write for example `{example}`"),
            );
        }
        prefix
    };
    let prefixes: Vec<_> = written.iter().enumerate().map(one).collect();
    prefixes.into_iter().collect()
}

fn machines(machines: Machines) -> Option<issuer::Machines> {
    let Machines { when, allow } = machines;
    let when = when.into_iter().map(|rule| {
        Some(ClaimIs {
            claim: rule.claim?,
            is: rule.is?,
        })
    });
    Some(issuer::Machines {
        when: when.collect::<Option<_>>()?,
        allow,
    })
}
