//! Why Redis did not do what it was asked. Nothing here holds a password.

use super::{Node, Topology};
use crate::net::tls::TlsError;
use crate::secret::SecretError;
use redis::{ErrorKind, ServerErrorKind};
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Why no connection can ever be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A certificate or key does not load.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A password cannot be read.
    #[error(transparent)]
    Password(#[from] SecretError),
}

macro_rules! reasons {
    ($($variant:ident $name:literal $doc:literal)*) => {
        /// Why: a closed list, for logs and metrics, in the order of how near it came to an answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $doc] $variant,)*
        }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

reasons! {
    Connect "connect" "No connection: name, route or port."
    Timeout "timeout" "No answer in time."
    Lost "lost" "The connection broke."
    Plaintext "plaintext" "A node that was announced is not on this machine, and plain text may not leave it."
    Tls "tls" "The node is not who it should be, or does not speak TLS, or will not have our certificate."
    Protocol "protocol" "What answers is no Redis that we know, or refuses the command."
    Crowded "crowded" "The node has no room for another client."
    Unready "unready" "The node is loading, or its Cluster or primary is down."
    Auth "auth" "The node does not take our user and password."
    Denied "denied" "The node's ACL does not let our user do that."
    Moved "moved" "The node is no longer the primary of this key."
    NoPrimary "no_primary" "No node is the primary."
}

impl Reason {
    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Connect => "correct `url`, or let subgate reach it",
            Self::Timeout => {
                "look whether Redis is overloaded, a firewall drops what is sent, or `rediss://` is written for a port without TLS"
            }
            Self::Lost => "write `rediss://` where Redis speaks TLS, and look into its log",
            Self::Plaintext => "write `rediss://`, or, if you must, `allow_plaintext: true`",
            Self::Tls => {
                "correct `tls.ca_file`, `tls.cert_file` and `tls.key_file`, and the names in Redis's certificate"
            }
            Self::Protocol => {
                "use Redis 6.2 or newer, or Valkey, and the form of `url` that fits it"
            }
            Self::Crowded => "raise `maxclients` of Redis",
            Self::Unready => "wait until Redis has loaded its data, and its Cluster is whole",
            Self::Auth => "correct `username` and `password_file`",
            Self::Denied => "give its ACL user the commands and keys that docs/redis.md lists",
            Self::Moved => "write a list of URLs where Redis is a Cluster",
            Self::NoPrimary => {
                "correct `url`: the name that the Sentinels know, or the primary's address"
            }
        }
    }
}

/// Why Redis did not do what it was asked: which node, the reason, and what it said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{node}: {}: {what}", reason.as_str())]
pub struct RedisError {
    /// The reason.
    pub reason: Reason,
    node: String,
    what: String,
}

impl RedisError {
    pub(super) fn new(reason: Reason, node: &Node, what: impl fmt::Display) -> Self {
        Self {
            reason,
            node: one_line(&node.to_string()),
            what: one_line(&what.to_string()),
        }
    }

    /// What became of a login. The node's own words are left out: a server that does not know the
    /// command repeats its arguments, the password among them.
    pub(super) fn login(node: &Node, error: &redis::RedisError) -> Self {
        let reason = match error.code() {
            Some("ERR")
                if error
                    .detail()
                    .is_some_and(|what| what.contains("max number of clients")) =>
            {
                Reason::Crowded
            }
            Some("DENIED") => Reason::Denied,
            Some(_) | None => reason(error),
        };
        let what = match reason {
            Reason::Auth => "user or password is wrong, or there must be one",
            Reason::Crowded => "it has as many clients as `maxclients` lets it have",
            Reason::Denied if error.code() == Some("DENIED") => {
                "it is in protected mode, which takes local clients alone"
            }
            Reason::Denied => "its ACL does not let the user log in here",
            Reason::Lost => "it closed the connection (does it speak TLS?)",
            Reason::Tls => "it does not take our certificate, or asks for one",
            Reason::Unready => "it is loading its data",
            Reason::Protocol if error.code().is_some() => {
                "it refuses HELLO or SELECT (is it Redis 6.2 or newer, with this database?)"
            }
            Reason::Protocol => "what answers is not Redis",
            Reason::Connect
            | Reason::Timeout
            | Reason::Plaintext
            | Reason::Moved
            | Reason::NoPrimary => "it did not let us in",
        };
        Self::new(reason, node, what)
    }

    /// What became of a command after the login.
    pub(super) fn command(node: &Node, error: &redis::RedisError) -> Self {
        Self::new(reason(error), node, error)
    }

    pub(super) fn slow(topology: &Topology, within: Duration) -> Self {
        let node = match topology {
            Topology::Single { node, .. } => node.to_string(),
            Topology::Sentinel { master, .. } => format!("the primary {master}"),
            Topology::Cluster(_) => "the Cluster".to_owned(),
        };
        Self {
            reason: Reason::Timeout,
            node: one_line(&node),
            what: format!("not found within {} s", within.as_secs()),
        }
    }

    pub(super) fn no_nodes() -> Self {
        Self {
            reason: Reason::NoPrimary,
            node: "no node".to_owned(),
            what: "none is configured".to_owned(),
        }
    }

    /// This one or the other, whichever came nearer to an answer.
    pub(super) fn or_nearer(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if other.reason > self.reason => other,
            Some(_) | None => self,
        }
    }

    /// The node.
    pub fn node(&self) -> &str {
        &self.node
    }
}

/// Whether the node is no longer the one to ask: it lost the slot, or is a replica now. Ask
/// [`Redis::primary`](super::Redis::primary) for another connection.
pub fn is_moved(error: &redis::RedisError) -> bool {
    reason(error) == Reason::Moved
}

/// The reason of what a command came to.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the crate's kinds, which may become more"
)]
pub(super) fn reason(error: &redis::RedisError) -> Reason {
    match error.kind() {
        ErrorKind::Server(kind) => match kind {
            ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::ReadOnly => {
                Reason::Moved
            }
            ServerErrorKind::BusyLoading
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::TryAgain => Reason::Unready,
            ServerErrorKind::NoPerm => Reason::Denied,
            _ => Reason::Protocol,
        },
        ErrorKind::Extension => match error.code() {
            Some("WRONGPASS" | "NOAUTH") => Reason::Auth,
            // What a blocking command gets when its node becomes a replica.
            Some("UNBLOCKED") => Reason::Moved,
            Some(_) | None => Reason::Protocol,
        },
        ErrorKind::AuthenticationFailed => Reason::Auth,
        ErrorKind::Io if error.is_timeout() => Reason::Timeout,
        ErrorKind::Io if is_tls(error) => Reason::Tls,
        ErrorKind::Io => Reason::Lost,
        _ => Reason::Protocol,
    }
}

/// Whether rustls said it: in TLS 1.3 a server refuses a certificate after the handshake (RFC 8446
/// 4.4.2.4).
fn is_tls(error: &redis::RedisError) -> bool {
    type Inside = Arc<dyn Error + Send + Sync>;
    let inside = error
        .source()
        .and_then(|inside| inside.downcast_ref::<Inside>());
    let inside = inside.and_then(|inside| inside.downcast_ref::<io::Error>());
    let inside = inside.and_then(io::Error::get_ref);
    inside.is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>)
}

/// A peer may have chosen parts of it.
fn one_line(text: &str) -> String {
    text.chars()
        .take(300)
        .flat_map(char::escape_debug)
        .collect()
}
