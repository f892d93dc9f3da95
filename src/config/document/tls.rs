//! TLS, of clients and servers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a server is known, and what is shown to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_field_names,
    reason = "the file has the keys of these names"
)]
pub(in crate::config) struct ClientTls {
    /// Roots to trust instead of the system's, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) ca_file: Option<String>,
    /// The certificate chain to present, PEM; with `key_file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) cert_file: Option<String>,
    /// Its key, PEM; with `cert_file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) key_file: Option<String>,
}

/// What a server shows, and how its clients are known.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["cert_file", "key_file"]))]
#[expect(
    clippy::struct_field_names,
    reason = "the file has the keys of these names"
)]
pub(in crate::config) struct ServerTls {
    /// The certificate chain, PEM.
    #[schemars(example = "/etc/subgate/tls.crt")]
    pub(in crate::config) cert_file: Option<String>,
    /// Its key, PEM.
    #[schemars(example = "/etc/subgate/tls.key")]
    pub(in crate::config) key_file: Option<String>,
    /// Roots that a client's certificate must lead to, PEM; without it clients show none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) client_ca_file: Option<String>,
}
