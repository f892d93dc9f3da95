//! What a life waits for: a signal, a crash, or that something is done.

use super::Signal;
use futures_util::future;
use futures_util::stream::{Stream, StreamExt as _};
use std::pin::pin;
use tokio::sync::mpsc;

/// What happens to a process from outside its plan.
pub(super) struct News<S> {
    pub(super) signals: S,
    pub(super) crashes: mpsc::UnboundedReceiver<&'static str>,
}

pub(super) enum Told {
    Signal(Signal),
    Crash,
}

pub(super) enum During<T> {
    Done(T),
    Forced,
    Crashed,
}

impl<S: Stream<Item = Signal> + Unpin> News<S> {
    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            biased;
            Some(_) = self.crashes.recv() => Told::Crash,
            Some(signal) = self.signals.next() => Told::Signal(signal),
            else => future::pending().await,
        }
    }

    /// Waits on the way down: a reload is too late, any other signal is the second.
    pub(super) async fn during<T>(&mut self, what: impl Future<Output = T>) -> During<T> {
        let mut what = pin!(what);
        loop {
            tokio::select! {
                // A task that crashes is also done: the crash is what counts.
                biased;
                told = self.next() => match told {
                    Told::Signal(Signal::Reload) => {}
                    Told::Signal(Signal::Terminate | Signal::Interrupt) => return During::Forced,
                    Told::Crash => return During::Crashed,
                },
                done = &mut what => return During::Done(done),
            }
        }
    }
}
