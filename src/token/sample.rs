//! Verified tokens and issuers for the tests of the slices that read them.

use super::VerifiedToken;
use super::claims::Claims;
use super::issuer::{Algorithm, Audiences, Config, Issuer, KeySource, Keyring, Machines, Tenants};
use super::jwk::Key;
use crate::subject::{self, Format, Normalization, Unmatched};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The `kid` of the key that verified every sample.
pub(crate) const KID: &str = "key-1";

/// An issuer whose key file does not exist; its realm is its URL.
pub(crate) fn config(url: &str) -> Config {
    Config {
        issuer: url.into(),
        name: url.trim_start_matches("https://").into(),
        realm: url.into(),
        keys: KeySource::File("/nonexistent/keys.json".into()),
        keyring: Keyring {
            refresh: Duration::from_secs(3600),
            min_refresh: Duration::from_secs(3600),
            max_stale: Duration::from_secs(3600),
            timeout: Duration::from_secs(1),
        },
        algorithms: vec![Algorithm::EdDSA],
        audiences: Audiences::Any,
        token_types: vec!["JWT".to_owned()],
        required_claims: Vec::new(),
        leeway: Duration::ZERO,
        max_lifetime: Duration::from_secs(86_400),
        clock_ahead: Duration::ZERO,
        tenants: Tenants::Any,
        machines: Machines {
            when: Vec::new(),
            allow: true,
        },
        subject: subject::Config {
            claim: "sub".to_owned(),
            normalize: vec![Normalization::Trim],
            format: Format::Any,
            reserved: Vec::new(),
            rewrite: Vec::new(),
            unmatched: Unmatched::Refuse,
        },
        status_lists: Vec::new(),
    }
}

/// A token of `alice` with these claims besides, as if it had been verified. Call it in a runtime.
pub(crate) fn token(config: Config, claims: &Value) -> Arc<VerifiedToken> {
    let mut all = json!({"iss": &*config.issuer, "sub": "alice", "exp": 4_000_000_000_u64});
    for (name, value) in claims.as_object().expect("claims are an object") {
        all[name] = value.clone();
    }
    let claims = Claims::parse(all.to_string().as_bytes()).expect("claims of the right types");
    // RFC 8037, appendix A.2.
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "kid": KID,
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let key = Key::from_jwk(&key.to_string()).expect("a public key");
    let issuer = Issuer::start(config).expect("an issuer");
    Arc::new(VerifiedToken::assert(issuer, Arc::new(key), claims, 400))
}
