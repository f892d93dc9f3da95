//! HTTP/1.1 for operators: few connections, none of them for long.

mod room;

pub(super) use room::Proof;

use crate::net::listen::{Listener, Stream};
use crate::net::serve::Conn;
use crate::net::tls::Acceptor;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use room::{Room, Stay};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tower::Layer as _;

/// How long a client may take to send a request's head, and keep a connection idle.
const HEAD: Duration = Duration::from_secs(10);

/// How long one connection may last.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// Where clients come in.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) listener: Listener,
    /// Shakes hands first, where there is TLS.
    pub(super) acceptor: Option<Acceptor>,
    /// How many are in at once. Whoever comes then takes the place of the oldest that has not given its
    /// [`Proof`]; where all have, more wait in the kernel's queue.
    pub(super) connections: usize,
    /// How long a connection may last that has not given its [`Proof`]; `None`: as long as any.
    pub(super) unproven: Option<Duration>,
}

/// Serves for ever; each request bears the [`Proof`] of its connection.
pub(super) async fn serve(name: &'static str, door: Door, router: Router) {
    let Door {
        listener,
        acceptor,
        connections,
        unproven,
    } = door;
    let room = Room::new(connections);
    loop {
        let stream = listener.accept().await;
        let from = stream.peer();
        let (acceptor, router) = (acceptor.clone(), router.clone());
        let served = |stay: Stay| async move {
            let proof = stay.proof();
            tokio::select! {
                () = serve_one(name, stream, acceptor, router, proof.clone()) => {}
                () = overstays(proof, unproven) => {
                    tracing::debug!(listener = name, "a connection did not prove in time who it is");
                }
            }
        };
        room.let_in(from, served).await;
    }
}

/// Ends when a connection has proved nothing for so long.
async fn overstays(proof: &Proof, unproven: Option<Duration>) {
    if let Some(longest) = unproven {
        sleep(longest).await;
        if !proof.is_given() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

async fn serve_one(
    name: &str,
    stream: Stream,
    acceptor: Option<Acceptor>,
    router: Router,
    proof: Proof,
) {
    let conn = match acceptor {
        None => Conn::Plain(stream),
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(shaken) => Conn::Tls(Box::new(shaken)),
            Err(error) => {
                tracing::debug!(listener = name, %error, "a connection was refused");
                return;
            }
        },
    };
    let mut server = Builder::new(TokioExecutor::new()).http1_only();
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LONGEST_HEAD);
    let service = TowerToHyperService::new(Extension(proof).layer(router));
    let lasting = server.serve_connection(TokioIo::new(conn), service);
    // One who does not read what he asked for holds no place for ever.
    let Ok(done) = timeout(LONGEST, lasting).await else {
        return;
    };
    if let Err(error) = done {
        tracing::debug!(listener = name, error, "a connection broke");
    }
}
