//! What a route asks of a request, and which route asks what.

use super::Refusal;
use crate::credential;
use crate::request::{Once, Request};
use crate::token::TokenError;
use crate::token::claims::{Claims, ClaimsError};
use crate::user::Found;
use std::collections::HashMap;
use std::sync::Arc;

/// One named policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: Arc<str>,
    /// Where a credential is looked for.
    pub credentials: Vec<credential::Source>,
    /// Whether a request without a credential passes.
    pub anonymous: bool,
    /// Whether a CORS preflight passes without a credential.
    pub preflight: bool,
    /// Narrows the issuer's audiences; `None` inherits them.
    pub audiences: Option<Vec<String>>,
    /// Scopes that a token must have, all of them.
    pub scopes: Vec<String>,
    /// Roles of which a user must have one; empty asks for none.
    pub roles: Vec<String>,
    /// Whether the user must be known to exist.
    pub require_user: bool,
}

/// A rule that names a policy where Envoy does not: all that it states must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The host, lower case, without port and trailing dot.
    pub host: Option<String>,
    /// The path before the query: exact, or a prefix where it ends in `/`.
    pub path: Option<String>,
    /// The methods, upper case; empty is any.
    pub methods: Vec<String>,
    /// The name of the policy, known to exist.
    pub policy: Arc<str>,
}

/// All policies and the routes to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The policies; one is named `default`.
    pub policies: Vec<Policy>,
    /// The routes, in order; the first that matches rules.
    pub routes: Vec<Route>,
}

/// Policies at work.
#[derive(Debug)]
pub struct Policies {
    by_name: HashMap<Arc<str>, Arc<Policy>>,
    routes: Vec<(Route, Arc<Policy>)>,
    reads_paths: bool,
    default: Arc<Policy>,
}

/// The name of the context extension that names a policy, and of the policy where nothing does.
const POLICY: &str = "policy";
const DEFAULT: &str = "default";

impl Policies {
    /// Takes up the policies; `None` if none is named `default`, or a route names one that is not there.
    pub fn new(config: &Config) -> Option<Self> {
        let named = config
            .policies
            .iter()
            .map(|policy| (Arc::clone(&policy.name), Arc::new(policy.clone())));
        let by_name: HashMap<_, _> = named.collect();
        let routed = config.routes.iter().map(|route| {
            by_name
                .get(&route.policy)
                .map(|policy| (route.clone(), Arc::clone(policy)))
        });
        Some(Self {
            routes: routed.collect::<Option<_>>()?,
            reads_paths: config.routes.iter().any(|route| route.path.is_some()),
            default: Arc::clone(by_name.get(DEFAULT)?),
            by_name,
        })
    }

    /// The policy that Envoy's route names, else that of the first route here that matches, else
    /// `default`; `None` if Envoy names one that is not there.
    pub fn pick(&self, request: &Request<'_>) -> Option<&Arc<Policy>> {
        match request.context(POLICY) {
            Once::One(name) => self.by_name.get(std::str::from_utf8(name).ok()?),
            Once::Repeated => None,
            Once::Absent => Some(self.route(request).unwrap_or(&self.default)),
        }
    }

    fn route(&self, request: &Request<'_>) -> Option<&Arc<Policy>> {
        if self.routes.is_empty() {
            return None;
        }
        let path = if self.reads_paths {
            Some(request.plain_path()?)
        } else {
            None
        };
        let host = request.host_name();
        let matching = self.routes.iter().find(|(route, _)| {
            let path_matches = |wanted: &String| {
                path.is_some_and(|path| {
                    path == wanted || (wanted.ends_with('/') && path.starts_with(wanted.as_str()))
                })
            };
            route
                .host
                .as_ref()
                .is_none_or(|wanted| host.as_ref() == Some(wanted))
                && route.path.as_ref().is_none_or(path_matches)
                && (route.methods.is_empty()
                    || route
                        .methods
                        .iter()
                        .any(|method| request.method == **method))
        });
        matching.map(|(_, policy)| policy)
    }
}

impl Policy {
    /// Whether the token is for one of the audiences to which the policy narrows its issuer's.
    pub(super) fn admits_audience(&self, claims: &Claims) -> Result<(), Refusal> {
        match &self.audiences {
            Some(audiences) if !claims.is_for(audiences) => {
                Err(Refusal::Token(TokenError::Claims(ClaimsError::Audience)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the token grants all scopes.
    pub(super) fn admits_scopes(&self, claims: &Claims) -> Result<(), Refusal> {
        if self.scopes.iter().all(|scope| claims.grants(scope)) {
            Ok(())
        } else {
            Err(Refusal::Scopes(self.scopes.join(" ").into()))
        }
    }

    /// Whether the user has one of the roles, where any is asked for.
    pub(super) fn admits_roles(&self, user: &Found) -> Result<(), Refusal> {
        if self.roles.is_empty() || user.has_any_role(&self.roles) {
            Ok(())
        } else {
            Err(Refusal::Roles)
        }
    }
}

#[cfg(test)]
mod tests;
