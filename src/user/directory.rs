//! Where knowledge of users comes from: one contract, several ways to ask.
//!
//! A directory answers *found* or *not found* only where the answer can be trusted to mean it;
//! everything else is a reason why it does not know. It never guesses.

mod file;
mod http;

pub use self::file::FileDirectory;
pub use self::http::HttpDirectory;

use super::User;
use crate::net::http::HttpError;
use crate::net::tls::ClientTls;
use crate::yaml::Mistakes;
use ::http::{HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Something that knows which users exist.
pub trait Directory: fmt::Debug + Send + Sync {
    /// Looks one user up; the caller bounds the time.
    fn look_up<'d>(
        &'d self,
        query: Query<'d>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + 'd>>;

    /// Whether a found answer proves the tenant in which it was asked for: it was asked inside the
    /// tenant, or the answer names it.
    fn proves_tenant(&self) -> bool;

    /// Whether the normalized subject is every user's canonical id, so that no answer is needed for it.
    fn names_by_subject(&self) -> bool;

    /// Tells when all that was answered before may be untrue; `None` if that is never known.
    fn versions(&self) -> Option<watch::Receiver<u64>> {
        None
    }
}

/// Who is looked up.
#[derive(Clone, Copy, Debug)]
pub struct Query<'q> {
    /// The namespace of the subject.
    pub realm: &'q Arc<str>,
    /// The URL of the issuer that named it.
    pub issuer: &'q Arc<str>,
    /// The tenant, where there is one.
    pub tenant: Option<&'q Arc<str>>,
    /// The normalized subject.
    pub subject: &'q Arc<str>,
}

/// A trustworthy answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The user is there.
    Found(User),
    /// The user, recognizably, is not.
    NotFound,
}

/// Why there is no trustworthy answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("directory: {}", reason.as_str())]
pub struct Unanswered {
    /// The reason.
    pub reason: Reason,
    /// When the directory asked to be asked again.
    pub retry_after: Option<Duration>,
}

macro_rules! reasons {
    ($($variant:ident $name:literal $doc:literal)*) => {
        /// Why an answer is not trusted, or did not come: a closed list, for logs and metrics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $doc] $variant,)*
        }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

reasons! {
    Timeout "timeout" "No answer in time."
    Connect "connect" "No connection."
    Tls "tls" "The server is not who it should be, or does not speak TLS."
    Throttled "throttled" "429: the directory wants to be asked less."
    Unauthorized "unauthorized" "401 or 403: the directory does not know us."
    Redirected "redirected" "A redirect, which is never followed."
    ServerError "server_error" "A status from 500 on."
    UnexpectedStatus "unexpected_status" "Another status that means nothing here."
    UnrecognizedNotFound "unrecognized_not_found" "A 404 or 410 that is not the directory's own form of not-found."
    TooLarge "too_large" "An answer longer than is read."
    Truncated "truncated" "An answer that broke off."
    MalformedAnswer "malformed_answer" "An answer that is no record: no JSON object, no id, or values of the wrong type."
    OtherSubject "other_subject" "The record of another user, or of one that is not named."
    OtherTenant "other_tenant" "The record of a user of another tenant."
    TenantUnasked "tenant_unasked" "The directory asks inside a tenant, and there is none."
    Crowded "crowded" "No room for another look-up."
    Internal "internal" "A fault of ours."
}

impl Reason {
    /// The position in [`ALL`](Self::ALL).
    pub fn index(self) -> usize {
        Self::ALL
            .iter()
            .position(|reason| *reason == self)
            .unwrap_or_default()
    }
}

impl Unanswered {
    /// No trustworthy answer, and nothing said of when there may be one.
    pub const fn because(reason: Reason) -> Self {
        Self {
            reason,
            retry_after: None,
        }
    }
}

/// Why a directory cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Its client cannot be made.
    #[error("users.http: {0}")]
    Client(#[from] HttpError),
    /// Its token file cannot be read.
    #[error("users.http.token_file: {0}")]
    Token(#[from] crate::secret::SecretError),
    /// Its file is not one.
    #[error("{0}")]
    File(Mistakes),
}

impl Config {
    /// Judges the file, if there is one, as it will be read.
    pub fn judge(&self, realms: &[Arc<str>]) -> Result<(), Mistakes> {
        match self {
            Self::Http(_) => Ok(()),
            Self::File(path) => file::judge(path, realms),
        }
    }

    /// Sets the directory up. `realms` are those of the configured issuers.
    pub fn open(&self, realms: &[Arc<str>]) -> Result<Box<dyn Directory>, SetupError> {
        match self {
            Self::Http(http) => Ok(Box::new(HttpDirectory::new(Http::clone(http))?)),
            Self::File(path) => Ok(Box::new(
                FileDirectory::open(path, realms).map_err(SetupError::File)?,
            )),
        }
    }
}

impl PartialEq for Query<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.subject == other.subject && self.tenant == other.tenant && self.realm == other.realm
    }
}

