//! A user service in a process of its own, to be killed, stopped, slowed and made to lie.

use super::client::Client;
use super::process::Process;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The running service; see `faulty.py`.
pub(crate) struct Faulty {
    process: Process,
    state: Value,
}

/// A record as the service holds it: active, with the id `u-{subject}`, in version 1.
pub(crate) fn person(tenant: &str, subject: &str) -> Value {
    json!({
        "id": format!("u-{subject}"),
        "subject": subject,
        "tenant": tenant,
        "status": "active",
        "email": format!("{subject}@example.com"),
        "version": 1,
    })
}

impl Faulty {
    /// Starts with these people.
    pub(crate) async fn start(people: Vec<Value>) -> Self {
        let state = json!({"people": people, "replica": {}, "mood": "well", "delay": 0.0});
        let process = Process::start(command(), "/ready").await;
        let service = Self { process, state };
        service.tell();
        service
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.process.address())
    }

    /// Answers about everybody in this way: `well`, `status 500`, `throttled 2`, and so on.
    pub(crate) fn mood(&mut self, mood: &str) {
        self.state["mood"] = mood.into();
        self.tell();
    }

    /// Answers only after a while.
    pub(crate) fn slow(&mut self, delay: Duration) {
        self.state["delay"] = delay.as_secs_f64().into();
        self.tell();
    }

    /// Other people in the place of all.
    pub(crate) fn people(&mut self, people: Vec<Value>) {
        self.state["people"] = people.into();
        self.tell();
    }

    /// What an ordinary read sees of somebody: another record, or none; see `faulty.py`.
    pub(crate) fn replica(&mut self, tenant: &str, subject: &str, record: Value) {
        self.state["replica"][format!("{tenant}/{subject}")] = record;
        self.tell();
    }

    /// An ordinary read sees what is there.
    pub(crate) fn catch_up(&mut self) {
        self.state["replica"] = json!({});
        self.tell();
    }

    /// Sends the process a signal, by its name without SIG.
    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Kills the process.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again where it was, with what it knew.
    pub(crate) async fn restart(&mut self) {
        let address = self.process.address();
        self.process = Process::start_at(address, command(), "/ready").await;
        self.tell();
    }

    /// How often a subject was asked for, since it started.
    pub(crate) async fn calls(&self, subject: &str) -> u64 {
        let counts = Client::new(self.process.address()).get("/calls").await;
        counts.json()["calls"][subject].as_u64().unwrap_or(0)
    }

    /// How often anybody was, and the most calls at once.
    pub(crate) async fn all_calls(&self) -> (u64, u64) {
        let counts = Client::new(self.process.address()).get("/calls").await;
        let counts = counts.json();
        let calls = counts["calls"].as_object().expect("calls");
        let sum = calls.values().filter_map(Value::as_u64).sum();
        (sum, counts["at_once"].as_u64().expect("a number"))
    }

    fn tell(&self) {
        let (status, body) = self.process.call("PUT", "/state", &self.state.to_string());
        assert_eq!(status, 204, "{body}");
    }
}

fn command() -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parts/faulty.py");
    let mut command = Command::new("python3");
    command.arg(script);
    command
}
