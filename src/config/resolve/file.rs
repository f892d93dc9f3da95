//! Files that the configuration names: that they are there and hold what they should.

use crate::config::document::{ClientTls, ServerTls};
use crate::config::report::At;
use crate::net::tls;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::PathBuf;

/// A file that is only known to be readable.
pub(super) fn readable(at: &At<'_>, written: &str) -> Option<PathBuf> {
    at.file(written).map(|(path, _)| path)
}

/// A file with a token or a key that must hold at least so many bytes, white space at its end aside.
pub(super) fn secret(at: &At<'_>, written: &str, least: usize) -> Option<PathBuf> {
    let (path, bytes) = at.file(written)?;
    let length = bytes.trim_ascii_end().len();
    if length < least {
        let expected = match least {
            1 => "a file that is not empty".to_owned(),
            _ => format!("a file of at least {least} bytes"),
        };
        at.wrong(
            expected,
            format!("{length} bytes"),
            "put the whole secret into it",
        );
        return None;
    }
    Some(path)
}

/// A file with a token of at least so many visible characters, one line end after it aside.
pub(super) fn token(at: &At<'_>, written: &str, least: usize) -> Option<PathBuf> {
    let remedy = "put a random token into it, such as that of `openssl rand -hex 32`";
    line(at, written, least, remedy)
}

/// A file with a password, one line end after it aside.
pub(super) fn password(at: &At<'_>, written: &str) -> Option<PathBuf> {
    line(at, written, 1, "put the password into it, and nothing else")
}

fn line(at: &At<'_>, written: &str, least: usize, remedy: &str) -> Option<PathBuf> {
    let (path, bytes) = at.file(written)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let token = line.strip_suffix(b"\r").unwrap_or(line);
    let came = if token.len() < least {
        format!("{} bytes", token.len())
    } else if !token.iter().all(u8::is_ascii_graphic) {
        "other bytes".to_owned()
    } else {
        return Some(path);
    };
    let expected = match least {
        1 => "a file with one line of visible ASCII characters".to_owned(),
        _ => format!("a file with one line of at least {least} visible ASCII characters"),
    };
    at.wrong(expected, came, remedy);
    None
}

pub(super) fn client_tls(at: &At<'_>, tls: ClientTls) -> Option<tls::ClientTls> {
    let ClientTls {
        ca_file,
        cert_file,
        key_file,
    } = tls;
    let roots = match ca_file {
        None => Some(None),
        Some(written) => certificates(&at.key("ca_file"), &written).map(Some),
    };
    let identity = match (cert_file, key_file) {
        (None, None) => Some(None),
        (Some(cert), Some(key)) => identity(at, &cert, &key).map(Some),
        (Some(_), None) => {
            at.wrong(
                "`cert_file` with `key_file`",
                "`cert_file` alone",
                "add `key_file`",
            );
            None
        }
        (None, Some(_)) => {
            at.wrong(
                "`key_file` with `cert_file`",
                "`key_file` alone",
                "add `cert_file`",
            );
            None
        }
    };
    Some(tls::ClientTls {
        ca_file: roots?,
        identity: identity?,
    })
}

pub(super) fn server_tls(at: &At<'_>, tls: ServerTls) -> Option<tls::ServerTls> {
    let ServerTls {
        cert_file,
        key_file,
        client_ca_file,
    } = tls;
    let identity = identity(at, &cert_file?, &key_file?);
    let client_ca_file = match client_ca_file {
        None => Some(None),
        Some(written) => certificates(&at.key("client_ca_file"), &written).map(Some),
    };
    Some(tls::ServerTls {
        identity: identity?,
        client_ca_file: client_ca_file?,
    })
}

fn identity(at: &At<'_>, cert: &str, key: &str) -> Option<tls::Identity> {
    let cert_file = certificates(&at.key("cert_file"), cert);
    let key_file = private_key(&at.key("key_file"), key);
    Some(tls::Identity {
        cert_file: cert_file?,
        key_file: key_file?,
    })
}

fn certificates(at: &At<'_>, written: &str) -> Option<PathBuf> {
    let (path, bytes) = at.file(written)?;
    let mut certificates = CertificateDer::pem_slice_iter(&bytes).peekable();
    if certificates.peek().is_some() && certificates.all(|certificate| certificate.is_ok()) {
        return Some(path);
    }
    at.wrong(
        "a PEM file of certificates",
        "something else in that file",
        "put `-----BEGIN CERTIFICATE-----` blocks into it",
    );
    None
}

fn private_key(at: &At<'_>, written: &str) -> Option<PathBuf> {
    let (path, bytes) = at.file(written)?;
    if PrivateKeyDer::from_pem_slice(&bytes).is_ok() {
        return Some(path);
    }
    at.wrong(
        "a PEM file with an unencrypted private key",
        "something else in that file",
        "put a PKCS #8, PKCS #1 or SEC1 block into it",
    );
    None
}
