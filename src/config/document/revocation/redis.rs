//! The key `revocation.redis`.

use crate::config::document::{ClientTls, Period};
use crate::revocation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Redis that all processes share: one server, Sentinel or Cluster.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["url"]))]
pub(in crate::config) struct Redis {
    /// Where it is: `redis://HOST:PORT/DATABASE`, `rediss://` with TLS, `unix:/PATH`,
    /// `redis+sentinel://HOST:PORT,HOST:PORT/MASTER/DATABASE`, `rediss+sentinel://`; of a Cluster a list
    /// of nodes. Without user and password.
    #[schemars(example = "rediss://redis.example.com:6379")]
    pub(in crate::config) url: Option<RedisUrl>,
    /// Allows plain text to other than loopback and Unix sockets.
    pub(in crate::config) allow_plaintext: bool,
    /// The ACL user that reads; without it the user `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) username: Option<String>,
    /// A file with its password, which is read again for each connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) password_file: Option<String>,
    /// The login at the Sentinels, where there are some.
    pub(in crate::config) sentinel: Login,
    /// How the nodes are known, and what is shown to them; with `rediss://` and `rediss+sentinel://`.
    pub(in crate::config) tls: ClientTls,
    /// The login of what writes (`revoke`, `restore`, `event`, `relay`); `{}` is the one above. Sidecars
    /// need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) writer: Option<Login>,
    /// What every key of ours begins with: 1 to 64 visible ASCII characters without `{}[]*?\`.
    pub(in crate::config) key_prefix: String,
    /// How it is asked.
    pub(in crate::config) mode: Mode,
    /// Keys of an existing list, whose existence is the revocation; with `lookup` and `both`.
    #[schemars(inner(length(min = 1)))]
    pub(in crate::config) keys: Vec<String>,
    /// How old what is known may be.
    pub(in crate::config) max_staleness: Period,
    /// What becomes of tokens past that age.
    pub(in crate::config) on_stale: OnStale,
    /// Whether a relay tells regularly that it lives; then its silence is staleness too.
    pub(in crate::config) heartbeat: bool,
    /// How many replicas must have a write before it is acknowledged (`WAIT`); 1 with Sentinel and
    /// Cluster.
    #[schemars(range(max = 16))]
    pub(in crate::config) min_replicas: usize,
}

/// A user and its password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Login {
    /// The ACL user; without it the user `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) username: Option<String>,
    /// A file with its password, which is read again for each connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) password_file: Option<String>,
}

/// One URL, or those of some nodes of a Cluster.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum RedisUrl {
    /// One server, or Sentinels.
    One(String),
    /// Nodes of a Cluster.
    Cluster(#[schemars(length(min = 1))] Vec<String>),
}

words! {
    /// How Redis is asked.
    Mode => revocation::Mode {
        /// By a local copy of our own store.
        Replica = "replica",
        /// By keys of an existing list.
        Lookup = "lookup",
        /// Both.
        Both = "both",
    }
}

words! {
    /// What becomes of tokens while what is known is too old.
    OnStale => revocation::OnStale {
        /// They are refused: `revocation_unavailable`.
        Deny = "deny",
        /// They pass, as far as is known.
        Allow = "allow",
    }
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            url: None,
            allow_plaintext: false,
            username: None,
            password_file: None,
            sentinel: Login::default(),
            tls: ClientTls::default(),
            writer: None,
            key_prefix: "subgate".to_owned(),
            mode: Mode::Replica,
            keys: Vec::new(),
            max_staleness: Period::secs(30),
            on_stale: OnStale::Deny,
            heartbeat: false,
            min_replicas: 0,
        }
    }
}
