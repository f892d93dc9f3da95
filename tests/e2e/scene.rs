//! A world whose user service is a process of its own, and whose sidecar has an operator.

use crate::parts::backend::Backend;
use crate::parts::client::{Answer, Client, Request, get, request};
use crate::parts::configuration::Configuration;
use crate::parts::envoy::{self, Envoy};
use crate::parts::faulty::Faulty;
use crate::parts::free_address;
use crate::parts::issuer::Issuer;
use crate::parts::sidecar::Sidecar;
use crate::parts::token::Token;
use crate::world::{BARE, POLICIES, program};
use serde_json::{Value, json};

const OPERATORS_TOKEN: &str = "an-operators-token";

/// For `users`: an ordinary read may lag; this one does not.
pub(crate) const CONSISTENT: &str = "  consistent_read: {header: {cache-control: no-cache}}\n";

/// Everything, running.
pub(crate) struct Scene {
    pub(crate) issuer: Issuer,
    pub(crate) service: Faulty,
    pub(crate) sidecar: Sidecar,
    pub(crate) envoy: Envoy,
    admin: Client,
    _backend: Backend,
}

impl Scene {
    /// With these people, and with more members of `users`.
    pub(crate) async fn with(people: Vec<Value>, users: &str) -> Self {
        Self::configured(people, |_, same| same.users(users)).await
    }

    /// With these people, and with the configuration changed.
    pub(crate) async fn configured(
        people: Vec<Value>,
        change: impl FnOnce(&Issuer, Configuration) -> Configuration,
    ) -> Self {
        let (issuer, backend) = (Issuer::start(), Backend::start());
        let service = Faulty::start(people).await;
        let address = free_address();
        let configuration = Configuration::asking(&issuer, &service.url())
            .listen(&format!(
                "admin: {address}\nadmin_token_file: admin-token\n"
            ))
            .file("admin-token", OPERATORS_TOKEN);
        let configuration = change(&issuer, configuration.and_sections(POLICIES));
        let sidecar = Sidecar::start(program(), |place| configuration.install(place)).await;
        // How long a request waits is the sidecar's to say here, on a slow machine too.
        let file = envoy::file(BARE)
            .service(backend.address())
            .sidecar_at_socket(&sidecar.place().socket())
            .swap("timeout: 0.25s", "timeout: 10s", 1);
        let envoy = Envoy::start(&file).await;
        Self {
            issuer,
            service,
            sidecar,
            envoy,
            admin: Client::new(address),
            _backend: backend,
        }
    }

    /// Sends a request to Envoy.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        self.envoy.client().send(request).await
    }

    /// Sends a request with a token to Envoy.
    pub(crate) async fn show(&self, token: Token) -> Answer {
        self.send(&get("/").bearer(&token.sign())).await
    }

    /// Sends a request of somebody of `acme` to Envoy, with a token that is a minute old.
    pub(crate) async fn ask(&self, subject: &str) -> Answer {
        self.show(self.issuer.token().subject(subject)).await
    }

    /// Tells a lifecycle event of the realm, over the admin API.
    pub(crate) async fn tell(&self, mut event: Value) {
        event["issuer"] = "acme".into();
        self.operate("POST", "/v1/events", &event).await;
    }

    /// Does something over the admin API.
    pub(crate) async fn operate(&self, method: &str, path: &str, body: &Value) -> Value {
        let asked = request(method, path).bearer(OPERATORS_TOKEN);
        let asked = if body.is_null() {
            asked
        } else {
            asked.body("application/json", &body.to_string())
        };
        let answer = self.admin.send(&asked).await;
        assert_eq!(answer.status, 200, "{method} {path} {body}: {answer:?}");
        answer.json()
    }

    /// Drops what is remembered of somebody of `acme`.
    pub(crate) async fn forget(&self, subject: &str) {
        let path = format!("/v1/users?issuer=acme&tenant=acme&subject={subject}");
        self.operate("DELETE", &path, &Value::Null).await;
    }

    /// What the guard and the canaries say.
    pub(crate) async fn guard(&self) -> Value {
        self.operate("GET", "/v1/guard", &Value::Null).await
    }

    /// Waits for the log line of a decision with these members, and returns it.
    pub(crate) async fn decided(&self, members: Value) -> Value {
        let members = members.as_object().cloned().unwrap_or_default();
        self.sidecar
            .logged(&format!("a decision with {members:?}"), |line| {
                line["target"] == "decision"
                    && members.iter().all(|(name, value)| line[name] == *value)
            })
            .await
    }

    /// Look-ups without a trustworthy answer for this reason.
    pub(crate) async fn unanswered(&self, reason: &str) -> f64 {
        let metric = format!("subgate_lookups_total{{outcome=\"unanswered\",reason=\"{reason}\"}}");
        self.sidecar.metric(&metric).await
    }
}

/// An event of somebody of `acme`.
pub(crate) fn event(kind: &str, subject: &str) -> Value {
    json!({"type": kind, "tenant": "acme", "subject": subject})
}
