//! `subgate revoked`: what is revoked, why, since when, by whom and until when?

use super::Outcome;
use super::store::{Answer, Failure, Store, Use, members, shown};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::revocation::Named;
use crate::revocation::store::{Key, Listed, Writer, WrittenStrike};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// What `revoked` is told.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  subgate revoked --config /etc/subgate/subgate.yaml
  subgate revoked --config /etc/subgate/subgate.yaml --output json | jq '.revoked[] | select(.kind == \"user\")'

Lists what stands, by kind and name; what has ended is left out. It reads with the login that writes, where there
is one, else with that of the sidecars. Exits 0 if the list is whole, 1 if the configuration is wrong, 2 if the
store could not be reached or names in it could not be read: those count as revoked.")]
pub(super) struct Arguments {
    #[command(flatten)]
    store: Store,
}

pub(super) fn run(
    arguments: &Arguments,
    environment: impl IntoIterator<Item = (String, String)>,
    out: &mut impl Write,
) -> io::Result<Outcome> {
    let environment: Vec<_> = environment.into_iter().collect();
    let list = async |_: &Config, writer: &Writer, now: Timestamp| {
        // A name that changes while it is read may come twice: the last word stands.
        let mut standing: BTreeMap<Named, Vec<WrittenStrike>> = BTreeMap::new();
        let unreadable = writer
            .list(|Listed { key, value }| {
                if let Key::Revoked(named) = key {
                    standing.insert(named, value.strikes);
                }
            })
            .await?;
        for strikes in standing.values_mut() {
            strikes.retain(|one| one.until.is_none_or(|until| until > now.as_millis()));
        }
        Ok::<_, Failure>(answer(&standing, unreadable))
    };
    arguments.store.with(environment, Use::Look, out, list)
}

fn answer(standing: &BTreeMap<Named, Vec<WrittenStrike>>, unreadable: usize) -> Answer {
    let each = || {
        let all = standing.iter();
        all.flat_map(|(named, strikes)| strikes.iter().map(move |strike| (named, strike)))
    };
    let mut lines: Vec<_> = each().map(|(named, strike)| line(named, strike)).collect();
    lines.push(format!("{} revocations", each().count()));
    if unreadable > 0 {
        lines.push(format!(
            "{unreadable} names could not be read, and count as revoked"
        ));
    }
    Answer {
        outcome: if unreadable > 0 {
            Outcome::Unknown
        } else {
            Outcome::Done
        },
        text: lines.join("\n"),
        members: json!({
            "revoked": each().map(|(named, strike)| object(named, strike)).collect::<Value>(),
            "unreadable": unreadable,
        }),
    }
}

fn line(named: &Named, strike: &WrittenStrike) -> String {
    let WrittenStrike {
        source,
        by,
        at,
        before,
        until,
        reason,
    } = strike;
    let end = match until {
        Some(until) => format!("until {}", time(*until)),
        None => "until it is restored".to_owned(),
    };
    let before = before.map(|before| format!("all issued until {}", time(before)));
    let said = [
        Some(format!("since {}", time(*at))),
        before,
        Some(end),
        by.as_ref().map(|by| format!("by {by:?}")),
        Some(format!("from {source:?}")),
        reason.as_ref().map(|reason| format!("because {reason:?}")),
    ];
    let said: Vec<_> = said.into_iter().flatten().collect();
    format!("{}: {}", shown(named), said.join(", "))
}

fn object(named: &Named, strike: &WrittenStrike) -> Value {
    let mut members = members(named);
    if let Value::Object(object) = &mut members {
        let times = [
            ("since", Some(strike.at)),
            ("before", strike.before),
            ("until", strike.until),
        ];
        for (name, millis) in times {
            let time = millis.map(|millis| time(millis).to_string());
            object.insert(name.to_owned(), json!(time));
        }
        object.insert("source".to_owned(), json!(strike.source));
        object.insert("by".to_owned(), json!(strike.by));
        object.insert("reason".to_owned(), json!(strike.reason));
    }
    members
}

const fn time(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}
