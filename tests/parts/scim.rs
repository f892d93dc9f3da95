//! Two SCIM servers that others wrote, as processes; each serves one house a realm and tenant.

use super::process::Process;
use parking_lot::Mutex;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// A running SCIM server.
pub(crate) struct ScimServer {
    process: Process,
    created: Mutex<Vec<String>>,
}

impl ScimServer {
    /// scim2-server, in Python: it chooses the ids itself.
    pub(crate) async fn scim2_server() -> Self {
        let mut command = Command::new(super::part("python/bin/python"));
        command.arg(script("scim2.py"));
        Self::start(command).await
    }

    /// SCIMMY with its routers for Express, in JavaScript: the id is the external id.
    pub(crate) async fn scimmy() -> Self {
        let mut command = Command::new("node");
        command
            .arg(script("scimmy.mjs"))
            .arg(super::part("node-scim"));
        Self::start(command).await
    }

    async fn start(command: Command) -> Self {
        Self {
            process: Process::start(command, &base("ready", "ready", "/ServiceProviderConfig"))
                .await,
            created: Mutex::default(),
        }
    }

    /// Where it listens; the base URL is `/r/{realm}/t/{tenant}/v2` there.
    pub(crate) fn address(&self) -> SocketAddr {
        self.process.address()
    }

    /// Takes a user in, and returns the id that it was given.
    pub(crate) fn create(&self, realm: &str, tenant: &str, user: &Value) -> String {
        let users = base(realm, tenant, "/Users");
        let (status, body) = self.process.call("POST", &users, &user.to_string());
        assert_eq!(status, 201, "{body}");
        let made: Value = serde_json::from_str(&body).expect("JSON");
        let id = made["id"].as_str().expect("an id").to_owned();
        self.created
            .lock()
            .push(format!("{users}/{}", encoded(&id)));
        id
    }

    /// Deletes everybody who was taken in.
    pub(crate) fn empty(&self) {
        for user in self.created.lock().drain(..) {
            let (status, body) = self.process.call("DELETE", &user, "");
            assert_eq!(status, 204, "{body}");
        }
    }

    /// The `cache-control` of the latest question.
    pub(crate) fn asked(&self) -> String {
        let (status, asked) = self.process.call("GET", "/asked", "");
        assert_eq!(status, 200, "{asked}");
        asked
    }

    /// Ends it.
    pub(crate) fn down(&mut self) {
        self.process.kill();
    }
}

fn base(realm: &str, tenant: &str, path: &str) -> String {
    format!("/r/{}/t/{}/v2{path}", encoded(realm), encoded(tenant))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/parts")
        .join(name)
}
