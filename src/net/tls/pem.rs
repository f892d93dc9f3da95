//! Certificates and keys out of PEM files (RFC 7468).

use super::TlsError;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::path::Path;

pub(super) type Chain = Vec<CertificateDer<'static>>;
pub(super) type Key = PrivateKeyDer<'static>;

/// All certificates of a file, at least one.
pub(super) fn chain(path: &Path) -> Result<Chain, TlsError> {
    let unfit = |cause: String| TlsError::Certificates {
        path: path.to_owned(),
        cause,
    };
    let chain: Chain = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<_, _>>()
        .map_err(|error| unfit(format!("damaged PEM ({error})")))?;
    if chain.is_empty() {
        return Err(unfit("none".to_owned()));
    }
    Ok(chain)
}

/// The first private key of a file. What the parser says is dropped: it may quote the file.
pub(super) fn key(path: &Path) -> Result<Key, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| TlsError::Key(path.to_owned()))
}

/// All certificates of a file, as trust anchors.
pub(super) fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(path)? {
        roots.add(certificate).map_err(|error| TlsError::Roots {
            path: path.to_owned(),
            cause: error.to_string(),
        })?;
    }
    Ok(roots)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}
