//! A user service in a stock framework for HTTP, as a process.

use super::process::Process;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// A running user service: `/r/{realm}/t/{tenant}/u/{subject}`, and `crash` is nobody.
pub(crate) struct Express(Process);

impl Express {
    /// Starts without users.
    pub(crate) async fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parts/express.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(super::part("node-scim"));
        Self(Process::start(command, "/ready").await)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Puts these users in the place of all others: records, each with its `realm`.
    pub(crate) fn put(&self, rows: &[Value]) {
        let (status, body) = self.0.call("PUT", "/rows", &Value::from(rows).to_string());
        assert_eq!(status, 204, "{body}");
    }

    /// The `cache-control` of the latest question.
    pub(crate) fn asked(&self) -> String {
        let (status, asked) = self.0.call("GET", "/asked", "");
        assert_eq!(status, 200, "{asked}");
        asked
    }

    /// Ends it.
    pub(crate) fn down(&mut self) {
        self.0.kill();
    }
}
