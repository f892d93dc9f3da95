//! Reads Envoy's question: walks the message where it lies, and copies nothing of it.
//!
//! `proto/external_auth.proto` says what is read. Of its fields a decision needs slices alone, so the
//! message is walked with prost's own primitives instead of being built; tests hold the walk against
//! the generated types, and against the full ones.

use crate::request::{Entry, Request};
use prost::encoding::{DecodeContext, WireType, decode_varint, skip_field};
use std::time::Duration;

/// How many headers a request has at most, mostly; more only cost another allocation.
const HEADERS: usize = 40;

/// Reads a `CheckRequest`; `None` if it is none.
///
/// Without `encode_raw_headers` Envoy fills `headers`, with it `header_map` alone; both are read.
/// Whatever it leaves out stays empty, and a request without headers is for the decision to refuse.
pub fn request(message: &[u8], timeout: Option<Duration>) -> Option<Request<'_>> {
    let mut request = Request {
        headers: Vec::with_capacity(HEADERS),
        timeout,
        ..Request::default()
    };
    each_field(message, |number, attributes| match number {
        1 => each_field(attributes, |number, value| match number {
            4 => each_field(value, |number, http| match number {
                2 => http_request(http, &mut request),
                _ => Some(()),
            }),
            10 => entry(value, &mut request.context),
            _ => Some(()),
        }),
        _ => Some(()),
    })?;
    Some(request)
}

fn http_request<'m>(message: &'m [u8], request: &mut Request<'m>) -> Option<()> {
    each_field(message, |number, value| match number {
        2 => {
            request.method = value.into();
            Some(())
        }
        3 => entry(value, &mut request.headers),
        4 => {
            request.target = value.into();
            Some(())
        }
        5 => {
            request.host = value.into();
            Some(())
        }
        13 => each_field(value, |number, header| match number {
            1 => raw_header(header, &mut request.headers),
            _ => Some(()),
        }),
        _ => Some(()),
    })
}

/// Reads an entry of a `map<string, string>` into its place among the others.
fn entry<'m>(message: &'m [u8], entries: &mut Vec<Entry<'m>>) -> Option<()> {
    entries.push(Entry::default());
    let entry = entries.last_mut()?;
    each_field(message, |number, text| {
        match number {
            1 => entry.name = text.into(),
            2 => entry.value = text.into(),
            _ => {}
        }
        Some(())
    })
}

/// Reads a `HeaderValue`, of which Envoy fills `raw_value` or `value`, into its place.
fn raw_header<'m>(message: &'m [u8], entries: &mut Vec<Entry<'m>>) -> Option<()> {
    entries.push(Entry::default());
    let entry = entries.last_mut()?;
    let mut value = &[][..];
    each_field(message, |number, text| {
        match number {
            1 => entry.name = text.into(),
            2 => value = text,
            3 => entry.value = text.into(),
            _ => {}
        }
        Some(())
    })?;
    if entry.value.is_empty() {
        entry.value = value.into();
    }
    Some(())
}

/// Gives every length-delimited field to `take`, in order; `None` where the bytes are no message, or
/// `take` says so. Fields of other types are passed over: nothing that is read here is one.
fn each_field<'m>(
    mut message: &'m [u8],
    mut take: impl FnMut(u32, &'m [u8]) -> Option<()>,
) -> Option<()> {
    while !message.is_empty() {
        let key = u32::try_from(varint(&mut message)?).ok()?;
        let (number, wire_type) = (key >> 3, WireType::try_from(u64::from(key & 7)).ok()?);
        if wire_type == WireType::LengthDelimited {
            let length = usize::try_from(varint(&mut message)?).ok()?;
            let (value, rest) = message.split_at_checked(length)?;
            message = rest;
            take(number, value)?;
        } else {
            skip_field(wire_type, number, &mut message, DecodeContext::default()).ok()?;
        }
    }
    Some(())
}

/// Reads a varint; nearly all keys and lengths here are of one byte.
fn varint(message: &mut &[u8]) -> Option<u64> {
    match *message {
        [byte @ 0..=0x7f, rest @ ..] => {
            *message = rest;
            Some(u64::from(*byte))
        }
        _ => decode_varint(message).ok(),
    }
}

/// Reads `grpc-timeout` (gRPC over HTTP/2: up to eight digits and a unit).
pub fn timeout(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
