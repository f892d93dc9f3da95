//! The key `users.scim`.

use crate::config::document::ClientTls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a SCIM service (RFC 7644) is asked, and how its answers are read: by exactly one of `filter`
/// and `by`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["url"]))]
pub(in crate::config) struct Scim {
    /// The base URL, to which `/Users` is added: `{tenant}` and `{realm}` stand for percent-encoded
    /// values.
    #[schemars(example = "https://id.example.com/scim/v2")]
    pub(in crate::config) url: Option<String>,
    /// The attribute that is the subject, compared with `eq`.
    #[schemars(example = "externalId eq \"{subject}\"")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) filter: Option<String>,
    /// `id`: the resource's id is the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) by: Option<ScimBy>,
    /// Allows plain HTTP to other than loopback, `.svc`, `.svc.cluster.local` and `.internal`.
    pub(in crate::config) allow_plaintext: bool,
    /// Headers sent with every request.
    pub(in crate::config) headers: BTreeMap<String, String>,
    /// A file that holds the bearer token, which is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) token_file: Option<String>,
    /// How the service is reached.
    pub(in crate::config) tls: ClientTls,
    /// Where the roles are, a JSON pointer to a list; `none`: no roles.
    pub(in crate::config) roles: String,
    /// The member of each object in that list that is the role.
    #[schemars(length(min = 1))]
    pub(in crate::config) role: String,
    /// Attributes kept for identity headers: name to JSON pointer.
    pub(in crate::config) attributes: BTreeMap<String, String>,
    /// Attributes without which a record is refused as `user_incomplete`.
    pub(in crate::config) required: Vec<String>,
}

/// What of a SCIM user the subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum ScimBy {
    /// The resource's id.
    Id,
}

impl Default for Scim {
    fn default() -> Self {
        Self {
            url: None,
            filter: None,
            by: None,
            allow_plaintext: false,
            headers: super::one("accept", "application/scim+json, application/json"),
            token_file: None,
            tls: ClientTls::default(),
            roles: "/roles".to_owned(),
            role: "value".to_owned(),
            attributes: BTreeMap::new(),
            required: Vec::new(),
        }
    }
}
