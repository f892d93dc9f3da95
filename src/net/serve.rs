//! Several listeners as one stream of connections that are ready to be served.

use crate::net::listen::{Listener, Stream};
use crate::net::tls::{Acceptor, TlsError, TlsStream};
use futures_util::stream::Stream as Incoming;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;

/// Handshakes under way at once on one listener; more wait in the kernel's queue.
const HANDSHAKES: usize = 512;

/// How long connections that reached the queue before the stop are still taken from it.
const LINGER: Duration = Duration::from_millis(50);

/// How long a handshake may still take once the stop has come.
const LAST_SHAKE: Duration = Duration::from_secs(1);

/// A connection that is ready for HTTP/2.
#[derive(Debug)]
pub enum Conn {
    /// As it came.
    Plain(Stream),
    /// Behind a finished handshake.
    Tls(Box<TlsStream<Stream>>),
}

forward_io!(Conn { Plain, Tls });

/// Nothing about a connection bears on a decision.
impl Connected for Conn {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

/// Accepts on all listeners, and shakes hands where an acceptor is given.
///
/// Handshakes run beside each other, so a slow peer delays nobody else; one that fails is logged and
/// never reaches the stream. When `stop` is cancelled, what the kernel has already queued is
/// taken, the listeners close, handshakes get another second, and the stream ends. Dropping the
/// stream closes the listeners too, but loses the connections that wait in it: a tonic server that is
/// to lose none serves until the stream ends, with a shutdown signal that never comes.
pub fn incoming(
    listeners: Vec<(Listener, Option<Acceptor>)>,
    stop: &CancellationToken,
) -> impl Incoming<Item = io::Result<Conn>> + Send + Unpin + use<> {
    let (ready, conns) = mpsc::channel(64);
    for (listener, acceptor) in listeners {
        tokio::spawn(accept_all(Door {
            listener,
            acceptor,
            shaking: Arc::new(Semaphore::new(HANDSHAKES)),
            ready: ready.clone(),
            stop: stop.clone(),
        }));
    }
    ReceiverStream::new(conns)
}

struct Door {
    listener: Listener,
    acceptor: Option<Acceptor>,
    shaking: Arc<Semaphore>,
    ready: mpsc::Sender<io::Result<Conn>>,
    stop: CancellationToken,
}

async fn accept_all(door: Door) {
    loop {
        tokio::select! {
            biased;
            () = door.ready.closed() => return,
            () = door.stop.cancelled() => break,
            () = door.let_one_in() => {}
        }
    }
    let until = Instant::now() + LINGER;
    while Instant::now() < until && !door.ready.is_closed() {
        // What elapses is told by the condition.
        let _elapsed = timeout_at(until, door.let_one_in()).await;
    }
}

impl Door {
    /// Accepts one connection, and hands it on or begins its handshake.
    async fn let_one_in(&self) {
        let Some(acceptor) = self.acceptor.clone() else {
            // Room first: a connection that was accepted is never dropped with this future.
            if let Ok(room) = self.ready.reserve().await {
                room.send(Ok(Conn::Plain(self.listener.accept().await)));
            }
            return;
        };
        let Ok(turn) = Arc::clone(&self.shaking).acquire_owned().await else {
            return;
        };
        let stream = self.listener.accept().await;
        let (ready, stop) = (self.ready.clone(), self.stop.clone());
        tokio::spawn(async move {
            let shaken = tokio::select! {
                biased;
                () = ready.closed() => return,
                () = after(stop, LAST_SHAKE) => return,
                shaken = acceptor.accept(stream) => shaken,
            };
            drop(turn);
            match shaken {
                Ok(stream) => {
                    // Nobody receives any more: the server is stopping.
                    let _gone = ready.send(Ok(Conn::Tls(Box::new(stream)))).await;
                }
                Err(error) => log_failed(&error),
            }
        });
    }
}

async fn after(stop: CancellationToken, delay: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(delay).await;
}

/// A peer's failure is a peer's affair, unless an operator looks for it.
fn log_failed(error: &TlsError) {
    tracing::debug!(%error, "a connection was refused");
}

#[cfg(test)]
mod tests;
