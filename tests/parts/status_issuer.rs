//! An issuer with status lists, signed by a library that is not ours, as a process.

use super::process::Process;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// A running issuer; it is killed when it is dropped.
pub(crate) struct StatusIssuer(Process);

impl StatusIssuer {
    /// Starts with a list of a million valid statuses, at `/lists/1`.
    pub(crate) async fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parts/status-issuer.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(super::part("node"));
        Self(Process::start(command, "/jwks").await)
    }

    /// Its identifier.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.address())
    }

    /// A good token of `alice`, at a place of a list.
    pub(crate) fn token(&self, index: u64, list: &str) -> String {
        self.text(&format!("/token?idx={index}&list={list}"))
    }

    /// The list itself, with the claims of an access token besides.
    pub(crate) fn list_token(&self) -> String {
        self.text("/list-token")
    }

    /// Changes a status of the list.
    pub(crate) fn put(&self, index: u64, status: u8) {
        let body = json!({"idx": index, "status": status}).to_string();
        assert_eq!(self.0.call("PUT", "/status", &body).0, 200);
    }

    /// How often lists were asked for.
    pub(crate) fn asked(&self) -> u64 {
        self.json("/asked")["asked"].as_u64().expect("a number")
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        self.0.kill();
    }

    fn text(&self, path: &str) -> String {
        let text = self.json(path)["token"].as_str().map(str::to_owned);
        text.expect("a token")
    }

    fn json(&self, path: &str) -> Value {
        let (status, body) = self.0.call("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        let object = body.find('{').zip(body.rfind('}'));
        let object = object.and_then(|(first, last)| body.get(first..=last));
        serde_json::from_str(object.expect("an object")).expect("JSON")
    }
}
