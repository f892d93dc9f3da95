use super::*;
use crate::envoy::wire::{CheckRequest, Entry as WireEntry};
use crate::request::{Once, Text};
use envoy_types::pb::envoy::config::core::v3::{HeaderMap as FullHeaderMap, HeaderValue};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{
    HttpRequest as FullHttp, Peer, Request as FullRequest,
};
use envoy_types::pb::envoy::service::auth::v3::{
    AttributeContext as FullContext, CheckRequest as FullCheckRequest,
};
use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use prost::Message as _;
use std::collections::HashMap;

/// What Envoy's own types make of a request, with fields besides that are not ours to read.
fn encoded(http: Option<FullHttp>, context: HashMap<String, String>) -> Vec<u8> {
    let check = FullCheckRequest {
        attributes: Some(FullContext {
            source: Some(Peer {
                principal: "spiffe://cluster/ns/default".to_owned(),
                ..Peer::default()
            }),
            request: Some(FullRequest {
                http,
                ..FullRequest::default()
            }),
            context_extensions: context,
            ..FullContext::default()
        }),
    };
    check.encode_to_vec()
}

fn read(http: FullHttp) -> Request<'static> {
    request(encoded(Some(http), HashMap::new()).leak(), None).unwrap()
}

fn raw_header(key: &str, raw_value: &[u8]) -> HeaderValue {
    HeaderValue {
        key: key.to_owned(),
        raw_value: raw_value.to_vec(),
        ..HeaderValue::default()
    }
}

