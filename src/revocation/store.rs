//! What lies in Redis, and how it is written: the state of each name, and a log of what changed.
//!
//! The format is an interface, which docs/redis.md describes; others may write it.

mod name;
mod value;
mod writer;

pub use name::Key;
pub use value::{StoredEvent, Value, WrittenClearing, WrittenStrike};
pub use writer::{Listed, StoreError, Writer, Written};

/// The format that is written and read.
pub(super) const FORMAT: &str = "1";

/// Where the parts of a store lie: all in one slot of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// A hash: format, generation, running number and id of the last entry of the log.
    pub head: String,
    /// A hash: what is known under each name.
    pub state: String,
    /// A sorted set: when a name may be forgotten, in milliseconds.
    pub ends: String,
    /// A stream: every change.
    pub log: String,
}

impl Keys {
    /// The keys under a prefix.
    pub fn new(prefix: &str) -> Self {
        let key = |part| format!("{{{prefix}}}:{part}");
        Self {
            head: key("head"),
            state: key("state"),
            ends: key("ends"),
            log: key("log"),
        }
    }
}
