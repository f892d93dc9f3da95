//! The key `responses`.

use crate::envoy::response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a denial looks to the client.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Responses {
    /// The form of the body.
    pub(in crate::config) format: Format,
    /// Whether Envoy's failure mode rules where the directory or the revocations are out.
    pub(in crate::config) unavailable: Unavailable,
    /// Statuses that differ from the table of codes, 400 to 599.
    pub(in crate::config) statuses: BTreeMap<String, u16>,
    /// Messages that differ from the table of codes.
    pub(in crate::config) messages: BTreeMap<String, String>,
    /// Headers added to every denial.
    pub(in crate::config) headers: BTreeMap<String, String>,
    /// The realm in `WWW-Authenticate`.
    pub(in crate::config) realm: String,
}

words! {
    /// The form of a denial's body.
    Format => response::Format {
        /// `code`, `message` and `request_id`.
        Json = "json",
        /// Problem details (RFC 9457).
        Problem = "problem",
        /// The shape that Supabase Auth's clients know.
        Supabase = "supabase",
    }
}

words! {
    /// What Envoy is told where a dependency is out.
    Unavailable => response::Unavailable {
        /// A denial.
        Deny = "deny",
        /// An error, so that Envoy's `failure_mode_allow` rules (Envoy 1.37+).
        EnvoyError = "envoy_error",
    }
}

impl Default for Responses {
    fn default() -> Self {
        Self {
            format: Format::Json,
            unavailable: Unavailable::Deny,
            statuses: BTreeMap::new(),
            messages: BTreeMap::new(),
            headers: BTreeMap::new(),
            realm: "subgate".to_owned(),
        }
    }
}
