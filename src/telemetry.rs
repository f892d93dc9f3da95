//! What leaves the process about itself: logs and metrics.

pub mod decisions;
pub mod histogram;
pub mod log;
pub mod privacy;
pub mod registry;

use std::path::PathBuf;

/// How the log is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The least level that is written.
    pub level: Level,
    /// Its form.
    pub format: Format,
    /// How a subject appears in it, and in Envoy's metadata.
    pub subject: SubjectPrivacy,
    /// Which decisions are written.
    pub decisions: Decisions,
}

/// The least level that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What needs a person.
    Error,
    /// What recovered, and `user_not_found`.
    Warn,
    /// What an operator did, and refusals.
    Info,
    /// What a developer asks.
    Debug,
    /// Everything.
    Trace,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// Lines for people.
    Text,
}

/// How a subject appears in logs and metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectPrivacy {
    /// As it is.
    Plain,
    /// As the keyed hash under the key in a file.
    Hash(PathBuf),
    /// Not at all.
    Omit,
}

/// Which decisions are written to the log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decisions {
    /// None.
    None,
    /// Refusals.
    Denies,
    /// All.
    All,
    /// This share of all, 0 to 1.
    Sample(f64),
}
