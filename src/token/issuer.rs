//! What one issuer may sign, and for whom.

use super::TokenError;
use super::discovery::{FetchError, Source};
use super::jwk::Key;
use super::jws::{Jws, media_type_is};
use super::keyring;
use crate::load::Place;
use crate::net::http::HttpError;
use crate::net::prefix::Prefix;
use crate::net::tls::ClientTls;
use crate::net::watch::Watch;
use crate::subject;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

/// One issuer, as configured and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The issuer's identifier, compared byte by byte with `iss`.
    pub issuer: Arc<str>,
    /// A short unique name for metrics and logs.
    pub name: Arc<str>,
    /// The namespace of its subjects.
    pub realm: Arc<str>,
    /// Where its keys come from.
    pub keys: KeySource,
    /// How its keys are kept.
    pub keyring: Keyring,
    /// The algorithms it signs with.
    pub algorithms: Vec<Algorithm>,
    /// The audiences of which a token must name one.
    pub audiences: Audiences,
    /// The header `typ` a token may bear, if it bears any.
    pub token_types: Vec<String>,
    /// Claims without which a token is malformed, beside `iss`, `exp` and the audience.
    pub required_claims: Vec<String>,
    /// How far clocks may be apart.
    pub leeway: Duration,
    /// The longest life of a token.
    pub max_lifetime: Duration,
    /// Added to revocation instants, for an issuer whose clock runs ahead.
    pub clock_ahead: Duration,
    /// The tenants it may speak for.
    pub tenants: Tenants,
    /// How its client-credentials tokens are told, and whether they pass.
    pub machines: Machines,
    /// How it writes subjects.
    pub subject: subject::Config,
    /// Where its status lists may be.
    pub status_lists: Vec<Prefix>,
}

/// Where an issuer's keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `{issuer}/.well-known/openid-configuration` (OpenID Connect Discovery 1.0).
    Discovery {
        /// How the provider is reached.
        tls: ClientTls,
    },
    /// A key set at a known URL.
    Url {
        /// The URL.
        url: Url,
        /// How it is reached.
        tls: ClientTls,
    },
    /// A key set in a watched file.
    File(PathBuf),
    /// One HMAC secret, the raw bytes of a watched file.
    Secret(PathBuf),
}

/// How an issuer's keys are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring {
    /// How often the set is fetched anew.
    pub refresh: Duration,
    /// The least interval between fetches for unknown key ids.
    pub min_refresh: Duration,
    /// How long kept keys serve while the provider is down.
    pub max_stale: Duration,
    /// The time-out of one fetch.
    pub timeout: Duration,
}

/// A signature algorithm (RFC 7518 3.1, RFC 8037) that an issuer may declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// ECDSA with P-384 and SHA-384.
    ES384,
    /// Ed25519 under the name of RFC 8037.
    EdDSA,
    /// Ed25519 under the fully specified name of RFC 9864.
    Ed25519,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::HS256,
        Self::HS384,
        Self::HS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
        Self::Ed25519,
    ];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The algorithm of this registered name; names are case-sensitive (RFC 7515 4.1.1).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    /// Whether it is an HMAC, and its key a shared secret.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }
}

/// Which audiences an issuer's tokens may be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audiences {
    /// Any, and none: written out by the operator as `any`.
    Any,
    /// One of these.
    Of(Vec<String>),
}

/// Which tenants an issuer may speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tenants {
    /// All.
    Any,
    /// These, normalized.
    Of(BTreeSet<String>),
}

/// How client-credentials tokens are told from users' tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machines {
    /// A token is a machine's if any of these claims has this value.
    pub when: Vec<ClaimIs>,
    /// Whether a machine passes, without a user.
    pub allow: bool,
}

/// A claim with a value: a string equal to it, or an array of strings that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimIs {
    /// The claim's name.
    pub claim: String,
    /// The value.
    pub is: String,
}

/// An issuer at work: its configuration and its keys.
#[derive(Debug)]
pub struct Issuer {
    config: Config,
    keyring: Arc<keyring::Keyring>,
    alive: AtomicBool,
    keeper: AbortOnDropHandle<()>,
}

impl Issuer {
    /// Takes an issuer up; its keys are fetched at once and kept fresh until it is dropped.
    pub fn start(config: Config) -> Result<Arc<Self>, HttpError> {
        let source = Source::new(
            &config.issuer,
            &config.keys,
            &config.algorithms,
            config.keyring.timeout,
        )?;
        let keyring =
            keyring::Keyring::new(Arc::clone(&config.name), source, config.keyring.clone());
        let keyring = Arc::new(keyring);
        let watch = keyring.file().map(|path| Watch::new(vec![path.clone()]));
        let keeper = tokio::spawn(Arc::clone(&keyring).keep_fresh(watch));
        Ok(Arc::new(Self {
            config,
            keyring,
            alive: AtomicBool::new(true),
            keeper: AbortOnDropHandle::new(keeper),
        }))
    }

    /// Asks an issuer for its keys once, without taking it up; answers how many of them can be used.
    pub async fn ask(config: &Config) -> Result<usize, FetchError> {
        let source = Source::new(
            &config.issuer,
            &config.keys,
            &config.algorithms,
            config.keyring.timeout,
        )?;
        Ok(source.fetch().await?.keys().len())
    }

    /// What it may sign.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Its keys.
    pub const fn keyring(&self) -> &Arc<keyring::Keyring> {
        &self.keyring
    }

    /// Checks that it signed something, with an algorithm that it declares; answers with which key.
    pub async fn verify(
        &self,
        jws: &Jws<'_>,
        now: Instant,
        place: &Place,
    ) -> Result<Arc<Key>, TokenError> {
        let algorithm = jws.algorithm(&self.config.algorithms)?;
        let key = self
            .keyring
            .find(jws.key_id(), algorithm, now, place)
            .await?;
        jws.verify(&key, algorithm)?;
        Ok(key)
    }

    /// Whether it is still configured so; a remembered token of one that is not is forgotten.
    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    /// Takes it out of service, its remembered tokens with it.
    pub fn retire(&self) {
        self.alive.store(false, Ordering::Relaxed);
        self.keeper.abort();
    }
}

impl Config {
    /// Whether a token's `typ` is one that is expected; without one there is nothing to compare.
    ///
    /// RFC 8725 3.11, with RFC 7515 4.1.9 on how media types are written.
    pub fn accepts_type(&self, came: Option<&str>) -> bool {
        came.is_none_or(|came| {
            self.token_types
                .iter()
                .any(|expected| media_type_is(came, expected))
        })
    }
}
