//! The key `listen`.

use super::{Period, ServerTls};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the process listens, and how it stops.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Listen {
    /// Where Envoy asks (`ext_authz` and gRPC health): `127.0.0.1:19191`,
    /// `unix:/run/subgate/check.sock?mode=0660`, or `unix:@subgate` (abstract).
    #[schemars(length(min = 1))]
    pub(in crate::config) check: Vec<String>,
    /// TLS on the TCP addresses of `check`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) check_tls: Option<ServerTls>,
    /// Where `/livez`, `/readyz` and `/metrics` are.
    pub(in crate::config) health: String,
    /// Where the admin API is: TCP, `unix:/PATH?mode=0600` or `unix:@NAME`; other than loopback only
    /// with `admin_tls`.
    pub(in crate::config) admin: String,
    /// TLS on `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) admin_tls: Option<ServerTls>,
    /// The bearer token of the admin API, at least 16 visible characters; without it the listener is
    /// not opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"/etc/subgate/admin-token")]
    pub(in crate::config) admin_token_file: Option<String>,
    /// How long it still answers after SIGTERM, un-ready; `0s` as a native sidecar.
    pub(in crate::config) drain: Period,
    /// How long what is in flight may take after that.
    pub(in crate::config) stop_within: Period,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            check: vec!["127.0.0.1:19191".to_owned()],
            check_tls: None,
            health: "127.0.0.1:19192".to_owned(),
            admin: "127.0.0.1:19193".to_owned(),
            admin_tls: None,
            admin_token_file: None,
            drain: Period::secs(20),
            stop_within: Period::secs(10),
        }
    }
}
