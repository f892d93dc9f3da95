//! The keys `users.canary`, `users.vanish_guard` and `users.audit`.

use crate::config::document::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user that must exist.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["issuer", "subject"]))]
pub(in crate::config) struct Canary {
    /// URL or name of a configured issuer.
    #[schemars(length(min = 1), example = &"https://id.example.com")]
    pub(in crate::config) issuer: Option<String>,
    /// The tenant; required where the directory is asked inside one.
    #[schemars(length(min = 1), example = &"acme")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) tenant: Option<String>,
    /// The subject, as the issuer's tokens write it.
    #[schemars(length(min = 1), example = &"canary")]
    pub(in crate::config) subject: Option<String>,
}

/// When known users vanish too fast to be believed.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct VanishGuard {
    /// The share of known users that may vanish within `window`; at 1 nothing is ever held.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(in crate::config) share: f64,
    /// The time within which they are counted.
    pub(in crate::config) window: Period,
    /// The fewest that are held.
    #[schemars(range(min = 1))]
    pub(in crate::config) min: usize,
}

/// How remembered users are held against the directory.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Audit {
    /// How often.
    pub(in crate::config) every: Period,
    /// How many users each time; 0 turns it off.
    #[schemars(range(max = 10_000))]
    pub(in crate::config) sample: usize,
}

impl Default for VanishGuard {
    fn default() -> Self {
        Self {
            share: 0.2,
            window: Period::secs(60),
            min: 20,
        }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            every: Period::secs(10 * 60),
            sample: 100,
        }
    }
}
