//! How users are found and remembered, as it was configured.

use super::directory;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How users are found and remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The directory that knows them.
    pub directory: directory::Config,
    /// The time-out of one attempt, also when nobody waits any more.
    pub timeout: Duration,
    /// The longest a request waits for a look-up.
    pub wait: Duration,
    /// How often a look-up is tried again.
    pub retries: usize,
    /// How many attempts may be under way at once.
    pub concurrency: usize,
    /// How long after its issue a token's user may not be visible yet.
    pub creation_grace: Duration,
    /// How long an old subject leads to the new one.
    pub alias_for: Duration,
    /// How answers are remembered.
    pub cache: Cache,
    /// Users that must exist, at most one a realm.
    pub canaries: Vec<Canary>,
    /// When known users vanish too fast to be believed.
    pub vanish_guard: VanishGuard,
    /// How remembered users are held against the directory.
    pub audit: Audit,
    /// Where users are remembered from one process to the next.
    pub snapshot: Option<Snapshot>,
}

/// How answers are remembered (RFC 9111, RFC 5861).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// How long a found user is served without asking again.
    pub fresh: Duration,
    /// How long after that it is served while it is asked for again in the background.
    pub stale_while_revalidate: Duration,
    /// How long after `fresh` it is served while the directory gives no trustworthy answer.
    pub stale_if_error: Duration,
    /// How long a recognized not-found is remembered.
    pub not_found_for: Duration,
    /// How long the mark of a deletion or disabling stands.
    pub tombstone_for: Duration,
    /// The most memory that remembered users take, in bytes.
    pub max_memory: u64,
}

/// A user that must exist: while it is there, a not-found of its realm is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The realm for which it stands.
    pub realm: Arc<str>,
    /// The URL of the issuer.
    pub issuer: Arc<str>,
    /// The tenant.
    pub tenant: Option<Arc<str>>,
    /// The normalized subject.
    pub subject: Arc<str>,
}

/// When known users vanish too fast to be believed.
#[derive(Clone, Debug, PartialEq)]
pub struct VanishGuard {
    /// The share of known users, above which they are held: 0 to 1; at 1 nothing is ever held.
    pub share: f64,
    /// The time within which they are counted.
    pub window: Duration,
    /// The fewest that are held.
    pub min: usize,
}

/// How remembered users are held against the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// How often.
    pub every: Duration,
    /// How many each time; zero turns it off.
    pub sample: usize,
}

/// Where users are remembered from one process to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The file, written on stop and read on start.
    pub file: PathBuf,
    /// The key that authenticates it.
    pub key_file: PathBuf,
    /// The most users in it.
    pub max: usize,
}

/// The longest pause before an attempt, and the longest that a directory may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Config {
    /// The longest that an answer, from when it was asked for, may be under way and then remembered.
    pub fn longest_answer(&self) -> Duration {
        let cache = &self.cache;
        let stale = cache.stale_while_revalidate.max(cache.stale_if_error);
        let remembered = cache.fresh.saturating_add(stale).max(cache.not_found_for);
        // Each attempt may wait for room for as long as it lasts itself.
        let attempt = self.timeout.saturating_mul(2).saturating_add(LONGEST_PAUSE);
        let attempts = u32::try_from(self.retries)
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        // A not-found waits for the look-up of a canary, and whoever was outdated is asked for again.
        let look_up = attempt.saturating_mul(attempts).saturating_mul(3);
        remembered.saturating_add(look_up)
    }
}
