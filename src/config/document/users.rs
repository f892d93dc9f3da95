//! The key `users`.

use super::{ClientTls, Period, Size};
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
    /// A file of users, which is watched: for trying out, tests, small fixed sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) file: Option<UsersFile>,
    /// The time-out of one look-up, also when nobody waits any more.
    pub(in crate::config) timeout: Period,
    /// The longest a request waits for a look-up, and never past its own deadline less a tenth.
    pub(in crate::config) wait: Period,
    /// How many look-ups may be under way at once.
    #[schemars(range(min = 2, max = 65536))]
    pub(in crate::config) concurrency: usize,
    /// How answers are remembered.
    pub(in crate::config) cache: Cache,
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

/// How answers are remembered (RFC 9111, RFC 5861).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Cache {
    /// How long a found user is served without asking again; a ceiling.
    pub(in crate::config) fresh: Period,
    /// How long after that it is served while the directory gives no trustworthy answer.
    pub(in crate::config) stale_if_error: Period,
    /// How long a recognized not-found is remembered; a ceiling.
    pub(in crate::config) not_found_for: Period,
    /// The most memory that remembered users take.
    pub(in crate::config) max_memory: Size,
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
    /// The value of the JSON member `code`, or a value at a JSON pointer.
    #[schemars(example = &"user_not_found")]
    pub(in crate::config) code: Option<NotFoundCode>,
}

/// The value of the JSON member `code`, or a value at a JSON pointer.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum NotFoundCode {
    /// The value of the member `code`.
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
            file: None,
            timeout: Period::secs(1),
            wait: Period::millis(180),
            concurrency: 64,
            cache: Cache::default(),
        }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            fresh: Period::secs(60),
            stale_if_error: Period::secs(15 * 60),
            not_found_for: Period::secs(5),
            max_memory: Size::mib(64),
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