proptest! {
    #[test]
    fn whatever_envoys_types_encode_is_read(
        method in "[A-Z]{0,8}",
        path in ".{0,40}",
        host in ".{0,20}",
        cooked in hash_map("[a-z-]{1,12}", ".{0,30}", 0..6),
        raw in vec(("[a-z-]{1,12}", vec(any::<u8>(), 1..30)), 0..6),
        context in hash_map("[a-z_]{1,12}", ".{0,30}", 0..4),
    ) {
        let header_map = FullHeaderMap {
            headers: raw.iter().map(|(key, value)| raw_header(key, value)).collect(),
        };
        let http = FullHttp {
            id: "7".to_owned(),
            method: method.clone(),
            path: path.clone(),
            host: host.clone(),
            headers: cooked.clone(),
            header_map: Some(header_map),
            size: -1,
            protocol: "HTTP/2".to_owned(),
            body: "ignored".to_owned(),
            ..FullHttp::default()
        };
        let message = encoded(Some(http), context.clone());
        let read = request(&message, None).unwrap();
        prop_assert_eq!(&read.method[..], method.as_bytes());
        prop_assert_eq!(&read.target[..], path.as_bytes());
        prop_assert_eq!(&read.host[..], host.as_bytes());
        let (first, rest) = read.headers.split_at(cooked.len());
        prop_assert_eq!(as_map(first), cooked);
        let rest: Vec<_> = rest.iter().map(|entry| (entry.name.to_vec(), entry.value.to_vec())).collect();
        let raw: Vec<_> = raw.into_iter().map(|(key, value)| (key.into_bytes(), value)).collect();
        prop_assert_eq!(rest, raw);
        prop_assert_eq!(as_map(&read.context), context);
    }

    #[test]
    fn the_walk_reads_what_our_definitions_read(
        headers in hash_map("[a-z-]{1,12}", ".{0,30}", 0..4),
        raw in vec(("[a-z-]{1,12}", vec(any::<u8>(), 0..20), ".{0,9}"), 0..4),
        changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let header_map = FullHeaderMap {
            headers: raw.into_iter().map(|(key, raw_value, value)| HeaderValue { key, value, raw_value }).collect(),
        };
        let http = FullHttp {
            method: "GET".to_owned(),
            path: "/orders".to_owned(),
            host: "shop".to_owned(),
            headers,
            header_map: Some(header_map),
            ..FullHttp::default()
        };
        let mut message = encoded(Some(http), HashMap::from([("policy".to_owned(), "x".to_owned())]));
        for (at, byte) in changes {
            let at = at.index(message.len());
            message[at] = byte;
        }
        if let Ok(defined) = CheckRequest::decode(&message[..]) {
            let read = request(&message, None);
            prop_assert_eq!(read.map(|read| owned(&read)), Some(of_definitions(defined)));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = request(&bytes, None);
    }

    #[test]
    fn a_message_that_was_damaged_is_read_or_refused_and_never_a_panic(
        at in 0_usize..400, byte in any::<u8>(), keep in 0_usize..400,
    ) {
        let http = FullHttp {
            path: "/orders".to_owned(),
            headers: HashMap::from([("authorization".to_owned(), "Bearer a.b.c".to_owned())]),
            ..FullHttp::default()
        };
        let mut bytes = encoded(Some(http), HashMap::new());
        if let Some(one) = bytes.get_mut(at) {
            *one = byte;
        }
        bytes.truncate(keep);
        let _ = request(&bytes, None);
    }

    #[test]
    fn no_text_of_a_timeout_makes_it_panic(text in ".{0,12}") {
        let _ = timeout(&text);
    }
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;
type Owned = ([Vec<u8>; 3], Pairs, Pairs);

fn owned(request: &Request<'_>) -> Owned {
    let pairs = |entries: &[Entry<'_>]| -> Pairs {
        let pair = |entry: &Entry<'_>| (entry.name.to_vec(), entry.value.to_vec());
        entries.iter().map(pair).collect()
    };
    let line = [request.method, request.target, request.host].map(|text| text.to_vec());
    // Which of the two forms comes first says nothing.
    let mut headers = pairs(&request.headers);
    headers.sort();
    (line, headers, pairs(&request.context))
}

fn of_definitions(message: CheckRequest) -> Owned {
    let attributes = message.attributes.unwrap_or_default();
    let http = attributes
        .request
        .unwrap_or_default()
        .http
        .unwrap_or_default();
    let pair = |entry: WireEntry| (entry.key.to_vec(), entry.value.to_vec());
    let raw = http
        .header_map
        .unwrap_or_default()
        .headers
        .into_iter()
        .map(|header| {
            let value = if header.raw_value.is_empty() {
                header.value
            } else {
                header.raw_value
            };
            (header.key.to_vec(), value.to_vec())
        });
    let mut headers: Pairs = http.headers.into_iter().map(pair).chain(raw).collect();
    headers.sort();
    let line = [http.method, http.path, http.host].map(|text| text.to_vec());
    (
        line,
        headers,
        attributes
            .context_extensions
            .into_iter()
            .map(pair)
            .collect(),
    )
}

fn as_map(entries: &[Entry<'_>]) -> HashMap<String, String> {
    let text = |text: &Text<'_>| String::from_utf8(text.to_vec()).unwrap();
    entries
        .iter()
        .map(|entry| (text(&entry.name), text(&entry.value)))
        .collect()
}

/// ENV-05: without `encode_raw_headers` a map of texts, with it a list of bytes.
#[test]
fn env_05_headers_are_read_in_both_forms_and_repeated_ones_stay_apart() {
    let cooked = read(FullHttp {
        headers: HashMap::from([("authorization".to_owned(), "Bearer a,Bearer b".to_owned())]),
        ..FullHttp::default()
    });
    assert_eq!(
        cooked.header("authorization"),
        Once::One(b"Bearer a,Bearer b")
    );
    let twice = FullHeaderMap {
        headers: vec![
            raw_header("x-tenant-id", b"a"),
            raw_header("x-tenant-id", b"a"),
        ],
    };
    let raw = read(FullHttp {
        header_map: Some(twice),
        ..FullHttp::default()
    });
    assert_eq!(raw.header("x-tenant-id"), Once::Repeated);
    let bytes = FullHeaderMap {
        headers: vec![raw_header("x-name", b"\xff\x00")],
    };
    let raw = read(FullHttp {
        header_map: Some(bytes),
        ..FullHttp::default()
    });
    assert_eq!(raw.header("x-name"), Once::One(b"\xff\x00"));
    // A value that is text stands in `value`, as some versions write it.
    let value = HeaderValue {
        key: "x-name".to_owned(),
        value: "text".to_owned(),
        ..HeaderValue::default()
    };
    let texts = read(FullHttp {
        header_map: Some(FullHeaderMap {
            headers: vec![value],
        }),
        ..FullHttp::default()
    });
    assert_eq!(texts.header("x-name"), Once::One(b"text"));
}

/// ENV-06: any of them may be missing, and the path may be empty.
#[test]
fn env_06_what_envoy_leaves_out_is_empty_and_no_panic() {
    let no_http = encoded(None, HashMap::new());
    let no_request = FullCheckRequest {
        attributes: Some(FullContext::default()),
    };
    let nothing = FullCheckRequest { attributes: None };
    for message in [
        no_http,
        no_request.encode_to_vec(),
        nothing.encode_to_vec(),
        Vec::new(),
    ] {
        let read = request(&message, None).unwrap();
        assert!(read.headers.is_empty() && read.target.is_empty() && read.context.is_empty());
        assert_eq!(read.plain_path(), None);
    }
}

#[test]
fn only_a_header_value_has_a_raw_value_and_a_map_entry_has_none() {
    let http = FullHttp {
        headers: HashMap::from([("x-a".to_owned(), "value".to_owned())]),
        ..FullHttp::default()
    };
    let mut message = encoded(Some(http), HashMap::new());
    // Field 2 of the entry, `value`, becomes field 3, which a map entry does not have.
    let at = message
        .windows(7)
        .position(|part| part == b"\x12\x05value")
        .unwrap();
    message[at] = 0x1a;
    assert_eq!(
        request(&message, None).unwrap().header("x-a"),
        Once::One(b"")
    );
    assert_eq!(
        owned(&request(&message, None).unwrap()),
        of_definitions(CheckRequest::decode(&message[..]).unwrap())
    );
}

#[test]
fn of_a_field_given_twice_the_last_counts_as_in_the_definitions() {
    let raw = |values: &[(u8, &[u8])]| {
        let mut header = b"\x0a\x03x-a".to_vec();
        for (number, value) in values {
            header.extend([number << 3 | 2, u8::try_from(value.len()).unwrap()]);
            header.extend_from_slice(value);
        }
        let mut message = header;
        // HeaderMap.headers, HttpRequest.header_map, Request.http, AttributeContext.request, CheckRequest.attributes
        for number in [1, 13, 2, 4, 1] {
            let mut outer = vec![number << 3 | 2, u8::try_from(message.len()).unwrap()];
            outer.extend(message);
            message = outer;
        }
        message
    };
    for (values, expected) in [
        (
            &[(3, &b"raw"[..]), (3, b""), (2, b"text")][..],
            &b"text"[..],
        ),
        (&[(3, b"raw"), (2, b"text")], b"raw"),
        (&[(2, b"text"), (3, b"raw")], b"raw"),
        (&[(3, b"one"), (3, b"two")], b"two"),
    ] {
        let message = raw(values);
        let read = request(&message, None).unwrap();
        assert_eq!(read.header("x-a"), Once::One(expected));
        assert_eq!(
            owned(&read),
            of_definitions(CheckRequest::decode(&message[..]).unwrap())
        );
    }
}

#[test]
fn values_are_slices_of_the_message_and_not_copies() {
    let long = "x".repeat(4096);
    let message = encoded(
        Some(FullHttp {
            headers: HashMap::from([("cookie".to_owned(), long)]),
            ..FullHttp::default()
        }),
        HashMap::new(),
    );
    let bounds = message.as_ptr_range();
    let read = request(&message, None).unwrap();
    assert!(bounds.contains(&read.headers[0].value.as_ptr()));
}

#[test]
fn a_timeout_is_up_to_eight_digits_and_a_unit() {
    for (text, expected) in [
        ("1H", Some(Duration::from_secs(3600))),
        ("2M", Some(Duration::from_secs(120))),
        ("3S", Some(Duration::from_secs(3))),
        ("200m", Some(Duration::from_millis(200))),
        ("5u", Some(Duration::from_micros(5))),
        ("7n", Some(Duration::from_nanos(7))),
        ("0m", Some(Duration::ZERO)),
        ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
        ("999999999n", None),
        ("", None),
        ("m", None),
        ("1", None),
        ("1s", None),
        ("-1m", None),
        ("+1m", None),
        (" 1m", None),
        ("1.5S", None),
        ("1\u{b5}", None),
    ] {
        assert_eq!(timeout(text), expected, "{text}");
    }
}
