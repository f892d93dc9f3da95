//! The configuration: from a text to the checked whole, or to all its mistakes.

mod defaults;
mod directories;
mod example;
mod mistakes;
mod overrides;
mod redis;
mod rewrites;
mod robustness;
mod rules;

use std::fs;
use std::path::Path;
use subgate::config::{self, Loaded};
use subgate::yaml::Mistakes;

/// The smallest configuration.
const SMALLEST: &str = "\
issuers:
- issuer: https://id.example.com/realms/acme
  audiences: [shop-api]
users:
  http:
    url: https://users.example.com/v1/users/{subject}
    not_found: {code: user_not_found}
";

/// A folder with the files that the texts of these tests name.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .and_then(|parameters| parameters.self_signed(&key))
        .expect("a certificate");
    let (certificate, key) = (certificate.pem(), key.serialize_pem());
    let files: [(&str, &[u8]); 11] = [
        ("tls.crt", certificate.as_bytes()),
        ("tls.key", key.as_bytes()),
        ("keys.json", br#"{"keys": []}"#),
        ("secret", &[0x5a; 40]),
        (
            "secret.pem",
            b"-----BEGIN PUBLIC KEY-----\nAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ),
        (
            "secret.json",
            br#"{"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
        ),
        ("token", b"very-secret-token\n"),
        ("empty", b""),
        ("tenants.yaml", b"tenants: [acme]\n"),
        ("users.yaml", b"users: []\n"),
        ("revocations.yaml", b"tokens: []\n"),
    ];
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("a file");
    }
    folder
}

/// Reads a text whose files are in `folder`, without variables.
fn parse_in(folder: &Path, text: &str) -> Result<Loaded, Mistakes> {
    config::parse("subgate.yaml", folder, text, [])
}

fn parse(text: &str) -> Result<Loaded, Mistakes> {
    parse_in(folder().path(), text)
}
