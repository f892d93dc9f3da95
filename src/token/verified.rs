//! A token whose signature, issuer, audience and times were checked, and the memory of it.

use super::TokenError;
use super::claims::Claims;
use super::issuer::Issuer;
use super::jwk::Key;
use crate::clock::Timestamp;
use crate::subject::{Subject, SubjectError};
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use tokio::time::Instant;

/// A token that proved to be what it claims.
///
/// Only the verification makes one, so whoever holds it need not check again; one that is kept is
/// asked for [`is_alive`](Self::is_alive) and [`check_again`](Self::check_again) at each use. Its
/// `Debug` shows the claims' issuer and nothing else.
pub struct VerifiedToken {
    issuer: Arc<Issuer>,
    key: Arc<Key>,
    claims: Claims,
    subject: Result<Subject, SubjectError>,
    machine: bool,
    bytes: usize,
}

impl VerifiedToken {
    /// Asserts that all checks were made; called where they are.
    pub(super) fn assert(issuer: Arc<Issuer>, key: Arc<Key>, claims: Claims, bytes: usize) -> Self {
        let subject = Subject::read(
            &issuer.config().subject,
            claims.get(&issuer.config().subject.claim),
        );
        let when = &issuer.config().machines.when;
        let machine = claims.subject_is_client() || when.iter().any(|claim| claims.has(claim));
        Self {
            issuer,
            key,
            claims,
            subject,
            machine,
            bytes,
        }
    }

    /// Who signed it.
    pub const fn issuer(&self) -> &Arc<Issuer> {
        &self.issuer
    }

    /// The key that verified.
    pub const fn key(&self) -> &Arc<Key> {
        &self.key
    }

    /// What it claims.
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Whom it names: read once, since it follows from the token and its issuer alone.
    pub const fn subject(&self) -> &Result<Subject, SubjectError> {
        &self.subject
    }

    /// Whether a client asked for it in its own name (client credentials): by the issuer's rule, or
    /// because its subject is the client (RFC 9700 4.15).
    pub const fn is_machine(&self) -> bool {
        self.machine
    }

    /// Whether its key is still its issuer's and its issuer still configured as it was.
    pub(super) fn is_alive(&self) -> bool {
        self.key.is_alive() && self.issuer.is_alive()
    }

    /// Checks what time changes: the token's window and the age of its issuer's keys.
    pub(super) fn check_again(&self, now: Timestamp, instant: Instant) -> Result<(), TokenError> {
        if !self.issuer.keyring().is_usable(instant) {
            return Err(TokenError::Key(self.issuer.keyring().unavailable(instant)));
        }
        Ok(self.claims.check_window(self.issuer.config().leeway, now)?)
    }

    /// About what it takes in memory, in bytes: the parsed claims are several times the text.
    pub(super) fn weight(&self) -> u32 {
        const OVERHEAD: usize = 512;
        u32::try_from(OVERHEAD + 3 * self.bytes).unwrap_or(u32::MAX)
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("issuer", &self.issuer.config().issuer)
            .finish_non_exhaustive()
    }
}

/// The SHA-256 of a token's bytes: equal digests mean equal tokens, signature included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(digest: &aws_lc_rs::digest::Digest) -> Self {
        let mut bytes = [0; 32];
        bytes
            .iter_mut()
            .zip(digest.as_ref())
            .for_each(|(to, from)| *to = *from);
        Self(bytes)
    }
}

impl std::hash::Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let first = self.0.first_chunk::<8>().copied().unwrap_or_default();
        state.write_u64(u64::from_le_bytes(first));
    }
}

/// Takes a digest for its own hash, which it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DigestHasher;

#[derive(Debug, Default)]
pub(super) struct First(u64);

impl BuildHasher for DigestHasher {
    type Hasher = First;

    fn build_hasher(&self) -> First {
        First(0)
    }
}

impl Hasher for First {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
