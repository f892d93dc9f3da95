//! What was taken back: tokens, sessions, keys, issuers, subjects, users and tenants.
//!
//! All is looked up in a local copy. *Absolute* entries name a token, a session, a key or an issuer;
//! entries *by instant* strike everything of a subject, a user, a tenant or an issuer that was issued
//! at or before it.

mod ask;
mod config;
mod file;
mod template;

pub use ask::{Asked, Right};
pub use config::{Config, Mode, OnStale, Redis};
pub use template::{Part, Template, Unrendered, Value};

use crate::clock::Timestamp;
use crate::datafile::DataFile;
use crate::tenant;
use crate::token::VerifiedToken;
use crate::token::issuer;
use crate::yaml::Mistakes;
use std::collections::HashMap;

/// Why revocations cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file has mistakes.
    #[error(transparent)]
    File(#[from] Mistakes),
    /// This build reads and checks the keys of Redis, and does not serve from it.
    #[error("`revocation.redis` is checked and not yet served: use `revocation.memory`")]
    Redis,
}

/// Knows what was revoked.
#[derive(Debug)]
pub struct Revocations {
    file: Option<DataFile<Revoked>>,
}

/// The local copy: what is revoked, each kind under its own name.
///
/// Names of different issuers never meet: an issuer's URL, or its realm, is part of each key.
#[derive(Debug, Default)]
pub struct Revoked {
    tokens: Names,
    sessions: Names,
    keys: Names,
    issuers: HashMap<Box<str>, Vec<Strike>>,
    subjects: Housed,
    users: Housed,
    tenants: HashMap<Box<str>, Vec<Strike>>,
}

type Names = HashMap<Box<str>, HashMap<Box<str>, Vec<Strike>>>;
type Housed = HashMap<Box<str>, HashMap<Box<str>, Vec<(Option<Box<str>>, Strike)>>>;

/// One revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// What was issued at or before this is struck; `None` strikes everything.
    pub before: Option<Timestamp>,
    /// When the entry ends.
    pub until: Option<Timestamp>,
    /// When it was made, if known.
    pub at: Option<Timestamp>,
    /// Why, in the operator's words.
    pub reason: Option<Box<str>>,
}

/// What was revoked, of a token that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The kind of thing.
    pub kind: Kind,
    /// Since when.
    pub at: Option<Timestamp>,
    /// Why.
    pub reason: Option<Box<str>>,
}

/// The kinds of things that are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A token, by `jti`.
    Token,
    /// A session, by `sid`.
    Session,
    /// A key, by `kid`, else thumbprint; a shared secret is called `secret`.
    Key,
    /// An issuer.
    Issuer,
    /// A subject, in its normalized form.
    Subject,
    /// A user, by the directory's id.
    User,
    /// A tenant.
    Tenant,
}

impl Kind {
    /// The name in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Session => "session",
            Self::Key => "key",
            Self::Issuer => "issuer",
            Self::Subject => "subject",
            Self::User => "user",
            Self::Tenant => "tenant",
        }
    }
}

impl Revocations {
    /// Takes up what is revoked; a file is read now and watched. Issuers lend their names and their
    /// way of writing subjects.
    pub fn start(
        config: &Config,
        issuers: &[issuer::Config],
        tenants: &tenant::Config,
    ) -> Result<Self, StartError> {
        let file = match config {
            Config::Redis(_) => return Err(StartError::Redis),
            Config::Memory => None,
            Config::File(path) => {
                let (issuers, tenants) = (issuers.to_vec(), tenants.clone());
                Some(DataFile::open(path, move |path| {
                    file::read(path, &issuers, &tenants)
                })?)
            }
        };
        Ok(Self { file })
    }

