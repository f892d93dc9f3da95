//! The key `revocation`.

mod redis;

pub(in crate::config) use redis::{Login, Redis, RedisUrl};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where revocations come from: at most one; without one, `memory`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Revocation {
    /// This process alone. The default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) memory: Option<Memory>,
    /// A Redis that all processes share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) redis: Option<Box<Redis>>,
}

/// Revocations of this process alone.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Memory {
    /// A file of revocations, which is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) file: Option<String>,
}
