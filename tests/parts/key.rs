//! Signing keys, and how a key set shows them (RFC 7517, RFC 8037).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A key with its id and the one algorithm it is for.
#[derive(Debug)]
pub(crate) struct Key {
    kid: String,
    algorithm: Algorithm,
    pair: Pair,
}

/// An algorithm that keys are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA with P-256.
    ES256,
    /// ECDSA with P-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

#[derive(Debug)]
enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Algorithm {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::RS256,
        Self::PS256,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// The registered name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    fn encoding(self) -> &'static dyn RsaEncoding {
        match self {
            Self::PS256 => &signature::RSA_PSS_SHA256,
            Self::RS256 | Self::ES256 | Self::ES384 | Self::EdDSA => &signature::RSA_PKCS1_SHA256,
        }
    }
}

impl Key {
    /// A new key under a name that no other has in this process.
    pub(crate) fn generate(algorithm: Algorithm) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(1);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let ec = |kind: &'static EcdsaSigningAlgorithm| {
            Pair::Ec(EcdsaKeyPair::generate(kind).expect("an EC key"))
        };
        let pair = match algorithm {
            Algorithm::RS256 | Algorithm::PS256 => {
                Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))
            }
            Algorithm::ES256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::ES384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::EdDSA => Pair::Ed(Ed25519KeyPair::generate().expect("an Ed25519 key")),
        };
        Self {
            kid: format!("{}-{number}", algorithm.name().to_lowercase()),
            algorithm,
            pair,
        }
    }

    /// The key's id.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// What it signs with.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A JWS signature (RFC 7515).
    pub(crate) fn sign(&self, input: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(self.algorithm.encoding(), &random, input, &mut signature)
                    .expect("an RSA signature");
                signature
            }
            Pair::Ec(pair) => pair
                .sign(&random, input)
                .expect("an EC signature")
                .as_ref()
                .to_vec(),
            Pair::Ed(pair) => pair.sign(input).as_ref().to_vec(),
        }
    }

    /// The public half, as a key set holds it.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let (modulus, exponent) = rsa_numbers(pair.public_key().as_ref());
                json!({"kty": "RSA", "n": BASE64.encode(modulus), "e": BASE64.encode(exponent)})
            }
            Pair::Ec(pair) => {
                // An uncompressed point: 4, x, y (SEC 1, 2.3.3).
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": curve, "x": BASE64.encode(x), "y": BASE64.encode(y)})
            }
            Pair::Ed(pair) => {
                let x = BASE64.encode(pair.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x})
            }
        };
        jwk["kid"] = self.kid.as_str().into();
        jwk["alg"] = self.algorithm.name().into();
        jwk["use"] = "sig".into();
        jwk
    }
}

/// Modulus and exponent out of an `RSAPublicKey` (RFC 8017 A.1.1): a sequence of two integers.
fn rsa_numbers(der: &[u8]) -> (&[u8], &[u8]) {
    let (_tag, sequence, _end) = element(der);
    let (_tag, modulus, rest) = element(sequence);
    let (_tag, exponent, _end) = element(rest);
    (modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent)
}

/// The first element of some DER: tag, content, what follows.
fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let short = usize::from(der[1]);
    let (length, start) = if short < 0x80 {
        (short, 2)
    } else {
        let count = short - 0x80;
        let length = der[2..2 + count]
            .iter()
            .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        (length, 2 + count)
    };
    (der[0], &der[start..start + length], &der[start + length..])
}
