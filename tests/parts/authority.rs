//! A private authority that signs certificates for 127.0.0.1.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
};
use std::fs;
use std::path::Path;
use subgate::net::tls::Identity;

/// A private authority and what it signed, as files.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Writes its own certificate to `NAME.crt`.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new([]).expect("parameters");
        params.distinguished_name = called(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
        fs::write(folder.join(format!("{name}.crt")), authority.pem()).expect("a file");
        Self(authority)
    }

    /// Writes a certificate and its key to `NAME.crt` and `NAME.key`.
    pub(crate) fn signs(&self, folder: &Path, name: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("parameters");
        params.distinguished_name = called(name);
        let leaf = params.signed_by(&key, &self.0).expect("a certificate");
        let identity = Identity {
            cert_file: folder.join(format!("{name}.crt")),
            key_file: folder.join(format!("{name}.key")),
        };
        fs::write(&identity.cert_file, leaf.pem()).expect("a file");
        fs::write(&identity.key_file, key.serialize_pem()).expect("a file");
        identity
    }
}

/// A name of its own: one that is its signer's passes for a certificate that signed itself.
fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}
