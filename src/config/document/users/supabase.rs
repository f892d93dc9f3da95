//! The key `users.supabase`.

use crate::config::document::ClientTls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the admin API of Supabase Auth (GoTrue) is asked, and how its answers are read.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["url", "service_key_file"]))]
pub(in crate::config) struct Supabase {
    /// The base URL, to which `/admin/users` is added: `{tenant}` and `{realm}` stand for
    /// percent-encoded values.
    #[schemars(example = "https://project.supabase.co/auth/v1")]
    pub(in crate::config) url: Option<String>,
    /// A file that holds the service key, which is watched.
    #[schemars(example = "service-key")]
    pub(in crate::config) service_key_file: Option<String>,
    /// Allows plain HTTP to other than loopback, `.svc`, `.svc.cluster.local` and `.internal`.
    pub(in crate::config) allow_plaintext: bool,
    /// Headers sent with every request.
    pub(in crate::config) headers: BTreeMap<String, String>,
    /// How the service is reached.
    pub(in crate::config) tls: ClientTls,
    /// Where in the answer things are: JSON pointers (RFC 6901).
    pub(in crate::config) fields: SupabaseFields,
    /// Attributes kept for identity headers: name to JSON pointer.
    pub(in crate::config) attributes: BTreeMap<String, String>,
    /// Attributes without which a record is refused as `user_incomplete`.
    pub(in crate::config) required: Vec<String>,
}

/// Where in the answer things are; never in `user_metadata`, which users write themselves.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct SupabaseFields {
    /// The tenant, which must equal what was asked where one was; `none`: not checked.
    pub(in crate::config) tenant: String,
    /// The roles, a list of texts or one text; `none`: no roles.
    pub(in crate::config) roles: String,
}

impl Default for Supabase {
    fn default() -> Self {
        Self {
            url: None,
            service_key_file: None,
            allow_plaintext: false,
            headers: super::one("accept", "application/json"),
            tls: ClientTls::default(),
            fields: SupabaseFields::default(),
            attributes: super::one("email", "/email"),
            required: Vec::new(),
        }
    }
}

impl Default for SupabaseFields {
    fn default() -> Self {
        Self {
            tenant: "none".to_owned(),
            roles: "/app_metadata/roles".to_owned(),
        }
    }
}
