//! One JSON Web Key (RFC 7517, RFC 7518 6, RFC 8037), judged by itself.

mod material;

use super::issuer::Algorithm;
use super::json;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use material::{ec, okp, optional, required, rsa, thumbprint};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The name of a shared secret.
const SECRET: &str = "secret";

/// Members that only a private or symmetric key has.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A key that can verify signatures, and the algorithms it is for.
///
/// `Debug` shows what it is and never what it holds.
pub struct Key {
    id: Option<Arc<str>>,
    name: Arc<str>,
    thumbprint: Arc<str>,
    kind: Kind,
    only: Option<Algorithm>,
    material: DecodingKey,
    alive: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
    Secret { bytes: usize },
}

/// Why a key is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no JSON object with unique names.
    #[error("expected a JSON object with unique member names")]
    NotAnObject,
    /// A member is missing, has another type, or holds what its RFC forbids.
    #[error("member `{0}` is missing or is not what RFC 7517 and 7518 say")]
    Member(&'static str),
    /// A kind of key that no algorithm here uses.
    #[error("key type, curve or algorithm is not supported")]
    Unsupported,
    /// It is not for verifying signatures.
    #[error("key is not for verifying signatures")]
    NotForVerifying,
    /// It holds private or symmetric material, which has no place in a published set.
    #[error("key holds private or symmetric material: whoever published it must replace it")]
    Private,
    /// The RSA modulus or exponent is out of bounds.
    #[error("RSA modulus must have 2048 to 8192 bits and the exponent be odd and at least 3")]
    RsaSize,
    /// The point is not on the curve, or of small order.
    #[error("public key is not a usable point of its curve")]
    Point,
    /// The secret is a public key, or a set of keys, by mistake: anybody could sign with it.
    #[error("expected the bytes of a secret, found a PEM or JSON text")]
    NotASecret,
    /// The secret is shorter than the hash (RFC 7518 3.2).
    #[error("secret of {came} bytes: expected at least {least}")]
    SecretTooShort {
        /// The secret's length in bytes.
        came: usize,
        /// The least length for the declared algorithms.
        least: usize,
    },
}

impl Key {
    /// Reads one public key of a published set.
    pub fn from_jwk(json: &str) -> Result<Self, KeyError> {
        let members = json::object(json.as_bytes()).map_err(|_| KeyError::NotAnObject)?;
        let id = optional(&members, "kid")?.map(Arc::from);
        if PRIVATE_MEMBERS
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(KeyError::Private);
        }
        let only = match optional(&members, "alg")? {
            Some(name) => Some(Algorithm::parse(name).ok_or(KeyError::Unsupported)?),
            None => None,
        };
        for_verifying(&members)?;
        let (kind, material, canonical) = match required(&members, "kty")? {
            "RSA" => rsa(&members)?,
            "EC" => ec(&members)?,
            "OKP" => okp(&members)?,
            _ => return Err(KeyError::Unsupported),
        };
        let thumbprint = thumbprint(canonical.as_bytes());
        let key = Self {
            name: id.clone().unwrap_or_else(|| Arc::clone(&thumbprint)),
            id,
            thumbprint,
            kind,
            only,
            material,
            alive: AtomicBool::new(true),
        };
        match key.only {
            Some(only) if !key.kind.does(only) => Err(KeyError::Member("alg")),
            Some(_) | None => Ok(key),
        }
    }

    /// Takes a shared secret, which must be as long as the hash of each declared algorithm.
    pub fn from_secret(secret: &[u8], declared: &[Algorithm]) -> Result<Self, KeyError> {
        let text = secret.trim_ascii();
        let is_json = serde_json::from_slice::<Value>(text)
            .is_ok_and(|value| value.is_object() || value.is_array());
        if is_json || text.starts_with(b"-----BEGIN") {
            return Err(KeyError::NotASecret);
        }
        let least = declared
            .iter()
            .filter_map(|algorithm| hash_bytes(*algorithm))
            .max()
            .unwrap_or(32);
        if secret.len() < least {
            return Err(KeyError::SecretTooShort {
                came: secret.len(),
                least,
            });
        }
        let canonical = format!(
            r#"{{"k":"{}","kty":"oct"}}"#,
            URL_SAFE_NO_PAD.encode(secret)
        );
        Ok(Self {
            id: None,
            name: SECRET.into(),
            thumbprint: thumbprint(canonical.as_bytes()),
            kind: Kind::Secret {
                bytes: secret.len(),
            },
            only: None,
            material: DecodingKey::from_secret(secret),
            alive: AtomicBool::new(true),
        })
    }

    /// The key's `kid`, if it has one.
    pub fn id(&self) -> Option<&Arc<str>> {
        self.id.as_ref()
    }

    /// The name under which the key is logged and revoked: its `kid`, else its thumbprint; of a shared
    /// secret `secret`, since its thumbprint would let anybody try guesses (RFC 7638 7).
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether the key is still in its issuer's set.
    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    /// Marks the key as gone, for remembered tokens too.
    pub(crate) fn retire(&self) {
        self.alive.store(false, Ordering::Relaxed);
    }

    /// Whether this is the same key: same name, same material, for the same algorithms.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
            && self.thumbprint == other.thumbprint
            && self.kind == other.kind
            && self.only == other.only
    }

    /// Whether signatures of this algorithm may be checked under this key.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.kind.does(algorithm) && self.only.is_none_or(|only| same_operation(only, algorithm))
    }

    /// Whether this key made this signature; `signature` is base64url.
    pub(super) fn verifies(&self, message: &[u8], signature: &str, algorithm: Algorithm) -> bool {
        self.fits(algorithm)
            && jsonwebtoken::crypto::verify(
                signature,
                message,
                &self.material,
                operation(algorithm),
            )
            .unwrap_or(false)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

impl Kind {
    fn does(self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => match self {
                Self::Secret { bytes } => hash_bytes(algorithm).is_some_and(|least| bytes >= least),
                Self::Rsa | Self::P256 | Self::P384 | Self::Ed25519 => false,
            },
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => self == Self::Rsa,
            Algorithm::ES256 => self == Self::P256,
            Algorithm::ES384 => self == Self::P384,
            Algorithm::EdDSA | Algorithm::Ed25519 => self == Self::Ed25519,
        }
    }
}

