//! What happened to users and tenants, as those who know tell it: lifecycle events.
//!
//! An event is believed at once and everywhere; the [`Ledger`] keeps what it means for answers of a
//! directory that may lag behind it.

pub mod ledger;
pub mod tenant;
pub mod version;

pub use ledger::{Ledger, Settings};
pub use tenant::TenantForm;
pub use version::Version;

use crate::clock::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Something that happened to a user or a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// When, by its source's clock.
    pub time: Timestamp,
    /// The namespace of the subject.
    pub realm: Arc<str>,
    /// The tenant in which it happened; `None` for all tenants of the realm.
    pub tenant: Option<Arc<str>>,
    /// To whom; `None` for an event of a tenant.
    pub whom: Option<Whom>,
    /// The record's version after it, where known.
    pub version: Option<Version>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The user is there, anew perhaps.
    UserCreated,
    /// The record changed.
    UserUpdated,
    /// The user may not act.
    UserDisabled,
    /// The user may act again.
    UserEnabled,
    /// The user is gone.
    UserDeleted,
    /// The user has another subject from now on.
    UserIdChanged {
        /// The new one, normalized.
        to: Arc<str>,
        /// Whether tokens issued after the event are meant too: subjects are never given again.
        all_tokens: bool,
    },
    /// Nobody of the tenant may act.
    TenantSuspended,
    /// They may again.
    TenantResumed,
}

/// To whom something happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whom {
    /// A subject, normalized.
    Subject(Arc<str>),
    /// A user, by the directory's id.
    Id(Arc<str>),
}

/// Why an event is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Its time lies ahead of ours.
    #[error("time: expected one that lies at most 5 minutes ahead, came {0}")]
    Ahead(Timestamp),
    /// It names nobody.
    #[error("expected a subject or a user id in an event of a user")]
    Nobody,
    /// It names no tenant.
    #[error("expected a tenant in an event of a tenant")]
    NoTenant,
    /// Its tenant can be none.
    #[error("tenant: expected one of the configured format")]
    Tenant,
    /// A new subject for somebody who is named by id.
    #[error("expected the old subject in `user.id_changed`, not a user id")]
    NoSubject,
    /// A subject that leads back to itself.
    #[error("`user.id_changed` from {0} leads back to it")]
    Cycle(Arc<str>),
    /// An event of that name is not known.
    #[error("expected one of: {}; came `{came}`", Kind::NAMES.join(", "))]
    Unknown {
        /// What came.
        came: String,
    },
}

impl EventError {
    /// What is wrong, in a word that names nobody.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Ahead(_) => "ahead",
            Self::Nobody => "nobody",
            Self::NoTenant => "no_tenant",
            Self::Tenant => "tenant",
            Self::NoSubject => "no_subject",
            Self::Cycle(_) => "cycle",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// How far ahead of our clock an event's time may lie.
pub const AHEAD: Duration = Duration::from_secs(5 * 60);

impl Kind {
    /// The names of all.
    pub const NAMES: [&str; 8] = [
        "user.created",
        "user.updated",
        "user.disabled",
        "user.enabled",
        "user.deleted",
        "user.id_changed",
        "tenant.suspended",
        "tenant.resumed",
    ];

    /// The name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::UserDisabled => "user.disabled",
            Self::UserEnabled => "user.enabled",
            Self::UserDeleted => "user.deleted",
            Self::UserIdChanged { .. } => "user.id_changed",
            Self::TenantSuspended => "tenant.suspended",
            Self::TenantResumed => "tenant.resumed",
        }
    }
}

/// Takes an event into the ledger, from where every decision after this one sees it; gives it as it was
/// taken, its tenant in the form in which it is a key.
///
/// Taking one twice is harmless; one that is older than what is known changes nothing.
pub fn apply(event: &Event, ledger: &Ledger, now: Timestamp) -> Result<Event, EventError> {
    if event.time > now.plus(AHEAD) {
        return Err(EventError::Ahead(event.time));
    }
    ledger.take(event)
}
