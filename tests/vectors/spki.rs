//! Public keys in PEM (RFC 7468, RFC 5280 4.1.2.7), as JSON Web Keys.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];

/// The key of a PEM text, without `kid` and `alg`.
pub(crate) fn jwk(pem: &str) -> Value {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let der = STANDARD.decode(lines.collect::<String>()).expect("base64");
    let (info, _) = element(&der);
    let (algorithm, rest) = element(info);
    let (id, parameters) = element(algorithm);
    // The first byte of a bit string counts the unused bits of its last.
    let key = &element(rest).0[1..];
    if id == RSA {
        let (modulus, rest) = element(element(key).0);
        let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
        json!({"kty": "RSA", "n": encode(modulus), "e": encode(element(rest).0)})
    } else if id == EC {
        let curve = element(parameters).0;
        let names = [(P256, "P-256"), (P384, "P-384"), (P521, "P-521")];
        let (_, name) = names
            .iter()
            .find(|(id, _)| *id == curve)
            .expect("a known curve");
        let (x, y) = key[1..].split_at(key.len() / 2);
        json!({"kty": "EC", "crv": name, "x": encode(x), "y": encode(y)})
    } else if id == ED25519 {
        json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key)})
    } else {
        panic!("a key of an unknown kind")
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The content of the first element of some DER, and what follows.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, start) = match usize::from(der[1]) {
        short @ ..0x80 => (short, 2),
        long => {
            let start = 2 + long - 0x80;
            let bytes = der[2..start].iter();
            (
                bytes.fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
                start,
            )
        }
    };
    (&der[start..start + length], &der[start + length..])
}
