//! The sidecar as a process.

use super::client::Client;
use parking_lot::Mutex;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// A running sidecar; it is killed when it is dropped.
pub(crate) struct Sidecar {
    program: PathBuf,
    process: Child,
    place: Place,
    log: Arc<Mutex<Vec<String>>>,
}

/// Where a sidecar's files are and where it listens.
pub(crate) struct Place {
    folder: TempDir,
    /// For `listen.health`.
    pub(crate) health: SocketAddr,
    /// For `listen.check`, where that is TCP.
    pub(crate) check: SocketAddr,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            health: super::free_address(),
            check: super::free_address(),
        }
    }

    /// The folder of its files.
    pub(crate) fn folder(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// The path of a file beside the configuration.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The socket at which Envoy asks, where that is a Unix socket.
    pub(crate) fn socket(&self) -> String {
        self.path("check.sock").display().to_string()
    }

    /// What is in a file beside the configuration, or in that.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file is read")
    }

    /// Writes a file beside the configuration, by renaming: nobody sees half of it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let new = self.path("new");
        fs::write(&new, text).expect("a file is written");
        fs::rename(&new, self.path(name)).expect("a file is renamed");
    }
}

impl Sidecar {
    /// Starts a program with a configuration, and waits until it is ready.
    pub(crate) async fn start(
        program: &Path,
        configuration: impl FnOnce(&Place) -> String,
    ) -> Self {
        let mut sidecar = Self::launch(program, configuration);
        sidecar.ready().await;
        sidecar
    }

    /// Starts a program with a configuration.
    pub(crate) fn launch(program: &Path, configuration: impl FnOnce(&Place) -> String) -> Self {
        let place = Place::new();
        let text = configuration(&place);
        place.write("config.yaml", &text);
        let (process, log) = spawn(program, &place);
        Self {
            program: program.to_owned(),
            process,
            place,
            log,
        }
    }

    /// Asks it to stop, and waits for its end.
    ///
    /// # Panics
    /// If it does not end well.
    pub(crate) async fn stop(&mut self) {
        self.terminate();
        let status = self.ended().await;
        assert!(status.success(), "{status}:\n{}", self.log().join("\n"));
    }

    /// Starts the program again at its place, with the files it left there and a log of its own, and
    /// waits until it is ready.
    pub(crate) async fn start_again(&mut self) {
        (self.process, self.log) = spawn(&self.program, &self.place);
        self.ready().await;
    }

    /// Waits until `/readyz` says so.
    ///
    /// # Panics
    /// If the process ends first, or does not get ready.
    pub(crate) async fn ready(&mut self) {
        let client = self.health();
        super::until("the sidecar is ready", async || {
            if let Some(status) = self.process.try_wait().expect("a process") {
                panic!(
                    "the sidecar ended with {status}:\n{}",
                    self.log().join("\n")
                );
            }
            client
                .try_get("/readyz")
                .await
                .is_ok_and(|answer| answer.status == 200)
        })
        .await;
    }

    /// A client for its health listener.
    pub(crate) fn health(&self) -> Client {
        Client::new(self.place.health)
    }

    /// Its files and addresses.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Gives it another configuration and tells it so.
    pub(crate) fn reload(&self, text: &str) {
        self.place.write("config.yaml", text);
        super::signal(self.pid(), "HUP");
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        super::signal(self.pid(), "TERM");
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        super::until("the sidecar ends", async || {
            status = self.process.try_wait().expect("a process");
            status.is_some()
        })
        .await;
        status.expect("it ended")
    }

    /// Kills it at once.
    pub(crate) fn kill(&mut self) {
        let _already_gone = self.process.kill();
        let _already_gone = self.process.wait();
    }

    /// What it wrote so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().clone()
    }

    /// Waits for a log line, and returns it.
    pub(crate) async fn logged(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut line = None;
        super::until(what, async || {
            let log = self.log.lock();
            let mut lines = log
                .iter()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            line = lines.find(&is_it);
            line.is_some()
        })
        .await;
        line.expect("a line")
    }

    /// The metrics whose line starts with `start`, summed.
    pub(crate) async fn metric(&self, start: &str) -> f64 {
        let text = self.health().get("/metrics").await.body;
        let lines = text.lines().filter(|line| line.starts_with(start));
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}

fn spawn(program: &Path, place: &Place) -> (Child, Arc<Mutex<Vec<String>>>) {
    let mut process = Command::new(program)
        .args(["serve", "--config"])
        .arg(place.path("config.yaml"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{} starts: {error}", program.display()));
    let log = Arc::new(Mutex::new(Vec::new()));
    collect(process.stdout.take(), &log);
    collect(process.stderr.take(), &log);
    (process, log)
}

fn collect(stream: Option<impl Read + Send + 'static>, log: &Arc<Mutex<Vec<String>>>) {
    let stream = stream.expect("a pipe");
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            log.lock().push(line);
        }
    });
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the sidecar's log:\n{}", self.log().join("\n"));
        }
    }
}