/// The least secret of an HMAC in bytes, the length of its hash (RFC 7518 3.2).
const fn hash_bytes(algorithm: Algorithm) -> Option<usize> {
    match algorithm {
        Algorithm::HS256 => Some(32),
        Algorithm::HS384 => Some(48),
        Algorithm::HS512 => Some(64),
        Algorithm::RS256
        | Algorithm::RS384
        | Algorithm::RS512
        | Algorithm::PS256
        | Algorithm::PS384
        | Algorithm::PS512
        | Algorithm::ES256
        | Algorithm::ES384
        | Algorithm::EdDSA
        | Algorithm::Ed25519 => None,
    }
}

/// `EdDSA` with an Ed25519 key and `Ed25519` are one operation under two names (RFC 9864).
fn same_operation(one: Algorithm, two: Algorithm) -> bool {
    operation(one) == operation(two)
}

const fn operation(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::HS256 => jsonwebtoken::Algorithm::HS256,
        Algorithm::HS384 => jsonwebtoken::Algorithm::HS384,
        Algorithm::HS512 => jsonwebtoken::Algorithm::HS512,
        Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::RS384 => jsonwebtoken::Algorithm::RS384,
        Algorithm::RS512 => jsonwebtoken::Algorithm::RS512,
        Algorithm::PS256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::PS384 => jsonwebtoken::Algorithm::PS384,
        Algorithm::PS512 => jsonwebtoken::Algorithm::PS512,
        Algorithm::ES256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::ES384 => jsonwebtoken::Algorithm::ES384,
        Algorithm::EdDSA | Algorithm::Ed25519 => jsonwebtoken::Algorithm::EdDSA,
    }
}

/// Judges `use` and `key_ops`; where both stand they must agree (RFC 7517 4.3).
fn for_verifying(members: &Map<String, Value>) -> Result<(), KeyError> {
    let used = optional(members, "use")?;
    if used.is_some_and(|used| used != "sig") {
        return Err(KeyError::NotForVerifying);
    }
    let Some(operations) = members.get("key_ops") else {
        return Ok(());
    };
    let operations = operations.as_array().ok_or(KeyError::Member("key_ops"))?;
    let mut seen = BTreeSet::new();
    for operation in operations {
        let operation = operation.as_str().ok_or(KeyError::Member("key_ops"))?;
        let agrees = used.is_none() || matches!(operation, "sign" | "verify");
        if !agrees || !seen.insert(operation) {
            return Err(KeyError::Member("key_ops"));
        }
    }
    if seen.contains("verify") {
        Ok(())
    } else {
        Err(KeyError::NotForVerifying)
    }
}

#[cfg(test)]
mod tests;
