//! How a refusal looks to the client.

use crate::decision::refusal::Code;
use std::collections::BTreeMap;

/// The form of denials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The form of the body.
    pub format: Format,
    /// Whether Envoy's failure mode rules where a dependency is out.
    pub unavailable: Unavailable,
    /// Statuses that differ from the table.
    pub statuses: BTreeMap<Code, u16>,
    /// Messages that differ from the table.
    pub messages: BTreeMap<Code, String>,
    /// Headers added to every denial.
    pub headers: Vec<(http::HeaderName, http::HeaderValue)>,
    /// The realm in `WWW-Authenticate`.
    pub realm: String,
}

/// The form of a denial's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `{"code":…,"message":…,"request_id":…}`.
    Json,
    /// Problem details (RFC 9457).
    Problem,
    /// The shape that Supabase Auth's clients know.
    Supabase,
}

/// What Envoy is told where a dependency is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// A denial.
    Deny,
    /// An error, so that Envoy's `failure_mode_allow` and `status_on_error` rule (Envoy 1.37+).
    EnvoyError,
}
