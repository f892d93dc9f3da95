//! A real part that is a server of its own, as a process.

use super::client::Client;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

/// A running server; it is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Starts what listens on the port that is its last argument, and waits until it answers a GET of
    /// `ready` with 200.
    pub(crate) async fn start(command: Command, ready: &str) -> Self {
        Self::start_at(super::free_address(), command, ready).await
    }

    /// Like [`Process::start`], at an address that it had before.
    pub(crate) async fn start_at(address: SocketAddr, mut command: Command, ready: &str) -> Self {
        let child = command
            .arg(address.port().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} starts: {error}"));
        let mut process = Self { child, address };
        let client = Client::new(address);
        super::until("a server is ready", async || {
            let ended = process.child.try_wait().expect("a process");
            assert!(ended.is_none(), "{command:?} ended: {ended:?}");
            let answer = client.try_get(ready).await;
            answer.is_ok_and(|answer| answer.status == 200)
        })
        .await;
        process
    }

    /// Sends it a signal, by its name without SIG.
    pub(crate) fn signal(&self, name: &str) {
        super::signal(self.child.id(), name);
    }

    /// Kills it, and waits for its end.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        self.child.wait().expect("it ends");
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends it a body, and returns the status and the body of its answer.
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let call = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len(),
        );
        let mut stream = TcpStream::connect(self.address).expect("the server listens");
        stream
            .set_read_timeout(Some(super::PATIENCE))
            .expect("a time-out");
        stream.write_all(call.as_bytes()).expect("the server reads");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("the server answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer of HTTP");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.expect("a status"), body.to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_gone = self.child.wait();
    }
}
