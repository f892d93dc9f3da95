//! The commands, one file each.
//!
//! Exit codes: 0 done or allowed, 1 denied or invalid, 2 could not tell, 64 wrong usage.

mod check;
mod completions;
mod healthcheck;
mod restore;
mod revoke;
mod revoked;
mod schema;
mod serve;
mod store;
mod when;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, or the answer is yes.
    Done,
    /// The answer is no: denied, or invalid.
    Refused,
    /// There is no answer: something could not be reached, or the output not be written.
    Unknown,
    /// The command line is wrong (`EX_USAGE` of sysexits.h).
    Usage,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::Refused => 1,
            Outcome::Unknown => 2,
            Outcome::Usage => 64,
        })
    }
}

/// Runs the command that the arguments name, the first of which is the program's own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Outcome {
    let command = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli.command,
        Err(error) => {
            // Help goes to standard output, a mistake to standard error; both may be closed.
            let written = error.print();
            let is_answer = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
            return if is_answer.contains(&error.kind()) {
                read_outcome(Outcome::Done, written)
            } else {
                Outcome::Usage
            };
        }
    };
    // Told whole: what a command found does not depend on whether anybody reads to its end.
    let mut out = Vec::new();
    let result = match command {
        Command::Serve(arguments) => serve::run(&arguments, environment(), &mut io::stderr()),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments, environment(), &mut out),
        Command::Check(arguments) => check::run(&arguments, environment(), &mut out),
        Command::Revoke(arguments) => revoke::run(&arguments, environment(), &mut out),
        Command::Restore(arguments) => restore::run(&arguments, environment(), &mut out),
        Command::Revoked(arguments) => revoked::run(&arguments, environment(), &mut out),
        Command::Schema => schema::run(&mut out),
        Command::Completions(arguments) => completions::run(&arguments, &mut out),
    };
    match result {
        Ok(outcome) => {
            let mut stdout = io::stdout().lock();
            let written = stdout.write_all(&out).and_then(|()| stdout.flush());
            read_outcome(outcome, written)
        }
        Err(_) => Outcome::Unknown,
    }
}

/// The outcome of a command that was told, or that nobody wanted to hear to its end: a reader that has
/// gone, as `head` does, changes nothing of it.
fn read_outcome(outcome: Outcome, written: io::Result<()>) -> Outcome {
    match written {
        Ok(()) => outcome,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => outcome,
        Err(_) => Outcome::Unknown,
    }
}

/// The process's environment; what is not Unicode cannot be configuration.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        Some((name, value.to_string_lossy().into_owned()))
    })
}

/// What was built: version, commit, and the optional parts compiled in.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("SUBGATE_COMMIT"),
    ", features: none)"
);

/// An Envoy `ext_authz` sidecar: checks that the user a token names still exists.
#[derive(Debug, Parser)]
#[command(
    name = "subgate",
    version = VERSION,
    arg_required_else_help = true,
    after_help = "Example:\n  subgate check --config subgate.yaml && subgate serve --config subgate.yaml"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the sidecar.
    Serve(serve::Arguments),
    /// Checks a configuration file and every file that it names.
    Check(check::Arguments),
    /// Asks a running sidecar whether it is ready.
    Healthcheck(healthcheck::Arguments),
    /// Revokes a token, a session, a subject, a user, a tenant, an issuer or a key.
    Revoke(revoke::Arguments),
    /// Takes back what was revoked.
    Restore(restore::Arguments),
    /// Lists what is revoked.
    Revoked(revoked::Arguments),
    /// Prints the JSON Schema of the configuration file.
    #[command(after_help = "Example:\n  subgate schema > subgate.schema.json")]
    Schema,
    /// Prints a completion script for a shell.
    Completions(completions::Arguments),
}

#[cfg(test)]
mod tests;
