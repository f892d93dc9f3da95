//! Writes our answer to Envoy.
//!
//! An empty `CheckResponse` means *allow* to Envoy, so none can be made: an [`Answer`] comes only
//! from here, each of its kinds writes its status, and its bytes are never empty. They are written
//! straight into one buffer, since an allowed request waits for nothing else.

use super::identity::Identity;
use super::metadata;
use super::response::{Denial, Kind, Responses};
use crate::decision::{Permit, Record, Refusal};
use crate::request::Request;
use crate::telemetry::privacy::Privacy;
use bytes::{BufMut, Bytes, BytesMut};
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

/// Field numbers of our `proto/external_auth.proto`.
mod field {
    pub(super) const RESPONSE_STATUS: u32 = 1;
    pub(super) const RESPONSE_DENIED: u32 = 2;
    pub(super) const RESPONSE_OK: u32 = 3;
    pub(super) const RESPONSE_METADATA: u32 = 4;
    pub(super) const RESPONSE_ERROR: u32 = 5;
    pub(super) const STATUS_CODE: u32 = 1;
    pub(super) const OK_HEADERS: u32 = 2;
    pub(super) const OK_REMOVE: u32 = 5;
    pub(super) const DENIED_STATUS: u32 = 1;
    pub(super) const DENIED_HEADERS: u32 = 2;
    pub(super) const DENIED_BODY: u32 = 3;
    pub(super) const HTTP_STATUS_CODE: u32 = 1;
    pub(super) const OPTION_HEADER: u32 = 1;
    pub(super) const OPTION_APPEND: u32 = 2;
    pub(super) const OPTION_ACTION: u32 = 3;
    pub(super) const HEADER_KEY: u32 = 1;
    pub(super) const HEADER_VALUE: u32 = 2;
}

/// `OVERWRITE_IF_EXISTS_OR_ADD`.
const OVERWRITE: u64 = 2;

/// An answer to Envoy, encoded: a `CheckResponse` that states a status.
#[derive(Clone, Debug)]
pub struct Answer(Bytes);

impl Answer {
    /// The encoded message; never empty.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Leave to pass: sets what the permit says, removes every identity header that it does not.
    ///
    /// Fails where the identity headers are longer than configuration allows.
    pub fn allow(
        permit: &Permit,
        identity: &Identity,
        record: &Record<'_>,
        privacy: &Privacy,
    ) -> Result<Self, Refusal> {
        let mut ok = BytesMut::with_capacity(768);
        identity.write(permit, &mut ok)?;
        Ok(Self::finish(0, field::RESPONSE_OK, &ok, record, privacy))
    }

    /// A denial, or the error by which Envoy's failure mode rules.
    pub fn deny(
        refusal: &Refusal,
        request: Option<&Request<'_>>,
        responses: &Responses,
        record: &Record<'_>,
        privacy: &Privacy,
    ) -> Self {
        let Denial {
            kind,
            status,
            grpc_status,
            headers,
            body,
        } = responses.denial(refusal, request, record.request_id());
        let mut denied = BytesMut::with_capacity(512);
        let mut code = BytesMut::with_capacity(8);
        varint(&mut code, field::HTTP_STATUS_CODE, u64::from(status));
        text(&mut denied, field::DENIED_STATUS, &code);
        for (name, value) in &headers {
            header(
                &mut denied,
                field::DENIED_HEADERS,
                name.as_bytes(),
                value.as_bytes(),
            );
        }
        text(&mut denied, field::DENIED_BODY, body.as_bytes());
        let variant = match kind {
            Kind::Denial => field::RESPONSE_DENIED,
            Kind::EnvoyError => field::RESPONSE_ERROR,
        };
        Self::finish(grpc_status, variant, &denied, record, privacy)
    }

    /// Puts status, answer and metadata together.
    fn finish(
        grpc_status: u8,
        variant: u32,
        answer: &[u8],
        record: &Record<'_>,
        privacy: &Privacy,
    ) -> Self {
        let mut metadata = BytesMut::with_capacity(256);
        metadata::write(record, privacy, &mut metadata);
        let mut response = BytesMut::with_capacity(answer.len() + metadata.len() + 24);
        let mut status = BytesMut::with_capacity(2);
        if grpc_status != 0 {
            varint(&mut status, field::STATUS_CODE, u64::from(grpc_status));
        }
        text(&mut response, field::RESPONSE_STATUS, &status);
        text(&mut response, variant, answer);
        text(&mut response, field::RESPONSE_METADATA, &metadata);
        Self(response.freeze())
    }
}

/// Writes an identity header that overwrites whatever a client sent under its name.
pub(super) fn set_header(ok: &mut BytesMut, name: &[u8], value: &[u8]) {
    header(ok, field::OK_HEADERS, name, value);
}

/// Writes the name of a header that is taken from the request.
pub(super) fn remove_header(ok: &mut BytesMut, name: &[u8]) {
    text(ok, field::OK_REMOVE, name);
}

/// Writes a `HeaderValueOption`.
///
/// Which of `append` and `append_action` Envoy heeds differs by version, and their defaults append to
/// a client's own header: both are written, and both say *overwrite*.
fn header(to: &mut BytesMut, number: u32, name: &[u8], value: &[u8]) {
    let pair = text_len(name) + text_len(value);
    let option = 1 + encoded_len_varint(pair as u64) + pair + 2 + 2;
    encode_key(number, WireType::LengthDelimited, to);
    encode_varint(option as u64, to);
    encode_key(field::OPTION_HEADER, WireType::LengthDelimited, to);
    encode_varint(pair as u64, to);
    text(to, field::HEADER_KEY, name);
    text(to, field::HEADER_VALUE, value);
    // A BoolValue that is there and false.
    text(to, field::OPTION_APPEND, &[]);
    varint(to, field::OPTION_ACTION, OVERWRITE);
}

/// Writes bytes, a string or an encoded message under a field number below 16.
pub(super) fn text(to: &mut BytesMut, number: u32, bytes: &[u8]) {
    encode_key(number, WireType::LengthDelimited, to);
    encode_varint(bytes.len() as u64, to);
    to.put_slice(bytes);
}

/// How long [`text`] is.
pub(super) fn text_len(bytes: &[u8]) -> usize {
    1 + encoded_len_varint(bytes.len() as u64) + bytes.len()
}

fn varint(to: &mut BytesMut, number: u32, value: u64) {
    encode_key(number, WireType::Varint, to);
    encode_varint(value, to);
}

#[cfg(test)]
pub(in crate::envoy) mod tests;
