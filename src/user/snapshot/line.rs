//! The lines of a snapshot: a letter, and a JSON value.

use super::SavedUser;
use crate::clock::Timestamp;
use crate::user::User;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;

/// What a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// When, and for which directory; the first.
    Head,
    /// What an event told.
    Mark,
    /// A realm and an issuer, which users name by their number.
    Space,
    /// A user.
    User,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Self::Head => b'h',
            Self::Mark => b'm',
            Self::Space => b's',
            Self::User => b'u',
        }
    }
}

/// Makes a line, in place of what the buffer holds.
pub(super) fn put(line: &mut Vec<u8>, kind: Kind, value: &impl Serialize) -> io::Result<()> {
    line.clear();
    line.push(kind.letter());
    serde_json::to_writer(&mut *line, value)?;
    line.push(b'\n');
    Ok(())
}

/// Kind and JSON of a line.
pub(super) fn split(line: &[u8]) -> Option<(Kind, &[u8])> {
    let (letter, json) = line.split_first()?;
    let kinds = [Kind::Head, Kind::Mark, Kind::Space, Kind::User];
    let kind = kinds.into_iter().find(|kind| kind.letter() == *letter)?;
    Some((kind, json))
}

pub(super) fn value<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    serde_json::from_slice(json).ok()
}

/// When a snapshot was made, and for which directory.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Head {
    saved: u64,
    directory: String,
}

impl Head {
    pub(super) fn new(saved: Timestamp, fingerprint: &str) -> Self {
        Self {
            saved: saved.as_millis(),
            directory: digested(fingerprint),
        }
    }

    pub(super) fn is_of(&self, fingerprint: &str) -> bool {
        self.directory == digested(fingerprint)
    }

    pub(super) const fn saved(&self) -> Timestamp {
        Timestamp::from_millis(self.saved)
    }
}

/// The fingerprint may name what is nobody's business who reads the file.
fn digested(fingerprint: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, fingerprint.as_bytes()))
}

/// A user as it is written.
#[derive(Debug, Serialize)]
pub(super) struct Row<'s> {
    #[serde(rename = "n")]
    space: usize,
    #[serde(rename = "t", skip_serializing_if = "Option::is_none")]
    tenant: Option<&'s str>,
    #[serde(rename = "s")]
    subject: &'s str,
    #[serde(rename = "a")]
    answered: u64,
    #[serde(rename = "e", skip_serializing_if = "Option::is_none")]
    etag: Option<&'s str>,
    #[serde(rename = "u")]
    user: &'s User,
}

impl<'s> Row<'s> {
    pub(super) fn of(space: usize, saved: &'s SavedUser) -> Self {
        let SavedUser {
            realm: _,
            issuer: _,
            tenant,
            subject,
            user,
            answered,
            etag,
        } = saved;
        Self {
            space,
            tenant: tenant.as_deref(),
            subject,
            answered: answered.as_millis(),
            etag: etag.as_deref(),
            user,
        }
    }
}

/// A user as it is read.
#[derive(Debug, Deserialize)]
pub(super) struct RowRead {
    #[serde(rename = "n")]
    pub(super) space: usize,
    #[serde(rename = "t")]
    tenant: Option<Arc<str>>,
    #[serde(rename = "s")]
    subject: Arc<str>,
    #[serde(rename = "a")]
    answered: u64,
    #[serde(rename = "e")]
    etag: Option<Box<str>>,
    #[serde(rename = "u")]
    user: User,
}

impl RowRead {
    /// The user; texts that many users have are kept once.
    pub(super) fn saved(
        self,
        (realm, issuer): &(Arc<str>, Arc<str>),
        tenants: &mut HashSet<Arc<str>>,
    ) -> SavedUser {
        let tenant = self.tenant.map(|tenant| {
            if let Some(known) = tenants.get(&tenant) {
                return Arc::clone(known);
            }
            tenants.insert(Arc::clone(&tenant));
            tenant
        });
        SavedUser {
            realm: Arc::clone(realm),
            issuer: Arc::clone(issuer),
            tenant,
            subject: self.subject,
            user: Arc::new(self.user),
            answered: Timestamp::from_millis(self.answered),
            etag: self.etag,
        }
    }
}
