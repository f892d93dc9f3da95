//! A JSON user service, asked with one GET, and its answers judged.

use super::{
    Answer, Directory, Fields, Http, NotFoundCode, Pointer, Query, Reason, SetupError, Unanswered,
    UrlPart,
};
use crate::net::http::{Answer as Said, Client, HttpError};
use crate::net::watch::Watch;
use crate::secret::{Form, SecretFile};
use crate::user::record::{Attribute, Status, User};
use ::http::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
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

/// Asks a user service.
#[derive(Debug)]
pub struct HttpDirectory {
    config: Http,
    client: Client,
    token: Option<SecretFile>,
    _follower: Option<AbortOnDropHandle<()>>,
}

impl HttpDirectory {
    /// Makes ready to ask; a token file is read now, and again when it changes.
    pub fn new(config: Http) -> Result<Self, SetupError> {
        let client = Client::new(&config.tls, CLIENT_TIMEOUT)?;
        let mut follower = None;
        let token = match &config.token_file {
            Some(path) => {
                let watch = Watch::new(vec![path.clone()]);
                let token = SecretFile::open(path.clone(), Form::Text)?;
                let again = token.clone();
                let following = watch.follow("users.http.token_file", move || again.reload());
                follower = Some(AbortOnDropHandle::new(tokio::spawn(following)));
                Some(token)
            }
            None => None,
        };
        Ok(Self {
            config,
            client,
            token,
            _follower: follower,
        })
    }

    async fn ask(&self, query: Query<'_>) -> Result<Answer, Unanswered> {
        let url = self.url(query)?;
        let said = self
            .client
            .get(&url, self.headers(), MAX_ANSWER)
            .await
            .map_err(|error| unanswered(&error))?;
        self.judge(query, &said)
    }

    /// The URL of one user; every value is one path segment.
    fn url(&self, query: Query<'_>) -> Result<String, Unanswered> {
        let mut url = String::new();
        for part in &self.config.url.parts {
            let value = match part {
                UrlPart::Text(text) => {
                    url.push_str(text);
                    continue;
                }
                UrlPart::Subject => query.subject,
                UrlPart::Realm => query.realm,
                UrlPart::Issuer => query.issuer,
                UrlPart::Tenant => query
                    .tenant
                    .ok_or(Unanswered::because(Reason::TenantUnasked))?,
            };
            url.extend(utf8_percent_encode(value, SEGMENT));
        }
        Ok(url)
    }

