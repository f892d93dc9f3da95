//! `--connect`: do issuers and directory answer?

use crate::config::Config;
use crate::token::issuer::{self, Issuer};
use crate::user::directory::{Answer, Directory, Query, Question};
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
    /// By realm: whether the canary is there.
    canaries: Vec<(Arc<str>, Result<(), String>)>,
}

/// Asks all issuers and for all canaries at once; each has its own time-out.
pub(super) fn ask(config: &Config) -> io::Result<Reached> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(async {
        let issuers = join_all(config.issuers.iter().map(keys));
        let (issuers, canaries) = tokio::join!(issuers, canaries(config));
        Reached { issuers, canaries }
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

async fn canaries(config: &Config) -> Vec<(Arc<str>, Result<(), String>)> {
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
            Err(error) => Err(error.clone()),
        };
        (Arc::clone(&canary.realm), found)
    });
    join_all(asked).await
}

async fn look_up(
    directory: &dyn Directory,
    canary: &Canary,
    longest: Duration,
) -> Result<(), String> {
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
        Ok(Ok(answered)) if matches!(answered.answer, Answer::Found(_)) => Ok(()),
        Ok(Ok(_)) => {
            Err("the directory does not have it: create it, or correct the request".to_owned())
        }
        Ok(Err(unanswered)) => Err(unanswered.to_string()),
        Err(_) => Err(format!(
            "no answer within users.timeout, {}",
            humantime::format_duration(longest)
        )),
    }
}

impl Reached {
    pub(super) fn is_all_well(&self) -> bool {
        let Self { issuers, canaries } = self;
        issuers.iter().all(|(_, keys)| keys.is_ok())
            && canaries.iter().all(|(_, found)| found.is_ok())
    }

    /// The members of the object that a program reads.
    pub(super) fn members(&self) -> [(String, Value); 2] {
        let issuer = |(issuer, keys): &(Arc<str>, Result<usize, String>)| match keys {
            Ok(keys) => json!({"issuer": &**issuer, "keys": keys}),
            Err(error) => json!({"issuer": &**issuer, "error": error}),
        };
        let canary = |(realm, found): &(Arc<str>, Result<(), String>)| match found {
            Ok(()) => json!({"realm": &**realm, "found": true}),
            Err(error) => json!({"realm": &**realm, "error": error}),
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
        for (realm, found) in &self.canaries {
            match found {
                Ok(()) => writeln!(f, "canary of {realm}: found")?,
                Err(error) => writeln!(f, "canary of {realm}: not found: {error}")?,
            }
        }
        Ok(())
    }
}
