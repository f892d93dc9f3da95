//! What the directories that are asked over HTTP have in common: how they are asked, and what
//! status and headers of an answer say, whatever its body is.

mod lifetime;
pub(super) mod record;

pub(super) use lifetime::now;

use super::{
    Answer, Answered, Directory, Query, Question, Reach, Reason, SetupError, Unanswered, UrlPart,
    UrlTemplate,
};
use crate::net::http::{Answer as Said, Client, HttpError};
use crate::net::watch::Watch;
use crate::secret::{Form, SecretFile};
use ::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt;
use std::pin::Pin;
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// The time-out of the client; the caller's own, which is shorter, cuts it.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(60);

/// What stays as it is in a path segment (RFC 3986 2.3); everything else is percent-encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The header in which Supabase's gateway expects the key.
const APIKEY: HeaderName = HeaderName::from_static("apikey");

/// A service that is asked for one user with one GET, and how its answers are read.
pub(super) trait Service: fmt::Debug + Send + Sync {
    /// The keys of the directory and of its token file.
    const PLACES: (&'static str, &'static str);

    /// In which headers the token is shown.
    const SHOWN: Shown = Shown::Bearer;

    /// How it is reached.
    fn reach(&self) -> &Reach;

    /// The URL of a question.
    fn url(&self, query: Query<'_>) -> Result<String, Unanswered>;

    /// What an answer means, unless it is a 304 to a validator of ours.
    fn judge(&self, query: Query<'_>, said: &Said) -> Result<Answer, Unanswered>;

    /// Whether the answer stays true for as long as its record does not change, so that it may be asked
    /// for again by its validator.
    fn lasts(&self, _answer: &Answer) -> bool {
        true
    }

    /// See [`Directory::proves_tenant`].
    fn proves_tenant(&self) -> bool;

    /// See [`Directory::names_by_subject`].
    fn names_by_subject(&self) -> bool {
        false
    }
}

/// Asks a service over HTTP.
#[derive(Debug)]
pub struct Rest<S> {
    service: S,
    client: Client,
    token: Option<SecretFile>,
    _follower: Option<AbortOnDropHandle<()>>,
}

/// In which headers the token is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// `authorization: Bearer`.
    Bearer,
    /// The same, and `apikey`.
    BearerAndApiKey,
}

#[expect(
    private_bounds,
    reason = "the services are those of this crate, and their trait is its affair"
)]
impl<S: Service> Rest<S> {
    /// Makes ready to ask; a token file is read now, and again when it changes.
    pub fn new(service: S) -> Result<Self, SetupError> {
        let (place, token_place) = S::PLACES;
        let reach = service.reach();
        let client = Client::new(&reach.tls, CLIENT_TIMEOUT).map_err(|source| {
            let source = Box::new(source);
            SetupError::Client { place, source }
        })?;
        let mut follower = None;
        let token = match &reach.token_file {
            Some(path) => {
                let watch = Watch::new(vec![path.clone()]);
                let token = SecretFile::open(path.clone(), Form::Text).map_err(|source| {
                    SetupError::Token {
                        place: token_place,
                        source,
                    }
                })?;
                let again = token.clone();
                let following = watch.follow(token_place, move || again.reload());
                follower = Some(AbortOnDropHandle::new(tokio::spawn(following)));
                Some(token)
            }
            None => None,
        };
        Ok(Self {
            service,
            client,
            token,
            _follower: follower,
        })
    }

    async fn ask(&self, question: Question<'_>) -> Result<Answered, Unanswered> {
        let url = self.service.url(question.query)?;
        let validator = question
            .etag
            .and_then(|etag| HeaderValue::from_str(etag).ok());
        let revalidates = validator.is_some();
        let headers = self.headers(question.consistent, validator);
        let asked = self.client.get(&url, headers, MAX_ANSWER).await;
        let said = asked.map_err(|error| unanswered(&error))?;
        let answer = if said.status == 304 && revalidates {
            Answer::Unchanged
        } else {
            self.service.judge(question.query, &said)?
        };
        let etag = match &answer {
            answer if !self.service.lasts(answer) => None,
            Answer::Found(_) => lifetime::etag(&said.headers),
            Answer::Unchanged => {
                lifetime::etag(&said.headers).or_else(|| question.etag.map(Box::from))
            }
            Answer::NotFound => None,
        };
        Ok(Answered {
            answer,
            lifetime: lifetime::lifetime(&said.headers),
            etag,
        })
    }

