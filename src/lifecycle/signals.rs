//! The signals of the system, in our own words.

use futures_util::stream::{self, Stream};
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// What somebody asks of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: drain, then stop.
    Terminate,
    /// SIGINT: stop without draining.
    Interrupt,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// The signals that reach this process from now on; they no longer end it by themselves.
pub fn signals() -> io::Result<impl Stream<Item = Signal> + Send + Unpin> {
    let of = |kind, meaning| {
        let mut received = signal(kind)?;
        io::Result::Ok(stream::poll_fn(move |cx| {
            received.poll_recv(cx).map(|got| got.map(|()| meaning))
        }))
    };
    Ok(stream::select_all([
        of(SignalKind::terminate(), Signal::Terminate)?,
        of(SignalKind::interrupt(), Signal::Interrupt)?,
        of(SignalKind::hangup(), Signal::Reload)?,
    ]))
}
