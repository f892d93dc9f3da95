//! A sidecar in this process, asked as Envoy asks.

use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};
use prost::Message;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::time::Duration;
use subgate::app::App;
use subgate::clock::SystemClock;
use subgate::config;
use subgate::server::authorization::Authorization;
use subgate::telemetry::log::Dropped;
use tempfile::TempDir;

const CONFIGURATION: &str = "\
listen: {check: [127.0.0.1:0], health: 127.0.0.1:0}
issuers:
- issuer: joe
  keys: {jwks_file: keys.json}
  algorithms: [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA]
  audiences: any
- issuer: secret
  keys: {secret_file: secret}
  algorithms: [HS256, HS384, HS512]
  audiences: any
users:
  file: {path: users.yaml}
";

/// A sidecar that is not listening.
pub(crate) struct Sidecar {
    authorization: Authorization,
    _parts: (App, TempDir),
}

impl Sidecar {
    /// With an issuer of these public keys, named as in RFC 7515's examples.
    pub(crate) async fn start(keys: impl Iterator<Item = &Value>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // An example's key has its `alg`; the examples without a key have all keys, and those none.
        let published = keys.filter(|key| key["kty"] != "oct" && key.get("alg").is_some());
        let keys = json!({"keys": published.collect::<Vec<_>>()}).to_string();
        for (name, content) in [
            ("keys.json", keys.as_bytes()),
            ("secret", &[0x5a; 64]),
            ("users.yaml", b"users: []\n"),
        ] {
            fs::write(folder.path().join(name), content).expect("a file");
        }
        let loaded = config::parse("subgate.yaml", folder.path(), CONFIGURATION, [])
            .unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let app = App::build(loaded.config, Arc::new(SystemClock), Dropped::none())
            .await
            .expect("a sidecar");
        Self {
            authorization: app.authorization(),
            _parts: (app, folder),
        }
    }

    /// Status and code of the refusal of a token.
    pub(crate) async fn ask(&self, token: &str) -> (i32, String) {
        let mut http = HttpRequest {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            host: "shop.example.com".to_owned(),
            ..HttpRequest::default()
        };
        let bearer = format!("Bearer {token}");
        http.headers.insert("authorization".to_owned(), bearer);
        let request = CheckRequest {
            attributes: Some(AttributeContext {
                request: Some(Request {
                    http: Some(http),
                    ..Request::default()
                }),
                ..AttributeContext::default()
            }),
        };
        let message = request.encode_to_vec().into();
        let patience = Some(Duration::from_secs(60));
        let answer = self.authorization.check(message, patience).await;
        let answer = CheckResponse::decode(answer.as_bytes()).expect("a CheckResponse");
        let Some(HttpResponse::DeniedResponse(denied)) = answer.http_response else {
            panic!("not a denial: {answer:?}")
        };
        let body: Value = serde_json::from_str(&denied.body).expect("a JSON body");
        let code = body["code"].as_str().expect("a code").to_owned();
        (denied.status.expect("a status").code, code)
    }
}
