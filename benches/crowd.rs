//! Very many users: each person has one token and stands in ten tenants, which a header names.

use crate::check_request::{Form, check_request};
use crate::checks::{allows, framed, head, message};
use crate::load::{Answer, Ask, Traffic};
use crate::population::{AUDIENCE, ISSUER, Person};
use crate::{Error, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use bytes::{Bytes, BytesMut};
use envoy_types::pb::envoy::config::core::v3::HeaderValue;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use prost::Message;
use serde_json::json;
use std::ops::Range;
use subgate::clock::{Clock, SystemClock};

/// The tenants in which each person is a user.
pub(crate) const TENANTS: usize = 10;
/// Longer than any run.
const LIFETIME_SECS: u64 = 6 * 60 * 60;
const KID: &str = "2026-2";

/// The key that signs the tokens: ES256, of which a hundred thousand are made in seconds.
#[derive(Debug)]
pub(crate) struct Issuer {
    key: EcdsaKeyPair,
}

/// People, and the `Check` calls of all the users that they are.
#[derive(Debug)]
pub(crate) struct Crowd {
    /// The number of the first person.
    first: usize,
    bodies: Vec<Bytes>,
    /// Where in a body the tenant's last digit stands.
    digit: usize,
}

impl Issuer {
    pub(crate) fn new() -> Result<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        Ok(Self { key })
    }

    /// The key set (RFC 7517): an uncompressed point is `04 x y`.
    pub(crate) fn key_set(&self) -> Result<String> {
        let point = self.key.public_key().as_ref();
        let (x, y) = point
            .strip_prefix(&[4])
            .and_then(|point| point.split_at_checked(32))
            .ok_or("the public key is no uncompressed point")?;
        let set = json!({ "keys": [{
            "kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": KID,
            "x": BASE64URL.encode(x), "y": BASE64URL.encode(y),
        }] });
        Ok(set.to_string())
    }

    fn token(&self, subject: &str) -> Result<String> {
        let now = SystemClock.now().as_millis() / 1000;
        // Older than any grace for young tokens.
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": subject,
            "iat": now - 3600, "exp": now + LIFETIME_SECS,
        });
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": KID });
        let mut token = BASE64URL.encode(header.to_string());
        token.push('.');
        BASE64URL.encode_string(claims.to_string(), &mut token);
        let signature = self.key.sign(&SystemRandom::new(), token.as_bytes())?;
        token.push('.');
        BASE64URL.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }
}

/// The subject of a person: of the length of a UUID, led by the person's number.
pub(crate) fn subject(person: usize) -> String {
    format!(
        "{person:08x}-5a17-4c0d-a0b1-{:012x}",
        person * 2_654_435_761
    )
}

/// The number of a person.
pub(crate) fn person(subject: &str) -> Option<usize> {
    usize::from_str_radix(subject.get(..8)?, 16).ok()
}

/// The directory's id of a user.
pub(crate) fn user_id(person: usize, tenant: usize) -> String {
    format!("user-{person:08}-{tenant}")
}

/// The name of a tenant.
pub(crate) fn tenant(nth: usize) -> String {
    format!("tenant-{nth}")
}

impl Crowd {
    /// Signs a token for each of these people.
    pub(crate) fn of(people: Range<usize>, issuer: &Issuer) -> Result<Self> {
        let first = people.start;
        let bodies: Vec<Bytes> = people.map(|nth| body(issuer, nth)).collect::<Result<_>>()?;
        let digit = bodies.first().map_or(Ok(0), |body| digit(body))?;
        if bodies.iter().any(|body| body.get(digit) != Some(&b'0')) {
            return Err("the questions are not alike".into());
        }
        Ok(Self {
            first,
            bodies,
            digit,
        })
    }

    /// Whose call the `nth` is, and in which tenant: all in the first tenant come first.
    const fn place(&self, nth: usize) -> (usize, usize) {
        (nth % self.bodies.len(), nth / self.bodies.len())
    }
}

impl Traffic for Crowd {
    fn count(&self) -> usize {
        self.bodies.len() * TENANTS
    }

    fn ask(&self, nth: usize) -> Option<Ask> {
        let (person, tenant) = self.place(nth);
        let mut body = BytesMut::from(self.bodies.get(person)?.as_ref());
        *body.get_mut(self.digit)? += u8::try_from(tenant).ok()?;
        Some(Ask {
            head: head().ok()?,
            body: Some(body.freeze()),
        })
    }

    fn judge(&self, nth: usize, answer: &Answer, thorough: bool) -> Result {
        let message = message(answer)?;
        if !message.starts_with(&[0x0a, 0x00]) || thorough {
            let response = CheckResponse::decode(message)?;
            let (person, tenant) = self.place(nth);
            let user_id = user_id(self.first + person, tenant);
            return allows(&response, &user_id)
                .map_err(|wrong| format!("{wrong} in the answer {response:?}").into());
        }
        Ok(())
    }
}

fn body(issuer: &Issuer, nth: usize) -> Result<Bytes> {
    let subject = subject(nth);
    let person = Person {
        id: String::new(),
        tenant: tenant(0),
        token: issuer.token(&subject)?,
        subject,
    };
    let mut question = check_request(&person, Form::Raw);
    let http = question
        .attributes
        .as_mut()
        .and_then(|attributes| attributes.request.as_mut()?.http.as_mut())
        .ok_or("a question without a request")?;
    let headers = http
        .header_map
        .as_mut()
        .ok_or("a question without headers")?;
    headers.headers.push(HeaderValue {
        key: "x-tenant-id".to_owned(),
        raw_value: tenant(0).into_bytes(),
        ..HeaderValue::default()
    });
    framed(&question)
}

fn digit(body: &Bytes) -> Result<usize> {
    let name = tenant(0);
    let starts = body
        .windows(name.len())
        .rposition(|at| at == name.as_bytes());
    let starts = starts.ok_or_else(|| Error::from("a question without a tenant"))?;
    Ok(starts + name.len() - 1)
}

/// The sections of a configuration for a crowd.
pub(crate) fn sections(directory: std::net::SocketAddr) -> String {
    format!(
        "\
tenant:
  required: true
  from: [{{header: x-tenant-id}}]
users:
  http:
    url: 'http://{directory}/v1/tenants/{{tenant}}/users/{{subject}}'
    not_found: {{code: user_not_found}}
  cache: {{fresh: 6h, max_memory: 4GiB}}
limits: {{tokens: 1GiB}}
"
    )
}
