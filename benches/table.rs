//! The tables that a run prints, in Markdown, ready for `docs/benchmarks.md`.

use crate::Result;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::process::Command;

/// What a figure must keep to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// It is there for scale.
    None,
}

impl Bound {
    fn text(self, unit: &str) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {least:.2}{unit}"),
            Self::AtMost(most) => format!("≤ {most:.2}{unit}"),
            Self::None => String::new(),
        }
    }

    fn verdict(self, figure: f64) -> &'static str {
        let kept = match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
            Self::None => return "",
        };
        if kept { "kept" } else { "MISSED" }
    }
}

/// One line of the table: a figure taken in several rounds.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) bound: Bound,
    /// Written after each figure, a space before it included.
    pub(crate) unit: &'static str,
    pub(crate) rounds: Vec<f64>,
}

/// Prints the machine, the command that prints this, and the rows.
pub(crate) fn print(command: &str, rows: &[Row]) -> Result {
    let mut table = machine()?;
    writeln!(table, "Command: `{command}`\n")?;
    table.push_str("| row | bound | median | min–max | verdict |\n|---|---|---|---|---|\n");
    for row in rows {
        let (least, median, most) = spread(&row.rounds)?;
        let Row {
            name, bound, unit, ..
        } = row;
        writeln!(
            table,
            "| {name} | {} | {median:.2}{unit} | {least:.2}–{most:.2}{unit} | {} |",
            bound.text(unit),
            bound.verdict(median),
        )?;
    }
    say(&table)
}

/// Writes a line to the terminal.
pub(crate) fn say(text: &str) -> Result {
    Ok(writeln!(io::stdout().lock(), "{text}")?)
}

/// The least, the median and the greatest.
pub(crate) fn spread(figures: &[f64]) -> Result<(f64, f64, f64)> {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let [least, .., most] = sorted.as_slice() else {
        let [only] = sorted.as_slice() else {
            return Err("no round was run".into());
        };
        return Ok((*only, *only, *only));
    };
    let median = sorted.get(sorted.len() / 2).ok_or("no round was run")?;
    Ok((*least, *median, *most))
}

fn machine() -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown CPU", |rest| {
            rest.trim_start_matches(['\t', ' ', ':'])
        });
    let cores = cpus
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let rustc = Command::new("rustc").arg("--version").output()?;
    Ok(format!(
        "\nMachine: {model}, {cores} cores, Linux {}, {}\n",
        kernel.trim(),
        String::from_utf8(rustc.stdout)?.trim(),
    ))
}
