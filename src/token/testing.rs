//! Signing keys, tokens and a provider, for the tests of this slice.

mod provider;
mod signer;

pub(super) use provider::Provider;
pub(super) use signer::{SECRET, Signer, mac, public_key_forms};

use super::issuer::{Algorithm, Audiences, Config, KeySource, Keyring, Machines, Tenants};
use crate::clock::Timestamp;
use crate::subject;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::time::Duration;

/// Now, for all tests: 2026-09-21T14:13:20Z.
pub(super) const NOW: u64 = 1_790_000_000;

pub(super) fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A set of these keys, as published.
pub(super) fn jwks(keys: &[Value]) -> Vec<u8> {
    json!({"keys": keys}).to_string().into()
}

/// Claims that pass [`config`] now.
pub(super) fn claims() -> Value {
    json!({
        "iss": "https://issuer.example", "sub": "alice", "aud": "shop-api",
        "iat": NOW - 10, "exp": NOW + 300,
    })
}

/// [`claims`] with some changed; null takes one away.
pub(super) fn claims_with(changes: &Value) -> Value {
    changed(claims(), changes)
}

fn changed(mut object: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    object
}

/// The text of an object with members put in front as they are written.
pub(super) fn with_raw(members: &str, object: &Value) -> String {
    let text = object.to_string();
    format!("{{{members},{}", text.strip_prefix('{').unwrap())
}

/// An issuer for `shop-api`, without leeway.
pub(super) fn config(keys: KeySource) -> Config {
    Config {
        issuer: "https://issuer.example".into(),
        name: "acme".into(),
        realm: "https://issuer.example".into(),
        keys,
        keyring: settings(),
        algorithms: vec![Algorithm::ES256],
        audiences: Audiences::Of(vec!["shop-api".to_owned()]),
        token_types: vec!["at+jwt".to_owned(), "JWT".to_owned()],
        required_claims: Vec::new(),
        leeway: Duration::ZERO,
        max_lifetime: Duration::from_secs(3600),
        clock_ahead: Duration::ZERO,
        tenants: Tenants::Any,
        machines: Machines {
            when: Vec::new(),
            allow: false,
        },
        subject: subject::Config {
            claim: "sub".to_owned(),
            normalize: Vec::new(),
            format: subject::Format::Any,
            reserved: Vec::new(),
            rewrite: Vec::new(),
            unmatched: subject::Unmatched::Refuse,
        },
        status_lists: Vec::new(),
    }
}

pub(super) fn settings() -> Keyring {
    Keyring {
        refresh: Duration::from_secs(300),
        min_refresh: Duration::from_secs(10),
        max_stale: Duration::from_secs(3600),
        timeout: Duration::from_secs(30),
    }
}
