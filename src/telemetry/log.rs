//! The log: one line per event on standard error, written beside the work.

mod field;

use super::{Config, Format, Level};
use std::io::{self, IsTerminal as _, Write};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines that wait to be written; one more is dropped and counted.
const WAITING: usize = 16 * 1024;

/// A running log. What still waits is written when this is dropped, for up to a second.
#[derive(Debug)]
pub struct Log {
    dropped: Dropped,
    _writer: WorkerGuard,
}

impl Log {
    /// Starts the log of this process, on standard error.
    pub fn start(config: &Config) -> Result<Self, LogError> {
        let (subscriber, log) = log(config.level, config.format, io::stderr());
        subscriber.try_init().map_err(|_| LogError)?;
        Ok(log)
    }

    /// How many lines it dropped.
    pub fn dropped(&self) -> Dropped {
        self.dropped.clone()
    }
}

/// How many lines a log dropped because they could not be written fast enough.
#[derive(Clone, Debug)]
pub struct Dropped(Option<ErrorCounter>);

impl Dropped {
    /// That of a process without a log.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Lines, since the start.
    pub fn count(&self) -> u64 {
        let lines = self.0.as_ref().map_or(0, ErrorCounter::dropped_lines);
        u64::try_from(lines).unwrap_or(u64::MAX)
    }
}

/// The process has a log already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected to start the log once, found it started")]
pub struct LogError;

/// What there is to log to, and the log; apart from the process, for tests.
fn log<W: Write + Send + 'static>(
    level: Level,
    format: Format,
    target: W,
) -> (Box<dyn Subscriber + Send + Sync>, Log) {
    let on_terminal = io::stderr().is_terminal();
    let text = match format {
        Format::Auto => on_terminal,
        Format::Text => true,
        Format::Json => false,
    };
    let lossy = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING)
        .thread_name("log");
    let (writer, guard) = if text {
        lossy.finish(target)
    } else {
        lossy.finish(field::EscapeRest(target))
    };
    let log = Log {
        dropped: Dropped(Some(writer.error_counter())),
        _writer: guard,
    };
    let events = registry().with(filter(level));
    let subscriber: Box<dyn Subscriber + Send + Sync> = if text {
        Box::new(events.with(lines(writer, on_terminal)))
    } else {
        Box::new(events.with(objects(writer)))
    };
    (subscriber, log)
}

/// Our own events from the level on; those of libraries from `info` at most, since their finer ones
/// repeat what passes through them.
fn filter(level: Level) -> Targets {
    let (own, others) = match level {
        Level::Error => (LevelFilter::ERROR, LevelFilter::ERROR),
        Level::Warn => (LevelFilter::WARN, LevelFilter::WARN),
        Level::Info => (LevelFilter::INFO, LevelFilter::WARN),
        Level::Debug => (LevelFilter::DEBUG, LevelFilter::INFO),
        Level::Trace => (LevelFilter::TRACE, LevelFilter::INFO),
    };
    Targets::new()
        .with_default(others)
        .with_target(env!("CARGO_CRATE_NAME"), own)
        .with_target(super::decisions::TARGET, own)
}

/// Lines for people.
fn lines<S>(writer: NonBlocking, colour: bool) -> impl tracing_subscriber::Layer<S>
where
    S: Subscriber + for<'span> registry::LookupSpan<'span>,
{
    layer()
        .with_ansi(colour)
        .with_target(false)
        .fmt_fields(field::Escaped)
        .with_writer(writer)
}

/// One flat JSON object each, for machines.
fn objects<S>(writer: NonBlocking) -> impl tracing_subscriber::Layer<S>
where
    S: Subscriber + for<'span> registry::LookupSpan<'span>,
{
    layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer)
}

#[cfg(test)]
mod tests;
