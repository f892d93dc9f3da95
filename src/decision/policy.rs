//! What a route asks of a request, and which route asks what.

use crate::credential;
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
