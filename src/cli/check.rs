//! `subgate check`: is this configuration right?

use super::Outcome;
use crate::config::{self, Loaded, Warning};
use crate::token::issuer::{self, Issuer};
use crate::yaml::{Mistake, Mistakes, Place};
use clap::{Args, ValueEnum};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// What `check` is told.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  subgate check --config /etc/subgate/subgate.yaml
  subgate check --config /etc/subgate/subgate.yaml --connect

Exits 0 if the configuration is right, 1 if it is not, 2 if --connect could not reach something. All mistakes are told at once, each as
FILE:LINE:COLUMN: KEY: what was expected, what came; what to write.")]
pub(super) struct Arguments {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Ask every issuer for its keys too.
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
        Ok(loaded) if *connect => ask(&loaded.config.issuers)?,
        Ok(_) | Err(_) => Vec::new(),
    };
    match output {
        Output::Text => {
            text(&result, out)?;
            for Reached { issuer, keys } in &reached {
                match keys {
                    Ok(keys) => writeln!(out, "issuer {issuer}: {keys} keys")?,
                    Err(error) => writeln!(out, "issuer {issuer}: not reached: {error}")?,
                }
            }
        }
        Output::Json => {
            let mut object = object(&result);
            if let (true, Some(members)) = (connect, object.as_object_mut()) {
                let issuers = reached.iter().map(Reached::object).collect();
                members.insert("issuers".to_owned(), issuers);
            }
            serde_json::to_writer_pretty(&mut *out, &object)?;
            writeln!(out)?;
        }
    }
    Ok(match result {
        Ok(_) if reached.iter().any(|reached| reached.keys.is_err()) => Outcome::Unknown,
        Ok(_) => Outcome::Done,
        Err(_) => Outcome::Refused,
    })
}

/// What an issuer answered.
struct Reached {
    issuer: Arc<str>,
    keys: Result<usize, String>,
}

impl Reached {
    fn object(&self) -> Value {
        match &self.keys {
            Ok(keys) => json!({"issuer": &*self.issuer, "keys": keys}),
            Err(error) => json!({"issuer": &*self.issuer, "error": error}),
        }
    }
}

/// Asks all issuers at once; each has its own time-out. A set without a usable key is no keys.
fn ask(issuers: &[issuer::Config]) -> io::Result<Vec<Reached>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let asked = issuers.iter().map(async |config| {
        let keys = match Issuer::ask(config).await {
            Ok(0) => Err("its key set has no usable key".to_owned()),
            Ok(keys) => Ok(keys),
            Err(error) => Err(error.to_string()),
        };
        Reached {
            issuer: Arc::clone(&config.name),
            keys,
        }
    });
    Ok(runtime.block_on(join_all(asked)))
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
