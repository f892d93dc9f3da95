//! TLS for servers and clients, from files that may change.

use std::path::PathBuf;

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
