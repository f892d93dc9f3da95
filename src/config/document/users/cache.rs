//! The key `users.cache`.

use crate::config::document::{Period, Size};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How answers are remembered (RFC 9111, RFC 5861).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Cache {
    /// How long a found user is served without asking again; a ceiling.
    pub(in crate::config) fresh: Period,
    /// How long after that it is served while it is asked for again in the background.
    pub(in crate::config) stale_while_revalidate: Period,
    /// How long after `fresh` it is served while the directory gives no trustworthy answer.
    pub(in crate::config) stale_if_error: Period,
    /// How long a recognized not-found is remembered; a ceiling.
    pub(in crate::config) not_found_for: Period,
    /// How long the mark of a deletion or disabling stands, at least the longest `max_lifetime` and
    /// twice the leeway of its issuer. Default: that, and at least 25h.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) tombstone_for: Option<Period>,
    /// The most memory that remembered users take.
    pub(in crate::config) max_memory: Size,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            fresh: Period::secs(60),
            stale_while_revalidate: Period::secs(60),
            stale_if_error: Period::secs(15 * 60),
            not_found_for: Period::secs(5),
            tombstone_for: None,
            max_memory: Size::mib(64),
        }
    }
}
