//! The way to the store: connections, the script that runs on them, and `WAIT`.

use super::{StoreError, Written};
use crate::clock::{Clock, Timestamp};
use crate::event::AHEAD;
use crate::net::redis::{Connection, Options, Redis, RedisError, is_moved};
use crate::revocation::store::Keys;
use parking_lot::Mutex;
use redis::{Cmd, Script, cmd};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How many entries the log keeps, about.
const LOG_KEPT: usize = 100_000;

/// How long a command may take.
const RESPONSE: Duration = Duration::from_secs(2);

/// How long replicas have to confirm a write, in milliseconds.
const CONFIRMED_WITHIN_MILLIS: u64 = 1000;

/// How many connections are kept for later.
const KEPT: usize = 4;

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
    /// Connections that nobody uses. Whoever writes has one alone: `WAIT` waits for what was written on it.
    idle: Mutex<Vec<Held>>,
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
            idle: Mutex::default(),
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
        let mut held = self.taken().await?;
        let mut outcome = self.run(&mut held.connection, write).await;
        if matches!(outcome, Err(Failed::Moved(_))) {
            // The node is no primary any more: a write changes nothing the second time.
            self.idle.lock().clear();
            held = self.opened().await?;
            outcome = self.run(&mut held.connection, write).await;
        }
        match outcome {
            Ok(written) => {
                self.keep(held);
                Ok(written)
            }
            Err(Failed::Moved(error) | Failed::Store(StoreError::Redis(error))) => {
                self.idle.lock().clear();
                Err(error.into())
            }
            Err(Failed::Store(error)) => {
                self.keep(held);
                Err(error)
            }
        }
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

    /// A connection that was kept, or a new one; its clock is ours.
    async fn taken(&self) -> Result<Held, StoreError> {
        let kept = self.idle.lock().pop();
        if let Some(mut held) = kept {
            if held.compared.elapsed() < COMPARED_EVERY {
                return Ok(held);
            }
            match self.compare_clocks(&mut held.connection).await {
                Ok(()) => {
                    held.compared = Instant::now();
                    return Ok(held);
                }
                // It was lost while nobody used it.
                Err(StoreError::Redis(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.opened().await
    }

    async fn opened(&self) -> Result<Held, StoreError> {
        let mut connection = self.connect().await?;
        self.compare_clocks(&mut connection).await?;
        Ok(Held {
            connection,
            compared: Instant::now(),
        })
    }

    fn keep(&self, held: Held) {
        let mut idle = self.idle.lock();
        if idle.len() < KEPT {
            idle.push(held);
        }
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
        wait.arg(wanted).arg(CONFIRMED_WITHIN_MILLIS);
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
