//! `subgate completions`: what a shell should know of the commands.

use super::{Cli, Outcome};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::{self, Write};

/// What `completions` is told.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  subgate completions bash > /etc/bash_completion.d/subgate")]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> io::Result<Outcome> {
    let Arguments { shell } = arguments;
    // The generator panics where it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut Cli::command(), "subgate", &mut script);
    out.write_all(&script)?;
    Ok(Outcome::Done)
}
