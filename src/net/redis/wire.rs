//! What bytes go over: TCP or a Unix socket, and TLS where it is wanted.

use super::{Reason, RedisError, SetupError};
use crate::net::tls::ClientTls;
use arc_swap::ArcSwap;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio_rustls::TlsConnector;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Over TCP.
    Tcp(Address),
    /// Over a Unix socket.
    Unix(PathBuf),
}

/// A host and its port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// A name, or an IP address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// How nodes are reached.
#[derive(Debug)]
pub(super) struct Wire {
    tls: Option<Tls>,
    /// Whether plain text may leave this machine.
    plain_anywhere: bool,
}

struct Tls {
    settings: ClientTls,
    current: ArcSwap<ClientConfig>,
}

impl Wire {
    pub(super) fn new(tls: Option<&ClientTls>, plain_anywhere: bool) -> Result<Self, SetupError> {
        let tls = tls.map(|settings| {
            Ok::<_, SetupError>(Tls {
                settings: settings.clone(),
                current: ArcSwap::from_pointee(settings.load(&[])?),
            })
        });
        Ok(Self {
            tls: tls.transpose()?,
            plain_anywhere,
        })
    }

    /// Reads certificate files again, if there are any; where that fails the old ones stay.
    pub(super) fn refresh(&self) {
        let Some(tls) = &self.tls else { return };
        if tls.settings.files().is_empty() {
            return;
        }
        match tls.settings.load(&[]) {
            Ok(config) => tls.current.store(Arc::new(config)),
            Err(error) => {
                tracing::warn!(%error, "certificates for Redis were not read again; the old ones stay");
            }
        }
    }

    pub(super) async fn connect(&self, node: &Node) -> Result<Box<dyn Io>, RedisError> {
        let lost = |error: io::Error| RedisError::new(Reason::Connect, node, error);
        let address = match node {
            Node::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(lost)?;
                return Ok(Box::new(stream));
            }
            Node::Tcp(address) => address,
        };
        let found = lookup_host((address.host.as_str(), address.port));
        let found: Vec<_> = found.await.map_err(lost)?.collect();
        let Some(tls) = &self.tls else {
            let is_near = |found: &SocketAddr| found.ip().to_canonical().is_loopback();
            if !self.plain_anywhere && !found.iter().all(is_near) {
                return Err(RedisError::new(
                    Reason::Plaintext,
                    node,
                    "not in plain text: write `rediss://`, or, if you must, `allow_plaintext: true`",
                ));
            }
            return Ok(Box::new(tcp(&found).await.map_err(lost)?));
        };
        let name = ServerName::try_from(address.host.clone()).map_err(|_| {
            let what = "no certificate can name such a host";
            RedisError::new(Reason::Tls, node, what)
        })?;
        let stream = tcp(&found).await.map_err(lost)?;
        let connector = TlsConnector::from(tls.current.load_full());
        let stream = connector.connect(name, stream).await;
        let unproven = |error: io::Error| RedisError::new(Reason::Tls, node, error);
        Ok(Box::new(stream.map_err(unproven)?))
    }
}

async fn tcp(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addresses).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.settings).finish()
    }
}
