//! How the process comes up and goes down.
//!
//! ```text
//! Starting ── every gate open ──► Serving ── SIGTERM ──► Draining ── drain over ──► Stopping ──► Stopped
//!     └──────────────── SIGINT, or a task that ended ────────────────────────────────┘
//! ```

mod news;
pub mod readiness;
mod signals;

pub use readiness::{Gate, Readiness};
pub use signals::{Signal, signals};

use news::{During, News, Told};

use futures_util::FutureExt as _;
use futures_util::stream::{Stream, StreamExt as _};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long dropped tasks may take to let go of what they hold.
const LET_GO: Duration = Duration::from_secs(1);

/// Where the process is in its life; it only moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Some readiness gate still holds. Checks that arrive are answered as well as can be.
    Starting,
    /// Ready. What breaks from here on is told by answers and metrics, not by readiness.
    Serving,
    /// Asked to stop: un-ready, and still answering everything that arrives.
    Draining,
    /// No new connections; what is in flight is finished.
    Stopping,
    /// Nothing runs any more.
    Stopped,
}

impl Phase {
    /// Its name in `/readyz?verbose` and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Serving => "serving",
            Self::Draining => "draining",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

/// How it came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As asked, everything in flight finished.
    Clean,
    /// As asked, but something in flight outlasted `stop_within` and was cut off.
    CutOff,
    /// At once, by a second signal.
    Forced,
    /// A task that must run panicked or ended by itself.
    Crashed,
}

impl Outcome {
    /// The process's exit code: zero where it was asked to stop once, and did.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Clean | Self::CutOff => 0,
            Self::Forced | Self::Crashed => 1,
        }
    }
}

/// How long the ways down take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace {
    /// How long it still answers after SIGTERM, un-ready.
    pub drain: Duration,
    /// How long what is in flight may take after that.
    pub stop_within: Duration,
}

/// The life of the process: its phase, its tasks and the tokens that end them. Clones are one.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    grace: Grace,
    phase: Arc<watch::Sender<Phase>>,
    readiness: Readiness,
    reloads: Arc<watch::Sender<u64>>,
    soft: CancellationToken,
    hard: CancellationToken,
    servers: TaskTracker,
    crashes: mpsc::UnboundedSender<&'static str>,
}

/// What [`Lifecycle::new`] hands to [`Run::until_stopped`]; there is one.
#[derive(Debug)]
pub struct Run {
    lifecycle: Lifecycle,
    crashes: mpsc::UnboundedReceiver<&'static str>,
    /// Holds until the run begins: an application that registered nothing yet is not ready.
    start_up: Gate,
}

impl Lifecycle {
    /// A life that begins with [`Phase::Starting`].
    pub fn new(grace: Grace) -> (Self, Run) {
        let (crashes, reported) = mpsc::unbounded_channel();
        let readiness = Readiness::new();
        let start_up = readiness.gate("start-up");
        let lifecycle = Self {
            grace,
            phase: Arc::new(watch::Sender::new(Phase::Starting)),
            readiness,
            reloads: Arc::new(watch::Sender::new(0)),
            soft: CancellationToken::new(),
            hard: CancellationToken::new(),
            servers: TaskTracker::new(),
            crashes,
        };
        let run = Run {
            lifecycle: lifecycle.clone(),
            crashes: reported,
            start_up,
        };
        (lifecycle, run)
    }

    /// Where it is, and every move.
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// What must be done before it is ready.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Changes with each SIGHUP that arrives while it starts or serves.
    pub fn reloads(&self) -> watch::Receiver<u64> {
        self.reloads.subscribe()
    }

    /// Cancelled at [`Phase::Stopping`]: close listeners, say goodbye, finish.
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Cancelled when whatever still runs is dropped.
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// Runs a task that serves until the soft stop and is then waited for.
    ///
    /// If it panics, or ends before the soft stop, the process stops with a failure.
    pub fn serve(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.servers.spawn(self.guarded(name, task));
    }