impl Eq for Query<'_> {}

/// The issuer takes no part: a user is a subject in a realm, whichever of its issuers names it.
impl std::hash::Hash for Query<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.subject.hash(state);
        self.tenant.hash(state);
        self.realm.hash(state);
    }
}

/// Which directory is asked, and how.
#[derive(Clone, Debug, PartialEq)]
pub enum Config {
    /// A JSON user service.
    Http(Box<Http>),
    /// A watched `users.yaml`.
    File(PathBuf),
}

/// How a JSON user service is asked, and how its answers are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// The URL, with `{subject}` and, where wanted, `{tenant}`, `{realm}`, `{issuer}`.
    pub url: UrlTemplate,
    /// Headers sent with every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// A watched file that holds the bearer token.
    pub token_file: Option<PathBuf>,
    /// How the service is reached.
    pub tls: ClientTls,
    /// What a real "does not exist" looks like.
    pub not_found: NotFound,
    /// Where in the answer things are.
    pub fields: Fields,
    /// Values of `fields.status` that mean disabled; any other is active.
    pub disabled_values: Vec<String>,
    /// Attributes kept for identity headers: name to pointer.
    pub attributes: BTreeMap<String, Pointer>,
    /// Attributes without which a record is incomplete.
    pub required: Vec<String>,
}

/// A URL with named places in it; every value is percent-encoded as one path segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTemplate {
    /// The parts, in order.
    pub parts: Vec<UrlPart>,
}

/// A part of a [`UrlTemplate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlPart {
    /// Text as it stands.
    Text(String),
    /// The subject.
    Subject,
    /// The tenant.
    Tenant,
    /// The realm.
    Realm,
    /// The issuer's URL.
    Issuer,
}

/// What a real "does not exist" looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound {
    /// One of these statuses.
    pub status: Vec<u16>,
    /// This media type, parameters aside.
    pub content_type: String,
    /// This content.
    pub code: NotFoundCode,
}

/// The content of a recognized not-found answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFoundCode {
    /// The JSON string at this pointer has this value.
    At {
        /// The place, `/code` for the short form.
        pointer: Pointer,
        /// The value.
        is: String,
    },
}

/// Where in the answer things are; `None` is the written-out `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The user's canonical id; `None`: the normalized subject is the id.
    pub id: Option<Pointer>,
    /// The subject, which must equal what was asked; `None`: not checked.
    pub subject: Option<Pointer>,
    /// The tenant, which must equal what was asked where one was; `None`: not checked.
    pub tenant: Option<Pointer>,
    /// The status.
    pub status: Option<Pointer>,
    /// The roles, an array of strings.
    pub roles: Option<Pointer>,
    /// The record's version.
    pub version: Option<Pointer>,
}

/// A JSON pointer (RFC 6901), known to be well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    /// Reads a pointer; `None` if it is not well-formed.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = (text.is_empty() || text.starts_with('/'))
            && text
                .split('~')
                .skip(1)
                .all(|rest| rest.starts_with(['0', '1']));
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The pointer as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
