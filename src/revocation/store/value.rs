//! What is known under a name, as it is written in the store.

use crate::clock::Timestamp;
use crate::event::{Event, Kind, Version, Whom};
use crate::revocation::copy::Cleared;
use crate::revocation::strike::Strike;
use serde::{Deserialize, Serialize};

/// What is known under a name. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Value {
    /// Revocations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strikes: Vec<WrittenStrike>,
    /// That it was restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleared: Option<WrittenClearing>,
    /// Lifecycle events, each a JSON text of its own: the store never rewrites them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
}

/// A revocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenStrike {
    /// Through which door it came: `cli`, `admin`, or the name of a relay's source.
    pub source: Box<str>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Box<str>>,
    /// When it was made, or happened.
    pub at: u64,
    /// What was issued at or before this is struck; everything without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// When it ends; never without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Box<str>>,
}

/// That a name was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenClearing {
    /// When.
    pub at: u64,
    /// How long that is known.
    pub until: u64,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Box<str>>,
    /// Of which source alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Box<str>>,
    /// Since when alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
}

/// A lifecycle event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// Its name, such as `user.deleted`.
    #[serde(rename = "type")]
    kind: Box<str>,
    time: u64,
    realm: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new_subject: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all_tokens: bool,
    /// An unsigned integer or an RFC 3339 time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<Box<str>>,
    /// Through which door it came.
    #[serde(default)]
    source: Box<str>,
}

impl Value {
    /// The strikes, as the local copy keeps them.
    pub fn strikes(&self) -> Vec<Strike> {
        self.strikes.iter().map(WrittenStrike::strike).collect()
    }

    /// When it was last cleared of everything; a copy that lost the thread knows not enough of its
    /// strikes to clear it of some.
    pub fn cleared(&self) -> Option<Cleared> {
        let whole =
            |cleared: &&WrittenClearing| cleared.source.is_none() && cleared.since.is_none();
        self.cleared.as_ref().filter(whole).map(|cleared| Cleared {
            at: Timestamp::from_millis(cleared.at),
            until: Timestamp::from_millis(cleared.until),
        })
    }
}

impl WrittenStrike {
    fn strike(&self) -> Strike {
        Strike {
            before: self.before.map(Timestamp::from_millis),
            until: self.until.map(Timestamp::from_millis),
            at: Some(Timestamp::from_millis(self.at)),
            reason: self.reason.clone(),
        }
    }
}

impl StoredEvent {
    /// An event that came through a door.
    pub fn new(event: &Event, source: &str) -> Self {
        let (subject, user_id) = match &event.whom {
            Some(Whom::Subject(subject)) => (Some(subject), None),
            Some(Whom::Id(id)) => (None, Some(id)),
            None => (None, None),
        };
        let (new_subject, all_tokens) = match &event.kind {
            Kind::UserIdChanged { to, all_tokens } => (Some(to), *all_tokens),
            Kind::UserCreated
            | Kind::UserUpdated
            | Kind::UserDisabled
            | Kind::UserEnabled
            | Kind::UserDeleted
            | Kind::TenantSuspended
            | Kind::TenantResumed => (None, false),
        };
        Self {
            kind: event.kind.as_str().into(),
            time: event.time.as_millis(),
            realm: (*event.realm).into(),
            tenant: event.tenant.as_deref().map(Box::from),
            subject: subject.map(|subject| (**subject).into()),
            user_id: user_id.map(|id| (**id).into()),
            new_subject: new_subject.map(|to| (**to).into()),
            all_tokens,
            version: event.version.map(|version| version.to_string().into()),
            source: source.into(),
        }
    }

    /// The event; `None` where it is none.
    pub fn event(&self) -> Option<Event> {
        let kind = match &*self.kind {
            "user.created" => Kind::UserCreated,
            "user.updated" => Kind::UserUpdated,
            "user.disabled" => Kind::UserDisabled,
            "user.enabled" => Kind::UserEnabled,
            "user.deleted" => Kind::UserDeleted,
            "user.id_changed" => Kind::UserIdChanged {
                to: self.new_subject.as_deref()?.into(),
                all_tokens: self.all_tokens,
            },
            "tenant.suspended" => Kind::TenantSuspended,
            "tenant.resumed" => Kind::TenantResumed,
            _ => return None,
        };
        let whom = match (&self.subject, &self.user_id) {
            (Some(subject), None) => Some(Whom::Subject((**subject).into())),
            (None, Some(id)) => Some(Whom::Id((**id).into())),
            (None, None) => None,
            (Some(_), Some(_)) => return None,
        };
        Some(Event {
            kind,
            time: Timestamp::from_millis(self.time),
            realm: (*self.realm).into(),
            tenant: self.tenant.as_deref().map(Into::into),
            whom,
            // One that cannot be compared is none.
            version: self.version.as_deref().and_then(Version::parse),
        })
    }

    /// Whether it came through this door, and happened then or later.
    pub fn is_from(&self, source: &str, since: Timestamp) -> bool {
        *self.source == *source && self.time >= since.as_millis()
    }

    /// Whether it is forgotten once every copy has heard of it.
    pub fn is_passing(&self) -> bool {
        *self.kind == *"user.updated"
    }
}
