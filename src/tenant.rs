//! In whose house the request is made: settles the tenant from every source that names one.

use crate::subject::Normalization;
use regex::Regex;
use std::collections::BTreeSet;
use std::path::PathBuf;

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
