//! Listening sockets: TCP, Unix by path, Unix abstract.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Where to listen, or what to call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A Unix socket by path, at most 107 bytes.
    Unix {
        /// The path.
        path: PathBuf,
        /// The permission bits of the socket's file; the process's umask rules without.
        mode: Option<u32>,
    },
    /// A Unix socket in the abstract namespace (Linux), written `unix:@NAME`, at most 107 bytes.
    Abstract(String),
}
