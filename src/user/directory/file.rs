//! `users.yaml`: a small fixed set of users, for trying out and for tests.

use super::{Answer, Answered, Directory, Question, Unanswered};
use crate::datafile::DataFile;
use crate::event;
use crate::user::record::{Status, User};
use crate::yaml::{self, Mistakes, Path};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::watch;

/// Statuses that mean disabled, as for a user service unless configured otherwise.
const DISABLED: [&str; 4] = ["disabled", "suspended", "deleted", "inactive"];

/// The status of everybody else.
const ACTIVE: &str = "active";

/// Looks users up in a watched file.
#[derive(Debug)]
pub struct FileDirectory {
    file: DataFile<HashMap<Whom, User>>,
}

/// A subject in its realm and tenant.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Whom {
    realm: Arc<str>,
    tenant: Option<Arc<str>>,
    subject: Arc<str>,
}

/// The file as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Document {
    /// The users.
    users: Vec<Row>,
}

/// One user.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The realm; may be left out where all issuers share one.
    realm: Option<String>,
    /// The tenant; left out, the user is in none.
    tenant: Option<String>,
    /// The subject, in its normalized form.
    subject: String,
    /// The canonical id; the subject, if left out.
    id: Option<String>,
    /// `active`, or one of `disabled`, `suspended`, `deleted`, `inactive`.
    status: Option<String>,
    /// The roles.
    #[serde(default)]
    roles: Vec<String>,
    /// The record's version.
    version: Option<Version>,
    /// Attributes for identity headers.
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// A version as people write it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Version {
    /// An unsigned integer.
    Number(u64),
    /// An RFC 3339 time, or any other text.
    Text(String),
}

impl Version {
    /// The version, where it can be compared.
    fn read(&self) -> Option<event::Version> {
        match self {
            Self::Number(number) => Some(event::Version::Number(*number)),
            Self::Text(text) => event::Version::parse(text),
        }
    }
}

impl FileDirectory {
    /// Reads the file now, and again when it changes.
    pub fn open(path: &std::path::Path, realms: &[Arc<str>]) -> Result<Self, Mistakes> {
        let realms = realms.to_vec();
        Ok(Self {
            file: DataFile::open(path, move |path| read(path, &realms))?,
        })
    }
}

impl Directory for FileDirectory {
    fn look_up<'d>(
        &'d self,
        question: Question<'d>,
    ) -> Pin<Box<dyn Future<Output = Result<Answered, Unanswered>> + Send + 'd>> {
        let query = question.query;
        let whom = Whom {
            realm: Arc::clone(query.realm),
            tenant: query.tenant.cloned(),
            subject: Arc::clone(query.subject),
        };
        let answer = self
            .file
            .load()
            .get(&whom)
            .cloned()
            .map_or(Answer::NotFound, Answer::Found);
        Box::pin(std::future::ready(Ok(answer.into())))
    }

    fn proves_tenant(&self) -> bool {
        true
    }

    fn names_by_subject(&self) -> bool {
        false
    }

    fn lags(&self) -> bool {
        false
    }

    fn versions(&self) -> Option<watch::Receiver<u64>> {
        Some(self.file.versions())
    }
}

pub(super) fn judge(path: &std::path::Path, realms: &[Arc<str>]) -> Result<(), Mistakes> {
    read(path, realms).map(|_| ())
}

fn read(path: &std::path::Path, realms: &[Arc<str>]) -> Result<HashMap<Whom, User>, Mistakes> {
    let (mut tree, document) = yaml::open::<Document>(path);
    let mut users = HashMap::new();
    for (at, row) in document
        .into_iter()
        .flat_map(|document| document.users)
        .enumerate()
    {
        let place = Path::default().key("users").item(at);
        let Row {
            realm,
            tenant,
            subject,
            id,
            status,
            roles,
            version,
            attributes,
        } = row;
        let realm = match (realm, realms) {
            (Some(realm), _) => {
                if let Some(known) = realms.iter().find(|known| ***known == *realm) {
                    Arc::clone(known)
                } else {
                    tree.report_at(
                        &place.key("realm"),
                        "the realm of a configured issuer",
                        &yaml::shown(&realm),
                        &format!("write one of: {}", realms.join(", ")),
                    );
                    continue;
                }
            }
            (None, [only]) => Arc::clone(only),
            (None, _) => {
                let known = realms.join(", ");
                tree.report_at(
                    &place,
                    "`realm`, since issuers have several",
                    "none",
                    &format!("write one of: {known}"),
                );
                continue;
            }
        };
        let status = status.map_or(Some(Status::Active), |written| {
            let known = of_text(&written);
            if known.is_none() {
                tree.report_at(
                    &place.key("status"),
                    "a status that is known",
                    &yaml::shown(&written),
                    &format!("write {ACTIVE}, or one of: {}", DISABLED.join(", ")),
                );
            }
            known
        });
        let user = User {
            id: Some(id.unwrap_or_else(|| subject.clone()).into()),
            status: status.unwrap_or(Status::Disabled),
            roles: roles.into_iter().map(Into::into).collect(),
            attributes: attributes
                .into_iter()
                .map(|(name, value)| (name.into(), [value.into()].into()))
                .collect(),
            lacks: None,
            version: version.as_ref().and_then(Version::read),
        };
        let whom = Whom {
            realm,
            tenant: tenant.map(Into::into),
            subject: subject.as_str().into(),
        };
        if users.insert(whom, user).is_some() {
            tree.report_at(
                &place.key("subject"),
                "each subject once in its realm and tenant",
                &yaml::shown(&subject),
                "remove one of the two",
            );
        }
    }
    let mistakes = tree.into_mistakes();
    if mistakes.is_empty() {
        Ok(users)
    } else {
        Err(mistakes)
    }
}

fn of_text(status: &str) -> Option<Status> {
    let status = status.to_ascii_lowercase();
    if status == ACTIVE {
        Some(Status::Active)
    } else {
        DISABLED.contains(&&*status).then_some(Status::Disabled)
    }
}
