//! Tokens that are none, or not for here, or not for now.

use super::{Row, bearer, refused};
use crate::parts::client::get;
use crate::parts::issuer::Issuer;
use crate::parts::key::{Algorithm, Key};
use crate::parts::token::{Token, now};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

/// What is wrong with tokens.
pub(super) fn all(acme: &Issuer, unreachable: SocketAddr) -> Vec<Row> {
    let token = || acme.token();
    let stranger = || Arc::new(Key::generate(Algorithm::ES256));
    let stranger_rsa = || Arc::new(Key::generate(Algorithm::RS256));
    let staging = "https://staging.example.com";
    vec![
        refused("", "no token", "nothing", get("/"), (401, "token_missing")),
        refused(
            "",
            "no token at all",
            "Bearer not.a.token",
            get("/").bearer("not.a.token"),
            (401, "token_malformed"),
        ),
        refused(
            "",
            "algorithm confusion",
            "alg HS256",
            bearer(token().header("alg", "HS256")),
            (401, "algorithm_not_allowed"),
        ),
        refused(
            "14",
            "key of another environment",
            "unknown kid",
            bearer(token().kid("staging-1").signed_by(stranger_rsa())),
            (401, "key_unknown"),
        ),
        refused(
            "",
            "forged",
            "claims changed",
            get("/").bearer(&token().sign_then("sub", "admin")),
            (401, "signature_invalid"),
        ),
        refused(
            "11",
            "provider not configured",
            "iss of staging",
            bearer(token().claim("iss", staging)),
            (401, "issuer_unknown"),
        ),
        refused(
            "14",
            "token for another service",
            "aud other-api",
            bearer(token().audience("other-api")),
            (401, "audience_mismatch"),
        ),
        refused(
            "",
            "expired",
            "exp 5 min ago",
            bearer(token().issued_ago(600).expires_in(-300)),
            (401, "token_expired"),
        ),
        refused(
            "",
            "too early",
            "nbf in 2 min",
            bearer(token().claim("nbf", now() + 120)),
            (401, "token_not_yet_valid"),
        ),
        refused(
            "",
            "lives too long",
            "exp in 30 days",
            bearer(token().expires_in(30 * 86_400)),
            (401, "token_lifetime_exceeded"),
        ),
        refused(
            "9",
            "token revoked",
            "jti lost-laptop",
            bearer(token().claim("jti", "lost-laptop")),
            (401, "token_revoked"),
        ),
        refused(
            "9",
            "its status list is out of reach",
            "status_list of a server that is down",
            bearer(token().claim("status", lost_list())),
            (503, "revocation_unavailable"),
        ),
        refused(
            "9",
            "subject revoked",
            "sub frank",
            bearer(token().subject("frank")),
            (401, "token_revoked"),
        ),
        refused(
            "",
            "provider never reached",
            "its token",
            bearer(Token::new(&format!("http://{unreachable}"), stranger())),
            (503, "keys_unavailable"),
        ),
    ]
}

/// A status list that the issuer's tokens may point to, of a server that is not there.
fn lost_list() -> Value {
    json!({"status_list": {"idx": 0, "uri": "http://127.0.0.1:9/lists/1"}})
}