    fn headers(&self) -> HeaderMap {
        let mut headers: HeaderMap = self.config.headers.iter().cloned().collect();
        if let Some(token) = &self.token {
            let bearer = [b"Bearer ", token.get().expose()].concat();
            if let Ok(mut value) = HeaderValue::from_bytes(&bearer) {
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
        }
        headers
    }

    fn judge(&self, query: Query<'_>, said: &Said) -> Result<Answer, Unanswered> {
        let because = |reason| Err(Unanswered::because(reason));
        let may_be_not_found = self.config.not_found.status.contains(&said.status);
        if may_be_not_found && self.is_not_found(said) {
            return Ok(Answer::NotFound);
        }
        match said.status {
            200 => self
                .record(query, said)
                .map(Answer::Found)
                .map_err(Unanswered::because),
            _ if may_be_not_found => because(Reason::UnrecognizedNotFound),
            300..=399 => because(Reason::Redirected),
            401 | 403 => because(Reason::Unauthorized),
            404 | 410 => because(Reason::UnrecognizedNotFound),
            429 => Err(Unanswered {
                reason: Reason::Throttled,
                retry_after: retry_after(&said.headers),
            }),
            500..=599 => Err(Unanswered {
                reason: Reason::ServerError,
                retry_after: retry_after(&said.headers),
            }),
            _ => because(Reason::UnexpectedStatus),
        }
    }

    /// Whether this is the directory's own form of not-found, and not an ingress's page.
    fn is_not_found(&self, said: &Said) -> bool {
        let NotFoundCode::At { pointer, is } = &self.config.not_found.code;
        said.content_type.as_deref() == Some(&*self.config.not_found.content_type)
            && serde_json::from_slice::<Value>(&said.body)
                .is_ok_and(|body| at(&body, pointer).and_then(Value::as_str) == Some(is))
    }

    fn record(&self, query: Query<'_>, said: &Said) -> Result<User, Reason> {
        let body: Value =
            serde_json::from_slice(&said.body).map_err(|_| Reason::MalformedAnswer)?;
        if !body.is_object() {
            return Err(Reason::MalformedAnswer);
        }
        let Fields {
            id,
            subject,
            tenant,
            status,
            roles,
            version,
        } = &self.config.fields;
        let field =
            |pointer: &Option<Pointer>| pointer.as_ref().and_then(|pointer| at(&body, pointer));
        if subject.is_some() && field(subject).and_then(name).as_deref() != Some(query.subject) {
            return Err(Reason::OtherSubject);
        }
        if let (Some(asked), Some(_)) = (query.tenant, tenant)
            && field(tenant).and_then(name).as_deref() != Some(asked)
        {
            return Err(Reason::OtherTenant);
        }
        let id = match id {
            Some(_) => Some(
                field(id)
                    .and_then(name)
                    .ok_or(Reason::MalformedAnswer)?
                    .into_boxed_str(),
            ),
            None => None,
        };
        let attributes = self.attributes(&body)?;
        let lacks = self
            .config
            .required
            .iter()
            .find(|required| !attributes.iter().any(|(own, _)| **own == ***required));
        Ok(User {
            id,
            status: self.status(field(status))?,
            roles: field(roles).map(texts).transpose()?.unwrap_or_default(),
            lacks: lacks.map(|name| name.as_str().into()),
            version: field(version)
                .map(scalar)
                .transpose()?
                .map(String::into_boxed_str),
            attributes: attributes.into(),
        })
    }

    fn status(&self, status: Option<&Value>) -> Result<Status, Reason> {
        let Some(status) = status.map(scalar).transpose()? else {
            return Ok(Status::Active);
        };
        let disabled = self
            .config
            .disabled_values
            .iter()
            .any(|value| value.eq_ignore_ascii_case(&status));
        Ok(if disabled {
            Status::Disabled
        } else {
            Status::Active
        })
    }

    /// The configured attributes that the record has; an empty text or list is as good as none.
    fn attributes(&self, body: &Value) -> Result<Vec<Attribute>, Reason> {
        let mut attributes = Vec::new();
        for (name, pointer) in &self.config.attributes {
            let values = match at(body, pointer) {
                None => continue,
                Some(list @ Value::Array(_)) => texts(list)?,
                Some(value) => [scalar(value)?.into_boxed_str()].into(),
            };
            if values.iter().any(|value| !value.is_empty()) {
                attributes.push((name.as_str().into(), values));
            }
        }
        Ok(attributes)
    }
}

impl Directory for HttpDirectory {
    fn look_up<'d>(
        &'d self,
        query: Query<'d>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + 'd>> {
        Box::pin(self.ask(query))
    }

    fn proves_tenant(&self) -> bool {
        self.config.url.parts.contains(&UrlPart::Tenant) || self.config.fields.tenant.is_some()
    }

    fn names_by_subject(&self) -> bool {
        self.config.fields.id.is_none()
    }
}

/// The value at a pointer; JSON's null is no value.
fn at<'b>(body: &'b Value, pointer: &Pointer) -> Option<&'b Value> {
    body.pointer(pointer.as_str())
        .filter(|value| !value.is_null())
}

/// A name: a text that is not empty, or an integer.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        Value::String(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

fn scalar(value: &Value) -> Result<String, Reason> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(Reason::MalformedAnswer),
    }
}

fn texts(value: &Value) -> Result<Box<[Box<str>]>, Reason> {
    let items = value.as_array().ok_or(Reason::MalformedAnswer)?;
    items
        .iter()
        .map(|item| item.as_str().map(Box::from).ok_or(Reason::MalformedAnswer))
        .collect()
}

/// `Retry-After` in seconds (RFC 9110 10.2.3), at most an hour; its date form is not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds.min(3600)))
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
