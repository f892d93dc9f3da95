//! JSON Web Signature, compact serialization (RFC 7515): from bytes to a payload that a key signed.
//!
//! `jsonwebtoken` does the cryptography; everything that it lets pass and should not is refused here,
//! before it is asked.

use super::issuer::Algorithm;
use super::json::{self, NotAnObject};
use super::jwk::Key;
use super::keyset::{Choice, KeySet};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The longest header, in encoded bytes (RFC 8725 3.15: bound the work before it is done).
const MAX_HEADER: usize = 2048;

/// Header parameters whose presence refuses a token, since nothing here implements them.
///
/// `crit` names extensions that must be understood (RFC 7515 4.1.11), `b64` changes what is signed
/// (RFC 7797), `enc` and `zip` belong to encryption (RFC 7516).
const REFUSED_PARAMETERS: [&str; 4] = ["crit", "b64", "enc", "zip"];

/// Verifies a compact JWS under a set of keys and gives its payload.
///
/// This is the seam under the claims check: what a payload says is nobody's business here.
pub fn verify_jws(
    token: &str,
    keys: &KeySet,
    algorithms: &[Algorithm],
) -> Result<Vec<u8>, JwsError> {
    let jws = Jws::parse(token)?;
    let algorithm = jws.algorithm(algorithms)?;
    match keys.choose(jws.key_id(), algorithm) {
        Choice::Key(key) => jws.verify(key, algorithm)?,
        Choice::OtherAlgorithm => return Err(JwsError::AlgorithmNotAllowed),
        Choice::Absent | Choice::Ambiguous => return Err(JwsError::KeyUnknown),
    }
    Ok(jws.payload)
}

/// A compact JWS taken apart, of which nothing is proven yet.
#[derive(Debug)]
pub struct Jws<'t> {
    signing_input: &'t str,
    signature: &'t str,
    header: Header,
    payload: Vec<u8>,
}

#[derive(Debug)]
struct Header {
    algorithm: String,
    key_id: Option<String>,
    token_type: Option<String>,
}

/// Why a JWS is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// It is not a compact JWS, or its header is not one we can obey.
    #[error("malformed: {0}")]
    Malformed(Malformed),
    /// Its algorithm is not declared, or not the key's.
    #[error("algorithm is not one that is declared")]
    AlgorithmNotAllowed,
    /// No key fits.
    #[error("no key fits")]
    KeyUnknown,
    /// The key did not sign this.
    #[error("signature does not verify")]
    SignatureInvalid,
}

/// What is wrong with a token's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// A byte that no token has.
    #[error("expected only base64url characters and dots")]
    Characters,
    /// Not three parts, or no header, or no signature.
    #[error("expected three parts separated by dots, header and signature not empty")]
    Parts,
    /// The header is too long.
    #[error("the header is longer than 2048 bytes")]
    HeaderTooLong,
    /// A part is not base64url without padding.
    #[error("a part is not base64url without padding")]
    Base64,
    /// The header is not a JSON object.
    #[error("the header is not a JSON object with unique names")]
    HeaderJson,
    /// A header parameter has another type than its RFC gives it.
    #[error("a header parameter is missing or has the wrong type")]
    HeaderType,
    /// The header asks for what is not implemented.
    #[error("the header has crit, b64, enc, zip or a nested token's cty")]
    HeaderParameter,
}

impl From<Malformed> for JwsError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl<'t> Jws<'t> {
    /// Takes a token apart; the caller has bounded its length.
    pub fn parse(token: &'t str) -> Result<Self, Malformed> {
        if !token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        {
            return Err(Malformed::Characters);
        }
        let mut parts = token.splitn(4, '.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Malformed::Parts);
        };
        // An empty payload is one that can be signed (RFC 7515 5.1); claims it has none.
        if header.is_empty() || signature.is_empty() {
            return Err(Malformed::Parts);
        }
        if header.len() > MAX_HEADER {
            return Err(Malformed::HeaderTooLong);
        }
        let signing_input = token
            .get(..header.len() + 1 + payload.len())
            .ok_or(Malformed::Parts)?;
        Ok(Self {
            signing_input,
            signature,
            header: Header::parse(&decode(header)?)?,
            payload: decode(payload)?,
        })
    }

    /// The payload's bytes, unproven.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload's bytes, for whoever has checked the signature.
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// The header's `kid`, an attacker's to choose: looked up in a map, used for nothing else.
    pub fn key_id(&self) -> Option<&str> {
        self.header.key_id.as_deref()
    }

    /// The header's `typ`.
    pub fn token_type(&self) -> Option<&str> {
        self.header.token_type.as_deref()
    }

    /// The header's `alg`, if it is one of those declared.
    pub fn algorithm(&self, declared: &[Algorithm]) -> Result<Algorithm, JwsError> {
        Algorithm::parse(&self.header.algorithm)
            .filter(|algorithm| declared.contains(algorithm))
            .ok_or(JwsError::AlgorithmNotAllowed)
    }

    /// Checks the signature under one key.
    pub fn verify(&self, key: &Arc<Key>, algorithm: Algorithm) -> Result<(), JwsError> {
        if key.verifies(self.signing_input.as_bytes(), self.signature, algorithm) {
            Ok(())
        } else {
            Err(JwsError::SignatureInvalid)
        }
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let parameters = json::object(bytes).map_err(|_: NotAnObject| Malformed::HeaderJson)?;
        if REFUSED_PARAMETERS
            .iter()
            .any(|name| parameters.contains_key(*name))
        {
            return Err(Malformed::HeaderParameter);
        }
        let content_type = text(&parameters, "cty")?;
        if content_type.is_some_and(|cty| media_type_is(&cty, "JWT")) {
            return Err(Malformed::HeaderParameter);
        }
        Ok(Self {
            algorithm: text(&parameters, "alg")?.ok_or(Malformed::HeaderType)?,
            key_id: text(&parameters, "kid")?,
            token_type: text(&parameters, "typ")?,
        })
    }
}

/// Whether two media types are one, where `application/` may be left out (RFC 7515 4.1.9).
pub fn media_type_is(came: &str, expected: &str) -> bool {
    short(came).eq_ignore_ascii_case(short(expected))
}

fn short(media_type: &str) -> &str {
    match media_type.split_once('/') {
        Some((top, rest)) if top.eq_ignore_ascii_case("application") && !rest.contains('/') => rest,
        Some(_) | None => media_type,
    }
}

fn text(parameters: &Map<String, Value>, name: &str) -> Result<Option<String>, Malformed> {
    match parameters.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_),
        ) => Err(Malformed::HeaderType),
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Malformed> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformed::Base64)
}

#[cfg(test)]
mod tests;
