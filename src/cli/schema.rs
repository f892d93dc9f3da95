//! `subgate schema`: the JSON Schema of the configuration file.

use super::Outcome;
use crate::config;
use std::io::{self, Write};

pub(super) fn run(out: &mut impl Write) -> io::Result<Outcome> {
    serde_json::to_writer_pretty(&mut *out, &config::schema())?;
    writeln!(out)?;
    Ok(Outcome::Done)
}
