//! What Envoy's access log, RBAC and rate limits learn: dynamic metadata, on refusals too.

use super::encode::{text, text_len};
use crate::decision::Record;
use crate::telemetry::privacy::Privacy;
use crate::user::Cached;
use bytes::BytesMut;
use prost::encoding::{WireType, encode_key, encode_varint};

const STRUCT_FIELDS: u32 = 1;
const ENTRY_KEY: u32 = 1;
const ENTRY_VALUE: u32 = 2;
const VALUE_STRING: u32 = 3;

/// Writes the fields of a `google.protobuf.Struct`.
pub(super) fn write(record: &Record<'_>, privacy: &Privacy, to: &mut BytesMut) {
    let fields = [
        ("code", Some(record.code())),
        ("policy", record.picked_policy().map(|policy| &*policy.name)),
        ("issuer", record.issuer().map(|issuer| &*issuer.name)),
        ("tenant", record.named_tenant()),
        ("cache", record.cache().map(Cached::as_str)),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            entry(to, name, value);
        }
    }
    for (name, value) in [("subject", record.subject()), ("user_id", record.user_id())] {
        if let Some(shown) = value.and_then(|value| privacy.shown(value)) {
            entry(to, name, &shown);
        }
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
