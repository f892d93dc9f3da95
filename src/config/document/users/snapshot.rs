//! The key `users.snapshot`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where users are remembered from one process to the next.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["file", "key_file"]))]
pub(in crate::config) struct Snapshot {
    /// The file, written on stop and read on start, in a folder that is there and may be written.
    #[schemars(length(min = 1), example = &"/var/lib/subgate/users")]
    pub(in crate::config) file: Option<String>,
    /// A file with the key that authenticates it: at least 32 bytes.
    #[schemars(example = &"snapshot.key")]
    pub(in crate::config) key_file: Option<String>,
    /// The most users in it: those that were asked for last.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub(in crate::config) max: usize,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            file: None,
            key_file: None,
            max: 100_000,
        }
    }
}
