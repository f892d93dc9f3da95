//! `subgate serve`: runs the sidecar.

use super::Outcome;
use crate::app::{App, BuildError, Source, system_clock};
use crate::config;
use crate::lifecycle::{self, signals};
use crate::telemetry::log::Log;
use clap::Args;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

/// The arguments of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  subgate serve --config /etc/subgate/subgate.yaml")]
pub(super) struct Arguments {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Runs until it is told to stop. Mistakes end it before any address is taken.
pub(super) fn run(
    arguments: &Arguments,
    environment: impl Iterator<Item = (String, String)>,
    error: &mut impl Write,
) -> io::Result<Outcome> {
    let environment: Vec<_> = environment.collect();
    let path = arguments.config.clone();
    let source = Source::new(arguments.config.clone(), move || {
        config::load(&path, environment.iter().cloned())
    });
    let loaded = match source.load() {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            writeln!(error, "{mistakes}")?;
            return Ok(Outcome::Refused);
        }
    };
    let log = match Log::start(&loaded.config.telemetry) {
        Ok(log) => log,
        Err(failed) => {
            writeln!(error, "error: {failed}")?;
            return Ok(Outcome::Unknown);
        }
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let served = runtime.block_on(serve(loaded, source, &log));
    // What was cut off may still hold a thread; it does not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    match served {
        Ok(outcome) if outcome.exit_code() == 0 => Ok(Outcome::Done),
        Ok(_) => Ok(Outcome::Refused),
        Err(failed) => {
            tracing::error!(error = %failed, "cannot start");
            drop(log);
            Ok(Outcome::Refused)
        }
    }
}

async fn serve(
    loaded: config::Loaded,
    source: Source,
    log: &Log,
) -> Result<lifecycle::Outcome, ServeError> {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a task panicked: this is a defect, please report it");
    }));
    for warning in &loaded.warnings {
        tracing::warn!(%warning, "risky setting");
    }
    let signals = signals()?;
    let app = App::build(loaded.config, system_clock(), log.dropped()).await?;
    Ok(app.run(source, signals).await)
}

#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("{0}")]
    Build(#[from] BuildError),
    #[error("signals: {0}")]
    Signals(#[from] io::Error),
}
