//! `subgate revoke`: from now on it is refused everywhere.

use super::Outcome;
use super::store::{Answer, By, Failure, Store, Use, kinds, members, shown};
use super::when::When;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::revocation::store::{Writer, Written, WrittenStrike};
use crate::revocation::{Kind, Meant, Misnamed, Target};
use clap::Args;
use serde_json::{Value, json};
use std::io::{self, Write};

/// What `revoke` is told.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  subgate revoke token 6f1c0a52 --issuer acme --config /etc/subgate/subgate.yaml --reason 'laptop stolen'
  subgate revoke session 81d3 --issuer https://id.example.com --config /etc/subgate/subgate.yaml
  subgate revoke subject alice@example.com --issuer acme --tenant shop --before -5m --config /etc/subgate/subgate.yaml
  subgate revoke key 2026-11 --issuer acme --config /etc/subgate/subgate.yaml

A token, a session and a key are refused altogether, an issuer too unless --before is written. Of a subject, a
user and a tenant all is refused that was issued until now, or until --before; new tokens pass, unless --all is
written. TIME is in RFC 3339, `now`, or from now: +2h, -5m.

Done again it is listed again, with its later end. Exits 0 if it is revoked, 1 if what is written is wrong or it was restored later
than this, 2 if the store could not be reached or did not confirm it: then it may be revoked or not, and is to be
done again.")]
pub(super) struct Arguments {
    /// What is revoked.
    #[arg(value_parser = kinds())]
    kind: Kind,
    /// The token's `jti`, the session's `sid`, the subject as tokens write it, the directory's user id, the
    /// tenant, the issuer's URL or name, or the key's `kid`.
    value: String,
    /// URL or name of the issuer, of all but tenants and issuers.
    #[arg(long, value_name = "ISS")]
    issuer: Option<String>,
    /// The tenant of a subject or a user; all tenants without it.
    #[arg(long, value_name = "T")]
    tenant: Option<String>,
    /// What was issued at or before this is refused.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    before: Option<When>,
    /// Refuse what is issued later, too.
    #[arg(long, conflicts_with = "before")]
    all: bool,
    /// When it ends; without it once every token that it hits has expired, and never for keys, whole issuers
    /// and --all.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<When>,
    /// Why, for whoever lists it later.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
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
    let by = arguments.by.name(&environment);
    let revoke = async |config: &Config, writer: &Writer, now: Timestamp| {
        let target = Target {
            kind: arguments.kind,
            value: &arguments.value,
            issuer: arguments.issuer.as_deref(),
            tenant: arguments.tenant.as_deref(),
        };
        let meant = target.meant(&config.issuers, &config.tenant)?;
        let strike = arguments.strike(&meant, by, now)?;
        let written = writer.revoke(&meant.named, &strike).await?;
        Ok::<_, Failure>(answer(&meant, &strike, written))
    };
    arguments.store.with(environment, Use::Write, out, revoke)
}

impl Arguments {
    fn strike(
        &self,
        meant: &Meant,
        by: Option<String>,
        now: Timestamp,
    ) -> Result<WrittenStrike, Misnamed> {
        let before = self.instant(now)?;
        let until = match self.until.map(|until| until.seen_from(now)) {
            Some(past) if past <= now => {
                return Err(Misnamed {
                    field: "--until",
                    expected: "a time that has not come".to_owned(),
                    came: past.to_string(),
                });
            }
            Some(until) => Some(until),
            None => match (self.kind, before) {
                (_, Some(before)) => Some(before.max(now).plus(meant.lifetime)),
                (Kind::Token | Kind::Session, None) => Some(now.plus(meant.lifetime)),
                (Kind::Key | Kind::Issuer | Kind::Subject | Kind::User | Kind::Tenant, None) => {
                    None
                }
            },
        };
        Ok(WrittenStrike {
            source: "cli".into(),
            by: by.map(String::into_boxed_str),
            at: now.as_millis(),
            before: before.map(Timestamp::as_millis),
            until: until.map(Timestamp::as_millis),
            reason: self.reason.as_deref().map(Box::from),
        })
    }

    /// Until when what was issued is struck; `None` strikes all.
    fn instant(&self, now: Timestamp) -> Result<Option<Timestamp>, Misnamed> {
        let before = self.before.map(|before| before.seen_from(now));
        let only = |field, came: String| Misnamed {
            field,
            expected: "none: it is refused altogether".to_owned(),
            came,
        };
        match self.kind {
            Kind::Token | Kind::Session | Kind::Key => match (self.all, before) {
                (true, _) => Err(only("--all", "it".to_owned())),
                (false, Some(came)) => Err(only("--before", came.to_string())),
                (false, None) => Ok(None),
            },
            Kind::Issuer => Ok(before),
            Kind::Subject | Kind::User | Kind::Tenant if self.all => Ok(None),
            Kind::Subject | Kind::User | Kind::Tenant => Ok(Some(before.unwrap_or(now))),
        }
    }
}

fn answer(meant: &Meant, strike: &WrittenStrike, written: Written) -> Answer {
    let (outcome, word) = match written {
        Written::New => (Outcome::Done, "revoked"),
        Written::Known => (Outcome::Done, "was revoked already"),
        Written::Restored | Written::Nothing => (
            Outcome::Refused,
            "not revoked, because it was restored later than this: do it again",
        ),
    };
    let time =
        |millis: Option<u64>| millis.map(|millis| Timestamp::from_millis(millis).to_string());
    let (before, until) = (time(strike.before), time(strike.until));
    let what = match &before {
        Some(before) => format!("all issued until {before}"),
        None => "altogether".to_owned(),
    };
    let end = match &until {
        Some(until) => format!("until {until}"),
        None => "until it is restored".to_owned(),
    };
    let mut members = members(&meant.named);
    if let Value::Object(object) = &mut members {
        let revoked = json!(outcome == Outcome::Done);
        object.insert("revoked".to_owned(), revoked);
        object.insert("new".to_owned(), json!(written == Written::New));
        object.insert("before".to_owned(), json!(before));
        object.insert("until".to_owned(), json!(until));
    }
    Answer {
        outcome,
        text: format!("{}: {word} ({what}, {end})", shown(&meant.named)),
        members,
    }
}
