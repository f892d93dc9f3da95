//! The configuration: a file as written, and the checked whole that comes of it.

use crate::{decision, envoy, revocation, server, telemetry, tenant, token, user};

/// The checked whole: each part is a slice's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where the process listens.
    pub listen: server::Config,
    /// Who may sign.
    pub issuers: Vec<token::issuer::Config>,
    /// How tenants are settled.
    pub tenant: tenant::Config,
    /// How users are found.
    pub users: user::Config,
    /// Where revocations come from.
    pub revocation: revocation::Config,
    /// What is asked of a request.
    pub policies: decision::policy::Config,
    /// The headers for the service behind.
    pub identity: envoy::identity::Config,
    /// The form of denials.
    pub responses: envoy::response::Config,
    /// The log.
    pub telemetry: telemetry::Config,
    /// What is taken on at once.
    pub limits: server::Limits,
}
