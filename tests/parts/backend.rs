//! The service behind Envoy: tells what it saw.

use super::http::{Answer, Request, Server};
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;

/// A running service.
pub(crate) struct Backend {
    server: Server,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Backend {
    /// Starts; answers every request with what it saw of it, gRPC with an empty message.
    pub(crate) fn start() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let server = Server::start({
            let seen = Arc::clone(&seen);
            move |request| {
                seen.lock().push(request.clone());
                answer(request)
            }
        });
        Self { server, seen }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().clone()
    }

    /// The latest request.
    pub(crate) fn last(&self) -> Request {
        self.seen
            .lock()
            .last()
            .cloned()
            .expect("a request reached the service")
    }
}

fn answer(request: &Request) -> Answer {
    let grpc = request
        .values("content-type")
        .iter()
        .any(|value| value.starts_with("application/grpc"));
    if grpc {
        // An empty message that is not compressed.
        let message = Bytes::from_static(&[0; 5]);
        return Answer::new(200, "application/grpc", message).header("grpc-status", "0");
    }
    Answer::json(
        200,
        &json!({
            "method": request.method,
            "target": request.target,
            "version": request.version,
            "headers": request.headers,
        }),
    )
}
