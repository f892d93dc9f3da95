//! What the credential proved to be: verifies a token and remembers that it did.
//!
//! A token is taken apart by [`jws`], its issuer found among those configured, its key in that
//! issuer's [`keyring`], and its [`claims`] judged; what passed all of it is a [`VerifiedToken`],
//! remembered under the SHA-256 of its bytes.

pub mod claims;
pub mod discovery;
pub mod issuer;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod keyring;
pub mod keyset;
#[cfg(test)]
pub(crate) mod sample;
pub mod verified;

pub use verified::VerifiedToken;

use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::load::Place;
use aws_lc_rs::digest;
use claims::{Claims, ClaimsError};
use issuer::Issuer;
use jws::{Jws, JwsError, Malformed};
use keyring::NoKey;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use verified::{Digest, DigestHasher};

/// Verifies tokens.
#[derive(Debug)]
pub struct Tokens {
    issuers: HashMap<Arc<str>, Arc<Issuer>>,
    remembered: Remembered,
    max_bytes: usize,
}

/// Tokens verified before, by digest; a handle that outlives a reload.
#[derive(Clone, Debug)]
pub struct Remembered {
    cache: Cache<Digest, Arc<VerifiedToken>, DigestHasher>,
}

/// Why a credential is no verified token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is longer than is read at all.
    #[error("{came} bytes: expected at most {most}")]
    TooLarge {
        /// Its length.
        came: usize,
        /// The limit.
        most: usize,
    },
    /// It is not a compact JWS that we can obey.
    #[error("{0}")]
    Malformed(Malformed),
    /// Its `typ` is that of another kind of token (RFC 8725 3.11).
    #[error("the header's typ is not one of token_types")]
    Type,
    /// No configured issuer has its `iss`.
    #[error("no configured issuer has this iss")]
    IssuerUnknown,
    /// Its `alg` is not one that the issuer declares, or not its key's.
    #[error("the header's alg is not one that the issuer declares for this key")]
    AlgorithmNotAllowed,
    /// There is no key for it.
    #[error("{0}")]
    Key(NoKey),
    /// Its signature does not verify.
    #[error("the signature does not verify")]
    SignatureInvalid,
    /// Its claims do not pass.
    #[error("{0}")]
    Claims(ClaimsError),
}

impl From<ClaimsError> for TokenError {
    fn from(error: ClaimsError) -> Self {
        Self::Claims(error)
    }
}

impl From<JwsError> for TokenError {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Malformed(malformed) => Self::Malformed(malformed),
            JwsError::AlgorithmNotAllowed => Self::AlgorithmNotAllowed,
            JwsError::KeyUnknown => Self::Key(NoKey::Unknown),
            JwsError::SignatureInvalid => Self::SignatureInvalid,
        }
    }
}

/// What a refused token said of itself: for the log alone, for nothing of it is proven.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// The configured issuer, where `iss` is one's.
    pub issuer: Option<Arc<Issuer>>,
    /// The header's `kid`, cut short.
    pub key_id: Option<Box<str>>,
}

/// Whether a verification was remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Verified before.
    Before,
    /// Verified now.
    Now,
}

impl Remembered {
    /// Makes room for so many bytes.
    pub fn new(bytes: u64) -> Self {
        Self {
            cache: Cache::builder()
                .max_capacity(bytes)
                // Tokens come and go; how often one was seen says little of whether it will be.
                .eviction_policy(EvictionPolicy::lru())
                .weigher(|_, token: &Arc<VerifiedToken>| token.weight())
                .build_with_hasher(DigestHasher),
        }
    }

    /// Forgets the tokens of issuers and keys that are gone, and with them what they hold on to.
    pub fn forget_dead(&self) {
        for (digest, token) in &self.cache {
            if !token.is_alive() {
                self.cache.invalidate(&*digest);
            }
        }
        self.cache.run_pending_tasks();
    }

    fn size(&self) -> (u64, u64) {
        self.cache.run_pending_tasks();
        (self.cache.entry_count(), self.cache.weighted_size())
    }
}

