//! The keys `policies` and `routes`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of a request.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Policy {
    /// Where a credential is looked for.
    #[schemars(length(min = 1))]
    pub(in crate::config) credentials: Vec<Credential>,
    /// Whether a request without a credential passes.
    pub(in crate::config) anonymous: AllowOrDeny,
    /// Whether a CORS preflight without a credential passes.
    pub(in crate::config) preflight: AllowOrDeny,
    /// Narrows the issuer's audiences: `inherit`, or a list.
    pub(in crate::config) audiences: InheritedAudiences,
    /// Scopes that a token must have, all of them (claim `scope` or `scp`).
    pub(in crate::config) scopes: Vec<String>,
    /// Roles of which the user must have one, by the directory.
    pub(in crate::config) roles: Vec<String>,
    /// Whether the user must exist; `false` checks token, tenant and revocation only.
    pub(in crate::config) require_user: bool,
}

/// A place where a credential is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Credential {
    /// A header with the `Bearer` scheme (RFC 6750).
    Bearer(#[schemars(length(min = 1))] String),
    /// A header that holds the bare token.
    Header(#[schemars(length(min = 1))] String),
    /// A cookie that holds the bare token.
    Cookie(#[schemars(length(min = 1))] String),
}

/// `allow` or `deny`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum AllowOrDeny {
    /// It passes.
    Allow,
    /// It is refused.
    Deny,
}

/// `inherit`, or audiences.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum InheritedAudiences {
    /// The issuer's.
    Inherit(Inherit),
    /// One of these too.
    Of(#[schemars(length(min = 1))] Vec<String>),
}

/// `inherit`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Inherit {
    /// What the issuer says.
    Inherit,
}

/// A rule that names a policy: all that it states must match.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["policy"]))]
pub(in crate::config) struct Route {
    /// The host, without port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) host: Option<String>,
    /// The path: exact, or a prefix that ends in `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) path: Option<String>,
    /// The methods; none is any.
    pub(in crate::config) methods: Vec<String>,
    /// The policy's name.
    #[schemars(example = &"default")]
    pub(in crate::config) policy: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            credentials: vec![Credential::Bearer("authorization".to_owned())],
            anonymous: AllowOrDeny::Deny,
            preflight: AllowOrDeny::Deny,
            audiences: InheritedAudiences::Inherit(Inherit::Inherit),
            scopes: Vec::new(),
            roles: Vec::new(),
            require_user: true,
        }
    }
}
