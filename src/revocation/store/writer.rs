//! Writes: each one a script, so that state and log never part.

use super::name::Key;
use super::value::{StoredEvent, Value, WrittenStrike};
use super::{FORMAT, Keys};
use crate::clock::{Clock, Timestamp};
use crate::event::Event;
use crate::net::redis::{Connection, Options, Redis, RedisError, is_moved};
use crate::revocation::name::Named;
use redis::{Cmd, Script, cmd};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How many entries the log keeps, about.
const LOG_KEPT: usize = 100_000;

/// How long a command may take.
const RESPONSE: Duration = Duration::from_secs(2);

/// How long replicas have to confirm a write.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(1);

/// How far our clock and that of Redis may be apart.
const APART: Duration = Duration::from_secs(2);

/// How many names are read at once.
const PAGE: usize = 1000;

/// Writes to the store; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    redis: Redis,
    keys: Keys,
    script: Script,
    /// How many replicas must have a write before it is acknowledged.
    min_replicas: usize,
    clock: Arc<dyn Clock>,
    /// The connection, and the only writer on it: `WAIT` waits for what was written here.
    connection: Mutex<Option<Connection>>,
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
        let inner = Inner {
            redis,
            keys,
            script: Script::new(include_str!("write.lua")),
            min_replicas,
            clock,
            connection: Mutex::new(None),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Revokes what a name names. `keep_until` is when the name may be forgotten: never without it.
    pub async fn revoke(
        &self,
        named: &Named,
        strike: &WrittenStrike,
        keep_until: Option<Timestamp>,
    ) -> Result<Written, StoreError> {
        let payload = serde_json::to_string(strike).map_err(|_| StoreError::Answer)?;
        let name = Key::Revoked(named.clone()).to_string();
        let write = Write {
            keep_until,
            ..Write::new("strike", name, payload)
        };
        self.write(&write).await
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
            keep_until: Some(known_until),
            source: source.unwrap_or_default().to_owned(),
            since: since.map(|since| since.as_millis().to_string()),
            ..Write::new(
                "clear",
                Key::Revoked(named.clone()).to_string(),
                by.to_owned(),
            )
        };
        self.write(&write).await
    }

    /// Tells of a lifecycle event; `keep_until` is when it may be forgotten.
    pub async fn tell(
        &self,
        event: &Event,
        source: &str,
        keep_until: Option<Timestamp>,
    ) -> Result<Written, StoreError> {
        let stored = StoredEvent::new(event, source);
        let name = Key::of_event(event).ok_or(StoreError::Answer)?.to_string();
        let payload = serde_json::to_string(&stored).map_err(|_| StoreError::Answer)?;
        let mut write = Write {
            keep_until,
            ..Write::new("event", name, payload)
        };
        if stored.is_passing() {
            write.source = "passing".to_owned();
        }
        self.write(&write).await
    }

    /// Says that somebody is there: what copies measure their staleness by, where `heartbeat` is set.
    pub async fn beat(&self) -> Result<Written, StoreError> {
        self.write(&Write::new("beat", String::new(), String::new()))
            .await
    }

    /// Tells every copy to hold what the store holds, and nothing more: after a loss that an operator
    /// has looked at.
    pub async fn accept(&self, by: &str) -> Result<Written, StoreError> {
        self.write(&Write::new("accept", String::new(), by.to_owned()))
            .await
    }

    /// All that is revoked and told, read page by page; `take` is called for each name.
    pub async fn list(&self, mut take: impl FnMut(Listed)) -> Result<(), StoreError> {
        let mut held = self.inner.connection.lock().await;
        let connection = self.inner.connected(&mut held).await?;
        let mut cursor = 0_u64;
        loop {
            let mut scan = cmd("HSCAN");
            scan.arg(&self.inner.keys.state)
                .arg(cursor)
                .arg("COUNT")
                .arg(PAGE);
            let (next, page) = ask::<(u64, HashMap<String, String>)>(connection, &scan).await?;
            for (key, value) in page {
                if let (Some(key), Ok(value)) = (Key::parse(&key), serde_json::from_str(&value)) {
                    take(Listed { key, value });
                }
            }
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }

    async fn write(&self, write: &Write) -> Result<Written, StoreError> {
        let inner = &self.inner;
        let mut held = inner.connection.lock().await;
        let connection = inner.connected(&mut held).await?;
        match inner.run(connection, write).await {
            // The node is no primary any more: a write changes nothing the second time.
            Err(Failed::Moved(_)) => {
                *held = None;
                let connection = inner.connected(&mut held).await?;
                inner.run(connection, write).await
            }
            outcome => outcome,
        }
        .map_err(|failed| match failed {
            Failed::Moved(error) => {
                *held = None;
                error.into()
            }
            Failed::Store(error @ StoreError::Redis(_)) => {
                *held = None;
                error
            }
            Failed::Store(error) => error,
        })
    }
}

