//! What is asked of the admin API and what it says: the JSON of its bodies, and its queries.
//!
//! `docs/openapi.yaml` describes the same, and a test holds the two together.

use serde::{Deserialize, Serialize};

/// Which remembered user is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserQuery {
    /// URL or name of a configured issuer.
    pub issuer: String,
    /// The tenant, in any spelling that a request may have.
    pub tenant: Option<String>,
    /// The subject as the issuer's tokens write it.
    pub subject: String,
}

/// Under which name a user is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserKey {
    /// The namespace of the subject.
    pub realm: String,
    /// The URL of the issuer.
    pub issuer: String,
    /// The tenant, normalized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The subject, rewritten and normalized.
    pub subject: String,
}

/// What is remembered of a user.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UserView {
    /// Under which name.
    #[serde(flatten)]
    pub key: UserKey,
    /// Which answer is remembered.
    pub state: State,
    /// The answer's age, and what it is good for.
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    pub age: Option<Age>,
    /// The record, where the user was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Record>,
    /// What events told of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fence: Option<FenceView>,
    /// The subject to which this one leads since `user.id_changed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

/// Which answer of the directory is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The user is there.
    Found,
    /// The user, recognizably, is not.
    NotFound,
    /// None.
    Absent,
}

/// How old an answer is, and what it is good for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Age {
    /// Seconds since the question was sent.
    pub age_seconds: f64,
    /// Whether it is served.
    pub freshness: Lasting,
}

/// What an answer of some age is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lasting {
    /// It is served at once.
    Fresh,
    /// It is served at once, and asked for again in the background.
    Revalidate,
    /// It is served only while the directory gives no trustworthy answer.
    Stale,
    /// It is not served.
    Spent,
}

/// What the directory told of a user; of attributes the names alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The canonical id; the subject itself where the directory has none.
    pub id: String,
    /// Whether the user may act.
    pub status: Status,
    /// The roles.
    pub roles: Vec<String>,
    /// The names of the attributes that are there.
    pub attributes: Vec<String>,
    /// The first required attribute that the record lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacks: Option<String>,
    /// The record's version, where it is one that can be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Whether a user may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The user may.
    Active,
    /// The user may not.
    Disabled,
}

/// What events told of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FenceView {
    /// The time of the newest event, RFC 3339.
    pub time: String,
    /// The greatest version that they told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What stands until something newer lifts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<MarkView>,
    /// Tokens issued at or before this are refused: the user was deleted then, and is there again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
}

/// A mark that stands until something newer lifts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkView {
    /// The user is gone.
    Deleted,
    /// The user may not act.
    Disabled,
}

/// What came of dropping an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// Under which name.
    #[serde(flatten)]
    pub key: UserKey,
    /// Whether there was one.
    pub forgotten: bool,
}

/// What the vanish guard holds, and how the canaries are.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GuardView {
    /// Whether every not-found of a known user is held, whatever its tenant.
    pub all_held: bool,
    /// The tenants that lost users within the window.
    pub groups: Vec<GuardGroup>,
    /// The users that must exist.
    pub canaries: Vec<CanaryView>,
}

/// The users of one tenant, to the vanish guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuardGroup {
    /// The realm.
    pub realm: String,
    /// The tenant, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Users that were known in the window.
    pub known: u64,
    /// How many of them turned not-found without an event.
    pub vanished: u64,
    /// Whether their not-found is held.
    pub held: bool,
    /// Whether an operator released them.
    pub released: bool,
}

/// A user that must exist.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CanaryView {
    /// The realm for which it stands.
    pub realm: String,
    /// What was last heard of it.
    pub state: CanaryState,
    /// Seconds since that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<f64>,
}

/// What was last heard of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CanaryState {
    /// Nothing yet.
    Unasked,
    /// It is there.
    Found,
    /// The directory says that it is not.
    Missing,
    /// The directory gave no trustworthy answer.
    Unanswered,
}

/// What is to be released: all, unless realm or issuer or tenant narrow it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// A realm.
    pub realm: Option<String>,
    /// URL or name of a configured issuer, for its realm.
    pub issuer: Option<String>,
    /// A tenant.
    pub tenant: Option<String>,
}

/// What came of a release.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Released {
    /// How many tenants were held and no longer are.
    pub released: u64,
    /// The guard after it.
    pub guard: GuardView,
}

/// A lifecycle event, as it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRequest {
    /// What happened, such as `user.deleted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, RFC 3339; now, where it is left out.
    pub time: Option<String>,
    /// URL or name of a configured issuer; this or `realm`.
    pub issuer: Option<String>,
    /// The realm; this or `issuer`.
    pub realm: Option<String>,
    /// The tenant; all of the realm where it is left out.
    pub tenant: Option<String>,
    /// The subject as tokens write it; this or `user_id`, in an event of a user.
    pub subject: Option<String>,
    /// The directory's id.
    pub user_id: Option<String>,
    /// The new subject of `user.id_changed`, as tokens write it.
    pub new_subject: Option<String>,
    /// Whether `user.id_changed` means tokens issued after it too.
    pub all_tokens: Option<bool>,
    /// The record's version after the event.
    pub version: Option<WrittenVersion>,
}

/// A version, as a number or as text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum WrittenVersion {
    /// A counter.
    Number(u64),
    /// A counter or an RFC 3339 time.
    Text(String),
}

/// A lifecycle event, as it was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventView {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, RFC 3339.
    pub time: String,
    /// The realm.
    pub realm: String,
    /// The tenant, normalized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The subject, rewritten and normalized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The directory's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The new subject, rewritten and normalized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_subject: Option<String>,
    /// Whether tokens issued after it are meant too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_tokens: Option<bool>,
    /// The record's version after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}
