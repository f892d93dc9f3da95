//! How a subject leaves the process: plain, as a keyed hash, or not at all.

use super::SubjectPrivacy;
use crate::secret::{Form, Secret, SecretError};
use aws_lc_rs::hmac;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Shows subjects as configured, in the log and in Envoy's metadata.
#[derive(Clone, Debug)]
pub enum Privacy {
    /// As they are.
    Plain,
    /// As a keyed hash.
    Hash(Box<hmac::Key>),
    /// Not at all.
    Omit,
}

impl Privacy {
    /// The way that was configured; a key is read from its file.
    pub fn new(config: &SubjectPrivacy) -> Result<Self, SecretError> {
        Ok(match config {
            SubjectPrivacy::Plain => Self::Plain,
            SubjectPrivacy::Omit => Self::Omit,
            SubjectPrivacy::Hash(path) => {
                let secret = Secret::read(path, Form::Bytes)?;
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
                Self::Hash(Box::new(key))
            }
        })
    }

    /// A subject or user id as it may be shown: of a hash the first 16 bytes of HMAC-SHA-256, in hex.
    pub fn shown<'s>(&self, name: &'s str) -> Option<Cow<'s, str>> {
        match self {
            Self::Plain => Some(Cow::Borrowed(name)),
            Self::Omit => None,
            Self::Hash(key) => {
                let tag = hmac::sign(key, name.as_bytes());
                let mut hex = String::with_capacity(32);
                for byte in tag.as_ref().iter().take(16) {
                    // Writing to a String cannot fail.
                    let _ = write!(hex, "{byte:02x}");
                }
                Some(Cow::Owned(hex))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_same_for_the_same_name_and_says_nothing_of_it() {
        let hash = Privacy::Hash(Box::new(hmac::Key::new(hmac::HMAC_SHA256, b"key")));
        let shown = hash.shown("alice").unwrap();
        assert_eq!(hash.shown("alice").unwrap(), shown);
        assert_ne!(hash.shown("bob").unwrap(), shown);
        assert_eq!(shown.len(), 32);
        assert!(!format!("{hash:?}").contains("key\""));
        assert_eq!(Privacy::Omit.shown("alice"), None);
    }
}
