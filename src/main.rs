//! The `subgate` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    subgate::cli::run(std::env::args_os()).into()
}
