//! Reads Envoy's question.

use super::wire::attribute_context::HttpRequest;
use super::wire::{CheckRequest, Entry as WireEntry, RawHeader};
use crate::request::{Entry, Request};
use bytes::Bytes;
use prost::Message as _;
use std::time::Duration;

/// Reads a `CheckRequest`; `None` if it is none.
///
/// Without `encode_raw_headers` Envoy fills `headers`, with it `header_map` alone; both are read.
/// Whatever it leaves out stays empty, and a request without headers is for the decision to refuse.
pub fn request(message: Bytes, timeout: Option<Duration>) -> Option<Request> {
    let attributes = CheckRequest::decode(message)
        .ok()?
        .attributes
        .unwrap_or_default();
    let HttpRequest {
        method,
        headers,
        path,
        host,
        header_map,
    } = attributes
        .request
        .unwrap_or_default()
        .http
        .unwrap_or_default();
    let mut headers: Vec<Entry> = headers.into_iter().map(entry).collect();
    headers.extend(header_map.unwrap_or_default().headers.into_iter().map(raw));
    let context = attributes
        .context_extensions
        .into_iter()
        .map(entry)
        .collect();
    Some(Request {
        method,
        target: path,
        host,
        headers,
        context,
        timeout,
    })
}

fn entry(entry: WireEntry) -> Entry {
    Entry {
        name: entry.key,
        value: entry.value,
    }
}

fn raw(header: RawHeader) -> Entry {
    let value = if header.raw_value.is_empty() {
        header.value
    } else {
        header.raw_value
    };
    Entry {
        name: header.key,
        value,
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
