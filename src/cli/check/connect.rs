//! `--connect`: do issuers, Redis and directory answer?

use crate::config::Config;
use crate::revocation::{self, Asked};
use crate::token::issuer::{self, Issuer};
use crate::user::directory::{Answer, Directory, Query, Question, Reason};
use crate::user::{self, Canary};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// What was answered.
pub(super) struct Reached {
    issuers: Vec<(Arc<str>, Result<usize, String>)>,
    /// By realm; the directory is not asked where there is none.
    canaries: Vec<(Arc<str>, Heard)>,
    /// Each login at Redis, where there is one.
    revocation: Vec<Asked>,
}

/// What was answered about a canary.
enum Heard {
    Found,
    /// The directory says, recognizably, that it is not there.
    Missing,
    /// Nothing trustworthy was answered, and why.
    Unanswered(String),
}

/// Asks all issuers, Redis, and for all canaries at once; each has its own time-out.
pub(super) fn ask(config: &Config) -> io::Result<Reached> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(async {
        let issuers = join_all(config.issuers.iter().map(keys));
        let (issuers, canaries, revocation) =
            tokio::join!(issuers, canaries(config), revocations(config));
        Reached {
            issuers,
            canaries,
            revocation,
        }
    }))
}

/// A set without a usable key is no keys.
async fn keys(config: &issuer::Config) -> (Arc<str>, Result<usize, String>) {
    let keys = match Issuer::ask(config).await {
        Ok(0) => Err("its key set has no usable key".to_owned()),
        Ok(keys) => Ok(keys),
        Err(error) => Err(error.to_string()),
    };
    (Arc::clone(&config.name), keys)
}

async fn revocations(config: &Config) -> Vec<Asked> {
    match &config.revocation {
        revocation::Config::Redis(redis) => redis.ask().await,
        revocation::Config::Memory | revocation::Config::File(_) => Vec::new(),
    }
}

async fn canaries(config: &Config) -> Vec<(Arc<str>, Heard)> {
    let user::Config {
        directory,
        timeout,
        canaries,
        ..
    } = &config.users;
    if canaries.is_empty() {
        return Vec::new();
    }
    let opened = directory.open(&config.realms());
    let opened = opened.as_deref().map_err(ToString::to_string);
    let asked = canaries.iter().map(async |canary| {
        let found = match &opened {
            Ok(directory) => look_up(*directory, canary, *timeout).await,
            Err(error) => Heard::Unanswered(error.clone()),
        };
        (Arc::clone(&canary.realm), found)
    });
    join_all(asked).await
}

async fn look_up(directory: &dyn Directory, canary: &Canary, longest: Duration) -> Heard {
    let question = Question {
        query: Query {
            realm: &canary.realm,
            issuer: &canary.issuer,
            tenant: canary.tenant.as_ref(),
            subject: &canary.subject,
        },
        consistent: false,
        etag: None,
    };
    match timeout(longest, directory.look_up(question)).await {
        Ok(Ok(answered)) => match answered.answer {
            Answer::Found(_) => Heard::Found,
            Answer::NotFound => Heard::Missing,
            // Nobody sent a validator.
            Answer::Unchanged => Heard::Unanswered(Reason::MalformedAnswer.as_str().to_owned()),
        },
        Ok(Err(unanswered)) => Heard::Unanswered(unanswered.reason.as_str().to_owned()),
        Err(_) => Heard::Unanswered(Reason::Timeout.as_str().to_owned()),
    }
}

impl Reached {
    pub(super) fn is_all_well(&self) -> bool {
        let Self {
            issuers,
            canaries,
            revocation,
        } = self;
        issuers.iter().all(|(_, keys)| keys.is_ok())
            && revocation.iter().all(|asked| asked.outcome.is_ok())
            && canaries
                .iter()
                .all(|(_, canary)| matches!(canary, Heard::Found))
    }

    /// The members of the object that a program reads.
    pub(super) fn members(&self) -> [(String, Value); 3] {
        let issuer = |(issuer, keys): &(Arc<str>, Result<usize, String>)| match keys {
            Ok(keys) => json!({"issuer": &**issuer, "keys": keys}),
            Err(error) => json!({"issuer": &**issuer, "error": error}),
        };
        let canary = |(realm, canary): &(Arc<str>, Heard)| match canary {
            Heard::Found => json!({"realm": &**realm, "state": "found"}),
            Heard::Missing => json!({"realm": &**realm, "state": "missing"}),
            Heard::Unanswered(reason) => {
                json!({"realm": &**realm, "state": "unanswered", "reason": reason})
            }
        };
        let redis = |asked: &Asked| {
            let right = asked.right.as_str();
            match &asked.outcome {
                Ok(server) => json!({"right": right, "server": server}),
                Err(error) => json!({"right": right, "error": error}),
            }
        };
        [
            (
                "issuers".to_owned(),
                self.issuers.iter().map(issuer).collect(),
            ),
            (
                "canaries".to_owned(),
                self.canaries.iter().map(canary).collect(),
            ),
            (
                "redis".to_owned(),
                self.revocation.iter().map(redis).collect(),
            ),
        ]
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (issuer, keys) in &self.issuers {
            match keys {
                Ok(keys) => writeln!(f, "issuer {issuer}: {keys} keys")?,
                Err(error) => writeln!(f, "issuer {issuer}: not reached: {error}")?,
            }
        }
        for Asked { right, outcome } in &self.revocation {
            let right = right.as_str();
            match outcome {
                Ok(server) => writeln!(f, "redis, to {right}: {server}")?,
                Err(error) => writeln!(f, "redis, to {right}: {error}")?,
            }
        }
        for (realm, canary) in &self.canaries {
            match canary {
                Heard::Found => writeln!(f, "canary of {realm}: found")?,
                Heard::Missing => writeln!(
                    f,
                    "canary of {realm}: missing: the directory answers that there is no such user; \
                     create it, or correct `users.canary` or the directory's settings"
                )?,
                Heard::Unanswered(reason) => writeln!(
                    f,
                    "canary of {realm}: nothing trustworthy was answered: {reason}; \
                     docs/directory.md says what to look at for each reason"
                )?,
            }
        }
        if self.canaries.is_empty() {
            writeln!(
                f,
                "directory: not asked, because no realm has a canary (`users.canary`)"
            )?;
        }
        Ok(())
    }
}
