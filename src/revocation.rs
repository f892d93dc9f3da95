//! What was taken back: tokens, sessions, keys, issuers, subjects, users and tenants.
//!
//! All is looked up in a local copy. *Absolute* entries name a token, a session, a key or an issuer;
//! entries *by instant* strike everything of a subject, a user, a tenant or an issuer that was issued
//! at or before it.

mod ask;
mod config;
mod copy;
mod file;
mod name;
pub mod replica;
pub mod status_list;
pub mod store;
mod strike;
mod target;
mod template;

pub use ask::{Asked, Right};
pub use config::{Config, Mode, OnStale, Redis};
pub use copy::{Cleared, Copy, Prints};
pub use name::{Kind, Name, Named};
pub use replica::Replica;
pub use strike::{Hit, Strike};
pub use target::{Meant, Misnamed, Target, longest};
pub use template::{Part, Template, Unrendered, Value};

use crate::clock::{Clock, Timestamp};
use crate::datafile::DataFile;
use crate::event::Ledger;
use crate::net::redis::SetupError;
use crate::tenant;
use crate::token::VerifiedToken;
use crate::token::issuer;
use crate::yaml::Mistakes;
use std::sync::Arc;
use strike::Issued;
use tokio::time::Instant;

/// Why revocations cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file has mistakes.
    #[error(transparent)]
    File(#[from] Mistakes),
    /// Redis cannot be set up.
    #[error("revocation.redis: {0}")]
    Redis(#[from] SetupError),
    /// This build reads and checks the keys of an existing list, and does not serve from it.
    #[error(
        "revocation.redis.mode: `lookup` and `both` are checked and not yet served: use `replica`"
    )]
    Lookup,
}

/// The local copy is too old to say that something is not revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is known of revocations is too old")]
pub struct Stale;

/// Knows what was revoked.
#[derive(Debug)]
pub struct Revocations {
    source: Source,
}

/// Where revocations come from, opened.
#[derive(Debug)]
enum Source {
    Nothing,
    File(DataFile<Copy>),
    Replica {
        replica: Arc<Replica>,
        on_stale: OnStale,
    },
}

/// What revocations are taken up with.
#[derive(Debug)]
pub struct Beside<'b> {
    /// Lends names and ways of writing subjects.
    pub issuers: &'b [issuer::Config],
    /// Lends the way of writing tenants.
    pub tenants: &'b tenant::Config,
    /// Where lifecycle events of the store go.
    pub ledger: Ledger,
    /// Tells when strikes end.
    pub clock: Arc<dyn Clock>,
    /// A copy that is kept where it follows the same store.
    pub kept: Option<Arc<Replica>>,
}

impl Revocations {
    /// Takes up what is revoked: a file is read now and watched, a store is followed from now on.
    pub fn start(config: &Config, beside: Beside<'_>) -> Result<Self, StartError> {
        let source = match config {
            Config::Memory => Source::Nothing,
            Config::File(path) => {
                let (issuers, tenants) = (beside.issuers.to_vec(), beside.tenants.clone());
                Source::File(DataFile::open(path, move |path| {
                    file::read(path, &issuers, &tenants)
                })?)
            }
            Config::Redis(redis) => match redis.mode {
                Mode::Lookup | Mode::Both => return Err(StartError::Lookup),
                Mode::Replica => Source::Replica {
                    replica: match beside.kept.filter(|kept| kept.follows(redis)) {
                        Some(kept) => kept,
                        None => Arc::new(Replica::start(redis, beside.ledger, beside.clock)?),
                    },
                    on_stale: redis.on_stale,
                },
            },
        };
        Ok(Self { source })
    }

    /// The copy of a store, where there is one.
    pub const fn replica(&self) -> Option<&Arc<Replica>> {
        match &self.source {
            Source::Nothing | Source::File(_) => None,
            Source::Replica { replica, .. } => Some(replica),
        }
    }

    /// What rules while the copy is too old.
    pub const fn on_stale(&self) -> OnStale {
        match &self.source {
            Source::Nothing | Source::File(_) => OnStale::Deny,
            Source::Replica { on_stale, .. } => *on_stale,
        }
    }

    /// Whether what is known may say that something is not revoked: asked before the checks.
    pub fn is_known(&self, now: Instant) -> Result<(), Stale> {
        match &self.source {
            Source::Replica {
                replica,
                on_stale: OnStale::Deny,
            } if replica.is_stale(now) => Err(Stale),
            Source::Nothing | Source::File(_) | Source::Replica { .. } => Ok(()),
        }
    }

    /// Whether a token is revoked, by itself or through its subject or tenant.
    pub fn check(
        &self,
        token: &VerifiedToken,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Hit> {
        match &self.source {
            Source::Nothing => Ok(()),
            Source::File(file) => file.load().check(token, tenant, now),
            Source::Replica { replica, .. } => replica.copy().check(token, tenant, now),
        }
    }

    /// Whether a token is revoked through another subject of its user, normalized.
    pub fn check_subject(
        &self,
        token: &VerifiedToken,
        tenant: Option<&str>,
        subject: &str,
        now: Timestamp,
    ) -> Result<(), Hit> {
        self.check_person(Kind::Subject, token, tenant, subject, now)
    }

    /// Whether a token is revoked through its user's canonical id, which the directory told.
    pub fn check_user(
        &self,
        token: &VerifiedToken,
        tenant: Option<&str>,
        id: &str,
        now: Timestamp,
    ) -> Result<(), Hit> {
        self.check_person(Kind::User, token, tenant, id, now)
    }

    fn check_person(
        &self,
        kind: Kind,
        token: &VerifiedToken,
        tenant: Option<&str>,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Hit> {
        let check = |copy: &Copy| copy.check_person(kind, token, tenant, name, now);
        match &self.source {
            Source::Nothing => Ok(()),
            Source::File(file) => check(&file.load()),
            Source::Replica { replica, .. } => check(&replica.copy()),
        }
    }
}

/// Whether a token is dead because its user was deleted after it was issued, and is there again.
pub fn check_deleted(token: &VerifiedToken, deleted: Timestamp, now: Timestamp) -> Result<(), Hit> {
    let strike = Strike {
        before: Some(deleted),
        until: None,
        at: Some(deleted),
        reason: Some("the user was deleted then".into()),
    };
    Issued::of(token, now).under(&strike, Kind::Subject)
}

#[cfg(test)]
mod tests;
