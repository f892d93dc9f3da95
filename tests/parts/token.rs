//! Tokens: right ones by default, wrong ones in whatever way a test asks for.

use super::key::Key;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use subgate::clock::{Clock, SystemClock};

/// A token about to be signed.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    key: Arc<Key>,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    payload: Option<String>,
}

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    i64::try_from(SystemClock.now().as_millis() / 1000).expect("a date of our time")
}

impl Token {
    /// A token for `alice` at the tenant `acme`, for `shop-api`, issued a minute ago, good for five
    /// more.
    pub(crate) fn new(issuer: &str, key: Arc<Key>) -> Self {
        static SIGNED: AtomicUsize = AtomicUsize::new(1);
        let claims = json!({
            "iss": issuer,
            "sub": "alice",
            "aud": "shop-api",
            "tenant": "acme",
            "iat": now() - 60,
            "exp": now() + 300,
            "jti": format!("token-{}", SIGNED.fetch_add(1, Ordering::Relaxed)),
        });
        let header = json!({"alg": key.algorithm().name(), "kid": key.kid(), "typ": "JWT"});
        Self {
            key,
            header: object(header),
            claims: object(claims),
            payload: None,
        }
    }

    /// For another subject.
    pub(crate) fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// For another audience.
    pub(crate) fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// With a claim, or another value for one.
    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Without a claim.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Expires so many seconds from now; a negative number has passed.
    pub(crate) fn expires_in(self, seconds: i64) -> Self {
        self.claim("exp", now() + seconds)
    }

    /// Was issued so many seconds ago.
    pub(crate) fn issued_ago(self, seconds: i64) -> Self {
        self.claim("iat", now() - seconds)
    }

    /// Names another key than the one that signs.
    pub(crate) fn kid(self, kid: &str) -> Self {
        self.header("kid", kid)
    }

    /// Says it is of another type.
    pub(crate) fn typ(self, typ: &str) -> Self {
        self.header("typ", typ)
    }

    /// With a header member, or another value for one.
    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Signed by another key, under whatever name the header has.
    pub(crate) fn signed_by(mut self, key: Arc<Key>) -> Self {
        self.key = key;
        self
    }

    /// This very text as the payload.
    pub(crate) fn payload(mut self, text: &str) -> Self {
        self.payload = Some(text.to_owned());
        self
    }

    /// The compact form (RFC 7515 7.1).
    pub(crate) fn sign(self) -> String {
        let header = BASE64.encode(Value::Object(self.header).to_string());
        let payload = match self.payload {
            Some(text) => BASE64.encode(text),
            None => BASE64.encode(Value::Object(self.claims).to_string()),
        };
        let input = format!("{header}.{payload}");
        let signature = BASE64.encode(self.key.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }

    /// The compact form with one claim changed after it was signed.
    pub(crate) fn sign_then(self, name: &str, value: impl Into<Value>) -> String {
        let signed = self.clone().sign();
        let changed = self.claim(name, value).sign();
        let signature = signed.rsplit('.').next().unwrap_or_default();
        let input = changed.rsplit_once('.').map_or("", |(input, _)| input);
        format!("{input}.{signature}")
    }
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else {
        panic!("expected an object, came {value}")
    };
    members
}
