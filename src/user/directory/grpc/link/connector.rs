//! How a connection comes about: TCP or a Unix socket, and TLS where the endpoint speaks it.

use super::super::{Endpoint, GrpcError};
use crate::net::tls::ClientTls;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::codegen::BoxFuture;
use tower_service::Service;
use url::Host;

/// How long it may take from the look-up of the name to the end of the handshake.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

const ALPN: &[u8] = b"h2";

/// Connects to an endpoint, whatever URI it is asked for.
#[derive(Clone)]
pub(super) struct Connector {
    endpoint: Endpoint,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum Unreachable {
    /// No route, no name, nobody listens.
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    /// It took too long.
    #[error("cannot connect within 5 s")]
    Slow,
    /// The server did not prove itself.
    #[error("TLS failed: {0}")]
    Tls(io::Error),
    /// The server did not agree to HTTP/2, which gRPC is.
    #[error("TLS failed: expected ALPN `h2`, and the server did not choose it")]
    NoHttp2,
}

/// What bytes go over.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Connector {
    /// Reads the certificates, where the endpoint speaks TLS.
    pub(super) fn new(endpoint: &Endpoint, tls: &ClientTls) -> Result<Self, GrpcError> {
        let tls = match endpoint {
            Endpoint::Tcp {
                tls: true, host, ..
            } => {
                let config = tls.load(&[ALPN])?;
                let name = match host {
                    Host::Ipv4(address) => IpAddr::V4(*address).into(),
                    Host::Ipv6(address) => IpAddr::V6(*address).into(),
                    Host::Domain(name) => ServerName::try_from(name.clone())
                        .map_err(|_| GrpcError::Name(name.clone()))?,
                };
                Some((TlsConnector::from(Arc::new(config)), name))
            }
            Endpoint::Tcp { tls: false, .. } | Endpoint::Unix(_) => None,
        };
        Ok(Self {
            endpoint: endpoint.clone(),
            tls,
        })
    }

    /// What calls name as their authority.
    pub(super) fn uri(&self) -> String {
        match &self.endpoint {
            Endpoint::Tcp { .. } => self.endpoint.to_string(),
            Endpoint::Unix(_) => "http://localhost".to_owned(),
        }
    }

    async fn connect(self) -> Result<Box<dyn Io>, Unreachable> {
        let stream = match &self.endpoint {
            Endpoint::Unix(path) => {
                let stream = UnixStream::connect(path).await;
                return Ok(Box::new(stream.map_err(Unreachable::Connect)?));
            }
            Endpoint::Tcp { host, port, .. } => match host {
                Host::Domain(name) => TcpStream::connect((name.as_str(), *port)).await,
                Host::Ipv4(address) => TcpStream::connect((*address, *port)).await,
                Host::Ipv6(address) => TcpStream::connect((*address, *port)).await,
            }
            .map_err(Unreachable::Connect)?,
        };
        stream.set_nodelay(true).map_err(Unreachable::Connect)?;
        let Some((tls, name)) = self.tls else {
            return Ok(Box::new(stream));
        };
        let stream = tls.connect(name, stream).await.map_err(Unreachable::Tls)?;
        if stream.get_ref().1.alpn_protocol() != Some(ALPN) {
            return Err(Unreachable::NoHttp2);
        }
        Ok(Box::new(stream))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Io>>;
    type Error = Unreachable;
    type Future = BoxFuture<Self::Response, Unreachable>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unreachable>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connecting = self.clone().connect();
        Box::pin(async move {
            match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
                Ok(connected) => connected.map(TokioIo::new),
                Err(_) => Err(Unreachable::Slow),
            }
        })
    }
}
