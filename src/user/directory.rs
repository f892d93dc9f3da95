//! Where knowledge of users comes from: one contract, several ways to ask.
//!
//! A directory answers *found* or *not found* only where the answer can be trusted to mean it;
//! everything else is a reason why it does not know. It never guesses.

mod config;
mod file;
mod grpc;
mod http;
mod reason;
mod rest;
mod scim;
mod supabase;

pub use self::config::{
    Config, Fields, Http, NotFound, NotFoundCode, Pointer, Reach, SetupError, UrlPart, UrlTemplate,
};
pub use self::file::FileDirectory;
pub use self::grpc::watch::Counts as WatchCounts;
pub use self::grpc::{Endpoint, Grpc, GrpcDirectory, GrpcError};
pub use self::http::HttpDirectory;
pub use self::reason::{Reason, Unanswered};
pub use self::rest::Rest;
pub use self::scim::{Scim, ScimBy, ScimDirectory, ScimRoles};
pub use self::supabase::{Supabase, SupabaseDirectory};

use super::User;
use crate::event::Event;
use futures_util::Stream;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Something that knows which users exist.
pub trait Directory: fmt::Debug + Send + Sync {
    /// Looks one user up, once; the caller bounds the time, and asks again where that may help.
    fn look_up<'d>(
        &'d self,
        question: Question<'d>,
    ) -> Pin<Box<dyn Future<Output = Result<Answered, Unanswered>> + Send + 'd>>;

    /// Whether a found answer proves the tenant in which it was asked for: it was asked inside the
    /// tenant, or the answer names it.
    fn proves_tenant(&self) -> bool;

    /// Whether the normalized subject is every user's canonical id, so that no answer is needed for it.
    fn names_by_subject(&self) -> bool;

    /// Whether an answer may lag behind what has happened, so that a new user is not there yet.
    fn lags(&self) -> bool {
        true
    }

    /// Tells when all that was answered before may be untrue; `None` if that is never known.
    fn versions(&self) -> Option<watch::Receiver<u64>> {
        None
    }

    /// Tells of changes, for ever, from the moment of the call on; `None` where it cannot.
    fn changes(&self) -> Option<Changes> {
        None
    }

    /// What came of watching for changes, for the metrics; `None` where it cannot.
    fn watch_counts(&self) -> Option<&WatchCounts> {
        None
    }
}

/// A stream of changes: it connects again by itself, and ends never.
pub type Changes = Pin<Box<dyn Stream<Item = Change> + Send>>;

/// What a directory tells by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something happened to a user or a tenant.
    Event(Event),
    /// Something may have happened that was not told: all that was answered before may be untrue.
    Missed,
}

/// What is asked of a directory.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// Who is looked up.
    pub query: Query<'q>,
    /// Whether the answer must not come from a replica or cache that lags behind.
    pub consistent: bool,
    /// The validator of the answer that is remembered: if the record is still that one, the answer
    /// may be [`Answer::Unchanged`].
    pub etag: Option<&'q str>,
}

/// Who is looked up.
#[derive(Clone, Copy, Debug)]
pub struct Query<'q> {
    /// The namespace of the subject.
    pub realm: &'q Arc<str>,
    /// The URL of the issuer that named it.
    pub issuer: &'q Arc<str>,
    /// The tenant, where there is one.
    pub tenant: Option<&'q Arc<str>>,
    /// The normalized subject.
    pub subject: &'q Arc<str>,
}

/// A trustworthy answer, and how long it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// How long it is good for, as far as the directory said so.
    pub lifetime: Lifetime,
    /// Its validator, for the next [`Question::etag`].
    pub etag: Option<Box<str>>,
}

/// A trustworthy answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The user is there.
    Found(User),
    /// The user, recognizably, is not.
    NotFound,
    /// The record is the one that the question's validator names.
    Unchanged,
}

/// How long an answer is good for (RFC 9111); it shortens what is configured, never lengthens it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// How old it was when it came: the header `Age`.
    pub age: Duration,
    /// How long it is fresh, from when it was made: `Cache-Control: max-age`.
    pub fresh: Option<Duration>,
    /// Whether it must not be served stale while it is asked for again: `no-cache`, `no-store`,
    /// `must-revalidate`.
    pub revalidate: bool,
}

impl From<Answer> for Answered {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            lifetime: Lifetime::default(),
            etag: None,
        }
    }
}

impl PartialEq for Query<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.subject == other.subject && self.tenant == other.tenant && self.realm == other.realm
    }
}

impl Eq for Query<'_> {}

/// The issuer takes no part: a user is a subject in a realm, whichever of its issuers names it.
impl std::hash::Hash for Query<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.subject.hash(state);
        self.tenant.hash(state);
        self.realm.hash(state);
    }
}
