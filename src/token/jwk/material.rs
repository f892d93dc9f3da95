//! The material of each kind of key, read and judged (RFC 7518 6, RFC 8037).

use super::{KeyError, Kind};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};
use std::sync::Arc;

/// RSA moduli in bits (RFC 7518 3.3 asks for 2048; beyond 8192 a key only costs time).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// What a key is, the material that verifies, and the canonical form of which RFC 7638 takes the hash.
pub(super) type Material = (Kind, DecodingKey, String);

pub(super) fn rsa(members: &Map<String, Value>) -> Result<Material, KeyError> {
    let (modulus, exponent) = (bytes(members, "n")?, bytes(members, "e")?);
    let leading = modulus
        .first()
        .map_or(8, |byte| byte.leading_zeros() as usize);
    let bits = (modulus.len() * 8).saturating_sub(leading);
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    let exponent_fits = exponent.len() <= 4 && odd(&exponent) && exponent != [1];
    // RFC 7518 2: Base64urlUInt has no leading zero octet, and a modulus is odd.
    let canonical = leading < 8 && exponent.first().is_some_and(|byte| *byte != 0);
    if !RSA_BITS.contains(&bits) || !odd(&modulus) || !exponent_fits || !canonical {
        return Err(KeyError::RsaSize);
    }
    let material = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
    let (n, e) = (required(members, "n")?, required(members, "e")?);
    Ok((
        Kind::Rsa,
        material,
        format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
    ))
}

pub(super) fn ec(members: &Map<String, Value>) -> Result<Material, KeyError> {
    let curve = required(members, "crv")?;
    let (kind, length) = match curve {
        "P-256" => (Kind::P256, 32),
        "P-384" => (Kind::P384, 48),
        _ => return Err(KeyError::Unsupported),
    };
    let (x, y) = (bytes(members, "x")?, bytes(members, "y")?);
    if x.len() != length || y.len() != length {
        return Err(KeyError::Member("x"));
    }
    let point: Vec<u8> = [&[4], x.as_slice(), y.as_slice()].concat();
    match kind {
        Kind::P384 => ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &point),
        Kind::Rsa | Kind::P256 | Kind::Ed25519 | Kind::Secret { .. } => {
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point)
        }
    }
    .map_err(|_| KeyError::Point)?;
    let (x, y) = (required(members, "x")?, required(members, "y")?);
    let canonical = format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Ok((kind, DecodingKey::from_ec_der(&point), canonical))
}

pub(super) fn okp(members: &Map<String, Value>) -> Result<Material, KeyError> {
    if required(members, "crv")? != "Ed25519" {
        return Err(KeyError::Unsupported);
    }
    let point = bytes(members, "x")?;
    if point.len() != 32 {
        return Err(KeyError::Member("x"));
    }
    if has_small_order(&point) || ParsedPublicKey::new(&ED25519, &point).is_err() {
        return Err(KeyError::Point);
    }
    let x = required(members, "x")?;
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    Ok((Kind::Ed25519, DecodingKey::from_ed_der(&point), canonical))
}

/// Whether an Ed25519 point is one of the few under which anybody can sign (RFC 8032 5.1.7).
///
/// The y coordinates of the points of order 1, 2, 4 and 8, and the encodings of the first ones that
/// exceed the field's prime; the sign of x does not matter.
fn has_small_order(point: &[u8]) -> bool {
    const ORDER_8: [[u8; 32]; 2] = [
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ];
    let Some((last, rest)) = point.split_last() else {
        return true;
    };
    let Some((first, middle)) = rest.split_first() else {
        return true;
    };
    let last = last & 0x7f;
    let all = |byte: u8| middle.iter().all(|other| *other == byte);
    let low = last == 0 && *first <= 1 && all(0);
    let high = last == 0x7f && matches!(first, 0xec..=0xee) && all(0xff);
    low || high
        || ORDER_8.iter().any(|y| {
            y.split_last()
                .is_some_and(|(y_last, y_rest)| *y_last == last && y_rest == rest)
        })
}

/// The RFC 7638 thumbprint of a key's canonical form.
pub(super) fn thumbprint(canonical: &[u8]) -> Arc<str> {
    URL_SAFE_NO_PAD
        .encode(digest::digest(&digest::SHA256, canonical))
        .into()
}

pub(super) fn required<'m>(
    members: &'m Map<String, Value>,
    name: &'static str,
) -> Result<&'m str, KeyError> {
    optional(members, name)?.ok_or(KeyError::Member(name))
}

pub(super) fn optional<'m>(
    members: &'m Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'m str>, KeyError> {
    members
        .get(name)
        .map(|value| value.as_str().ok_or(KeyError::Member(name)))
        .transpose()
}

fn bytes(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, KeyError> {
    URL_SAFE_NO_PAD
        .decode(required(members, name)?)
        .map_err(|_| KeyError::Member(name))
}
