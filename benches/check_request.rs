//! What Envoy asks about a request.

use crate::headers::{HEADERS, HOST, METHOD, PATH};
use crate::population::Person;
use envoy_types::pb::envoy::config::core::v3::address::Address as Kind;
use envoy_types::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use envoy_types::pb::envoy::config::core::v3::{
    Address, HeaderMap, HeaderValue, Metadata, SocketAddress,
};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use envoy_types::pb::google::protobuf::Timestamp;
use std::fmt;

/// How Envoy hands on the request's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `header_map` with raw values (`encode_raw_headers: true`).
    Raw,
    /// The `headers` map (`encode_raw_headers: false`).
    Map,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "`header_map`",
            Self::Map => "`headers`",
        })
    }
}

/// What Envoy makes of the request of [`crate::headers`] with this user's token.
pub(crate) fn check_request(person: &Person, form: Form) -> CheckRequest {
    let authorization = format!("Bearer {}", person.token);
    let headers = [
        (":authority", HOST),
        (":path", PATH),
        (":method", METHOD),
        (":scheme", "https"),
    ]
    .into_iter()
    .chain(HEADERS)
    .chain([
        ("authorization", authorization.as_str()),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "9f0c2f4e-5d0b-4f0a-8a54-0d6d1f0e6a11"),
    ])
    .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut http = HttpRequest {
        id: "1287461298374612983".to_owned(),
        method: METHOD.to_owned(),
        path: PATH.to_owned(),
        host: HOST.to_owned(),
        scheme: "https".to_owned(),
        protocol: "HTTP/2".to_owned(),
        ..HttpRequest::default()
    };
    match form {
        Form::Raw => http.header_map = Some(raw(headers)),
        Form::Map => http.headers = headers.collect(),
    }
    CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(peer("203.0.113.17", 41_512)),
            destination: Some(peer("10.12.0.8", 8443)),
            request: Some(Request {
                time: Some(Timestamp {
                    seconds: 1_790_000_000,
                    nanos: 123_456_000,
                }),
                http: Some(http),
            }),
            metadata_context: Some(Metadata::default()),
            route_metadata_context: Some(Metadata::default()),
            ..AttributeContext::default()
        }),
    }
}

fn raw(headers: impl Iterator<Item = (String, String)>) -> HeaderMap {
    HeaderMap {
        headers: headers
            .map(|(key, value)| HeaderValue {
                key,
                raw_value: value.into_bytes(),
                ..HeaderValue::default()
            })
            .collect(),
    }
}

fn peer(address: &str, port: u32) -> Peer {
    Peer {
        address: Some(Address {
            address: Some(Kind::SocketAddress(SocketAddress {
                address: address.to_owned(),
                port_specifier: Some(PortSpecifier::PortValue(port)),
                ..SocketAddress::default()
            })),
        }),
        ..Peer::default()
    }
}
