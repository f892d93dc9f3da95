//! The key `identity`.

use super::Size;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The headers that tell the service behind who is calling. `none` turns one off.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Identity {
    /// Holds the user's canonical id.
    pub(in crate::config) user_id: String,
    /// Holds the token's normalized subject; off by default, and never without `issuer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) subject: Option<String>,
    /// Holds the proven tenant.
    pub(in crate::config) tenant: String,
    /// Holds the roles, comma-separated.
    pub(in crate::config) roles: String,
    /// Holds the issuer.
    pub(in crate::config) issuer: String,
    /// Further headers: name to `attributes.NAME` or `claims.NAME`.
    pub(in crate::config) headers: BTreeMap<String, String>,
    /// Further headers of clients to remove.
    pub(in crate::config) strip: Vec<String>,
    /// The most that all values may sum up to.
    pub(in crate::config) max_bytes: Size,
    /// Whether the service behind sees the headers that may bear a credential; a cookie it always sees.
    pub(in crate::config) forward_authorization: bool,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            user_id: "x-user-id".to_owned(),
            subject: None,
            tenant: "x-tenant-id".to_owned(),
            roles: "x-user-roles".to_owned(),
            issuer: "x-user-issuer".to_owned(),
            headers: BTreeMap::new(),
            strip: vec!["x-forwarded-user".to_owned()],
            max_bytes: Size::kib(8),
            forward_authorization: true,
        }
    }
}