impl Tokens {
    /// Verifies the tokens of these issuers.
    pub fn new(issuers: &[Arc<Issuer>], remembered: Remembered, max_bytes: usize) -> Self {
        let issuers = issuers
            .iter()
            .map(|issuer| (Arc::clone(&issuer.config().issuer), Arc::clone(issuer)));
        Self {
            issuers: issuers.collect(),
            remembered,
            max_bytes,
        }
    }

    /// Tokens remembered and the bytes they take, as last counted.
    pub fn remembered(&self) -> (u64, u64) {
        self.remembered.size()
    }

    /// Proves a credential to be a token, or tells why it is none.
    ///
    /// `claimed` keeps what a token that is refused said of itself.
    pub async fn verify(
        &self,
        credential: Credential<'_>,
        now: Timestamp,
        instant: Instant,
        place: &Place,
        claimed: &mut Claimed,
    ) -> Result<(Arc<VerifiedToken>, Seen), TokenError> {
        let text = credential.expose();
        self.verify_text(text, now, instant, place, claimed).await
    }

    async fn verify_text(
        &self,
        text: &str,
        now: Timestamp,
        instant: Instant,
        place: &Place,
        claimed: &mut Claimed,
    ) -> Result<(Arc<VerifiedToken>, Seen), TokenError> {
        if text.len() > self.max_bytes {
            return Err(TokenError::TooLarge {
                came: text.len(),
                most: self.max_bytes,
            });
        }
        let digest = Digest::of(&digest::digest(&digest::SHA256, text.as_bytes()));
        if let Some(token) = self.remembered.cache.get(&digest) {
            if token.is_alive() {
                claimed.issuer = Some(Arc::clone(token.issuer()));
                return match token.check_again(now, instant) {
                    Ok(()) => Ok((token, Seen::Before)),
                    Err(error) => {
                        // Expired, it gives up its place; a provider's outage is no reason to.
                        if matches!(error, TokenError::Claims(_)) {
                            self.remembered.cache.invalidate(&digest);
                        }
                        Err(error)
                    }
                };
            }
            self.remembered.cache.invalidate(&digest);
        }
        // Boxed, so that a decision that needs none of it does not carry it along.
        let verified = Box::pin(self.verify_anew(text, now, instant, place, claimed)).await?;
        let token = Arc::new(verified);
        self.remembered.cache.insert(digest, Arc::clone(&token));
        Ok((token, Seen::Now))
    }

    async fn verify_anew(
        &self,
        text: &str,
        now: Timestamp,
        instant: Instant,
        place: &Place,
        claimed: &mut Claimed,
    ) -> Result<VerifiedToken, TokenError> {
        let jws = Jws::parse(text).map_err(TokenError::Malformed)?;
        claimed.key_id = jws.key_id().map(|id| id.chars().take(64).collect());
        let claims = Claims::parse(jws.unverified_payload())?;
        let issuer = self
            .issuers
            .get(claims.issuer())
            .ok_or(TokenError::IssuerUnknown)?;
        claimed.issuer = Some(Arc::clone(issuer));
        let config = issuer.config();
        let key = issuer.verify(&jws, instant, place).await?;
        if !config.accepts_type(jws.token_type()) {
            return Err(TokenError::Type);
        }
        claims.check(config, now)?;
        Ok(VerifiedToken::assert(
            Arc::clone(issuer),
            key,
            claims,
            text.len(),
        ))
    }
}

impl From<NoKey> for TokenError {
    fn from(error: NoKey) -> Self {
        match error {
            NoKey::OtherAlgorithm => Self::AlgorithmNotAllowed,
            NoKey::Unknown | NoKey::Unavailable { .. } | NoKey::Crowded => Self::Key(error),
        }
    }
}

impl TokenError {
    /// When asking again may help, if it may.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Key(NoKey::Unavailable { retry_after }) => Some(*retry_after),
            Self::Key(NoKey::Crowded) => Some(Duration::from_secs(1)),
            Self::Key(NoKey::Unknown | NoKey::OtherAlgorithm)
            | Self::TooLarge { .. }
            | Self::Malformed(_)
            | Self::Type
            | Self::IssuerUnknown
            | Self::AlgorithmNotAllowed
            | Self::SignatureInvalid
            | Self::Claims(_) => None,
        }
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
