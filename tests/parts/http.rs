//! A small HTTP server that shows every byte it got and can answer as badly as asked.
//!
//! HTTP/1.1 is written by hand, so that an answer can be cut off or be no HTTP at all; HTTP/2 without
//! TLS is told by its preface. It has a thread of its own: its clock never depends on a test's.

mod connection;

use bytes::Bytes;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) target: String,
    /// `HTTP/1.1` or `HTTP/2`.
    pub(crate) version: &'static str,
    /// The headers in order, names as written.
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    /// The values under a name, whatever its case.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let same = self
            .headers
            .iter()
            .filter(|(one, _)| one.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.as_str()).collect()
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: BTreeMap<&'static str, String>,
    body: Bytes,
    after: Duration,
    form: Form,
}

#[derive(Clone, Debug, PartialEq)]
enum Form {
    Whole,
    CutOff,
    NoHttp,
}

impl Answer {
    /// An answer with a media type and a body.
    pub(crate) fn new(status: u16, media_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: BTreeMap::from([("content-type", media_type.to_owned())]),
            body: body.into(),
            after: Duration::ZERO,
            form: Form::Whole,
        }
    }

    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// With a header more. On HTTP/2, a name with `grpc-` goes into the trailers.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// Sent only after a while.
    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// Half of the body, and then the connection closes.
    pub(crate) fn cut_off(mut self) -> Self {
        self.form = Form::CutOff;
        self
    }

    /// Bytes that are no HTTP.
    pub(crate) fn no_http() -> Self {
        let mut answer = Self::new(200, "text/plain", "");
        answer.form = Form::NoHttp;
        answer
    }

    fn http1(&self) -> Vec<u8> {
        if self.form == Form::NoHttp {
            return b"\x00\xff\x16\x03\x01 this is not HTTP\r\n\r\n".to_vec();
        }
        let lines: Vec<String> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let (lines, length) = (lines.concat(), self.body.len());
        let head = format!(
            "HTTP/1.1 {} Status\r\n{lines}content-length: {length}\r\n\r\n",
            self.status
        );
        let sent = match self.form {
            Form::CutOff => self.body.len() / 2,
            Form::Whole | Form::NoHttp => self.body.len(),
        };
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body[..sent]);
        bytes
    }
}

type Handler = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;
type Order = (State, blocking::Sender<()>);

#[derive(Clone, Copy, PartialEq)]
enum State {
    Up,
    Down,
}

/// A running server; it stops when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    orders: mpsc::UnboundedSender<Order>,
}

impl Server {
    /// Starts on a free port.
    pub(crate) fn start(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let address = super::free_address();
        let (orders, taken) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime starts")
                .block_on(run(address, Arc::new(handler), taken));
        });
        let server = Self { address, orders };
        server.up();
        server
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port and every connection; when this returns, they are closed.
    pub(crate) fn down(&self) {
        self.order(State::Down);
    }

    /// Opens the port again.
    pub(crate) fn up(&self) {
        self.order(State::Up);
    }

    fn order(&self, state: State) {
        let (done, wait) = blocking::channel();
        self.orders
            .send((state, done))
            .expect("the server's thread lives");
        wait.recv_timeout(super::PATIENCE)
            .expect("the server obeys");
    }
}

async fn run(address: SocketAddr, handler: Handler, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut listener = None;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some((state, done)) = order else { return };
                match state {
                    State::Up if listener.is_none() => {
                        listener = Some(TcpListener::bind(address).await.expect("the port is free"));
                    }
                    State::Up => {}
                    State::Down => {
                        listener = None;
                        connections.shutdown().await;
                    }
                }
                let _nobody_waits_any_more = done.send(());
            }
            Ok((stream, _)) = accept(listener.as_ref()) => {
                connections.spawn(connection::serve(stream, Arc::clone(&handler)));
            }
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}
