//! HTTP/1.1 for operators: few connections, none of them for long.

use crate::net::listen::{Listener, Stream};
use crate::net::serve::Conn;
use crate::net::tls::Acceptor;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

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
    /// How many are in at once; more wait in the kernel's queue.
    pub(super) connections: usize,
}

/// Serves for ever.
pub(super) async fn serve(name: &'static str, door: Door, router: Router) {
    let Door {
        listener,
        acceptor,
        connections,
    } = door;
    let connections = Arc::new(Semaphore::new(connections));
    loop {
        let Ok(turn) = Arc::clone(&connections).acquire_owned().await else {
            return;
        };
        let stream = listener.accept().await;
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            serve_one(name, stream, acceptor, router).await;
            drop(turn);
        });
    }
}

async fn serve_one(name: &str, stream: Stream, acceptor: Option<Acceptor>, router: Router) {
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
    let lasting = server.serve_connection(TokioIo::new(conn), TowerToHyperService::new(router));
    // One who does not read what he asked for holds no place for ever.
    let Ok(done) = timeout(LONGEST, lasting).await else {
        return;
    };
    if let Err(error) = done {
        tracing::debug!(listener = name, error, "a connection broke");
    }
}
