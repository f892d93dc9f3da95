//! A real gRPC directory as a process: Google's stack, in Python, with its messages read from our proto.

use super::{PATIENCE, signal};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;

/// A running directory; it is killed when it is dropped.
pub(crate) struct GrpcDirectory {
    address: String,
    tls: Option<PathBuf>,
    process: Child,
    orders: ChildStdin,
    answers: mpsc::Receiver<String>,
}

impl GrpcDirectory {
    /// Starts in plain text, with nobody in it, and waits until it is ready.
    pub(crate) fn start() -> Self {
        Self::launch(super::free_address().to_string(), None)
    }

    /// Starts on a Unix socket of this absolute path.
    pub(crate) fn start_on_socket(path: &Path) -> Self {
        Self::launch(format!("unix:{}", path.display()), None)
    }

    /// Starts with TLS by `server.crt` and `server.key` of a folder, for clients of its `ca.crt` alone.
    pub(crate) fn start_with_tls(folder: &Path) -> Self {
        Self::launch(super::free_address().to_string(), Some(folder.to_owned()))
    }

    /// Kills it and starts another in its place, that knows nothing.
    pub(crate) fn replace(&mut self) {
        self.end();
        *self = Self::launch(self.address.clone(), self.tls.clone());
    }

    /// Where it listens: host and port, or `unix:` and a path.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Gives an order, by the name of a method of the script with its arguments, and waits until it is
    /// obeyed.
    pub(crate) fn order(&mut self, name: &str, arguments: &Value) -> Value {
        writeln!(self.orders, "{}", json!([name, arguments])).expect("the directory lives");
        self.answer()
    }

    /// Stops it where it is: its connections stay, and nothing comes of them.
    pub(crate) fn freeze(&self) {
        signal(self.process.id(), "STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        signal(self.process.id(), "CONT");
    }

    fn launch(address: String, tls: Option<PathBuf>) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut process = Command::new(super::part("python/bin/python"))
            .arg(root.join("tests/parts/directory_grpc.py"))
            .arg(root.join("proto"))
            .arg(&address)
            .args(&tls)
            .env("GRPC_VERBOSITY", "NONE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let orders = process.stdin.take().expect("its input");
        let answers = lines(process.stdout.take().expect("its output"));
        let directory = Self {
            address,
            tls,
            process,
            orders,
            answers,
        };
        directory.answer();
        directory
    }

    fn answer(&self) -> Value {
        let line = self.answers.recv_timeout(PATIENCE).expect(
            "the gRPC directory answers; if Python lacks grpcio or grpcio-tools, run `make parts`",
        );
        serde_json::from_str(&line).expect("an answer in JSON")
    }

    fn end(&mut self) {
        let _already_gone = self.process.kill();
        let _already_gone = self.process.wait();
    }
}

/// What it writes, read beside the test so that waiting for it can end.
fn lines(output: ChildStdout) -> mpsc::Receiver<String> {
    let (read, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if read.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

impl Drop for GrpcDirectory {
    fn drop(&mut self) {
        self.end();
    }
}
