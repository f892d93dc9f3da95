//! The way to the store: a connection that is held, the script that runs on it, and `WAIT`.

use super::{StoreError, Written};
use crate::clock::{Clock, Timestamp};
use crate::event::AHEAD;
use crate::net::redis::{Connection, Options, Redis, RedisError, is_moved};
use crate::revocation::store::Keys;
use redis::{Cmd, Script, cmd};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How many entries the log keeps, about.
const LOG_KEPT: usize = 100_000;

/// How long a command may take.
const RESPONSE: Duration = Duration::from_secs(2);

/// How long replicas have to confirm a write.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(1);

/// How far our clock and that of Redis may be apart.
const APART: Duration = Duration::from_secs(2);

/// How often the clocks are compared.
const COMPARED_EVERY: Duration = Duration::from_secs(60);

/// The way to the store.
#[derive(Debug)]
pub(super) struct Link {
    redis: Redis,
    keys: Keys,
    script: Script,
    /// How many replicas must have a write before it is acknowledged.
    min_replicas: usize,
    clock: Arc<dyn Clock>,
    /// The connection, and the only writer on it: `WAIT` waits for what was written here.
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
struct Held {
    connection: Connection,
    /// When the clocks were compared last.
    compared: Instant,
}

/// One write.
pub(super) struct Write {
    pub(super) op: &'static str,
    pub(super) name: String,
    pub(super) payload: String,
    pub(super) keep_until: Option<Timestamp>,
    pub(super) source: String,
    pub(super) since: Option<String>,
}

enum Failed {
    Moved(RedisError),
    Store(StoreError),
}

impl Write {
    pub(super) const fn new(op: &'static str, name: String, payload: String) -> Self {
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

impl Link {
    pub(super) fn new(
        redis: Redis,
        keys: Keys,
        min_replicas: usize,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            redis,
            keys,
            script: Script::new(include_str!("../write.lua")),
            min_replicas,
            clock,
            held: Mutex::new(None),
        }
    }

    /// Where the state lies.
    pub(super) fn state(&self) -> &str {
        &self.keys.state
    }

    /// Whether a moment has come, or will soon.
    pub(super) fn has_come(&self, time: Timestamp) -> Result<(), StoreError> {
        if time > self.clock.now().plus(AHEAD) {
            return Err(StoreError::Ahead(time));
        }
        Ok(())
    }

    /// Writes, and waits for the replicas.
    pub(super) async fn write(&self, write: &Write) -> Result<Written, StoreError> {
        let mut held = self.held.lock().await;
        let connection = self.connected(&mut held).await?;
        match self.run(connection, write).await {
            // The node is no primary any more: a write changes nothing the second time.
            Err(Failed::Moved(_)) => {
                *held = None;
                let connection = self.connected(&mut held).await?;
                self.run(connection, write).await
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

    /// A connection of its own.
    pub(super) async fn connect(&self) -> Result<Connection, RedisError> {
        let options = Options {
            response_timeout: RESPONSE,
            pushes: None,
        };
        let key = self.keys.head.as_bytes();
        self.redis.primary(key, options).await
    }

    /// The connection that is held, or a new one; its clock is ours.
    async fn connected<'h>(
        &self,
        held: &'h mut Option<Held>,
    ) -> Result<&'h mut Connection, StoreError> {
        let mut connection = match held.take() {
            Some(known) if known.compared.elapsed() < COMPARED_EVERY => {
                return Ok(&mut held.insert(known).connection);
            }
            Some(known) => known.connection,
            None => self.connect().await?,
        };
        self.compare_clocks(&mut connection).await?;
        let compared = Instant::now();
        let held = held.insert(Held {
            connection,
            compared,
        });
        Ok(&mut held.connection)
    }

    async fn compare_clocks(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let before = self.clock.now();
        let (secs, micros) = ask::<(u64, u64)>(connection, &cmd("TIME")).await?;
        let theirs = Timestamp::from_millis(secs.saturating_mul(1000) + micros / 1000);
        // It was read in between: however long the answer took, that sets no clocks apart.
        let apart = before.since(theirs).max(theirs.since(self.clock.now()));
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

pub(super) async fn ask<T: redis::FromRedisValue>(
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
