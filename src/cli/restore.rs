//! `subgate restore`: what was revoked is accepted again.

use super::Outcome;
use super::store::{Answer, By, Failure, Store, Use, kinds, members, shown};
use super::when::When;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::revocation::store::{Key, Listed, StoredEvent, Writer, Written};
use crate::revocation::{Kind, Misnamed, Named, Target, longest};
use clap::{ArgGroup, Args};
use serde_json::{Value, json};
use std::io::{self, Write};

/// What `restore` is told.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("which").required(true).args(["kind", "source", "diverged"])),
    after_help = "Example:
  subgate restore token 6f1c0a52 --issuer acme --config /etc/subgate/subgate.yaml
  subgate restore --source hr-feed --since -2h --config /etc/subgate/subgate.yaml
  subgate restore --diverged --config /etc/subgate/subgate.yaml

Everything that was revoked under the name is taken back. With --source it is what came through that door since
then, under every name; lifecycle events that came through it stand, and are counted. With --diverged all
processes that hold more than the store, because it lost writes, let go of that: look first what is missing.

Done again it changes nothing. Exits 0 if it is restored or was not revoked, 1 if what is written is wrong, 2 if
the store could not be reached or did not confirm it: then it is to be done again."
)]
pub(super) struct Arguments {
    /// What is restored.
    #[arg(value_parser = kinds(), requires = "value")]
    kind: Option<Kind>,
    /// The value, as it was revoked.
    value: Option<String>,
    /// URL or name of the issuer, of all but tenants and issuers.
    #[arg(long, value_name = "ISS", requires = "kind")]
    issuer: Option<String>,
    /// The tenant of a subject or a user, if it was revoked in that tenant alone.
    #[arg(long, value_name = "T", requires = "kind")]
    tenant: Option<String>,
    /// Everything that came through this door: cli, admin, or the name of a relay's source.
    #[arg(long, value_name = "S", requires = "since")]
    source: Option<String>,
    /// Since when: RFC 3339, or from now, such as -2h.
    #[arg(
        long,
        value_name = "TIME",
        requires = "source",
        allow_hyphen_values = true
    )]
    since: Option<When>,
    /// Accept the store as it is, though it lost writes.
    #[arg(long)]
    diverged: bool,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    store: Store,
}

pub(super) fn run(
    arguments: &Arguments,
    environment: impl IntoIterator<Item = (String, String)>,
    out: &mut impl Write,
) -> io::Result<Outcome> {
    let environment: Vec<_> = environment.into_iter().collect();
    let by = arguments.by.name(&environment).unwrap_or_default();
    let restore = async |config: &Config, writer: &Writer, now: Timestamp| {
        let Arguments {
            kind,
            value,
            source,
            since,
            ..
        } = arguments;
        match (kind, value, source, since) {
            (Some(kind), Some(value), ..) => {
                let target = Target {
                    kind: *kind,
                    value,
                    issuer: arguments.issuer.as_deref(),
                    tenant: arguments.tenant.as_deref(),
                };
                one(target, config, writer, &by, now).await
            }
            (_, _, Some(source), Some(since)) => {
                let since = since.seen_from(now);
                if source.is_empty() {
                    return Err(Failure::Misnamed(Misnamed {
                        field: "--source",
                        expected: "the name of a source".to_owned(),
                        came: "an empty one".to_owned(),
                    }));
                }
                let known_until = now.plus(longest(config.issuers.iter()));
                of_source((source, since), writer, &by, known_until).await
            }
            _ => {
                writer.accept(&by).await?;
                Ok(Answer {
                    outcome: Outcome::Done,
                    text: "the store is accepted as it is".to_owned(),
                    members: json!({"accepted": true}),
                })
            }
        }
    };
    arguments.store.with(environment, Use::Write, out, restore)
}

async fn one(
    target: Target<'_>,
    config: &Config,
    writer: &Writer,
    by: &str,
    now: Timestamp,
) -> Result<Answer, Failure> {
    let meant = target.meant(&config.issuers, &config.tenant)?;
    let known_until = now.plus(meant.lifetime);
    let written = writer.restore(&meant.named, None, by, known_until).await?;
    let word = match written {
        Written::New => "restored",
        Written::Known | Written::Restored => "was restored already",
        Written::Nothing => "was not revoked",
    };
    let mut members = members(&meant.named);
    if let Value::Object(object) = &mut members {
        object.insert("restored".to_owned(), json!(written == Written::New));
    }
    Ok(Answer {
        outcome: Outcome::Done,
        text: format!("{}: {word}", shown(&meant.named)),
        members,
    })
}

async fn of_source(
    (source, since): (&str, Timestamp),
    writer: &Writer,
    by: &str,
    known_until: Timestamp,
) -> Result<Answer, Failure> {
    let (mut found, mut events) = (Vec::new(), 0_usize);
    let unreadable = writer
        .list(|Listed { key, value }| match key {
            Key::Revoked(named) => {
                let mut strikes = value.strikes.iter();
                if strikes.any(|one| *one.source == *source && one.at >= since.as_millis()) {
                    found.push(named);
                }
            }
            Key::Lifecycle { .. } => {
                let told = value.events.iter();
                let told = told.filter_map(|event| serde_json::from_str::<StoredEvent>(event).ok());
                events += told.filter(|event| event.is_from(source, since)).count();
            }
        })
        .await?;
    found.sort_unstable();
    found.dedup();
    let mut restored: Vec<Named> = Vec::new();
    for named in found {
        let written = writer.restore(&named, Some((source, since)), by, known_until);
        if written.await? == Written::New {
            restored.push(named);
        }
    }
    let mut lines: Vec<_> = restored
        .iter()
        .map(|named| format!("{}: restored", shown(named)))
        .collect();
    lines.push(format!(
        "{} names restored of what came from {source:?} since {since}",
        restored.len()
    ));
    if events > 0 {
        lines.push(format!("{events} lifecycle events from there stand"));
    }
    if unreadable > 0 {
        lines.push(format!("{unreadable} names could not be read, and stand"));
    }
    Ok(Answer {
        outcome: if unreadable > 0 {
            Outcome::Unknown
        } else {
            Outcome::Done
        },
        text: lines.join("\n"),
        members: json!({
            "restored": restored.iter().map(members).collect::<Value>(),
            "events": events,
            "unreadable": unreadable,
        }),
    })
}
