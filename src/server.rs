//! The gRPC server that Envoy calls.

pub mod admin;
pub mod authorization;
pub mod generation;
pub mod grpc_health;
pub mod health;
mod http1;

use crate::net::listen::Address;
use crate::net::tls::ServerTls;
use std::net::SocketAddr;
use std::time::Duration;

/// Where the process listens and how it stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where Envoy asks: `ext_authz` and gRPC health.
    pub check: Vec<Address>,
    /// TLS on the TCP addresses of `check`.
    pub check_tls: Option<ServerTls>,
    /// Where `/livez`, `/readyz` and `/metrics` are.
    pub health: SocketAddr,
    /// The admin API; `None` where it has no token, and is not opened.
    pub admin: Option<admin::Config>,
    /// How long it still answers after SIGTERM, un-ready.
    pub drain: Duration,
    /// How long what is in flight may take after that.
    pub stop_within: Duration,
}

/// What the process takes on at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest token, in bytes.
    pub token_bytes: usize,
    /// Decisions at once, those that wait for a key or a look-up not counted.
    pub in_flight: usize,
    /// Decisions that wait for a key or a look-up.
    pub waiting: usize,
    /// Memory for verified tokens, in bytes.
    pub tokens: u64,
}
