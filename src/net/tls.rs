//! TLS for servers and clients, from files that may change.

mod pem;

use crate::net::listen::Stream;
use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

pub use tokio_rustls::server::TlsStream;

/// How long a client may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(5);

const VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// How a client knows its server and shows itself.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ClientTls {
    /// Roots to trust instead of the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// The certificate and key it presents, PEM.
    pub identity: Option<Identity>,
}

/// A certificate chain and its key, PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The chain, leaf first.
    pub cert_file: PathBuf,
    /// The key, PKCS #8, PKCS #1 or SEC1.
    pub key_file: PathBuf,
}

/// How a server shows itself and knows its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// What it presents.
    pub identity: Identity,
    /// Roots that a client's certificate must lead to; without it clients stay unknown.
    pub client_ca_file: Option<PathBuf>,
}

impl ClientTls {
    /// Reads the files into what rustls asks for; TLS 1.2 and 1.3.
    ///
    /// `protocols` are offered by ALPN, the preferred first. Without `ca_file` the system's roots are
    /// trusted; where it has none a warning is logged and no peer is trusted.
    pub fn load(&self, protocols: &[&[u8]]) -> Result<ClientConfig, TlsError> {
        let roots = match &self.ca_file {
            Some(path) => pem::roots(path)?,
            None => system_roots(),
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(TlsError::Provider)?
            .with_root_certificates(roots);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (chain, key) = identity.load()?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|source| identity.unfit(source))?
            }
        };
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }

    /// The files it is read from, to be watched.
    pub fn files(&self) -> Vec<PathBuf> {
        let identity = self.identity.iter().flat_map(Identity::files);
        identity.chain(self.ca_file.clone()).collect()
    }
}

impl ServerTls {
    /// The files it is read from, to be watched.
    pub fn files(&self) -> Vec<PathBuf> {
        let identity = self.identity.files().into_iter();
        identity.chain(self.client_ca_file.clone()).collect()
    }

    fn load(&self, protocol: &[u8]) -> Result<ServerConfig, TlsError> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(TlsError::Provider)?;
        let builder = match &self.client_ca_file {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let roots = Arc::new(pem::roots(path)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider())
                    .build()
                    .map_err(|error| TlsError::Roots {
                        path: path.clone(),
                        cause: error.to_string(),
                    })?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let (chain, key) = self.identity.load()?;
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|source| self.identity.unfit(source))?;
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(config)
    }
}

impl Identity {
    fn files(&self) -> [PathBuf; 2] {
        [self.cert_file.clone(), self.key_file.clone()]
    }

    fn load(&self) -> Result<(pem::Chain, pem::Key), TlsError> {
        Ok((pem::chain(&self.cert_file)?, pem::key(&self.key_file)?))
    }

    fn unfit(&self, source: rustls::Error) -> TlsError {
        TlsError::Identity {
            cert_file: self.cert_file.clone(),
            key_file: self.key_file.clone(),
            source,
        }
    }
}

/// Shakes hands as a server, with certificates that can be exchanged while it runs.
#[derive(Clone)]
pub struct Acceptor(Arc<Inner>);

struct Inner {
    settings: ServerTls,
    /// What is spoken behind it, by ALPN.
    protocol: &'static [u8],
    current: ArcSwap<ServerConfig>,
}

impl Acceptor {
    /// Reads the files for the first time; behind it HTTP/2 is spoken.
    pub fn new(settings: &ServerTls) -> Result<Self, TlsError> {
        Self::speaking(b"h2", settings)
    }

    /// The same, with HTTP/1.1 behind it.
    pub fn http1(settings: &ServerTls) -> Result<Self, TlsError> {
        Self::speaking(b"http/1.1", settings)
    }

    fn speaking(protocol: &'static [u8], settings: &ServerTls) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(Inner {
            current: ArcSwap::from_pointee(settings.load(protocol)?),
            settings: settings.clone(),
            protocol,
        })))
    }

    /// Reads the files again, for later handshakes; on an error the old ones stay in force.
    ///
    /// No session of an earlier version can be resumed, so a client that the new roots do not
    /// vouch for is out.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = self.0.settings.load(self.0.protocol)?;
        self.0.current.store(Arc::new(config));
        Ok(())
    }

    /// The files it is read from, to be watched.
    pub fn files(&self) -> Vec<PathBuf> {
        self.0.settings.files()
    }

    /// Shakes hands, within five seconds.
    pub async fn accept(&self, stream: Stream) -> Result<TlsStream<Stream>, TlsError> {
        let acceptor = TlsAcceptor::from(self.0.current.load_full());
        match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(done) => done.map_err(TlsError::Handshake),
            Err(_) => Err(TlsError::HandshakeTimeout),
        }
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Acceptor").field(&self.0.settings).finish()
    }
}

/// Named each time, so that no process-wide default is needed.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let causes: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        tracing::warn!(
            causes = causes.join("; "),
            "the system has no root certificates: no TLS peer will be trusted; install a CA bundle or set ca_file"
        );
    }
    roots
}

/// What is wrong with certificates, keys or a handshake. No variant holds any byte of a key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No certificate is in it.
    #[error("expected PEM certificates in {}, found {cause}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        cause: String,
    },
    /// No key is in it.
    #[error(
        "expected one private key in {}, PEM in PKCS #8, PKCS #1 or SEC1 and not encrypted, found none",
        .0.display()
    )]
    Key(PathBuf),
    /// Its certificates cannot be trust anchors.
    #[error("expected CA certificates in {}: {cause}", path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// Certificate and key do not belong together, or one of them is of a kind we cannot use.
    #[error(
        "expected the key in {} to be that of the first certificate in {}: {source}",
        key_file.display(),
        cert_file.display()
    )]
    Identity {
        /// The chain's file.
        cert_file: PathBuf,
        /// The key's file.
        key_file: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The cryptography in this build lacks what TLS needs.
    #[error("cannot set up TLS: {0}")]
    Provider(rustls::Error),
    /// The client broke off, or what it sent did not convince.
    #[error("TLS handshake failed: {0}")]
    Handshake(io::Error),
    /// The client took too long.
    #[error("TLS handshake took longer than 5 s")]
    HandshakeTimeout,
}

#[cfg(test)]
mod tests;
