//! Redis: finds the primary in every topology, and connects to it.
//!
//! One server, Sentinel and Cluster come to the same: which node holds this key's slot, is it a primary
//! by its own word, and does it take our login. Nothing connects again by itself: a connection that is
//! lost, or whose node is no primary any more ([`is_moved`]), is replaced by whoever uses it.

mod backoff;
mod cluster;
mod connection;
mod error;
mod login;
mod sentinel;
mod wire;

pub use backoff::Backoff;
pub use cluster::slot;
pub use connection::{Connection, Server};
pub use error::{Reason, RedisError, SetupError, is_moved};
pub use login::Login;
pub use wire::{Address, Node};

use crate::net::tls::ClientTls;
use connection::{Dial, Role};
use login::Credentials;
use redis::PushInfo;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;
use wire::Wire;

/// How long the way to one node may take (name, connection, handshakes), and an answer of it.
const NODE_WITHIN: Duration = Duration::from_secs(1);

/// How long it may take to find the primary and to connect to it.
const WITHIN: Duration = Duration::from_secs(5);

/// Where Redis is, and as whom it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which nodes, and how they belong together.
    pub topology: Topology,
    /// The login of those who read.
    pub login: Login,
    /// The login at the Sentinels.
    pub sentinel: Login,
    /// TLS to every node, Sentinels included; `None` is plain text.
    pub tls: Option<ClientTls>,
    /// Whether plain text may leave this machine.
    pub allow_plaintext: bool,
}

/// How the nodes belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    Single {
        /// The server.
        node: Node,
        /// The number of the database.
        database: u32,
    },
    /// A primary that Sentinels know.
    Sentinel {
        /// Those to ask, in turn.
        nodes: Vec<Address>,
        /// The name under which they know the primary.
        master: String,
        /// The number of the database.
        database: u32,
    },
    /// A Cluster, by some of its nodes.
    Cluster(Vec<Address>),
}

/// Makes connections; cheap to clone.
///
/// Password and certificate files are read again for each connection; where one cannot be read any
/// more, what was read last is used.
#[derive(Clone, Debug)]
pub struct Redis(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    topology: Topology,
    wire: Wire,
    login: Credentials,
    sentinel: Credentials,
    /// The node to ask first: the one that answered last, or the one after those that did not.
    first: AtomicUsize,
}

/// What a connection is for.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a command may take; longer than any `BLOCK` it has.
    pub response_timeout: Duration,
    /// Where RESP3 pushes go, such as invalidations of client tracking, and the end of the connection.
    pub pushes: Option<UnboundedSender<PushInfo>>,
}

impl Redis {
    /// Reads the files; connects to nothing yet.
    pub fn new(config: &Config, login: &Login) -> Result<Self, SetupError> {
        let Config {
            topology,
            login: _,
            sentinel,
            tls,
            allow_plaintext,
        } = config;
        Ok(Self(Arc::new(Inner {
            topology: topology.clone(),
            wire: Wire::new(tls.as_ref(), *allow_plaintext)?,
            login: Credentials::open(login)?,
            sentinel: Credentials::open(sentinel)?,
            first: AtomicUsize::new(0),
        })))
    }

    /// A connection of its own to the primary that holds this key's slot, within five seconds.
    ///
    /// # Errors
    /// Where several nodes were asked, the failure that came nearest to an answer.
    pub async fn primary(&self, key: &[u8], options: Options) -> Result<Connection, RedisError> {
        let inner = Arc::clone(&self.0);
        let refreshed = tokio::task::spawn_blocking(move || inner.refresh());
        // It does not panic, and is not aborted but where the runtime ends.
        drop(refreshed.await);
        let found = timeout(WITHIN, self.0.find(key, options)).await;
        found.unwrap_or_else(|_| Err(RedisError::slow(&self.0.topology, WITHIN)))
    }
}

impl Inner {
    fn refresh(&self) {
        let Self {
            topology: _,
            wire,
            login,
            sentinel,
            first: _,
        } = self;
        wire.refresh();
        login.refresh();
        sentinel.refresh();
    }

    async fn find(&self, key: &[u8], options: Options) -> Result<Connection, RedisError> {
        match &self.topology {
            Topology::Single { node, database } => self.to(node, *database, options).await,
            Topology::Sentinel {
                nodes,
                master,
                database,
            } => {
                let mut failed = None;
                for (index, sentinel) in self.in_turn(nodes) {
                    let found = async {
                        let node = sentinel::primary(self, sentinel, master).await?;
                        self.to(&node, *database, options.clone()).await
                    };
                    match found.await {
                        Ok(connection) => return Ok(self.answered(index, connection)),
                        Err(error) => failed = Some(error.or_nearer(failed)),
                    }
                }
                Err(failed.unwrap_or_else(RedisError::no_nodes))
            }
            Topology::Cluster(nodes) => {
                let mut failed = None;
                for (index, seed) in self.in_turn(nodes) {
                    let found = async {
                        let node = cluster::primary(self, seed, slot(key)).await?;
                        self.to(&node, 0, options.clone()).await
                    };
                    match found.await {
                        Ok(connection) => return Ok(self.answered(index, connection)),
                        Err(error) => failed = Some(error.or_nearer(failed)),
                    }
                }
                Err(failed.unwrap_or_else(RedisError::no_nodes))
            }
        }
    }

    /// All nodes once. While one is asked the next call begins after it, so that one which never
    /// answers does not use up every call's time.
    fn in_turn<'n>(&self, nodes: &'n [Address]) -> impl Iterator<Item = (usize, &'n Address)> {
        let begin = self.first.load(Relaxed);
        let order = nodes.iter().enumerate().cycle();
        order
            .skip(begin.checked_rem(nodes.len()).unwrap_or_default())
            .take(nodes.len())
            .inspect(|(index, _)| self.first.store(index + 1, Relaxed))
    }

    fn answered<T>(&self, index: usize, answer: T) -> T {
        self.first.store(index, Relaxed);
        answer
    }

    /// A connection to a node that says itself that it is a primary.
    async fn to(
        &self,
        node: &Node,
        database: u32,
        options: Options,
    ) -> Result<Connection, RedisError> {
        let connection = self.dial(node, &self.login, database, options).await?;
        match connection.server().role {
            Role::Primary => Ok(connection),
            Role::Replica => Err(RedisError::new(
                Reason::NoPrimary,
                node,
                "it is a replica, and no primary",
            )),
            Role::Sentinel => Err(RedisError::new(
                Reason::NoPrimary,
                node,
                "it is a Sentinel: write `redis+sentinel://`",
            )),
        }
    }

    async fn dial(
        &self,
        node: &Node,
        credentials: &Credentials,
        database: u32,
        options: Options,
    ) -> Result<Connection, RedisError> {
        let dial = Dial {
            node,
            credentials,
            database,
            options,
        };
        let dialled = timeout(NODE_WITHIN, dial.connect(&self.wire)).await;
        dialled.unwrap_or_else(|_| {
            let what = "no connection within 1 s";
            Err(RedisError::new(Reason::Timeout, node, what))
        })
    }
}

#[cfg(test)]
mod tests;