/// One write.
struct Write {
    op: &'static str,
    name: String,
    payload: String,
    keep_until: Option<Timestamp>,
    source: String,
    since: Option<String>,
}

enum Failed {
    Moved(RedisError),
    Store(StoreError),
}

impl Write {
    const fn new(op: &'static str, name: String, payload: String) -> Self {
        Self {
            op,
            name,
            payload,
            keep_until: None,
            source: String::new(),
            since: None,
        }
    }
}

impl Inner {
    /// The connection that is held, or a new one whose clock is ours.
    async fn connected<'h>(
        &self,
        held: &'h mut Option<Connection>,
    ) -> Result<&'h mut Connection, StoreError> {
        let connection = match held.take() {
            Some(connection) => connection,
            None => {
                let options = Options {
                    response_timeout: RESPONSE,
                    pushes: None,
                };
                let mut connection = self
                    .redis
                    .primary(self.keys.head.as_bytes(), options)
                    .await?;
                self.compare_clocks(&mut connection).await?;
                connection
            }
        };
        Ok(held.insert(connection))
    }

    async fn compare_clocks(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let (secs, micros) = ask::<(u64, u64)>(connection, &cmd("TIME")).await?;
        let theirs = Timestamp::from_millis(secs.saturating_mul(1000) + micros / 1000);
        let ours = self.clock.now();
        let apart = ours.since(theirs).max(theirs.since(ours));
        if apart > APART {
            return Err(StoreError::Clocks(apart));
        }
        Ok(())
    }

    async fn run(&self, connection: &mut Connection, write: &Write) -> Result<Written, Failed> {
        let Keys {
            head,
            state,
            ends,
            log,
        } = &self.keys;
        let millis = |time: Option<Timestamp>| {
            time.map_or_else(String::new, |time| time.as_millis().to_string())
        };
        let mut invocation = self.script.prepare_invoke();
        for key in [head, state, ends, log] {
            invocation.key(key);
        }
        // Drawn anew each time: it tells entries apart, and the first one names the generation.
        let drawn = format!("{:016x}", RandomState::new().hash_one(self.clock.now()));
        invocation
            .arg(write.op)
            .arg(drawn)
            .arg(LOG_KEPT)
            .arg(&write.name)
            .arg(&write.payload)
            .arg(millis(write.keep_until))
            .arg(&write.source)
            .arg(write.since.as_deref().unwrap_or_default());
        let answer: Result<(String, u64, String), _> = invocation.invoke_async(connection).await;
        let (status, ..) = answer.map_err(|error| refused(connection, &error))?;
        let written = match &*status {
            "written" => Written::New,
            "known" => Written::Known,
            "cleared" => Written::Restored,
            "nothing" => Written::Nothing,
            _ => return Err(Failed::Store(StoreError::Answer)),
        };
        self.confirmed(connection).await?;
        Ok(written)
    }

    /// Waits until enough replicas have what was written on this connection.
    async fn confirmed(&self, connection: &mut Connection) -> Result<(), Failed> {
        let wanted = self.min_replicas;
        if wanted == 0 {
            return Ok(());
        }
        let mut wait = cmd("WAIT");
        wait.arg(wanted).arg(CONFIRMED_WITHIN.as_millis() as u64);
        let confirmed = wait.query_async::<usize>(connection).await;
        let confirmed = confirmed.map_err(|error| refused(connection, &error))?;
        if confirmed < wanted {
            return Err(Failed::Store(StoreError::Unconfirmed { confirmed, wanted }));
        }
        Ok(())
    }
}

async fn ask<T: redis::FromRedisValue>(
    connection: &mut Connection,
    command: &Cmd,
) -> Result<T, StoreError> {
    let answer = command.query_async(connection).await;
    answer.map_err(|error| StoreError::Redis(connection.error(&error)))
}

fn refused(connection: &Connection, error: &redis::RedisError) -> Failed {
    match error.code() {
        Some("FULL") => Failed::Store(StoreError::Full),
        Some("FORMAT") => {
            let format = error.detail().unwrap_or_default();
            let format = format.split(' ').nth(5).unwrap_or_default();
            Failed::Store(StoreError::Format(format.trim_end_matches(',').to_owned()))
        }
        Some(_) | None if is_moved(error) => Failed::Moved(connection.error(error)),
        Some(_) | None => Failed::Store(StoreError::Redis(connection.error(error))),
    }
}
