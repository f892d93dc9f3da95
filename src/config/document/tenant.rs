//! The key `tenant`.

use super::issuers::{Any, Normalization};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the tenant of a request is settled.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Tenant {
    /// Whether a request without a tenant is refused. `{tenant}` in the directory's
    /// URL makes it so too.
    pub(in crate::config) required: bool,
    /// Where a tenant may be named: all sources that are present must agree.
    pub(in crate::config) from: Vec<TenantSource>,
    /// Brings spellings together, in this order.
    pub(in crate::config) normalize: Vec<Normalization>,
    /// A regular expression that a tenant must match as a whole.
    #[schemars(extend("format" = "regex"))]
    pub(in crate::config) format: String,
    /// Which tenants exist: `any`, a list, or a watched file.
    pub(in crate::config) known: KnownTenants,
}

/// A place that may name the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum TenantSource {
    /// A claim of the token.
    Claim(#[schemars(length(min = 1))] String),
    /// A request header.
    Header(#[schemars(length(min = 1))] String),
    /// The host; `{tenant}` is one label: `{tenant}.shop.example.com`.
    Host(String),
    /// The start of the path; `{tenant}` is one segment: `/t/{tenant}/`.
    Path(String),
    /// A context extension of Envoy's route.
    Context(#[schemars(length(min = 1))] String),
}

/// Which tenants exist.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum KnownTenants {
    /// All that have the right form.
    Any(Any),
    /// These.
    List(#[schemars(length(min = 1))] Vec<String>),
    /// Those of a file.
    File(TenantsFile),
}

/// A file that says which tenants exist, `tenants: [acme]`; it is watched.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["file"]))]
pub(in crate::config) struct TenantsFile {
    /// Its path.
    #[schemars(example = "tenants.yaml")]
    pub(in crate::config) file: Option<String>,
}

impl Default for Tenant {
    fn default() -> Self {
        Self {
            required: false,
            from: Vec::new(),
            normalize: vec![Normalization::Trim, Normalization::Lowercase],
            format: "[A-Za-z0-9][A-Za-z0-9._-]{0,63}".to_owned(),
            known: KnownTenants::Any(Any::Any),
        }
    }
}
