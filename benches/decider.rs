//! Subgate in this process, asked as its gRPC service asks it: encoded question in, encoded answer out.

use crate::population::{AUDIENCE, ISSUER};
use crate::{Population, Result};
use bytes::Bytes;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use futures_util::FutureExt;
use prost::Message;
use std::path::Path;
use std::time::Duration;
use subgate::app::{App, system_clock};
use subgate::envoy::Answer;
use subgate::server::authorization::Authorization;
use subgate::telemetry::log::Dropped;

/// How long a first decision may wait for keys and a look-up.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(5));

/// The sidecar's answering part; the rest of the process lives as long as it does.
pub(crate) struct Decider {
    authorization: Authorization,
    _app: App,
}

impl Decider {
    pub(crate) async fn start(population: &Population, dir: &Path) -> Result<Self> {
        let keys = dir.join("keys.json");
        std::fs::write(&keys, population.key_set()?)?;
        let directory = crate::directory::serve(population).await?;
        let text = format!(
            "\
listen: {{check: ['127.0.0.1:0'], health: '127.0.0.1:0'}}
issuers:
- issuer: {ISSUER}
  keys: {{jwks_file: '{keys}'}}
  audiences: [{AUDIENCE}]
tenant: {{required: true, from: [{{claim: tenant}}]}}
users:
  http:
    url: 'http://{directory}/v1/tenants/{{tenant}}/users/{{subject}}'
    not_found: {{code: user_not_found}}
  cache: {{fresh: 1h}}
",
            keys = keys.display(),
        );
        let loaded = subgate::config::parse("bench.yaml", dir, &text, [])?;
        let app = App::build(loaded.config, system_clock(), Dropped::none()).await?;
        Ok(Self {
            authorization: app.authorization(),
            _app: app,
        })
    }

    /// Decides for the first time, which may ask the directory.
    pub(crate) async fn learn(&self, check: Bytes) -> Result {
        allowed(&self.authorization.check(check, PATIENCE).await)
    }

    /// Decides about what is known: the first poll brings the answer.
    pub(crate) fn decide(&self, check: Bytes) -> Result<Answer> {
        let answer = self.authorization.check(check, PATIENCE).now_or_never();
        let answer = answer.ok_or("a warm decision waited for something")?;
        // Field 1, a status without a code: the first bytes of every permit.
        if answer.as_bytes().starts_with(&[0x0a, 0x00]) {
            Ok(answer)
        } else {
            allowed(&answer)?;
            Ok(answer)
        }
    }
}

fn allowed(answer: &Answer) -> Result {
    let response = CheckResponse::decode(answer.as_bytes())?;
    match response.status {
        Some(status) if status.code == 0 => Ok(()),
        _ => Err(format!("expected an allow, got {response:?}").into()),
    }
}
