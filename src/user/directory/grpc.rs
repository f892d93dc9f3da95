//! A service that speaks `subgate.directory.v1`: asked with `GetUser`, followed with `Watch`.
//!
//! `proto/subgate/directory/v1/directory.proto` says what is asked of it.

mod answer;
mod codec;
mod link;
mod status;
pub(super) mod watch;
mod wire;

use super::{Answered, Changes, Directory, Question, Reason, Unanswered};
use crate::net::tls::{ClientTls, TlsError};
use crate::secret::SecretError;
use http::uri::PathAndQuery;
use link::Link;
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use watch::Counts;
use wire::{Consistency, GetUserRequest, GetUserResponse};

const GET_USER: PathAndQuery = PathAndQuery::from_static("/subgate.directory.v1.Directory/GetUser");

/// How a gRPC directory is reached, and what is asked of its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grpc {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// A watched file that holds the bearer token.
    pub token_file: Option<PathBuf>,
    /// How it proves itself where the endpoint speaks TLS, and what is shown to it.
    pub tls: ClientTls,
    /// Whether it is followed for changes.
    pub watch: bool,
    /// Attributes without which a record is incomplete.
    pub required: Vec<String>,
}

/// Where a gRPC server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A TCP port.
    Tcp {
        /// Whether it speaks TLS.
        tls: bool,
        /// Its name or address.
        host: url::Host,
        /// Its port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

/// As it is written in the configuration.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { tls, host, port } => {
                let scheme = if *tls { "https" } else { "http" };
                write!(f, "{scheme}://{host}:{port}")
            }
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Why the client of a gRPC directory cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// Its certificates do not load.
    #[error("tls: {0}")]
    Tls(#[from] TlsError),
    /// Its token file cannot be read.
    #[error("token_file: {0}")]
    Token(#[from] SecretError),
    /// No certificate can be for its name.
    #[error("endpoint: expected a host that a certificate can name, found {0}")]
    Name(String),
    /// Its endpoint is none that a client can be made for.
    #[error("endpoint: cannot set up the gRPC client: {0}")]
    Endpoint(#[from] tonic::transport::Error),
}

/// Asks a gRPC service over one connection, which is made when it is first needed and made again
/// when it is lost.
#[derive(Debug)]
pub struct GrpcDirectory {
    link: Arc<Link>,
    required: Vec<String>,
    /// The realms to watch; none where nothing is watched.
    watched: Option<Vec<Arc<str>>>,
    /// For the log.
    endpoint: String,
    counts: Arc<Counts>,
}

impl GrpcDirectory {
    /// Makes ready to ask; a token and certificates are read now, and again when their files change.
    ///
    /// Make it inside a runtime.
    pub fn new(config: Grpc, realms: &[Arc<str>]) -> Result<Self, GrpcError> {
        let link = Link::open(&config)?;
        Ok(Self {
            link: Arc::new(link),
            endpoint: config.endpoint.to_string(),
            required: config.required,
            watched: config.watch.then(|| realms.to_vec()),
            counts: Arc::default(),
        })
    }

    async fn ask(&self, question: Question<'_>) -> Result<Answered, Unanswered> {
        let request = GetUserRequest {
            realm: question.query.realm.as_ref().to_owned(),
            tenant: question
                .query
                .tenant
                .map(|tenant| tenant.as_ref().to_owned()),
            issuer: question.query.issuer.as_ref().to_owned(),
            subject: question.query.subject.as_ref().to_owned(),
            consistency: if question.consistent {
                Consistency::Consistent
            } else {
                Consistency::Ordinary
            }
            .into(),
        };
        let response: GetUserResponse = self
            .link
            .unary(request, GET_USER)
            .await
            .map_err(|status| status::unanswered(&status))?
            .map_err(|_| Unanswered::because(Reason::MalformedAnswer))?;
        answer::judge(question.query, response, &self.required).map_err(Unanswered::because)
    }
}

impl Directory for GrpcDirectory {
    fn look_up<'d>(
        &'d self,
        question: Question<'d>,
    ) -> Pin<Box<dyn Future<Output = Result<Answered, Unanswered>> + Send + 'd>> {
        Box::pin(self.ask(question))
    }

    fn proves_tenant(&self) -> bool {
        true
    }

    fn names_by_subject(&self) -> bool {
        false
    }

    fn changes(&self) -> Option<Changes> {
        let realms = self.watched.clone()?;
        let (link, counts) = (Arc::clone(&self.link), Arc::clone(&self.counts));
        Some(Box::pin(watch::changes(
            link,
            self.endpoint.clone(),
            realms,
            counts,
        )))
    }

    fn watch_counts(&self) -> Option<&Counts> {
        self.watched.is_some().then_some(&*self.counts)
    }
}
