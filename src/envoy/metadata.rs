//! What Envoy's access log, RBAC and rate limits learn: dynamic metadata, on refusals too.

use super::encode::{text, text_len};
use crate::decision::Record;
use crate::telemetry::SubjectPrivacy;
use aws_lc_rs::hmac;
use bytes::BytesMut;
use prost::encoding::{WireType, encode_key, encode_varint};
use std::borrow::Cow;
use std::fmt::Write as _;

const STRUCT_FIELDS: u32 = 1;
const ENTRY_KEY: u32 = 1;
const ENTRY_VALUE: u32 = 2;
const VALUE_STRING: u32 = 3;

/// How a subject is shown.
#[derive(Clone, Debug)]
pub enum Subject {
    /// As it is.
    Plain,
    /// As a keyed hash.
    Hash(hmac::Key),
    /// Not at all.
    Omit,
}

impl Subject {
    /// The way that was configured; a key is read from its file.
    pub fn new(privacy: &SubjectPrivacy) -> Result<Self, crate::secret::SecretError> {
        use crate::secret::{Form, Secret};
        Ok(match privacy {
            SubjectPrivacy::Plain => Self::Plain,
            SubjectPrivacy::Omit => Self::Omit,
            SubjectPrivacy::Hash(path) => {
                let secret = Secret::read(path, Form::Bytes)?;
                Self::Hash(hmac::Key::new(hmac::HMAC_SHA256, secret.expose()))
            }
        })
    }

    /// A subject as it may be shown: the hash is the first 16 bytes of HMAC-SHA-256, in hex.
    pub fn shown<'s>(&self, subject: &'s str) -> Option<Cow<'s, str>> {
        match self {
            Self::Plain => Some(Cow::Borrowed(subject)),
            Self::Omit => None,
            Self::Hash(key) => {
                let tag = hmac::sign(key, subject.as_bytes());
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

/// Writes the fields of a `google.protobuf.Struct`.
pub(super) fn write(record: &Record<'_>, subject: &Subject, to: &mut BytesMut) {
    let issuer = record.issuer();
    let fields = [
        ("code", Some(record.code())),
        ("policy", record.picked_policy().map(|policy| &*policy.name)),
        ("issuer", issuer.map(|issuer| &*issuer.name)),
        ("tenant", record.named_tenant()),
        ("user_id", record.user_id().filter(|_| matches!(subject, Subject::Plain))),
        ("cache", record.cache().map(crate::user::Cached::as_str)),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            entry(to, name, value);
        }
    }
    if let Some(shown) = record.subject().and_then(|named| subject.shown(named)) {
        entry(to, "subject", &shown);
    }
}

fn entry(to: &mut BytesMut, name: &str, value: &str) {
    let (name, value) = (name.as_bytes(), value.as_bytes());
    let string = text_len(value);
    let value_len = 1 + prost::encoding::encoded_len_varint(string as u64) + string;
    encode_key(STRUCT_FIELDS, WireType::LengthDelimited, to);
    encode_varint((text_len(name) + value_len) as u64, to);
    text(to, ENTRY_KEY, name);
    encode_key(ENTRY_VALUE, WireType::LengthDelimited, to);
    encode_varint(string as u64, to);
    text(to, VALUE_STRING, value);
}
