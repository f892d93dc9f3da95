//! The key `revocation`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where revocations come from.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Revocation {
    /// This process alone. The default.
    pub(in crate::config) memory: Memory,
}

/// Revocations of this process alone.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Memory {
    /// A file of revocations, which is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) file: Option<String>,
}
