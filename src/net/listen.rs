//! Listening sockets: TCP, Unix by path, Unix abstract.

mod address;
mod socket_file;
mod stream;

pub use address::{Address, AddressError};
pub use stream::{Stream, connect};

use socket_file::SocketFile;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener, UnixSocket};

/// Connections that the kernel keeps for us until we accept them.
const BACKLOG: u32 = 1024;

/// Opens a listening socket.
///
/// A Unix socket's file has its mode before anyone can connect. A file left behind by a dead
/// process is replaced; a live socket, and whatever is not a socket, is left alone.
pub async fn bind(address: &Address) -> Result<Listener, BindError> {
    let failed = |source| BindError::Io {
        address: address.clone(),
        source,
    };
    match address {
        Address::Tcp(wanted) => TcpListener::bind(wanted)
            .await
            .and_then(|listener| Ok((listener.local_addr()?, listener)))
            .map(|(local, listener)| Listener(Socket::Tcp { listener, local }))
            .map_err(failed),
        Address::Unix { path, mode } => {
            socket_file::clear_stale(path).await?;
            bind_path(path, *mode).map_err(failed)
        }
        Address::Abstract(name) => UnixListener::bind(stream::abstract_path(name))
            .map(|listener| {
                Listener(Socket::Abstract {
                    listener,
                    name: name.clone(),
                })
            })
            .map_err(failed),
    }
}

fn bind_path(path: &Path, mode: Option<u32>) -> io::Result<Listener> {
    let socket = UnixSocket::new_stream()?;
    socket.bind(path)?;
    let file = SocketFile::adopt(path.to_owned())?;
    // Until it listens, every connection is refused.
    if let Some(mode) = mode {
        file.set_mode(mode)?;
    }
    Ok(Listener(Socket::Unix {
        listener: socket.listen(BACKLOG)?,
        file,
        mode,
    }))
}

/// A socket that accepts connections; a Unix socket's file goes when this is dropped.
#[derive(Debug)]
pub struct Listener(Socket);

#[derive(Debug)]
enum Socket {
    Tcp {
        listener: TcpListener,
        local: SocketAddr,
    },
    Unix {
        listener: UnixListener,
        file: SocketFile,
        mode: Option<u32>,
    },
    Abstract {
        listener: UnixListener,
        name: String,
    },
}

impl Listener {
    /// Waits for the next connection.
    ///
    /// Never fails: what goes wrong with one connection ends that connection, and while the process
    /// has no file descriptors left it waits and tries again, up to a second at a time. Dropping the
    /// future loses no connection.
    pub async fn accept(&self) -> Stream {
        let mut pause = Duration::from_millis(5);
        loop {
            match self.accept_once().await {
                Ok(stream) => return stream,
                Err(error) if concerns_one_connection(&error) => {
                    tracing::debug!(address = %self.local_addr(), %error, "a connection was lost before it was accepted");
                }
                Err(error) => {
                    tracing::warn!(address = %self.local_addr(), %error, "cannot accept connections; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
            }
        }
    }

    /// Where it listens; a port asked for as 0 is the one that was given.
    pub fn local_addr(&self) -> Address {
        match &self.0 {
            Socket::Tcp { local, .. } => Address::Tcp(*local),
            Socket::Unix { file, mode, .. } => Address::Unix {
                path: file.path().to_owned(),
                mode: *mode,
            },
            Socket::Abstract { name, .. } => Address::Abstract(name.clone()),
        }
    }

    async fn accept_once(&self) -> io::Result<Stream> {
        match &self.0 {
            Socket::Tcp { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                // Fails only where the peer is gone already, which its first read tells.
                let _gone = stream.set_nodelay(true);
                Ok(Stream::Tcp(stream))
            }
            Socket::Unix { listener, .. } | Socket::Abstract { listener, .. } => listener
                .accept()
                .await
                .map(|(stream, _)| Stream::Unix(stream)),
        }
    }
}

/// Whether the next `accept` may well succeed at once (accept(2), "Error handling").
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::Interrupted
    )
}

/// Why a socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The system refused.
    #[error("cannot listen on {address}: {source}")]
    Io {
        /// Where.
        address: Address,
        /// What it said.
        source: io::Error,
    },
    /// A process answers at the path.
    #[error(
        "cannot listen on unix:{}: another process answers there; stop it or choose another path",
        .0.display()
    )]
    Live(PathBuf),
    /// The file at the path is no socket.
    #[error(
        "cannot listen on unix:{}: a file that is not a socket is there; remove it or choose another path",
        .0.display()
    )]
    NotSocket(PathBuf),
    /// The socket at the path may be in use.
    #[error(
        "cannot listen on unix:{}: a socket is there and does not prove dead ({source}); remove it if nothing uses it",
        path.display()
    )]
    Unproven {
        /// Where.
        path: PathBuf,
        /// What a connection to it met.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests;
