//! A thousand users, each with one token, and the key that signed them.

use crate::Result;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use subgate::clock::{Clock, SystemClock};

/// The issuer of every token.
pub(crate) const ISSUER: &str = "https://id.example.com/realms/shop";
/// The audience of every token.
pub(crate) const AUDIENCE: &str = "shop-api";
const KID: &str = "2026-1";
/// Longer than any run.
const LIFETIME_SECS: u64 = 6 * 60 * 60;

/// One user, as the directory knows it, with the token it shows.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) id: String,
    pub(crate) tenant: String,
    pub(crate) token: String,
}

impl Person {
    /// The roles of every user.
    pub(crate) const ROLES: [&'static str; 2] = ["editor", "viewer"];
}

/// The users and the issuer of their tokens.
#[derive(Debug)]
pub(crate) struct Population {
    pub(crate) people: Vec<Person>,
    pub(crate) key: RsaKeyPair,
}

impl Population {
    /// Makes a 2048-bit RSA key and so many users.
    pub(crate) fn of(size: usize) -> Result<Self> {
        let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let mut draw = Draw::seeded(0x5eed);
        let people = (0..size)
            .map(|nth| {
                let (subject, tenant) = (draw.uuid(), format!("tenant-{}", nth % 10));
                Ok(Person {
                    id: format!("user-{nth:06}"),
                    token: token(&key, &subject, &tenant, &draw.uuid())?,
                    subject,
                    tenant,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self { people, key })
    }

    /// The public key's `n`, in base64url; its `e` is `AQAB`.
    pub(crate) fn modulus(&self) -> Result<String> {
        modulus(&self.key)
    }

    /// The key set (RFC 7517).
    pub(crate) fn key_set(&self) -> Result<String> {
        let set = json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KID,
            "n": self.modulus()?, "e": "AQAB",
        }] });
        Ok(set.to_string())
    }
}

/// Signs a token.
pub(crate) fn token(key: &RsaKeyPair, subject: &str, tenant: &str, id: &str) -> Result<String> {
    let now = SystemClock.now().as_millis() / 1000;
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "tenant": tenant,
        "jti": id, "iat": now, "exp": now + LIFETIME_SECS,
    });
    sign(key, &claims)
}

fn sign(key: &RsaKeyPair, claims: &Value) -> Result<String> {
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": KID });
    let mut token = BASE64URL.encode(header.to_string());
    token.push('.');
    BASE64URL.encode_string(claims.to_string(), &mut token);
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        token.as_bytes(),
        &mut signature,
    )?;
    token.push('.');
    BASE64URL.encode_string(signature, &mut token);
    Ok(token)
}

/// Reads the modulus off a `SubjectPublicKeyInfo`, which ends in it and in the exponent:
/// `INTEGER (2.5.29…) 00 n`, then `02 03 01 00 01` (RFC 8017 A.1.1).
fn modulus(key: &RsaKeyPair) -> Result<String> {
    let info: PublicKeyX509Der<'_> = key.public_key().as_der()?;
    let exponent = [0x02, 0x03, 0x01, 0x00, 0x01];
    let before = info
        .as_ref()
        .strip_suffix(&exponent)
        .ok_or("the key's exponent is not 65537")?;
    let (_, modulus) = before
        .split_last_chunk::<256>()
        .ok_or("the key is shorter than 2048 bits")?;
    Ok(BASE64URL.encode(modulus))
}

/// Seeded draws, the same in every run (xorshift64).
#[derive(Clone, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// One of them, and its place.
    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> Result<(usize, &'a T)> {
        let nth = self.below(all.len())?;
        Ok((nth, all.get(nth).ok_or("there is none to draw")?))
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, count: usize) -> Result<usize> {
        Ok(usize::try_from(self.next() >> 32)? % count.max(1))
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }
}