    fn headers(&self, consistent: bool, validator: Option<HeaderValue>) -> HeaderMap {
        let reach = self.service.reach();
        let mut headers: HeaderMap = reach.headers.iter().cloned().collect();
        if consistent {
            for (name, value) in &reach.consistent_read {
                headers.insert(name, value.clone());
            }
        }
        if let Some(validator) = validator {
            headers.insert(IF_NONE_MATCH, validator);
        }
        if let Some(token) = &self.token {
            let token = token.get();
            let shows = |headers: &mut HeaderMap, name, bytes: &[u8]| {
                if let Ok(mut value) = HeaderValue::from_bytes(bytes) {
                    value.set_sensitive(true);
                    headers.insert(name, value);
                }
            };
            let bearer = [b"Bearer ", token.expose()].concat();
            shows(&mut headers, AUTHORIZATION, &bearer);
            match S::SHOWN {
                Shown::Bearer => {}
                Shown::BearerAndApiKey => shows(&mut headers, APIKEY, token.expose()),
            }
        }
        headers
    }
}

impl<S: Service> Directory for Rest<S> {
    fn look_up<'d>(
        &'d self,
        question: Question<'d>,
    ) -> Pin<Box<dyn Future<Output = Result<Answered, Unanswered>> + Send + 'd>> {
        Box::pin(self.ask(question))
    }

    fn proves_tenant(&self) -> bool {
        self.service.proves_tenant()
    }

    fn names_by_subject(&self) -> bool {
        self.service.names_by_subject()
    }
}

impl UrlTemplate {
    /// The URL of a question; every value is one path segment.
    pub(super) fn fill(&self, query: Query<'_>) -> Result<String, Unanswered> {
        let mut url = String::new();
        for part in &self.parts {
            match part {
                UrlPart::Text(text) => url.push_str(text),
                UrlPart::Subject => url.push_str(&segment(query.subject)?),
                UrlPart::Realm => url.push_str(&segment(query.realm)?),
                UrlPart::Issuer => url.push_str(&segment(query.issuer)?),
                UrlPart::Tenant => {
                    let unasked = Unanswered::because(Reason::TenantUnasked);
                    url.push_str(&segment(query.tenant.ok_or(unasked)?)?);
                }
            }
        }
        Ok(url)
    }
}

/// A value as one path segment; no segment can mean nothing, this folder or the one above
/// (RFC 3986 5.2.4), however it is encoded.
pub(super) fn segment(value: &str) -> Result<String, Unanswered> {
    if matches!(value, "" | "." | "..") {
        return Err(Unanswered::because(Reason::Unaskable));
    }
    Ok(encoded(value))
}

/// A value with everything percent-encoded that could mean something in a URL.
pub(super) fn encoded(value: &str) -> String {
    utf8_percent_encode(value, SEGMENT).to_string()
}

/// What an answer means that is neither a record nor the directory's own not-found.
pub(super) fn refusal(said: &Said) -> Unanswered {
    let asked_to_wait = |reason| Unanswered {
        reason,
        retry_after: lifetime::retry_after(&said.headers),
    };
    match said.status {
        // To a validator that was not sent.
        304 => Unanswered::because(Reason::UnexpectedStatus),
        300..=399 => Unanswered::because(Reason::Redirected),
        401 | 403 => Unanswered::because(Reason::Unauthorized),
        404 | 410 => Unanswered::because(Reason::UnrecognizedNotFound),
        429 => asked_to_wait(Reason::Throttled),
        500..=599 => asked_to_wait(Reason::ServerError),
        _ => Unanswered::because(Reason::UnexpectedStatus),
    }
}

fn unanswered(error: &HttpError) -> Unanswered {
    Unanswered::because(match error {
        HttpError::Timeout => Reason::Timeout,
        HttpError::Connect(_) => Reason::Connect,
        HttpError::Tls(_) => Reason::Tls,
        HttpError::Protocol(_) | HttpError::Body(_) => Reason::Truncated,
        HttpError::TooLarge { .. } => Reason::TooLarge,
        HttpError::Url(_) | HttpError::Files(_) | HttpError::Client(_) => Reason::Internal,
    })
}
