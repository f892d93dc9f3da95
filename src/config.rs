//! The configuration: a file as written, and the checked whole that comes of it.
//!
//! [`load`] reads the file into a tree with places, overrides it from the environment, checks it
//! against the schema of [`Document`], and resolves what is left into a [`Config`]. Mistakes of all
//! these steps are answered together.

mod document;
mod report;
mod resolve;

pub use report::Warning;

use crate::yaml::{self, Later, Mistake, Mistakes, Place, Tree};
use crate::{decision, envoy, revocation, server, telemetry, tenant, token, user};
use document::Document;
use report::Report;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The checked whole: each part is a slice's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where the process listens.
    pub listen: server::Config,
    /// Who may sign.
    pub issuers: Vec<token::issuer::Config>,
    /// How tenants are settled.
    pub tenant: tenant::Config,
    /// How users are found.
    pub users: user::Config,
    /// Where revocations come from.
    pub revocation: revocation::Config,
    /// What is asked of a request.
    pub policies: decision::policy::Config,
    /// The headers for the service behind.
    pub identity: envoy::identity::Config,
    /// The form of denials.
    pub responses: envoy::response::Config,
    /// The log.
    pub telemetry: telemetry::Config,
    /// What is taken on at once.
    pub limits: server::Limits,
}

impl Config {
    /// The realms of the issuers, each once, in order.
    pub fn realms(&self) -> Vec<Arc<str>> {
        let realms = self.issuers.iter().map(|issuer| Arc::clone(&issuer.realm));
        realms.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether an issuer of an older configuration has another realm in this one.
    pub fn has_moved_issuers(&self, old: &Self) -> bool {
        let mut known = old.issuers.iter();
        known.any(|old| {
            let mut now = self.issuers.iter();
            now.any(|now| now.issuer == old.issuer && now.realm != old.realm)
        })
    }

    /// The mistakes in the data files that the configuration names.
    fn data_files(&self) -> Mistakes {
        let judged = [
            self.tenant.judge(),
            self.users.directory.judge(&self.realms()),
            self.revocation.judge(&self.issuers, &self.tenant),
        ];
        judged
            .into_iter()
            .filter_map(Result::err)
            .fold(Mistakes::default(), Mistakes::and)
    }
}

/// A configuration with what its reading brought to light.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The checked whole.
    pub config: Config,
    /// The risky settings, in the order of the file.
    pub warnings: Vec<Warning>,
    /// Every file that it names, secrets included: a change of one asks for a new look.
    pub files: Vec<PathBuf>,
}

/// Loads a configuration file, with the variables of an environment that override it.
///
/// Of the environment only names that begin with `SUBGATE__` count. Paths in the file are relative
/// to its folder.
///
/// # Errors
/// All mistakes, of the file, of the variables, and of the files that it names.
pub fn load(
    path: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, Mistakes> {
    let file = path.display().to_string();
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let unreadable = |expected: &str, came: String| {
        Mistakes::from(vec![Mistake {
            place: Place::File {
                file: file.as_str().into(),
                line: 1,
                column: 1,
            },
            path: String::new(),
            expected: expected.to_owned(),
            came,
            remedy: "check the path given with --config, and who may read it".to_owned(),
        }])
    };
    let bytes = yaml::read_regular(path)
        .map_err(|error| unreadable("a configuration file", error.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| unreadable("UTF-8", format!("other bytes ({})", error.utf8_error())))?;
    parse(&file, folder, &text, environment)
}

/// Reads a configuration from its text, as [`load`] does; `file` is the name that mistakes bear, and
/// paths are relative to `folder`.
///
/// # Errors
/// All mistakes.
pub fn parse(
    file: &str,
    folder: &Path,
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, Mistakes> {
    let mut tree = Tree::parse(file, text);
    for (name, path, value) in overrides(environment) {
        tree.set(&name, &path, value);
    }
    tree.check(&schema(), Later(document::LATER));
    let Some(document) = tree.read::<Document>() else {
        return Err(tree.into_mistakes());
    };
    let mut report = Report::new(tree, folder);
    let config = resolve::resolve(&report.root(), document);
    let (warnings, files) = report.take();
    let mistakes = report.into_mistakes();
    let mistakes = match &config {
        Some(config) => mistakes.and(config.data_files()),
        None => mistakes,
    };
    match config {
        Some(config) if mistakes.is_empty() => Ok(Loaded {
            config,
            warnings,
            files,
        }),
        Some(_) | None => Err(mistakes),
    }
}

/// The JSON Schema of the configuration file.
pub fn schema() -> serde_json::Value {
    yaml::schema::<Document>()
}

/// The overriding variables: name, path and value, list elements in the order of their indexes.
fn overrides(
    environment: impl IntoIterator<Item = (String, String)>,
) -> Vec<(String, Vec<String>, String)> {
    let mut overrides: Vec<_> = environment
        .into_iter()
        .filter_map(|(name, value)| {
            let path = name.strip_prefix("SUBGATE__")?.to_lowercase();
            let path = path.split("__").map(str::to_owned).collect();
            Some((name, path, value))
        })
        .collect();
    let order = |segment: &String| (segment.parse::<usize>().ok(), segment.clone());
    overrides.sort_by_cached_key(|(name, path, _): &(String, Vec<String>, String)| {
        (path.iter().map(order).collect::<Vec<_>>(), name.clone())
    });
    overrides
}