    /// Whether a token is revoked, by itself or through its subject or tenant.
    pub fn check(
        &self,
        token: &VerifiedToken,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Hit> {
        match &self.file {
            None => Ok(()),
            Some(file) => file.load().check(token, tenant, now),
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
        match &self.file {
            None => Ok(()),
            Some(file) => file.load().check_subject(token, tenant, subject, now),
        }
    }

    /// Whether a token is revoked through its user's canonical id, which the directory told.
    pub fn check_user(
        &self,
        token: &VerifiedToken,
        tenant: Option<&str>,
        id: &str,
        now: Timestamp,
    ) -> Result<(), Hit> {
        match &self.file {
            None => Ok(()),
            Some(file) => file.load().check_user(token, tenant, id, now),
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

impl Revoked {
    fn check(
        &self,
        token: &VerifiedToken,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Hit> {
        let signer = token.issuer().config();
        let issued = Issued::of(token, now);
        let named = |names: &Names, name: Option<&str>, kind| {
            let strikes = name.and_then(|name| names.get(&*signer.issuer)?.get(name));
            let mut strikes = strikes.into_iter().flatten();
            strikes.try_for_each(|strike| issued.under(strike, kind))
        };
        named(&self.tokens, token.claims().text("jti"), Kind::Token)?;
        named(&self.sessions, token.claims().text("sid"), Kind::Session)?;
        named(&self.keys, Some(token.key().name()), Kind::Key)?;
        for strike in self.issuers.get(&*signer.issuer).into_iter().flatten() {
            issued.under(strike, Kind::Issuer)?;
        }
        if let Ok(subject) = token.subject() {
            self.check_subject(token, tenant, subject.normalized(), now)?;
        }
        for strike in tenant
            .and_then(|tenant| self.tenants.get(tenant))
            .into_iter()
            .flatten()
        {
            issued.under(strike, Kind::Tenant)?;
        }
        Ok(())
    }

    fn check_subject(
        &self,
        token: &VerifiedToken,
        tenant: Option<&str>,
        subject: &str,
        now: Timestamp,
    ) -> Result<(), Hit> {
        let issued = Issued::of(token, now);
        let realm = &token.issuer().config().realm;
        housed(
            &self.subjects,
            realm,
            subject,
            tenant,
            issued,
            Kind::Subject,
        )
    }

    fn check_user(
        &self,
        token: &VerifiedToken,
        tenant: Option<&str>,
        id: &str,
        now: Timestamp,
    ) -> Result<(), Hit> {
        let issued = Issued::of(token, now);
        housed(
            &self.users,
            &token.issuer().config().realm,
            id,
            tenant,
            issued,
            Kind::User,
        )
    }
}

/// Entries of one realm and name, for one tenant or for all.
fn housed(
    entries: &Housed,
    realm: &str,
    name: &str,
    tenant: Option<&str>,
    issued: Issued,
    kind: Kind,
) -> Result<(), Hit> {
    let Some(strikes) = entries.get(realm).and_then(|names| names.get(name)) else {
        return Ok(());
    };
    for (house, strike) in strikes {
        if house.is_none() || house.as_deref() == tenant {
            issued.under(strike, kind)?;
        }
    }
    Ok(())
}

/// When a token was issued, by its issuer's clock; a token that does not say was issued before all.
#[derive(Clone, Copy)]
struct Issued {
    at: Option<Timestamp>,
    now: Timestamp,
}

impl Issued {
    fn of(token: &VerifiedToken, now: Timestamp) -> Self {
        let ahead = token.issuer().config().clock_ahead;
        Self {
            at: token.claims().issued_at().map(|at| at.minus(ahead)),
            now,
        }
    }

    fn under(self, strike: &Strike, kind: Kind) -> Result<(), Hit> {
        let ended = strike.until.is_some_and(|until| self.now >= until);
        let later = match (strike.before, self.at) {
            (Some(before), Some(at)) => at > before,
            (Some(_) | None, None) | (None, Some(_)) => false,
        };
        if ended || later {
            return Ok(());
        }
        Err(Hit {
            kind,
            at: strike.at.or(strike.before),
            reason: strike.reason.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
