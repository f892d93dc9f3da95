//! A connection, whatever carries it.

use super::Address;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use tokio::net::{TcpStream, UnixStream};
use tonic::transport::server::Connected;

/// A connection over TCP or a Unix socket.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP, without Nagle's delay.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
}

forward_io!(Stream { Tcp, Unix });

impl Stream {
    /// The address of the other end, over TCP; `None` if it is gone already.
    pub fn peer(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().ok().map(|peer| peer.ip()),
            Self::Unix(_) => None,
        }
    }
}

/// Nothing about a connection bears on a decision.
impl Connected for Stream {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

/// Opens a connection as a client.
pub async fn connect(address: &Address) -> io::Result<Stream> {
    match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Stream::Tcp(stream))
        }
        Address::Unix { path, mode: _ } => UnixStream::connect(path).await.map(Stream::Unix),
        Address::Abstract(name) => UnixStream::connect(abstract_path(name))
            .await
            .map(Stream::Unix),
    }
}

/// The path by which tokio knows an abstract name: a NUL comes first (unix(7)).
pub(super) fn abstract_path(name: &str) -> PathBuf {
    PathBuf::from(format!("\0{name}"))
}
