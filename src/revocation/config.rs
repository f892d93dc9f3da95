//! Where revocations come from.

use super::file;
use super::store::{Keys, Writer};
use super::template::Template;
use crate::clock::Clock;
use crate::net::redis::{self, SetupError};
use crate::tenant;
use crate::token::issuer;
use crate::yaml::Mistakes;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where revocations come from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Config {
    /// This process alone, with nothing revoked.
    #[default]
    Memory,
    /// This process alone, fed by a watched `revocations.yaml`.
    File(PathBuf),
    /// A Redis that all processes share.
    Redis(Box<Redis>),
}

/// A Redis with revocations in it, and how it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redis {
    /// How it is reached, with the login of those who read.
    pub connection: redis::Config,
    /// The login of those who write; `None` in a process that only reads.
    pub writer: Option<redis::Login>,
    /// What every key of ours begins with.
    pub key_prefix: String,
    /// How it is asked.
    pub mode: Mode,
    /// The keys of an existing list; none in mode replica.
    pub keys: Vec<Template>,
    /// How old what is known may be.
    pub max_staleness: Duration,
    /// What rules past that age.
    pub on_stale: OnStale,
    /// Whether a writer tells regularly that it lives.
    pub heartbeat: bool,
    /// How many replicas must have a write before it is acknowledged.
    pub min_replicas: usize,
}

/// How Redis is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A local copy of our own store.
    Replica,
    /// Keys of an existing list, one by one.
    Lookup,
    /// Both.
    Both,
}

/// What becomes of tokens while what is known is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnStale {
    /// They are refused.
    Deny,
    /// They pass, as far as is known.
    Allow,
}

impl Redis {
    /// Opens the store for whoever writes to it; `None` where the configuration has no login for that.
    pub fn writer(&self, clock: Arc<dyn Clock>) -> Result<Option<Writer>, SetupError> {
        let writer = self.writer.as_ref();
        writer.map(|login| self.store(login, clock)).transpose()
    }

    /// Opens the store to look at what lies in it: as whoever writes, else as whoever reads.
    pub fn viewer(&self, clock: Arc<dyn Clock>) -> Result<Writer, SetupError> {
        let reader = &self.connection.login;
        self.store(self.writer.as_ref().unwrap_or(reader), clock)
    }

    fn store(&self, login: &redis::Login, clock: Arc<dyn Clock>) -> Result<Writer, SetupError> {
        let redis = redis::Redis::new(&self.connection, login)?;
        let keys = Keys::new(&self.key_prefix);
        Ok(Writer::new(redis, keys, self.min_replicas, clock))
    }
}

impl Config {
    /// Judges the file, if there is one, as it will be read.
    pub fn judge(
        &self,
        issuers: &[issuer::Config],
        tenants: &tenant::Config,
    ) -> Result<(), Mistakes> {
        match self {
            Self::Memory | Self::Redis(_) => Ok(()),
            Self::File(path) => file::read(path, issuers, tenants).map(|_| ()),
        }
    }
}
