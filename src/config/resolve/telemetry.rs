//! The key `telemetry`.

use super::file;
use crate::config::document::{
    DecisionKind, Decisions as Written, Log, SubjectPrivacy as Privacy, Telemetry,
};
use crate::config::report::At;
use crate::telemetry::{Config, Decisions, SubjectPrivacy};

pub(super) fn resolve(at: &At<'_>, telemetry: Telemetry) -> Option<Config> {
    let Telemetry { log } = telemetry;
    let Log {
        level,
        format,
        subject,
        subject_key_file,
        decisions,
    } = log;
    let at_key = at.key("subject_key_file");
    let subject = match (subject, subject_key_file) {
        (Privacy::Plain, None) => Some(SubjectPrivacy::Plain),
        (Privacy::Omit, None) => Some(SubjectPrivacy::Omit),
        (Privacy::Hash, Some(written)) => {
            file::secret(&at_key, &written, 16).map(SubjectPrivacy::Hash)
        }
        (Privacy::Hash, None) => {
            at.key("subject").wrong(
                "`subject_key_file` beside it",
                "`hash` alone",
                "name a file of at least 16 secret bytes",
            );
            None
        }
        (Privacy::Plain | Privacy::Omit, Some(_)) => {
            at_key.wrong(
                "no key without `subject: hash`",
                "one",
                "write `subject: hash`, or remove the key",
            );
            None
        }
    };
    let decisions = match decisions {
        Written::These(DecisionKind::None) => Some(Decisions::None),
        Written::These(DecisionKind::Denies) => Some(Decisions::Denies),
        Written::These(DecisionKind::All) => Some(Decisions::All),
        Written::Share(share) => share.sample.map(Decisions::Sample),
    };
    Some(Config {
        level: level.into(),
        format: format.into(),
        subject: subject?,
        decisions: decisions?,
    })
}