    /// Runs a task that goes on for ever and is dropped once all that serve are done.
    ///
    /// If it panics, or ends before the soft stop, the process stops with a failure.
    pub fn keep(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.guarded(name, task));
    }

    fn guarded(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (soft, hard) = (self.soft.clone(), self.hard.clone());
        let crashes = self.crashes.clone();
        async move {
            let ended = tokio::select! {
                biased;
                () = hard.cancelled() => return,
                ended = AssertUnwindSafe(task).catch_unwind() => ended,
            };
            match ended {
                Ok(()) if soft.is_cancelled() => return,
                Ok(()) => tracing::error!(task = name, "a task that must run has ended"),
                Err(_) => tracing::error!(task = name, "a task that must run has panicked"),
            }
            // Fails only after the run is over, when there is nothing left to stop.
            let _over = crashes.send(name);
        }
    }

    fn enter(&self, phase: Phase) {
        tracing::info!(phase = phase.name(), "lifecycle");
        self.phase.send_replace(phase);
    }
}

impl Run {
    /// Takes the process through its life; returns when it may exit.
    ///
    /// A stream of signals that ends is no signal.
    pub async fn until_stopped(self, signals: impl Stream<Item = Signal>) -> Outcome {
        let Self {
            lifecycle,
            crashes,
            start_up,
        } = self;
        let mut news = News {
            signals: pin!(signals.chain(futures_util::stream::pending())),
            crashes,
        };
        drop(start_up);
        let asked = lifecycle.up(&mut news).await;
        let outcome = lifecycle.down(asked, &mut news).await;
        lifecycle.soft.cancel();
        lifecycle.hard.cancel();
        if outcome != Outcome::Forced {
            // What they hold (a socket's file, say) is let go of in their drop.
            let _let_go = timeout(LET_GO, lifecycle.servers.wait()).await;
        }
        lifecycle.enter(Phase::Stopped);
        outcome
    }
}

impl Lifecycle {
    /// Starting and Serving, until something asks for the end.
    async fn up<S: Stream<Item = Signal> + Unpin>(&self, news: &mut News<S>) -> Asked {
        let mut ready = pin!(self.readiness.opened().fuse());
        loop {
            tokio::select! {
                () = &mut ready => self.enter(Phase::Serving),
                told = news.next() => match told {
                    Told::Signal(Signal::Reload) => self.reloads.send_modify(|count| *count += 1),
                    Told::Signal(Signal::Terminate) => return Asked::ToDrain,
                    Told::Signal(Signal::Interrupt) => return Asked::ToStop,
                    Told::Crash => return Asked::ByCrash,
                },
            }
        }
    }

    /// Draining and Stopping.
    async fn down<S: Stream<Item = Signal> + Unpin>(
        &self,
        asked: Asked,
        news: &mut News<S>,
    ) -> Outcome {
        let mut crashed = asked == Asked::ByCrash;
        if asked == Asked::ToDrain {
            self.enter(Phase::Draining);
            match news.during(sleep(self.grace.drain)).await {
                During::Done(()) => {}
                During::Forced => return Outcome::Forced,
                During::Crashed => crashed = true,
            }
        }
        self.enter(Phase::Stopping);
        self.soft.cancel();
        self.servers.close();
        let finished = timeout(self.grace.stop_within, self.servers.wait());
        match news.during(finished).await {
            During::Forced => Outcome::Forced,
            During::Crashed => Outcome::Crashed,
            During::Done(_) if crashed => Outcome::Crashed,
            During::Done(Ok(())) => Outcome::Clean,
            During::Done(Err(_)) => {
                tracing::warn!(
                    tasks = self.servers.len(),
                    "what was in flight took longer than stop_within and is cut off"
                );
                Outcome::CutOff
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    ToDrain,
    ToStop,
    ByCrash,
}

#[cfg(test)]
mod tests;
