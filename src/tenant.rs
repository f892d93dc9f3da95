//! In whose house the request is made: settles the tenant from every source that names one.

use crate::datafile::DataFile;
use crate::request::{Once, Request};
use crate::subject::{Normalization, normalize};
use crate::token::VerifiedToken;
use crate::token::issuer::Tenants as Spoken;
use crate::yaml::{self, Mistakes};
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Settles tenants.
#[derive(Debug)]
pub struct Tenants {
    config: Config,
    file: Option<DataFile<BTreeSet<String>>>,
}

/// `tenants.yaml` as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Document {
    /// The tenants that exist, in their normalized form.
    tenants: BTreeSet<String>,
}

/// In whose house a request is made, as far as its sources tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenancy {
    /// The tenant; none where no source names one.
    tenant: Option<Arc<str>>,
    proven: bool,
}

/// Why there is no tenant to go on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TenantError {
    /// One is required, and no source has it.
    #[error("no source names a tenant, and one is required")]
    Missing,
    /// Sources disagree, or one of them says two things.
    #[error("the sources name different tenants, or one names several")]
    Sources,
    /// The path can be read in several ways.
    #[error("the path can be read in several ways, so it names no tenant")]
    Path,
    /// The issuer may not speak for the tenant.
    #[error("the issuer may not speak for this tenant")]
    Issuer,
    /// The tenant has not the form of one.
    #[error("the tenant is not of the declared format")]
    Form,
    /// The tenant is not in the list.
    #[error("the tenant is not one of those that are known")]
    Unknown,
}

impl Tenancy {
    /// The tenant, proven or not: the directory is asked inside it.
    pub const fn tenant(&self) -> Option<&Arc<str>> {
        self.tenant.as_ref()
    }

    /// The tenant, if token or issuer prove it.
    pub fn proven(&self) -> Option<&Arc<str>> {
        self.tenant.as_ref().filter(|_| self.proven)
    }
}

impl Tenants {
    /// Settles tenants so; a file of known tenants is read now and watched.
    pub fn start(config: Config) -> Result<Self, Mistakes> {
        let file = match &config.known {
            Known::File(path) => Some(DataFile::open(path, read)?),
            Known::Any | Known::List(_) => None,
        };
        Ok(Self { config, file })
    }

    /// What was configured.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Settles the tenant of a request; without a token nothing proves it.
    pub fn settle(
        &self,
        request: &Request<'_>,
        token: Option<&VerifiedToken>,
    ) -> Result<Tenancy, TenantError> {
        let spoken = token.map_or(&Spoken::Any, |token| &token.issuer().config().tenants);
        let mut named: Option<String> = None;
        let mut proven = false;
        for source in &self.config.from {
            let Some(raw) = source.read(request, token)? else {
                continue;
            };
            let tenant = self.config.normalized(&raw)?;
            if named.as_ref().is_some_and(|before| *before != tenant) {
                return Err(TenantError::Sources);
            }
            proven |= matches!(source, Source::Claim(_));
            named = Some(tenant);
        }
        if let Spoken::Of(list) = spoken {
            if named.as_ref().is_some_and(|tenant| !list.contains(tenant)) {
                return Err(TenantError::Issuer);
            }
            if list.len() == 1 {
                proven = true;
                named = list.first().cloned();
            }
        }
        match named {
            None if self.config.required => Err(TenantError::Missing),
            None => Ok(Tenancy {
                tenant: None,
                proven: false,
            }),
            Some(tenant) if self.knows(&tenant) => Ok(Tenancy {
                tenant: Some(tenant.into()),
                proven,
            }),
            Some(_) => Err(TenantError::Unknown),
        }
    }

    fn knows(&self, tenant: &str) -> bool {
        match (&self.config.known, &self.file) {
            (Known::List(list), _) => list.contains(tenant),
            (Known::File(_), Some(file)) => file.load().contains(tenant),
            (Known::File(_), None) => false,
            (Known::Any, _) => true,
        }
    }
}

fn read(path: &std::path::Path) -> Result<BTreeSet<String>, Mistakes> {
    yaml::from_file::<Document>(path).map(|document| document.tenants)
}

impl Config {
    /// A tenant in the form in which it is a key.
    pub fn normalized(&self, raw: &str) -> Result<String, TenantError> {
        normalized(raw, &self.normalize, &self.format)
    }

