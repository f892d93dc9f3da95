//! Who that is: asks the directory, and remembers what it said for as long as it may.

pub mod directory;

use std::time::Duration;

/// How users are found and remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The directory that knows them.
    pub directory: directory::Config,
    /// The time-out of one look-up, also when nobody waits any more.
    pub timeout: Duration,
    /// The longest a request waits for a look-up.
    pub wait: Duration,
    /// How many look-ups may be under way at once.
    pub concurrency: usize,
    /// How answers are remembered.
    pub cache: Cache,
}

/// How answers are remembered (RFC 9111, RFC 5861).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// How long a found user is served without asking again.
    pub fresh: Duration,
    /// How long after that it is served while the directory gives no trustworthy answer.
    pub stale_if_error: Duration,
    /// How long a recognized not-found is remembered.
    pub not_found_for: Duration,
    /// The most memory that remembered users take, in bytes.
    pub max_memory: u64,
}
