//! What was taken back: tokens, sessions, keys, issuers, subjects, users and tenants.
//!
//! All is looked up in a local copy. *Absolute* entries name a token, a session, a key or an issuer;
//! entries *by instant* strike everything of a subject, a user, a tenant or an issuer that was issued
//! at or before it.

mod copy;
mod file;
mod name;
pub mod replica;
pub mod store;
mod strike;

pub use copy::{Cleared, Copy, Prints};
pub use name::{Kind, Name, Named};
pub use strike::{Hit, Strike};

use crate::clock::Timestamp;
use crate::datafile::DataFile;
use crate::tenant;
use crate::token::VerifiedToken;
use crate::token::issuer;
use crate::yaml::Mistakes;
use std::path::PathBuf;
use strike::Issued;

/// Where revocations come from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Config {
    /// This process alone, with nothing revoked.
    #[default]
    Memory,
    /// This process alone, fed by a watched `revocations.yaml`.
    File(PathBuf),
}

/// Knows what was revoked.
#[derive(Debug)]
pub struct Revocations {
    file: Option<DataFile<Copy>>,
}

impl Config {
    /// Judges the file, if there is one, as it will be read.
    pub fn judge(
        &self,
        issuers: &[issuer::Config],
        tenants: &tenant::Config,
    ) -> Result<(), Mistakes> {
        match self {
            Self::Memory => Ok(()),
            Self::File(path) => file::read(path, issuers, tenants).map(|_| ()),
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
    ) -> Result<Self, Mistakes> {
        let file = match config {
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
            Some(file) => file
                .load()
                .check_person(Kind::Subject, token, tenant, subject, now),
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
            Some(file) => file.load().check_person(Kind::User, token, tenant, id, now),
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