    /// Whether a tenant that this and another configuration take has one name in both.
    pub fn names_as(&self, other: &Self) -> bool {
        self.normalize == other.normalize
    }

    /// Whether this and another configuration take the same tenants, under the same names.
    pub fn reads_as(&self, other: &Self) -> bool {
        self.names_as(other) && self.format.as_str() == other.format.as_str()
    }

    /// Judges the file of known tenants, if there is one, as it will be read.
    pub fn judge(&self) -> Result<(), Mistakes> {
        match &self.known {
            Known::File(path) => read(path).map(|_| ()),
            Known::Any | Known::List(_) => Ok(()),
        }
    }
}

/// A tenant in the form in which it is a key; whatever the declared format, it is one path segment,
/// and visible.
pub fn normalized(
    raw: &str,
    steps: &[Normalization],
    format: &Regex,
) -> Result<String, TenantError> {
    let (tenant, _) = normalize(steps, raw.to_owned()).map_err(|_| TenantError::Form)?;
    let segment = !matches!(tenant.as_str(), "" | "." | "..") && !tenant.contains(char::is_control);
    if segment && format.is_match(&tenant) {
        Ok(tenant)
    } else {
        Err(TenantError::Form)
    }
}

impl Source {
    /// What the source says; `None` where it is not there.
    fn read(
        &self,
        request: &Request<'_>,
        token: Option<&VerifiedToken>,
    ) -> Result<Option<String>, TenantError> {
        match self {
            Self::Claim(name) => match token.and_then(|token| token.claims().get(name)) {
                None | Some(Value::Null) => Ok(None),
                Some(Value::String(tenant)) => Ok(Some(tenant.clone())),
                Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    Err(TenantError::Form)
                }
            },
            Self::Header(name) => text(request.header(name)),
            Self::Context(name) => text(request.context(name)),
            Self::Host(template) => {
                let host = request.host_name().ok_or(TenantError::Form)?;
                Ok(template.label(&host).map(str::to_owned))
            }
            Self::Path(template) => {
                let path = request.plain_path().ok_or(TenantError::Path)?;
                Ok(template.segment(path).map(str::to_owned))
            }
        }
    }
}

impl Template {
    fn label<'h>(&self, host: &'h str) -> Option<&'h str> {
        let label = host
            .strip_prefix(self.before.as_str())?
            .strip_suffix(self.after.as_str())?;
        (!label.is_empty() && !label.contains('.')).then_some(label)
    }

    fn segment<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.before.as_str())?;
        let end = rest.find('/').unwrap_or(rest.len());
        let (segment, after) = rest.split_at_checked(end)?;
        (!segment.is_empty() && after.starts_with(self.after.as_str())).then_some(segment)
    }
}

/// A value that may stand once; Envoy joins repeated headers with a comma.
fn text(value: Once<'_>) -> Result<Option<String>, TenantError> {
    match value {
        Once::Absent => Ok(None),
        Once::One(bytes) if bytes.contains(&b',') => Err(TenantError::Sources),
        Once::One(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(TenantError::Form),
        },
        Once::Repeated => Err(TenantError::Sources),
    }
}

/// How tenants are found and which exist.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether a request without a tenant is refused; set too where the directory asks by tenant.
    pub required: bool,
    /// Where a tenant may be named.
    pub from: Vec<Source>,
    /// Normalizations, in the order in which they are applied.
    pub normalize: Vec<Normalization>,
    /// What a normalized tenant must match as a whole.
    pub format: Regex,
    /// Which tenants exist.
    pub known: Known,
}

/// A place that may name the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A claim of the verified token.
    Claim(String),
    /// A request header, by its lower-case name.
    Header(String),
    /// The host; `{tenant}` stands for one label.
    Host(Template),
    /// The start of the path; `{tenant}` stands for one segment.
    Path(Template),
    /// A context extension that the operator sets on Envoy's route.
    Context(String),
}

/// A text with one `{tenant}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What stands before the tenant.
    pub before: String,
    /// What stands after it.
    pub after: String,
}

/// Which tenants exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// All that have the right form.
    Any,
    /// These.
    List(BTreeSet<String>),
    /// Those of a watched file, `tenants: […]`.
    File(PathBuf),
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            required,
            from,
            normalize,
            format,
            known,
        } = self;
        *required == other.required
            && *from == other.from
            && *normalize == other.normalize
            && format.as_str() == other.format.as_str()
            && *known == other.known
    }
}

#[cfg(test)]
mod tests;
