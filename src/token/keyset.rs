//! A set of keys as its issuer published it (RFC 7517 5), and which of them a token means.

use super::issuer::Algorithm;
use super::jwk::{Key, KeyError};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;

/// The most keys a set may have: a token's key is found by name, but a set is read key by key.
const MAX_KEYS: usize = 100;

/// The keys of one issuer at one moment.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<Arc<Key>>,
    by_id: HashMap<Arc<str>, Named>,
    any_id: bool,
    unusable: Vec<KeyError>,
}

#[derive(Debug)]
enum Named {
    One(Arc<Key>),
    Several,
}

/// Which key a token means.
#[derive(Debug)]
pub enum Choice<'s> {
    /// This one.
    Key(&'s Arc<Key>),
    /// One that is not for the token's algorithm.
    OtherAlgorithm,
    /// None of these.
    Absent,
    /// More than one, and to guess is not our part.
    Ambiguous,
}

/// Why a document is not a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// It has not the form.
    #[error("expected a JSON object with an array `keys` (RFC 7517 5)")]
    NotAKeySet,
    /// It has too many keys.
    #[error("{0} keys: expected at most {MAX_KEYS}")]
    TooManyKeys(usize),
}

impl KeySet {
    /// Reads a published set; a key that cannot be used is left out and told of.
    pub fn from_jwks(document: &[u8]) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Document<'d> {
            #[serde(borrow)]
            keys: Vec<&'d RawValue>,
        }
        // A struct may be read from an array too; a key set may not.
        if !document.trim_ascii_start().starts_with(b"{") {
            return Err(KeySetError::NotAKeySet);
        }
        let parsed: Document<'_> =
            serde_json::from_slice(document).map_err(|_| KeySetError::NotAKeySet)?;
        if parsed.keys.len() > MAX_KEYS {
            return Err(KeySetError::TooManyKeys(parsed.keys.len()));
        }
        let mut set = Self::default();
        let mut ids: HashMap<Arc<str>, usize> = HashMap::new();
        for raw in parsed.keys {
            if let Some(id) = raw_id(raw) {
                *ids.entry(id).or_default() += 1;
            }
            match Key::from_jwk(raw.get()) {
                Ok(key) => set.keys.push(Arc::new(key)),
                Err(error) => set.unusable.push(error),
            }
        }
        set.index(&ids);
        Ok(set)
    }

    /// The set of one shared secret, which stands for every `kid`.
    pub fn from_secret(secret: &[u8], declared: &[Algorithm]) -> Result<Self, KeyError> {
        let key = Arc::new(Key::from_secret(secret, declared)?);
        Ok(Self {
            keys: vec![key],
            any_id: true,
            ..Self::default()
        })
    }

    /// Which key a token with this `kid` and this algorithm means.
    ///
    /// Without a `kid` a token means the one key that fits its algorithm (OpenID Connect Core 10.1).
    pub fn choose(&self, id: Option<&str>, algorithm: Algorithm) -> Choice<'_> {
        if let (Some(id), false) = (id, self.any_id) {
            return match self.by_id.get(id) {
                Some(Named::One(key)) if key.fits(algorithm) => Choice::Key(key),
                Some(Named::One(_)) => Choice::OtherAlgorithm,
                Some(Named::Several) => Choice::Ambiguous,
                None => Choice::Absent,
            };
        }
        let mut fitting = self.keys.iter().filter(|key| key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Choice::Key(key),
            (Some(_), Some(_)) => Choice::Ambiguous,
            (None, _) if self.any_id => Choice::OtherAlgorithm,
            (None, _) => Choice::Absent,
        }
    }

    /// Takes over the place of an earlier set: keys that stayed are the same objects, keys that left
    /// or changed are dead.
    #[must_use]
    pub(super) fn replacing(mut self, earlier: &Self) -> Self {
        for key in &mut self.keys {
            if let Some(same) = earlier
                .keys
                .iter()
                .find(|old| old.is_alive() && old.is_same(key))
            {
                *key = Arc::clone(same);
            }
        }
        for named in self.by_id.values_mut() {
            if let Named::One(key) = named
                && let Some(same) = self.keys.iter().find(|kept| kept.is_same(key))
            {
                *key = Arc::clone(same);
            }
        }
        for old in &earlier.keys {
            if !self.keys.iter().any(|kept| Arc::ptr_eq(kept, old)) {
                old.retire();
            }
        }
        self
    }

    /// The keys that can be used.
    pub fn keys(&self) -> &[Arc<Key>] {
        &self.keys
    }

    /// Why the others cannot.
    pub fn unusable(&self) -> &[KeyError] {
        &self.unusable
    }

    fn index(&mut self, ids: &HashMap<Arc<str>, usize>) {
        for key in &self.keys {
            if let Some(id) = key.id() {
                let named = match ids.get(id) {
                    Some(1) => Named::One(Arc::clone(key)),
                    Some(_) | None => Named::Several,
                };
                self.by_id.insert(Arc::clone(id), named);
            }
        }
    }
}

/// The `kid` of a key, read even where the rest of it cannot be: an unusable twin makes a name
/// ambiguous all the same.
fn raw_id(raw: &RawValue) -> Option<Arc<str>> {
    #[derive(Deserialize)]
    struct Id {
        kid: Arc<str>,
    }
    serde_json::from_str::<Id>(raw.get()).ok().map(|id| id.kid)
}

#[cfg(test)]
mod tests;
