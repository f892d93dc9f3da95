//! The key `limits`.

use super::Size;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is taken on at once.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Limits {
    /// The longest token.
    pub(in crate::config) token_bytes: Size,
    /// Decisions at once, beyond which a request is refused as `overloaded`.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub(in crate::config) in_flight: usize,
    /// Requests that wait for a key, a status list or a look-up: half of it is for known users alone, the
    /// last eighth for subjects of whom fewer than eight wait, and half of that for tokens that are not
    /// verified yet too.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub(in crate::config) waiting: usize,
    /// Memory for verified tokens.
    pub(in crate::config) tokens: Size,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            token_bytes: Size::kib(16),
            in_flight: 1024,
            waiting: 256,
            tokens: Size::mib(32),
        }
    }
}
