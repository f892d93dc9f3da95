//! The table: aligned, with colour on a terminal.

use crate::parts::client::Answer;
use crate::rows::Row;
use std::io::IsTerminal;
use std::time::Duration;

const HEADS: [&str; 8] = [
    "#",
    "cause",
    "sent",
    "status",
    "code",
    "reason",
    "the service saw",
    "µs",
];
const SHOWN: [&str; 4] = ["x-user-id", "x-tenant-id", "x-user-roles", "x-user-email"];

/// One row and what came of it.
pub(crate) struct Line {
    cells: [String; 8],
    faults: Vec<String>,
    allowed: bool,
}

impl Line {
    /// Holds an answer against what the row expects.
    pub(crate) fn new(row: &Row, answer: &Answer, reason: &str, took: Duration) -> Self {
        let reached = answer.status == 200;
        let code = answer.code();
        let mut faults = Vec::new();
        if answer.status != row.status || code != row.code {
            faults.push(format!(
                "expected {} {}, came {} {code}",
                row.status, row.code, answer.status
            ));
        } else if reason != row.reason {
            faults.push(format!(
                "expected the reason `{}`, came `{reason}`",
                row.reason
            ));
        } else {
            faults.extend(row.seen.iter().filter_map(|&(name, expected)| {
                let seen = answer.seen(name);
                let right = match expected {
                    Some(value) => seen == [value],
                    None => seen.is_empty(),
                };
                (!right).then(|| format!("expected {name} {expected:?}, the service saw {seen:?}"))
            }));
        }
        let cells = [
            row.cause.to_owned(),
            row.what.to_owned(),
            row.sent.to_owned(),
            answer.status.to_string(),
            if code.is_empty() {
                "-".to_owned()
            } else {
                code
            },
            if reason.is_empty() { "-" } else { reason }.to_owned(),
            if reached {
                seen(answer)
            } else {
                "-".to_owned()
            },
            took.as_micros().to_string(),
        ];
        Self {
            cells,
            faults,
            allowed: reached,
        }
    }

    /// Whether it is not as it should be.
    pub(crate) fn is_wrong(&self) -> bool {
        !self.faults.is_empty()
    }
}

fn seen(answer: &Answer) -> String {
    let seen: Vec<String> = SHOWN
        .iter()
        .filter_map(|name| Some(format!("{name}: {}", answer.seen(name).first()?)))
        .collect();
    if seen.is_empty() {
        "no identity".to_owned()
    } else {
        seen.join(", ")
    }
}

/// Prints all lines, and beneath each wrong one what is wrong.
pub(crate) fn print(lines: &[Line]) {
    let colour = std::io::stdout().is_terminal();
    let widths: [usize; 8] = std::array::from_fn(|column| {
        let cells = lines.iter().map(|line| line.cells[column].chars().count());
        cells
            .chain([HEADS[column].chars().count()])
            .max()
            .unwrap_or(0)
    });
    println!(
        "{}",
        painted(colour, "1", &joined(&HEADS.map(str::to_owned), &widths))
    );
    for line in lines {
        let paint = match (line.is_wrong(), line.allowed) {
            (true, _) => "31;1",
            (false, true) => "32",
            (false, false) => "33",
        };
        println!("{}", painted(colour, paint, &joined(&line.cells, &widths)));
        for fault in &line.faults {
            println!(
                "{}",
                painted(colour, "31;1", &format!("    WRONG: {fault}"))
            );
        }
    }
}

fn joined(cells: &[String; 8], widths: &[usize; 8]) -> String {
    let last = cells.len() - 1;
    let padded = cells
        .iter()
        .zip(widths)
        .enumerate()
        .map(|(column, (cell, width))| {
            let space = " ".repeat(width - cell.chars().count());
            // Numbers stand to the right.
            if column == 0 || column == last {
                format!("{space}{cell}")
            } else {
                format!("{cell}{space}")
            }
        });
    padded.collect::<Vec<_>>().join("  ")
}

fn painted(colour: bool, paint: &str, text: &str) -> String {
    if colour {
        format!("\u{1b}[{paint}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}
