//! A directory that tells its own changes: they are obeyed at once.

use super::{LASTING, PATIENT};
use crate::parts::backend::Backend;
use crate::parts::client::{Answer, get};
use crate::parts::configuration::Configuration;
use crate::parts::directory_grpc::GrpcDirectory;
use crate::parts::envoy::{self, Envoy};
use crate::parts::issuer::Issuer;
use crate::parts::sidecar::Sidecar;
use crate::parts::until;
use crate::world::{BARE, Expected, POLICIES, program};
use serde_json::{Value, json};
use subgate::clock::{Clock, SystemClock};

/// A sidecar that follows a gRPC directory, behind Envoy.
struct House {
    issuer: Issuer,
    directory: GrpcDirectory,
    sidecar: Sidecar,
    envoy: Envoy,
    _backend: Backend,
}

impl House {
    async fn open() -> Self {
        let (issuer, backend, directory) =
            (Issuer::start(), Backend::start(), GrpcDirectory::start());
        let users = format!(
            "grpc: {{endpoint: 'http://{}'}}\n{PATIENT}{LASTING}",
            directory.address()
        );
        let configuration = Configuration::asking(&issuer, "")
            .directory(&users)
            .and_sections(POLICIES);
        let sidecar = Sidecar::start(program(), |place| configuration.install(place)).await;
        let file = envoy::file(BARE)
            .service(backend.address())
            .sidecar_at_socket(&sidecar.place().socket())
            .swap("timeout: 0.25s", "timeout: 10s", 1);
        let envoy = Envoy::start(&file).await;
        let house = Self {
            issuer,
            directory,
            sidecar,
            envoy,
            _backend: backend,
        };
        until("the directory is followed", async || {
            // Its first message says that something may have been missed before it.
            house.watched("missed").await > 0.5
        })
        .await;
        house
    }

    async fn watched(&self, result: &str) -> f64 {
        let metric = format!("subgate_directory_watch_total{{result=\"{result}\"}}");
        self.sidecar.metric(&metric).await
    }

    /// Who is there from now on.
    fn put(&mut self, rows: &[Value]) {
        self.directory.order("put", &json!({ "rows": rows }));
    }

    /// A user of `acme` with this role.
    fn person(&self, subject: &str, role: &str) -> Value {
        json!({
            "realm": self.issuer.url(), "tenant": "acme", "subject": subject,
            "id": format!("u-{subject}"), "roles": [role],
        })
    }

    /// The directory tells an event on its stream, and the sidecar has heard of it.
    async fn tell(&mut self, kind: &str, subject: &str) {
        let heard = self.watched("event").await;
        let event = json!({
            "type": kind, "time": SystemClock.now().to_string(), "realm": self.issuer.url(),
            "tenant": "acme", "subject": subject,
        });
        self.directory.order("tell", &json!({ "event": event }));
        until("the event is heard", async || {
            self.watched("event").await > heard
        })
        .await;
    }

    async fn ask(&self, subject: &str) -> Answer {
        let token = self.issuer.token().subject(subject).sign();
        self.envoy.client().send(&get("/").bearer(&token)).await
    }

    /// Who was asked for since the last time.
    fn called(&mut self) -> Vec<String> {
        let calls = self.directory.order("called", &json!({}));
        let calls = calls.as_array().expect("calls").iter();
        let subject = |call: &Value| call["subject"].as_str().unwrap_or_default().to_owned();
        calls.map(subject).collect()
    }
}

#[tokio::test]
async fn row_19_what_a_directory_tells_on_its_own_stream_is_obeyed_at_once() {
    let mut house = House::open().await;
    let [alice, bob] = ["alice", "bob"].map(|subject| house.person(subject, "admin"));
    house.put(&[alice, bob.clone()]);
    for _ in 0..2 {
        for subject in ["alice", "bob"] {
            assert_eq!(house.ask(subject).await.seen("x-user-roles"), ["admin"]);
        }
    }
    assert_eq!(house.called(), ["alice", "bob"], "they are remembered");

    let alice = house.person("alice", "reader");
    house.put(&[alice, bob]);
    let untold = house.ask("alice").await;
    assert_eq!(untold.seen("x-user-roles"), ["admin"], "nothing was told");
    house.tell("user.updated", "alice").await;
    assert_eq!(house.ask("alice").await.seen("x-user-roles"), ["reader"]);
    assert_eq!(house.called(), ["alice"]);

    // She is still there, as a replica would have her: what was told counts.
    house.tell("user.deleted", "alice").await;
    let gone = house.ask("alice").await;
    gone.is_refused(403, "user_not_found");
    assert!(house.called().is_empty(), "a mark asks nobody");
    house.ask("bob").await.is_allowed();
    assert!(house.called().is_empty(), "bob was not touched");
}
