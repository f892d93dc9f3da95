//! The key `users`.

mod cache;
mod grpc;
mod scim;
mod snapshot;
mod supabase;
mod trust;

pub(in crate::config) use cache::Cache;
pub(in crate::config) use grpc::Grpc;
pub(in crate::config) use scim::{Scim, ScimBy};
pub(in crate::config) use snapshot::Snapshot;
pub(in crate::config) use supabase::{Supabase, SupabaseFields};
pub(in crate::config) use trust::{Audit, Canary, VanishGuard};

use super::{ClientTls, Period};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The directory that knows the users (exactly one), and how its answers are remembered.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Users {
    /// A JSON user service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) http: Option<Http>,
    /// A service that speaks `subgate.directory.v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) grpc: Option<Grpc>,
    /// A file of users, which is watched: for trying out, tests, small fixed sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) file: Option<UsersFile>,
    /// A SCIM service (RFC 7644).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) scim: Option<Scim>,
    /// The admin API of Supabase Auth (GoTrue).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) supabase: Option<Supabase>,
    /// The time-out of one attempt, also when nobody waits any more. A look-up is one attempt or
    /// several, so it may last longer.
    pub(in crate::config) timeout: Period,
    /// The longest a request waits for a look-up, and never past its own deadline less a tenth.
    pub(in crate::config) wait: Period,
    /// How many attempts may follow a first one that failed with `timeout`, `connect`, `truncated` or
    /// `server_error`, or with `throttled` and a `Retry-After` of at most a second.
    #[schemars(range(max = 10))]
    pub(in crate::config) retries: usize,
    /// How many attempts may be under way at once.
    #[schemars(range(min = 2, max = 65536))]
    pub(in crate::config) concurrency: usize,
    /// How long after a token's issue its user may not be visible in the directory yet.
    pub(in crate::config) creation_grace: Period,
    /// How long an old subject leads to the new one. Default: the longest life of a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) alias_for: Option<Period>,
    /// How answers are remembered.
    pub(in crate::config) cache: Cache,
    /// Users that must exist, at most one a realm: while one is there, a not-found is believed.
    pub(in crate::config) canary: Vec<Canary>,
    /// When known users vanish too fast to be believed.
    pub(in crate::config) vanish_guard: VanishGuard,
    /// How remembered users are held against the directory.
    pub(in crate::config) audit: Audit,
    /// Where users are remembered from one process to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) snapshot: Option<Snapshot>,
}

/// A file of users.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["path"]))]
pub(in crate::config) struct UsersFile {
    /// Its path.
    #[schemars(example = "users.yaml")]
    pub(in crate::config) path: Option<String>,
}

/// How a JSON user service is asked, and how its answers are read.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["url", "not_found"]))]
pub(in crate::config) struct Http {
    /// The URL of one user: `{subject}` and, where wanted, `{tenant}`, `{realm}`, `{issuer}` stand for
    /// percent-encoded values.
    #[schemars(example = "https://users.example.com/v1/users/{subject}")]
    pub(in crate::config) url: Option<String>,
    /// Allows plain HTTP to other than loopback, `.svc`, `.svc.cluster.local` and `.internal`.
    pub(in crate::config) allow_plaintext: bool,
    /// Headers sent with every request.
    pub(in crate::config) headers: BTreeMap<String, String>,
    /// A file that holds the bearer token, which is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) token_file: Option<String>,
    /// How the service is reached.
    pub(in crate::config) tls: ClientTls,
    /// What a real "does not exist" looks like.
    #[schemars(extend("examples" = [{"code": "user_not_found"}]))]
    pub(in crate::config) not_found: Option<NotFound>,
    /// Where in the answer things are: JSON pointers (RFC 6901).
    pub(in crate::config) fields: Fields,
    /// Values of `fields.status` that mean disabled.
    pub(in crate::config) disabled_values: Vec<String>,
    /// Attributes kept for identity headers: name to JSON pointer.
    pub(in crate::config) attributes: BTreeMap<String, String>,
    /// Attributes without which a record is refused as `user_incomplete`.
    pub(in crate::config) required: Vec<String>,
    /// What is sent where the answer must not come from a replica or cache that lags behind.
    pub(in crate::config) consistent_read: ConsistentRead,
}

