//! The key `telemetry`.

use crate::telemetry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the process tells about itself.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Telemetry {
    /// The log.
    pub(in crate::config) log: Log,
}

/// The log.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Log {
    /// The least level that is written.
    pub(in crate::config) level: Level,
    /// Its form.
    pub(in crate::config) format: LogFormat,
    /// How a subject appears in it, and in Envoy's metadata.
    pub(in crate::config) subject: SubjectPrivacy,
    /// A file whose bytes key the hash of `subject: hash`, at least 16 of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) subject_key_file: Option<String>,
    /// Which decisions are written: `none`, `denies`, `all`, or a share.
    pub(in crate::config) decisions: Decisions,
}

words! {
    /// A level of the log.
    Level => telemetry::Level {
        /// What needs a person.
        Error = "error",
        /// What recovered, and `user_not_found`.
        Warn = "warn",
        /// What an operator did, and refusals.
        Info = "info",
        /// What a developer asks.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

words! {
    /// The form of the log.
    LogFormat => telemetry::Format {
        /// Text on a terminal, JSON elsewhere.
        Auto = "auto",
        /// One JSON object a line.
        Json = "json",
        /// Lines for people.
        Text = "text",
    }
}

/// How a subject appears in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum SubjectPrivacy {
    /// As it is.
    Plain,
    /// As a hash under the key of `subject_key_file`.
    Hash,
    /// Not at all.
    Omit,
}

/// Which decisions are written to the log.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum Decisions {
    /// A kind of them.
    These(DecisionKind),
    /// A share of all.
    Share(Share),
}

/// A kind of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum DecisionKind {
    /// None.
    None,
    /// Refusals.
    Denies,
    /// All.
    All,
}

/// A share of all decisions.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["sample"]))]
pub(in crate::config) struct Share {
    /// The share, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0), example = 0.01)]
    pub(in crate::config) sample: Option<f64>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: Level::Info,
            format: LogFormat::Auto,
            subject: SubjectPrivacy::Plain,
            subject_key_file: None,
            decisions: Decisions::These(DecisionKind::Denies),
        }
    }
}
