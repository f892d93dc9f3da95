//! `subgate check`: is this configuration right?

mod connect;

use super::Outcome;
use crate::config::{self, Loaded, Warning};
use crate::yaml::{Mistake, Mistakes, Place};
use clap::{Args, ValueEnum};
use connect::Reached;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::PathBuf;

/// What `check` is told.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  subgate check --config /etc/subgate/subgate.yaml
  subgate check --config /etc/subgate/subgate.yaml --connect

Exits 0 if the configuration is right, 1 if it is not, 2 if --connect could not reach something, or did
not find a canary. All mistakes are told at once, each as
FILE:LINE:COLUMN: KEY: what was expected, what came; what to write.")]
pub(super) struct Arguments {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Ask every issuer for its keys, Redis for its primary, and the directory for every canary; without
    /// a canary it is not asked.
    #[arg(long)]
    connect: bool,
    /// The form of the output.
    #[arg(long, value_name = "FORM", default_value = "text")]
    output: Output,
}

/// The form of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// Lines for people.
    Text,
    /// One JSON object for programs.
    Json,
}

pub(super) fn run(
    arguments: &Arguments,
    environment: impl IntoIterator<Item = (String, String)>,
    out: &mut impl Write,
) -> io::Result<Outcome> {
    let Arguments {
        config,
        connect,
        output,
    } = arguments;
    let result = config::load(config, environment);
    let reached = match &result {
        Ok(loaded) if *connect => Some(connect::ask(&loaded.config)?),
        Ok(_) | Err(_) => None,
    };
    match output {
        Output::Text => {
            text(&result, out)?;
            if let Some(reached) = &reached {
                write!(out, "{reached}")?;
            }
        }
        Output::Json => {
            let mut object = object(&result);
            if let (true, Some(members)) = (connect, object.as_object_mut()) {
                members.extend(reached.iter().flat_map(Reached::members));
            }
            serde_json::to_writer_pretty(&mut *out, &object)?;
            writeln!(out)?;
        }
    }
    Ok(match result {
        Ok(_) if reached.is_none_or(|reached| reached.is_all_well()) => Outcome::Done,
        Ok(_) => Outcome::Unknown,
        Err(_) => Outcome::Refused,
    })
}

fn text(result: &Result<Loaded, Mistakes>, out: &mut impl Write) -> io::Result<()> {
    match result {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                writeln!(out, "{warning} (risky)")?;
            }
            let issuers = loaded.config.issuers.len();
            let policies = loaded.config.policies.policies.len();
            writeln!(out, "right: issuers {issuers}, policies {policies}")
        }
        Err(mistakes) => {
            writeln!(out, "{mistakes}")?;
            match mistakes.iter().len() {
                1 => writeln!(out, "1 mistake"),
                count => writeln!(out, "{count} mistakes"),
            }
        }
    }
}

fn object(result: &Result<Loaded, Mistakes>) -> Value {
    match result {
        Ok(loaded) => json!({
            "valid": true,
            "mistakes": [],
            "warnings": loaded.warnings.iter().map(warning).collect::<Value>(),
        }),
        Err(mistakes) => json!({
            "valid": false,
            "mistakes": mistakes.iter().map(mistake).collect::<Value>(),
            "warnings": [],
        }),
    }
}

fn warning(warning: &Warning) -> Value {
    let Warning {
        place,
        setting,
        meaning,
    } = warning;
    json!({"place": self::place(place), "setting": setting, "meaning": meaning})
}

fn mistake(mistake: &Mistake) -> Value {
    let Mistake {
        place,
        path,
        expected,
        came,
        remedy,
    } = mistake;
    json!({
        "place": self::place(place),
        "path": path,
        "expected": expected,
        "got": came,
        "remedy": remedy,
    })
}

fn place(place: &Place) -> Value {
    match place {
        Place::File { file, line, column } => {
            json!({"file": &**file, "line": line, "column": column})
        }
        Place::Variable(name) => json!({"variable": &**name}),
    }
}
