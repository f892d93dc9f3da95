//! What is asked of Redis, and how its answers are read.

use super::position::{Head, Link};
use crate::net::redis::{Connection, RedisError};
use crate::revocation::store::Keys;
use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{FromRedisValue, Value, cmd, pipe};
use std::time::Duration;

/// An entry of the log.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) link: Link,
    pub(super) op: String,
    pub(super) name: String,
    pub(super) value: String,
}

/// What the store says of itself, and the time there in milliseconds.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) head: Head,
    pub(super) now: u64,
}

/// A page of the state, and the cursor of the next one; zero after the last.
pub(super) type Page = (u64, Vec<(String, String)>);

/// How the store's node broke off, or what it said that is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("{0}")]
    Redis(#[from] RedisError),
    #[error("the node is no primary any more")]
    NoPrimary,
    #[error("expected {0}, came something else")]
    Answer(&'static str),
    #[error("the store was made anew while it was read, or has a state and no head")]
    Unsettled,
    #[error("the store is of format {0}, expected 1: use the version of subgate that writes it")]
    Format(String),
}

/// The connection of a reader.
#[derive(Debug)]
pub(super) struct Wire<'k> {
    pub(super) connection: Connection,
    pub(super) keys: &'k Keys,
}

impl Wire<'_> {
    /// Which history the node's data is of: a promotion or a restart begins a new one.
    pub(super) async fn history(&mut self) -> Result<Box<str>, ReadError> {
        let info: String = self.ask(cmd("INFO").arg("replication")).await?;
        let id = info
            .lines()
            .find_map(|line| line.trim_end().strip_prefix("master_replid:"));
        id.map(Into::into).ok_or(ReadError::Answer("master_replid"))
    }

    /// Where the store stands, if the node still is a primary.
    pub(super) async fn probe(&mut self) -> Result<Probe, ReadError> {
        let mut asked = pipe();
        asked
            .cmd("ROLE")
            .cmd("TIME")
            .cmd("HMGET")
            .arg(&self.keys.head);
        asked.arg(&["format", "generation", "number", "last", "drawn"]);
        let answer = asked
            .query_async::<(Vec<Value>, (u64, u64), Vec<Option<String>>)>(&mut self.connection);
        let answer = answer.await;
        let (role, (secs, micros), head) = answer.map_err(|error| self.connection.error(&error))?;
        let role = role
            .into_iter()
            .next()
            .and_then(|role| String::from_redis_value(role).ok());
        if role.as_deref() != Some("master") {
            return Err(ReadError::NoPrimary);
        }
        Ok(Probe {
            head: read_head(head)?,
            now: secs.saturating_mul(1000) + micros / 1000,
        })
    }

    /// The entry that the log has under this id.
    pub(super) async fn entry(&mut self, id: &str) -> Result<Option<Entry>, ReadError> {
        let mut range = cmd("XRANGE");
        range.arg(&self.keys.log).arg(id).arg(id);
        let found: StreamRangeReply = self.ask(&range).await?;
        Ok(found.ids.first().and_then(Entry::read))
    }

    /// A page of the state.
    pub(super) async fn page(&mut self, cursor: u64, count: usize) -> Result<Page, ReadError> {
        let mut scan = cmd("HSCAN");
        scan.arg(&self.keys.state)
            .arg(cursor)
            .arg("COUNT")
            .arg(count);
        self.ask(&scan).await
    }

    /// The entries after this one, as soon as there are any; none after `block`.
    pub(super) async fn entries_after(
        &mut self,
        id: &str,
        most: usize,
        block: Duration,
    ) -> Result<Vec<Entry>, ReadError> {
        let mut read = cmd("XREAD");
        let block = u64::try_from(block.as_millis()).unwrap_or(u64::MAX);
        read.arg("COUNT").arg(most).arg("BLOCK").arg(block);
        read.arg("STREAMS").arg(&self.keys.log).arg(id);
        let reply: Option<StreamReadReply> = self.ask(&read).await?;
        let streams = reply.into_iter().flat_map(|reply| reply.keys);
        let entries = streams.flat_map(|stream| stream.ids);
        entries
            .map(|entry| Entry::read(&entry).ok_or(ReadError::Answer("an entry of the log")))
            .collect()
    }

    async fn ask<T: FromRedisValue>(&mut self, command: &redis::Cmd) -> Result<T, ReadError> {
        let answer = command.query_async(&mut self.connection).await;
        answer.map_err(|error| self.connection.error(&error).into())
    }
}

impl Entry {
    fn read(entry: &StreamId) -> Option<Self> {
        let text = |field: &str| {
            let value = entry.map.get(field)?;
            String::from_redis_value_ref(value).ok()
        };
        Some(Self {
            link: Link {
                id: entry.id.as_str().into(),
                generation: text("g")?.into(),
                number: text("n")?.parse().ok()?,
                before: text("p")?.into(),
                drawn: text("x")?.into(),
            },
            op: text("op")?,
            name: text("k")?,
            value: text("v")?,
        })
    }
}

fn read_head(fields: Vec<Option<String>>) -> Result<Head, ReadError> {
    let mut fields = fields.into_iter().map(Option::unwrap_or_default);
    let mut next = || fields.next().unwrap_or_default();
    let (format, generation, number) = (next(), next(), next());
    let (last, drawn) = (next(), next());
    if format.is_empty() {
        return Ok(Head {
            generation: None,
            number: 0,
            last: "0-0".into(),
            drawn: Box::default(),
        });
    }
    if format != crate::revocation::store::FORMAT {
        return Err(ReadError::Format(format));
    }
    Ok(Head {
        generation: Some(generation.into()),
        number: number
            .parse()
            .map_err(|_| ReadError::Answer("a running number"))?,
        last: last.into(),
        drawn: drawn.into(),
    })
}
