//! The admin API under `/v1`: to look at what is remembered, and to correct it.
//!
//! Whoever calls has the bearer token; nothing here acts on a cookie, an address or a certificate
//! alone, so a browser that is tricked into calling (by another site, or by DNS rebinding) gets 401.

pub mod message;
mod problem;
mod routes;
mod token;

pub use routes::{router, routes};
pub use token::{SHORTEST, Token, TokenError};

use crate::net::listen::{Address, Listener};
use crate::net::tls::{Acceptor, ServerTls};
use crate::server::http1::{self, Door};
use message::{
    EventRequest, EventView, Forgotten, GuardView, Release, Released, UserQuery, UserView,
};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Connections at once: a few operators and their scripts.
const CONNECTIONS: usize = 64;

/// How long a connection may last on which the token was not shown, its handshake included.
const UNPROVEN: Duration = Duration::from_secs(5);

/// What can be done; the handlers know no more of the process than this.
///
/// Names are taken as people and tokens write them, and brought into the form in which they are
/// keys. Nothing here waits.
pub trait Administration: fmt::Debug + Send + Sync {
    /// Looks at what is remembered of a user; asks no directory.
    fn user(&self, query: &UserQuery) -> Result<UserView, AdminError>;

    /// Drops what is remembered of a user, so that the next request asks the directory. What events
    /// told stays.
    fn forget(&self, query: &UserQuery) -> Result<Forgotten, AdminError>;

    /// What the vanish guard holds.
    fn guard(&self) -> GuardView;

    /// Lets what the vanish guard holds be believed.
    fn release(&self, which: &Release) -> Result<Released, AdminError>;

    /// Takes a lifecycle event, and tells what was applied.
    fn event(&self, event: &EventRequest) -> Result<EventView, AdminError>;
}

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// A member of the query or the body is not what it should be.
    #[error("{field}: expected {expected}, came {came}")]
    Invalid {
        /// The member.
        field: &'static str,
        /// What would be right.
        expected: String,
        /// What came.
        came: String,
    },
    /// It contradicts what is known.
    #[error("{0}")]
    Conflict(String),
}

/// Where the admin API listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The address.
    pub address: Address,
    /// TLS on it, where it is TCP.
    pub tls: Option<ServerTls>,
    /// The file with the bearer token.
    pub token_file: PathBuf,
}

/// What the listener needs.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Does what is asked.
    pub administration: Arc<dyn Administration>,
    /// Opens.
    pub token: Token,
}

/// Serves HTTP/1.1 for ever; at most 64 connections, each for a minute, ten seconds for a request. Those
/// on which the token was not shown last five seconds, and make way before that for whoever comes.
pub async fn serve(listener: Listener, acceptor: Option<Acceptor>, admin: Admin) {
    let door = Door {
        listener,
        acceptor,
        connections: CONNECTIONS,
        unproven: Some(UNPROVEN),
    };
    http1::serve("admin", door, router(admin)).await;
}

#[cfg(test)]
mod tests;
