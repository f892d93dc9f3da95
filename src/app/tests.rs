use super::*;
use crate::config;
use crate::envoy::wire;
use crate::envoy::wire::attribute_context::{HttpRequest, Request};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use prost::Message as _;
use serde_json::json;
use std::fs;

const CONFIG: &str = "
listen: {check: ['127.0.0.1:0'], health: '127.0.0.1:0'}
issuers:
- issuer: local
  keys: {jwks_file: keys.json}
  algorithms: [EdDSA]
  audiences: any
  leeway: 1s
users: {file: {path: users.yaml}}
";

/// A token of `alice`, and the set of the key that signed it.
fn signed() -> (String, String) {
    let key = Ed25519KeyPair::generate().unwrap();
    let x = BASE64.encode(key.public_key().as_ref());
    let set = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x}]});
    let now = SystemClock.now().as_millis() / 1000;
    let claims = json!({"iss": "local", "sub": "alice", "iat": now, "exp": now + 300});
    let parts = [json!({"alg": "EdDSA", "kid": "k"}), claims];
    let input = parts.map(|part| BASE64.encode(part.to_string())).join(".");
    let signature = BASE64.encode(key.sign(input.as_bytes()));
    (format!("{input}.{signature}"), set.to_string())
}

async fn passes(authorization: &Authorization, token: &str) -> bool {
    let header = wire::Entry {
        key: Bytes::from_static(b"authorization"),
        value: format!("Bearer {token}").into(),
    };
    let http = HttpRequest {
        method: "GET".into(),
        path: "/".into(),
        headers: vec![header],
        ..HttpRequest::default()
    };
    let request = wire::CheckRequest {
        attributes: Some(wire::AttributeContext {
            request: Some(Request { http: Some(http) }),
            ..wire::AttributeContext::default()
        }),
    };
    let patience = Some(Duration::from_secs(10));
    let answer = authorization.check(request.encode_to_vec().into(), patience);
    let answer = wire::CheckResponse::decode(answer.await.as_bytes()).unwrap();
    answer.status.unwrap().code == 0
}

async fn until(mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), waiting).await.unwrap();
}

#[tokio::test]
async fn a_reload_that_changes_an_issuer_lets_the_old_one_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("subgate.yaml");
    let (token, set) = signed();
    fs::write(folder.path().join("keys.json"), set).unwrap();
    fs::write(
        folder.path().join("users.yaml"),
        "users: [{subject: alice}]\n",
    )
    .unwrap();
    fs::write(&path, CONFIG).unwrap();
    let read = path.clone();
    let source = Source::new(path.clone(), move || config::load(&read, []));
    let loaded = config::load(&path, []).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let app = App::build(loaded.config, system_clock(), Dropped::none())
        .await
        .unwrap();
    let authorization = app.authorization();
    let old = app.parts.issuers.load_full();
    let (issuer, keyring) = (Arc::downgrade(&old[0]), Arc::downgrade(old[0].keyring()));
    drop(old);
    let running = tokio::spawn(async move {
        app.run(source, futures_util::stream::pending()).await;
    });
    assert!(passes(&authorization, &token).await);

    fs::write(&path, CONFIG.replace("leeway: 1s", "leeway: 2s")).unwrap();
    until(|| issuer.strong_count() == 0 && keyring.strong_count() == 0).await;
    assert!(passes(&authorization, &token).await);
    running.abort();
}
