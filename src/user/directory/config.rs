//! Which directory is asked, and how, as it was configured.

use super::grpc::GrpcError;
use super::{
    Directory, FileDirectory, Grpc, GrpcDirectory, HttpDirectory, Scim, ScimDirectory, Supabase,
    SupabaseDirectory, file,
};
use crate::net::http::HttpError;
use crate::net::tls::ClientTls;
use crate::secret::SecretError;
use crate::yaml::Mistakes;
use ::http::{HeaderName, HeaderValue};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Which directory is asked, and how.
#[derive(Clone, Debug, PartialEq)]
pub enum Config {
    /// A JSON user service.
    Http(Box<Http>),
    /// A service that speaks `subgate.directory.v1`.
    Grpc(Box<Grpc>),
    /// A watched `users.yaml`.
    File(PathBuf),
    /// A SCIM service.
    Scim(Box<Scim>),
    /// The admin API of Supabase Auth.
    Supabase(Box<Supabase>),
}

/// How a directory is reached over HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    /// Headers sent with every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Headers sent where the answer must not lag behind.
    pub consistent_read: Vec<(HeaderName, HeaderValue)>,
    /// A watched file that holds the token.
    pub token_file: Option<PathBuf>,
    /// How the service proves itself, and we to it.
    pub tls: ClientTls,
}

impl Reach {
    /// This reach, by the way of another: the headers of all requests stay.
    fn reached_as(&self, other: &Self) -> Self {
        Self {
            headers: self.headers.clone(),
            ..other.clone()
        }
    }

    /// Names the headers; a value may be a secret, so it is a digest.
    fn fingerprint(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        for (name, value) in &self.headers {
            for part in [name.as_str().as_bytes(), value.as_bytes()] {
                context.update(&part.len().to_be_bytes());
                context.update(part);
            }
        }
        URL_SAFE_NO_PAD.encode(context.finish())
    }
}

/// How a JSON user service is asked, and how its answers are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// The URL, with `{subject}` and, where wanted, `{tenant}`, `{realm}`, `{issuer}`.
    pub url: UrlTemplate,
    /// How the service is reached.
    pub reach: Reach,
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
    /// Any content, since a canary stands by.
    Any,
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

/// Why a directory cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Its client cannot be made.
    #[error("{place}: {source}")]
    Client {
        /// The key of the directory.
        place: &'static str,
        /// Why not.
        source: Box<HttpError>,
    },
    /// Its token file cannot be read.
    #[error("{place}: {source}")]
    Token {
        /// The key of the file.
        place: &'static str,
        /// Why not.
        source: SecretError,
    },
    /// Its gRPC client cannot be made.
    #[error("users.grpc.{0}")]
    Grpc(#[from] GrpcError),
    /// Its file is not one.
    #[error("{0}")]
    File(Mistakes),
}

impl Config {
    /// Whether another configuration asks the same directory and reads its answers alike, so that what
    /// was answered to one is good for the other. How it is reached, and with which credentials, takes
    /// no part; headers do: they may say whose users are meant.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Http(own), Self::Http(other)) => {
                let reach = own.reach.reached_as(&other.reach);
                **other
                    == Http {
                        reach,
                        ..Http::clone(own)
                    }
            }
            (Self::Grpc(own), Self::Grpc(other)) => {
                let Grpc {
                    token_file,
                    tls,
                    watch,
                    ..
                } = Grpc::clone(other);
                **other
                    == Grpc {
                        token_file,
                        tls,
                        watch,
                        ..Grpc::clone(own)
                    }
            }
            (Self::File(own), Self::File(other)) => own == other,
            (Self::Scim(own), Self::Scim(other)) => {
                let reach = own.reach.reached_as(&other.reach);
                **other
                    == Scim {
                        reach,
                        ..Scim::clone(own)
                    }
            }
            (Self::Supabase(own), Self::Supabase(other)) => {
                let reach = own.reach.reached_as(&other.reach);
                **other
                    == Supabase {
                        reach,
                        ..Supabase::clone(own)
                    }
            }
            (
                Self::Http(_) | Self::Grpc(_) | Self::File(_) | Self::Scim(_) | Self::Supabase(_),
                _,
            ) => false,
        }
    }

    /// Judges the file, if there is one, as it will be read.
    pub fn judge(&self, realms: &[Arc<str>]) -> Result<(), Mistakes> {
        match self {
            Self::Http(_) | Self::Grpc(_) | Self::Scim(_) | Self::Supabase(_) => Ok(()),
            Self::File(path) => file::judge(path, realms),
        }
    }

    /// Names which directory it is and how its records are read, however it is reached: users that were
    /// remembered under another name may be others.
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Http(http) => {
                let Http {
                    url,
                    reach,
                    not_found: _,
                    fields,
                    disabled_values,
                    attributes,
                    required,
                } = &**http;
                let record = (fields, disabled_values, attributes, required);
                format!("http {url:?} {} {record:?}", reach.fingerprint())
            }
            Self::Grpc(grpc) => {
                let Grpc {
                    endpoint,
                    token_file: _,
                    tls: _,
                    watch: _,
                    required,
                } = &**grpc;
                format!("grpc {endpoint} {required:?}")
            }
            Self::File(path) => format!("file {}", path.display()),
            Self::Scim(scim) => {
                let Scim {
                    url,
                    by,
                    reach,
                    roles,
                    attributes,
                    required,
                } = &**scim;
                format!(
                    "scim {url:?} {} {:?}",
                    reach.fingerprint(),
                    (by, roles, attributes, required)
                )
            }
            Self::Supabase(supabase) => {
                let Supabase {
                    url,
                    reach,
                    tenant,
                    roles,
                    attributes,
                    required,
                } = &**supabase;
                format!(
                    "supabase {url:?} {} {:?}",
                    reach.fingerprint(),
                    (tenant, roles, attributes, required)
                )
            }
        }
    }

    /// Sets the directory up. `realms` are those of the configured issuers.
    pub fn open(&self, realms: &[Arc<str>]) -> Result<Box<dyn Directory>, SetupError> {
        match self {
            Self::Http(http) => Ok(Box::new(HttpDirectory::new(Http::clone(http))?)),
            Self::Grpc(grpc) => Ok(Box::new(GrpcDirectory::new(Grpc::clone(grpc), realms)?)),
            Self::File(path) => Ok(Box::new(
                FileDirectory::open(path, realms).map_err(SetupError::File)?,
            )),
            Self::Scim(scim) => Ok(Box::new(ScimDirectory::new(Scim::clone(scim))?)),
            Self::Supabase(supabase) => {
                Ok(Box::new(SupabaseDirectory::new(Supabase::clone(supabase))?))
            }
        }
    }
}
