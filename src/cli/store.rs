//! What the commands share that look at the store of revocations, or write to it.

use super::Outcome;
use super::check::Output;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::{self, Config};
use crate::net::redis::SetupError;
use crate::revocation::store::{StoreError, Writer};
use crate::revocation::{self, Kind, Misnamed, Named};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Which store, and how is it told?
#[derive(Debug, Args)]
pub(super) struct Store {
    /// The configuration file: `revocation.redis` in it says where the store is.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The form of the output.
    #[arg(long, value_name = "FORM", default_value = "text")]
    output: Output,
}

/// Who says so?
#[derive(Debug, Args)]
pub(super) struct By {
    /// Who does it, for whoever lists it later; $USER where it is not written.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// What the store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Look,
    Write,
}

/// What a command has to say.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) text: String,
    pub(super) members: Value,
}

/// Why a command comes to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Config(String),
    #[error(transparent)]
    Misnamed(#[from] Misnamed),
    #[error("revocation.redis: {0}")]
    Setup(#[from] SetupError),
    #[error("revocation.redis: {0}")]
    Store(#[from] StoreError),
}

impl By {
    /// Who it is, if anybody says so.
    pub(super) fn name(&self, environment: &[(String, String)]) -> Option<String> {
        let user = environment.iter().find(|(name, _)| name == "USER");
        let named = self
            .by
            .clone()
            .or_else(|| user.map(|(_, user)| user.clone()));
        named.filter(|name| !name.is_empty())
    }
}

impl Store {
    /// Opens the store, does something with it, and tells what came of it.
    pub(super) fn with(
        &self,
        environment: Vec<(String, String)>,
        purpose: Use,
        out: &mut impl Write,
        does: impl AsyncFnOnce(&Config, &Writer, Timestamp) -> Result<Answer, Failure>,
    ) -> io::Result<Outcome> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let answer = runtime.block_on(async {
            let config = config::load(&self.config, environment)
                .map_err(|mistakes| Failure::Config(mistakes.to_string()))?
                .config;
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let writer = open(&config, purpose, Arc::clone(&clock))?;
            does(&config, &writer, clock.now()).await
        });
        let answer = answer.unwrap_or_else(|failure: Failure| Answer::from(&failure));
        match self.output {
            Output::Text => writeln!(out, "{}", answer.text)?,
            Output::Json => {
                serde_json::to_writer_pretty(&mut *out, &answer.members)?;
                writeln!(out)?;
            }
        }
        Ok(answer.outcome)
    }
}

fn open(config: &Config, purpose: Use, clock: Arc<dyn Clock>) -> Result<Writer, Failure> {
    let revocation::Config::Redis(redis) = &config.revocation else {
        let said = "revocation: expected `redis`, which all processes share, came `memory`: \
                    set up `revocation.redis`, or write what is revoked into the file of `memory`";
        return Err(Failure::Config(said.to_owned()));
    };
    match purpose {
        Use::Look => Ok(redis.viewer(clock)?),
        Use::Write => redis.writer(clock)?.ok_or_else(|| {
            let said = "revocation.redis.writer: expected a login that may write, came none: \
                        write `writer: {username: …, password_file: …}`, or `writer: {}` for that of \
                        `revocation.redis`";
            Failure::Config(said.to_owned())
        }),
    }
}

impl From<&Failure> for Answer {
    fn from(failure: &Failure) -> Self {
        let outcome = match failure {
            Failure::Config(_) | Failure::Misnamed(_) | Failure::Setup(_) => Outcome::Refused,
            Failure::Store(error) => match error {
                StoreError::Ahead(_) | StoreError::Full => Outcome::Refused,
                StoreError::Redis(_)
                | StoreError::Unconfirmed { .. }
                | StoreError::Clocks(_)
                | StoreError::Format(_)
                | StoreError::Answer => Outcome::Unknown,
            },
        };
        let text = failure.to_string();
        let text = match failure {
            // A connection that broke does not say how far the write had come; again, it does no harm.
            Failure::Store(StoreError::Redis(_)) => format!("{text}; then run this again"),
            Failure::Config(_) | Failure::Misnamed(_) | Failure::Setup(_) | Failure::Store(_) => {
                text
            }
        };
        Self {
            outcome,
            members: json!({"error": text}),
            text,
        }
    }
}

/// Reads a kind of thing that can be revoked.
pub(super) fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::as_str)).try_map(|name| {
        let mut all = Kind::ALL.into_iter();
        all.find(|kind| kind.as_str() == name).ok_or("not a kind")
    })
}

/// What a name names, for people.
pub(super) fn shown(named: &Named) -> String {
    let Named {
        kind,
        scope,
        name,
        tenant,
    } = named;
    let word = kind.as_str();
    match kind {
        Kind::Token | Kind::Session | Kind::Key => format!("{word} {name:?} of {scope:?}"),
        Kind::Issuer => format!("{word} {scope:?}"),
        Kind::Tenant => format!("{word} {name:?}"),
        Kind::Subject | Kind::User => match tenant {
            Some(tenant) => format!("{word} {name:?} of {scope:?} in tenant {tenant:?}"),
            None => format!("{word} {name:?} of {scope:?} in all tenants"),
        },
    }
}

/// What a name names, for programs.
pub(super) fn members(named: &Named) -> Value {
    let Named {
        kind,
        scope,
        name,
        tenant,
    } = named;
    match kind {
        Kind::Token | Kind::Session | Kind::Key => {
            json!({"kind": kind, "issuer": scope, "value": name})
        }
        Kind::Issuer => json!({"kind": kind, "value": scope}),
        Kind::Tenant => json!({"kind": kind, "value": name}),
        Kind::Subject | Kind::User => {
            json!({"kind": kind, "realm": scope, "value": name, "tenant": tenant})
        }
    }
}
