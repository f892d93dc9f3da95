//! The key `keys` of an issuer.

use super::url::{self, Plain};
use super::{file, quantity};
use crate::config::document::{Keys, Period};
use crate::config::report::At;
use crate::token::issuer::{Algorithm, KeySource, Keyring};
use serde_json::Value;
use std::path::PathBuf;

/// Where keys come from, and how they are kept.
pub(super) fn resolve(
    at: &At<'_>,
    keys: Keys,
    algorithms: (&At<'_>, &[Algorithm]),
) -> Option<(KeySource, Keyring)> {
    let Keys {
        discovery,
        jwks_url,
        jwks_file,
        secret_file,
        allow_plaintext,
        refresh,
        min_refresh,
        max_stale,
        timeout,
        tls,
    } = keys;
    let keyring = keyring(at, refresh, min_refresh, max_stale, timeout);
    let tls = file::client_tls(&at.key("tls"), tls);
    if allow_plaintext {
        at.key("allow_plaintext").warn(
            "true",
            "keys may be fetched in plain text, where anyone may replace them",
        );
    }
    let discovers = discovery.unwrap_or_else(|| {
        jwks_url.is_none() && jwks_file.is_none() && secret_file.is_none() && !at.is_spoiled()
    });
    if secret_file.is_none() {
        public_key_algorithms(algorithms);
    }
    let source = match (discovers, jwks_url, jwks_file, secret_file) {
        (true, None, None, None) => Some(KeySource::Discovery { tls: tls? }),
        (false, Some(written), None, None) => {
            let url = url::fetched(
                &at.key("jwks_url"),
                &written,
                "https://id.example.com/path",
                Plain::Loopback,
                allow_plaintext,
            );
            Some(KeySource::Url {
                url: url?,
                tls: tls?,
            })
        }
        (false, None, Some(written), None) => {
            key_set(&at.key("jwks_file"), &written).map(KeySource::File)
        }
        (false, None, None, Some(written)) => {
            secret(&at.key("secret_file"), &written, algorithms).map(KeySource::Secret)
        }
        (false, None, None, None) if at.is_spoiled() => None,
        (discovers, url, file, secret) => {
            let written = [
                ("discovery", discovers),
                ("jwks_url", url.is_some()),
                ("jwks_file", file.is_some()),
                ("secret_file", secret.is_some()),
            ];
            let written: Vec<_> = written
                .iter()
                .filter(|(_, is_written)| *is_written)
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            let came = match written.as_slice() {
                [] => "none".to_owned(),
                written => written.join(" and "),
            };
            at.wrong(
                "exactly one source of keys",
                came,
                "keep one of `discovery`, `jwks_url`, `jwks_file`, `secret_file`",
            );
            None
        }
    };
    Some((source?, keyring?))
}

fn keyring(
    at: &At<'_>,
    refresh: Period,
    min_refresh: Period,
    max_stale: Period,
    timeout: Period,
) -> Option<Keyring> {
    let second = Period::secs(1);
    let longest = quantity::LONGEST;
    let bounded_refresh = quantity::within(&at.key("refresh"), refresh, second, longest);
    let min_refresh = quantity::within(
        &at.key("min_refresh"),
        min_refresh,
        Period::millis(100),
        refresh.max(second),
    );
    let max_stale = quantity::within(
        &at.key("max_stale"),
        max_stale,
        refresh.min(longest),
        longest,
    );
    let timeout = quantity::within(
        &at.key("timeout"),
        timeout,
        Period::millis(1),
        Period::secs(60),
    );
    Some(Keyring {
        refresh: bounded_refresh?,
        min_refresh: min_refresh?,
        max_stale: max_stale?,
        timeout: timeout?,
    })
}

/// A public key must never serve as the secret of an HMAC (RFC 8725 2.1).
fn public_key_algorithms((at, algorithms): (&At<'_>, &[Algorithm])) {
    for (index, algorithm) in algorithms.iter().enumerate() {
        if algorithm.is_symmetric() {
            at.item(index).wrong(
                "an algorithm of public keys",
                format!("`{}`", algorithm.as_str()),
                "remove it, or name the shared secret in `keys.secret_file`",
            );
        }
    }
}

fn key_set(at: &At<'_>, written: &str) -> Option<PathBuf> {
    let (path, bytes) = at.file(written)?;
    let set: Option<Value> = serde_json::from_slice(&bytes).ok();
    if set.is_some_and(|set| set.get("keys").is_some_and(Value::is_array)) {
        return Some(path);
    }
    at.wrong(
        "a JWK Set (RFC 7517)",
        "something else in that file",
        "put `{\"keys\": […]}` into it",
    );
    None
}

fn secret(
    at: &At<'_>,
    written: &str,
    (at_algorithms, algorithms): (&At<'_>, &[Algorithm]),
) -> Option<PathBuf> {
    let mut least = 32;
    for (index, algorithm) in algorithms.iter().enumerate() {
        match algorithm {
            Algorithm::HS256 => {}
            Algorithm::HS384 => least = least.max(48),
            Algorithm::HS512 => least = least.max(64),
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512
            | Algorithm::ES256
            | Algorithm::ES384
            | Algorithm::EdDSA
            | Algorithm::Ed25519 => at_algorithms.item(index).wrong(
                "HS256, HS384 or HS512, because the key is a shared secret",
                format!("`{}`", algorithm.as_str()),
                "write for example `algorithms: [HS256]`",
            ),
        }
    }
    let (path, bytes) = at.file(written)?;
    let text = bytes.trim_ascii();
    let is_pem = text.starts_with(b"-----BEGIN");
    let is_json = matches!(
        serde_json::from_slice(text),
        Ok(Value::Object(_) | Value::Array(_))
    );
    if is_pem || is_json {
        at.wrong(
            "the bytes of a shared secret",
            if is_pem { "a PEM text" } else { "a JSON text" },
            "put the bare secret into the file; public keys stand in `keys.jwks_file`",
        );
        return None;
    }
    if bytes.len() < least {
        at.wrong(
            format!("a secret of at least {least} bytes for these algorithms (RFC 7518 3.2)"),
            format!("{} bytes", bytes.len()),
            format!("make one: `openssl rand {least} > FILE`"),
        );
        return None;
    }
    if bytes.ends_with(b"\n") {
        at.warn("…", "the secret ends in a line break, which is part of it");
    }
    Some(path)
}
