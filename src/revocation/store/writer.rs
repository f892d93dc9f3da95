//! Writes: each one a script, so that state and log never part.

mod link;

use super::name::Key;
use super::value::{StoredEvent, Value, WrittenStrike};
use super::{FORMAT, Keys};
use crate::clock::{Clock, Timestamp};
use crate::event::Event;
use crate::net::redis::{Redis, RedisError};
use crate::revocation::name::Named;
use link::{Link, Write, ask};
use redis::cmd;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The latest time that the script can write: its JSON has fourteen digits.
const LATEST: Timestamp = Timestamp::from_millis(99_999_999_999_999);

/// How many names are read at once.
const PAGE: usize = 1000;

/// Writes to the store; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    link: Arc<Link>,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is in the store, and every copy will hear of it.
    New,
    /// The store knew it already.
    Known,
    /// It is older than the moment at which the name was restored, and changes nothing.
    Restored,
    /// There was nothing to restore.
    Nothing,
}

/// A name and what is known under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name.
    pub key: Key,
    /// What is known.
    pub value: Value,
}

/// Why something is not written, or not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Redis cannot be reached, or does not do it.
    #[error("{0}")]
    Redis(#[from] RedisError),
    /// The write is in Redis, and too few replicas have confirmed it.
    #[error(
        "written, but only {confirmed} of {wanted} replicas have it (revocation.redis.min_replicas): write it again once they are back"
    )]
    Unconfirmed {
        /// How many have it.
        confirmed: usize,
        /// How many must.
        wanted: usize,
    },
    /// The clocks are apart: instants would mean something else there.
    #[error("our clock and that of Redis are {} ms apart, expected at most 2 s: set the clocks", .0.as_millis())]
    Clocks(Duration),
    /// It says that it will happen.
    #[error("time: expected one that lies at most 5 minutes ahead, came {0}")]
    Ahead(Timestamp),
    /// The store is of another version.
    #[error(
        "the store is of format {0}, expected {FORMAT}: use the version of subgate that writes it"
    )]
    Format(String),
    /// Too many revocations under one name.
    #[error("sixteen revocations stand under this name: restore it first")]
    Full,
    /// What came back is no answer.
    #[error("expected an answer of the store's script, came something else")]
    Answer,
}

impl Writer {
    /// Writes to the store under these keys.
    pub fn new(redis: Redis, keys: Keys, min_replicas: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            link: Arc::new(Link::new(redis, keys, min_replicas, clock)),
        }
    }

    /// Revokes what a name names, until the strike ends.
    pub async fn revoke(
        &self,
        named: &Named,
        strike: &WrittenStrike,
    ) -> Result<Written, StoreError> {
        let until = strike.until.map(Timestamp::from_millis);
        let until = until.filter(|until| *until <= LATEST);
        for time in [Some(strike.at), strike.before].into_iter().flatten() {
            self.link.has_come(Timestamp::from_millis(time))?;
        }
        let strike = WrittenStrike {
            until: until.map(Timestamp::as_millis),
            ..strike.clone()
        };
        let payload = serde_json::to_string(&strike).map_err(|_| StoreError::Answer)?;
        let name = Key::Revoked(named.clone()).to_string();
        let write = Write {
            keep_until: until,
            ..Write::new("strike", name, payload)
        };
        self.link.write(&write).await
    }

    /// Takes back what was revoked under a name: all of it, or what came from a source since a moment.
    /// Copies are told until `known_until`.
    pub async fn restore(
        &self,
        named: &Named,
        from: Option<(&str, Timestamp)>,
        by: &str,
        known_until: Timestamp,
    ) -> Result<Written, StoreError> {
        let (source, since) = from.unzip();
        let write = Write {
            keep_until: Some(known_until.min(LATEST)),
            source: source.unwrap_or_default().to_owned(),
            since: since.map(|since| since.as_millis().to_string()),
            ..Write::new(
                "clear",
                Key::Revoked(named.clone()).to_string(),
                by.to_owned(),
            )
        };
        self.link.write(&write).await
    }

    /// Tells of a lifecycle event; `keep_until` is when it may be forgotten.
    pub async fn tell(
        &self,
        event: &Event,
        source: &str,
        keep_until: Option<Timestamp>,
    ) -> Result<Written, StoreError> {
        self.link.has_come(event.time)?;
        let stored = StoredEvent::new(event, source);
        let name = Key::of_event(event).ok_or(StoreError::Answer)?.to_string();
        let payload = serde_json::to_string(&stored).map_err(|_| StoreError::Answer)?;
        let mut write = Write {
            keep_until,
            ..Write::new("event", name, payload)
        };
        if stored.is_passing() {
            "passing".clone_into(&mut write.source);
        }
        self.link.write(&write).await
    }

    /// Says that somebody is there: what copies measure their staleness by, where `heartbeat` is set.
    pub async fn beat(&self) -> Result<Written, StoreError> {
        self.link
            .write(&Write::new("beat", String::new(), String::new()))
            .await
    }

    /// Tells every copy to hold what the store holds, and nothing more: after a loss that an operator
    /// has looked at.
    pub async fn accept(&self, by: &str) -> Result<Written, StoreError> {
        self.link
            .write(&Write::new("accept", String::new(), by.to_owned()))
            .await
    }

    /// All that is revoked and told, read page by page; `take` is called for each name, for one that
    /// changes meanwhile more than once perhaps. Says how many names could not be read.
    pub async fn list(&self, mut take: impl FnMut(Listed)) -> Result<usize, StoreError> {
        // Writes do not wait for it.
        let connection = &mut self.link.connect().await?;
        let (mut cursor, mut unreadable) = (0_u64, 0);
        loop {
            let mut scan = cmd("HSCAN");
            scan.arg(self.link.state())
                .arg(cursor)
                .arg("COUNT")
                .arg(PAGE);
            let (next, page) = ask::<(u64, HashMap<String, String>)>(connection, &scan).await?;
            for (key, value) in page {
                match (Key::parse(&key), serde_json::from_str(&value)) {
                    (Some(key), Ok(value)) => take(Listed { key, value }),
                    (None, _) | (_, Err(_)) => unreadable += 1,
                }
            }
            if next == 0 {
                return Ok(unreadable);
            }
            cursor = next;
        }
    }
}
