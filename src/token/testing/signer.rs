//! Keys that sign.

use super::{base64, changed};
use crate::token::issuer::Algorithm;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The secret of the HMAC signers, long enough for each hash.
pub(in crate::token) const SECRET: [u8; 64] =
    *b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The one RSA key: they take long to make.
static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

/// A key that signs with one algorithm.
#[derive(Debug)]
pub(in crate::token) struct Signer {
    pub(in crate::token) kid: &'static str,
    pub(in crate::token) algorithm: Algorithm,
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Rsa(&'static RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Secret,
}

impl Signer {
    /// A new key; RSA keys have one material, HMAC keys are [`SECRET`].
    pub(in crate::token) fn new(kid: &'static str, algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Pair::Secret,
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => Pair::Rsa(&RSA),
            Algorithm::ES256 => {
                Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
            }
            Algorithm::ES384 => {
                Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
            }
            Algorithm::EdDSA | Algorithm::Ed25519 => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
        };
        Self {
            kid,
            algorithm,
            pair,
        }
    }

    /// The public half as a set publishes it.
    pub(in crate::token) fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let (modulus, exponent) = rsa_numbers(pair.public_key().as_ref());
                json!({"kty": "RSA", "n": base64(modulus), "e": base64(exponent)})
            }
            Pair::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(self.coordinate());
                json!({"kty": "EC", "crv": self.curve(), "x": base64(x), "y": base64(y)})
            }
            Pair::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key())})
            }
            Pair::Secret => json!({"kty": "oct", "k": base64(SECRET)}),
        };
        jwk["kid"] = self.kid.into();
        jwk["alg"] = self.algorithm.as_str().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The public half with some members changed; null takes one away.
    pub(in crate::token) fn jwk_with(&self, changes: &Value) -> Value {
        changed(self.jwk(), changes)
    }

    fn curve(&self) -> &'static str {
        if self.algorithm == Algorithm::ES384 {
            "P-384"
        } else {
            "P-256"
        }
    }

    fn coordinate(&self) -> usize {
        if self.algorithm == Algorithm::ES384 {
            48
        } else {
            32
        }
    }

    pub(in crate::token) fn header(&self) -> Value {
        json!({"alg": self.algorithm.as_str(), "kid": self.kid})
    }

    /// A token with these claims.
    pub(in crate::token) fn token(&self, claims: &Value) -> String {
        self.jws(&self.header().to_string(), claims.to_string().as_bytes())
    }

    /// A signed JWS of whatever header and payload.
    pub(in crate::token) fn jws(&self, header: &str, payload: &[u8]) -> String {
        let input = format!("{}.{}", base64(header), base64(payload));
        format!("{input}.{}", base64(self.sign(input.as_bytes())))
    }

    pub(in crate::token) fn sign(&self, input: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(self.encoding(), &random, input, &mut signature)
                    .unwrap();
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, input).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(input).as_ref().to_vec(),
            Pair::Secret => mac(self.algorithm, &SECRET, input),
        }
    }

    fn encoding(&self) -> &'static dyn RsaEncoding {
        match self.algorithm {
            Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
            Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
            Algorithm::PS256 => &signature::RSA_PSS_SHA256,
            Algorithm::PS384 => &signature::RSA_PSS_SHA384,
            Algorithm::PS512 => &signature::RSA_PSS_SHA512,
            Algorithm::HS256
            | Algorithm::HS384
            | Algorithm::HS512
            | Algorithm::RS256
            | Algorithm::ES256
            | Algorithm::ES384
            | Algorithm::EdDSA
            | Algorithm::Ed25519 => &signature::RSA_PKCS1_SHA256,
        }
    }
}

pub(in crate::token) fn mac(algorithm: Algorithm, secret: &[u8], input: &[u8]) -> Vec<u8> {
    let hash = match algorithm {
        Algorithm::HS256 => hmac::HMAC_SHA256,
        Algorithm::HS384 => hmac::HMAC_SHA384,
        Algorithm::HS512 => hmac::HMAC_SHA512,
        Algorithm::RS256
        | Algorithm::RS384
        | Algorithm::RS512
        | Algorithm::PS256
        | Algorithm::PS384
        | Algorithm::PS512
        | Algorithm::ES256
        | Algorithm::ES384
        | Algorithm::EdDSA
        | Algorithm::Ed25519 => panic!("{algorithm:?} is no HMAC"),
    };
    hmac::sign(&hmac::Key::new(hash, secret), input)
        .as_ref()
        .to_vec()
}

/// Every form in which the RSA public key is a text or bytes that someone may take for a secret.
pub(in crate::token) fn public_key_forms(rsa: &Signer) -> Vec<Vec<u8>> {
    let Pair::Rsa(pair) = &rsa.pair else {
        panic!("not an RSA key")
    };
    let pkcs1 = pair.public_key().as_ref().to_vec();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let spki = spki.as_ref().to_vec();
    let pem = |label: &str, der: &[u8]| {
        let text = STANDARD.encode(der);
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect();
        let text = lines.join("\n");
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----")
    };
    let (of_spki, of_pkcs1) = (pem("PUBLIC KEY", &spki), pem("RSA PUBLIC KEY", &pkcs1));
    let set = json!({"keys": [rsa.jwk()]});
    vec![
        format!("{of_spki}\n").into(),
        of_spki.into(),
        format!("{of_pkcs1}\n").into(),
        of_pkcs1.into(),
        rsa_numbers(&pkcs1).0.to_vec(),
        rsa.jwk()["n"].as_str().unwrap().into(),
        rsa.jwk().to_string().into(),
        set.to_string().into(),
        spki,
        pkcs1,
    ]
}

/// Modulus and exponent out of an `RSAPublicKey` (RFC 8017 A.1.1): a sequence of two integers.
fn rsa_numbers(der: &[u8]) -> (&[u8], &[u8]) {
    let (sequence, _) = element(der);
    let (modulus, rest) = element(sequence);
    (
        modulus.strip_prefix(&[0]).unwrap_or(modulus),
        element(rest).0,
    )
}

/// The content of the first element of some DER, and what follows.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, start) = match usize::from(der[1]) {
        short @ ..0x80 => (short, 2),
        long => {
            let start = 2 + long - 0x80;
            let length = der[2..start]
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, start)
        }
    };
    (&der[start..start + length], &der[start + length..])
}