/// What is sent where the answer must not come from a replica or cache that lags behind.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct ConsistentRead {
    /// Headers, beside those of every request or in their place.
    pub(in crate::config) header: BTreeMap<String, String>,
}

/// What a real "does not exist" looks like: status, content type and code.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["code"]))]
pub(in crate::config) struct NotFound {
    /// One of these statuses.
    #[schemars(length(min = 1), inner(range(min = 200, max = 499)))]
    pub(in crate::config) status: Vec<u16>,
    /// This media type, parameters aside.
    pub(in crate::config) content_type: String,
    /// The value of the JSON member `code`, a value at a JSON pointer, or `any`.
    #[schemars(example = &"user_not_found")]
    pub(in crate::config) code: Option<NotFoundCode>,
}

/// The value of the JSON member `code`, or a value at a JSON pointer.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum NotFoundCode {
    /// The value of the member `code`; `any`: whatever the content, since a canary stands by.
    Code(#[schemars(length(min = 1))] String),
    /// A value at a JSON pointer.
    At(PointerIs),
}

/// A value at a JSON pointer.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["pointer", "is"]))]
pub(in crate::config) struct PointerIs {
    /// The pointer.
    #[schemars(example = "/error/type", extend("format" = "json-pointer"))]
    pub(in crate::config) pointer: Option<String>,
    /// The text there.
    #[schemars(length(min = 1), example = &"user_not_found")]
    pub(in crate::config) is: Option<String>,
}

/// Where in the answer things are; `none` is written out.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Fields {
    /// The canonical id; `none`: the normalized subject is the id.
    pub(in crate::config) id: String,
    /// The subject, which must equal what was asked; `none`: not checked.
    pub(in crate::config) subject: String,
    /// The tenant, which must equal what was asked where one was; `none`: not checked.
    pub(in crate::config) tenant: String,
    /// The status; active unless one of `disabled_values`; `none`: always active.
    pub(in crate::config) status: String,
    /// The roles, a list of texts; `none`: no roles.
    pub(in crate::config) roles: String,
    /// The record's version; `none`: not compared.
    pub(in crate::config) version: String,
}

impl Default for Users {
    fn default() -> Self {
        Self {
            http: None,
            grpc: None,
            file: None,
            scim: None,
            supabase: None,
            timeout: Period::secs(1),
            wait: Period::millis(180),
            retries: 2,
            concurrency: 64,
            creation_grace: Period::secs(30),
            alias_for: None,
            cache: Cache::default(),
            canary: Vec::new(),
            vanish_guard: VanishGuard::default(),
            audit: Audit::default(),
            snapshot: None,
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        let disabled = ["disabled", "suspended", "deleted", "inactive"];
        Self {
            url: None,
            allow_plaintext: false,
            headers: one("accept", "application/json"),
            token_file: None,
            tls: ClientTls::default(),
            not_found: None,
            fields: Fields::default(),
            disabled_values: disabled.map(str::to_owned).to_vec(),
            attributes: BTreeMap::new(),
            required: Vec::new(),
            consistent_read: ConsistentRead::default(),
        }
    }
}

impl Default for ConsistentRead {
    fn default() -> Self {
        Self {
            header: one("cache-control", "no-cache"),
        }
    }
}

impl Default for NotFound {
    fn default() -> Self {
        Self {
            status: vec![404, 410],
            content_type: "application/json".to_owned(),
            code: None,
        }
    }
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            id: "/id".to_owned(),
            subject: "/subject".to_owned(),
            tenant: "/tenant".to_owned(),
            status: "/status".to_owned(),
            roles: "/roles".to_owned(),
            version: "/version".to_owned(),
        }
    }
}

fn one(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}
