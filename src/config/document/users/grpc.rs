//! The key `users.grpc`.

use crate::config::document::ClientTls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a service that speaks `subgate.directory.v1` is reached.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["endpoint"]))]
pub(in crate::config) struct Grpc {
    /// Where it listens: `https://host:port`, `http://host:port`, or `unix:` and the path of a socket.
    #[schemars(example = "https://users.example.com:50051")]
    pub(in crate::config) endpoint: Option<String>,
    /// Allows plain text to other than loopback, `.svc`, `.svc.cluster.local` and `.internal`.
    pub(in crate::config) allow_plaintext: bool,
    /// A file that holds the bearer token, which is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) token_file: Option<String>,
    /// How the service is known, and what is shown to it.
    pub(in crate::config) tls: ClientTls,
    /// Whether it is followed for changes, so that they are known at once.
    pub(in crate::config) watch: bool,
    /// Attributes without which a record is refused as `user_incomplete`.
    pub(in crate::config) required: Vec<String>,
}

impl Default for Grpc {
    fn default() -> Self {
        Self {
            endpoint: None,
            allow_plaintext: false,
            token_file: None,
            tls: ClientTls::default(),
            watch: true,
            required: Vec::new(),
        }
    }
}
