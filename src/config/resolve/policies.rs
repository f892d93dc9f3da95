//! The keys `policies` and `routes`.

use super::header;
use super::tenant::is_plain_path;
use crate::config::document::{AllowOrDeny, Credential, InheritedAudiences, Policy, Route};
use crate::config::report::At;
use crate::credential::Source;
use crate::decision::policy::{self, Config};
use crate::yaml::shown;
use http::Method;
use std::collections::BTreeMap;

pub(super) fn resolve(
    at: &At<'_>,
    mut written: BTreeMap<String, Policy>,
    routes: Vec<Route>,
) -> Option<Config> {
    written.entry("default".to_owned()).or_default();
    let names: Vec<_> = written.keys().cloned().collect();
    let policies: Vec<_> = written
        .into_iter()
        .map(|(name, policy)| resolve_policy(&at.key("policies").key(&name), &name, policy))
        .collect();
    let routes: Vec<_> = routes
        .into_iter()
        .enumerate()
        .map(|(index, route)| resolve_route(at, &at.key("routes").item(index), route, &names))
        .collect();
    Some(Config {
        policies: policies.into_iter().collect::<Option<_>>()?,
        routes: routes.into_iter().collect::<Option<_>>()?,
    })
}

fn resolve_policy(at: &At<'_>, name: &str, policy: Policy) -> Option<policy::Policy> {
    let Policy {
        credentials,
        anonymous,
        preflight,
        audiences,
        scopes,
        roles,
        require_user,
    } = policy;
    let is_label = !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !is_label {
        at.wrong(
            "a policy's name of 1 to 64 letters, digits, `.`, `_`, `-`",
            shown(name),
            "rename it",
        );
    }
    let sources: Vec<_> = credentials
        .iter()
        .enumerate()
        .map(|(index, credential)| {
            let at = at.key("credentials").item(index);
            if credentials
                .iter()
                .take(index)
                .any(|other| other == credential)
            {
                at.wrong("each source once", "it again", "remove one of the two");
            }
            source(&at, credential)
        })
        .collect();
    let anonymous = anonymous == AllowOrDeny::Allow;
    if anonymous {
        at.key("anonymous")
            .warn("allow", "requests without a token pass");
    }
    if !require_user {
        at.key("require_user")
            .warn("false", "tokens of users who no longer exist pass");
    }
    if !require_user && !roles.is_empty() {
        at.key("roles").wrong(
            "no roles with `require_user: false`",
            "some",
            "remove them: roles are the directory's, which is not asked here",
        );
    }
    Some(policy::Policy {
        name: name.into(),
        credentials: sources.into_iter().collect::<Option<_>>()?,
        anonymous,
        preflight: preflight == AllowOrDeny::Allow,
        audiences: match audiences {
            InheritedAudiences::Inherit(_) => None,
            InheritedAudiences::Of(list) => Some(list),
        },
        scopes,
        roles,
        require_user,
    })
}

fn source(at: &At<'_>, credential: &Credential) -> Option<Source> {
    match credential {
        Credential::Bearer(name) => header::name(&at.key("bearer"), name).map(Source::Bearer),
        Credential::Header(name) => header::name(&at.key("header"), name).map(Source::Header),
        Credential::Cookie(name) => {
            // RFC 6265 4.1.1: a cookie's name is a token, as a header's is.
            if http::HeaderName::from_bytes(name.as_bytes()).is_ok() {
                return Some(Source::Cookie(name.clone()));
            }
            at.key("cookie").wrong(
                "a cookie's name",
                shown(name),
                "write letters, digits and `-`",
            );
            None
        }
    }
}

fn resolve_route(
    root: &At<'_>,
    at: &At<'_>,
    route: Route,
    names: &[String],
) -> Option<policy::Route> {
    let Route {
        host,
        path,
        methods,
        policy,
    } = route;
    let policy = policy?;
    if !names.contains(&policy) && !root.key("policies").key(&policy).is_spoiled() {
        at.key("policy").wrong(
            format!("one of the policies {}", names.join(", ")),
            shown(&policy),
            "correct the name, or add the policy",
        );
    }
    let host = match host {
        None => Some(None),
        Some(written) => route_host(&at.key("host"), &written).map(Some),
    };
    if let Some(path) = path
        .as_ref()
        .filter(|path| !path.starts_with('/') || !is_plain_path(path))
    {
        at.key("path").wrong(
            "a path from `/`, without query, encoding and dot segments",
            shown(path),
            "write it exact, such as `/health`, or as a prefix, such as `/public/`",
        );
    }
    let methods: Vec<_> = methods
        .into_iter()
        .enumerate()
        .map(|(index, written)| {
            let upper = written.to_uppercase();
            if written.is_empty() || Method::from_bytes(upper.as_bytes()).is_err() {
                at.key("methods").item(index).wrong(
                    "a method",
                    shown(&written),
                    "write for example `GET`",
                );
                return None;
            }
            Some(upper)
        })
        .collect();
    Some(policy::Route {
        host: host?,
        path,
        methods: methods.into_iter().collect::<Option<_>>()?,
        policy: policy.into(),
    })
}

fn route_host(at: &At<'_>, written: &str) -> Option<String> {
    let lower = written.trim_end_matches('.').to_ascii_lowercase();
    let is_host = lower.starts_with('[') && lower.ends_with(']')
        || !lower.is_empty()
            && lower
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_host {
        return Some(lower);
    }
    at.wrong(
        "a host without port",
        shown(written),
        "write for example `api.example.com`",
    );
    None
}
