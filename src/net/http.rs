//! The one HTTP client: bounded in time and size, follows nothing, remembers nothing.

use crate::net::tls::{ClientTls, TlsError};
use crate::net::watch::Watch;
use arc_swap::ArcSwap;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

/// Asks HTTP servers; cheap to clone, and its clones share their connections.
///
/// A redirect is an answer. No cookie is kept, no proxy taken from the environment, no body
/// decompressed.
#[derive(Clone, Debug)]
pub struct Client {
    current: Arc<ArcSwap<reqwest::Client>>,
    /// Follows the certificates' files for as long as one of the clones lives.
    _follower: Option<Arc<AbortOnDropHandle<()>>>,
}

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, 200 to 599 of any meaning.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The media type without its parameters, in lower case; none if absent or given twice.
    pub content_type: Option<String>,
    /// The body, whole.
    pub body: Bytes,
}

impl Client {
    /// A client that gives an exchange `timeout` from the look-up of the name to the body's last byte.
    ///
    /// Where certificates come from files, make it inside a runtime: it takes them anew when they
    /// change, for connections that are made from then on.
    pub fn new(tls: &ClientTls, timeout: Duration) -> Result<Self, HttpError> {
        let watch = (!tls.files().is_empty()).then(|| Watch::new(tls.files()));
        let current = Arc::new(ArcSwap::from_pointee(client(tls, timeout)?));
        let follower = watch.map(|watch| {
            let following = follow(watch, tls.clone(), timeout, Arc::clone(&current));
            Arc::new(AbortOnDropHandle::new(tokio::spawn(following)))
        });
        Ok(Self {
            current,
            _follower: follower,
        })
    }

    /// Asks for a document of at most `max_bytes`.
    ///
    /// A body that is longer, or ends before its announced length, is an error and never a part.
    pub async fn get(
        &self,
        url: &str,
        headers: HeaderMap,
        max_bytes: usize,
    ) -> Result<Answer, HttpError> {
        let url = Url::parse(url).map_err(|error| HttpError::Url(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(HttpError::Url(format!("scheme {}", url.scheme())));
        }
        let request = self.current.load().get(url).headers(headers);
        let mut response = request.send().await.map_err(HttpError::from_exchange)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        Ok(Answer {
            status,
            content_type: essence(&headers),
            headers,
            body: body(response, max_bytes).await?,
        })
    }
}

fn client(tls: &ClientTls, timeout: Duration) -> Result<reqwest::Client, HttpError> {
    let tls = tls.load(&[b"h2", b"http/1.1"])?;
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the client that all others are to use"
    )]
    let inner = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .user_agent(concat!("subgate/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| HttpError::Client(cause(&error.without_url())))?;
    Ok(inner)
}

/// Takes changed certificates over, for ever; bad ones are refused, and the old ones stay.
async fn follow(
    mut watch: Watch,
    tls: ClientTls,
    timeout: Duration,
    current: Arc<ArcSwap<reqwest::Client>>,
) {
    loop {
        watch.changed().await;
        match client(&tls, timeout) {
            Ok(next) => {
                current.store(Arc::new(next));
                tracing::info!("certificates of a client changed and were read again");
            }
            Err(error) => {
                tracing::error!(%error, "changed certificates of a client were refused; the old ones stay");
            }
        }
    }
}

async fn body(mut response: reqwest::Response, limit: usize) -> Result<Bytes, HttpError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(HttpError::from_body)? {
        if chunk.len() > limit.saturating_sub(body.len()) {
            return Err(HttpError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The media type alone (RFC 9110 8.3.1).
fn essence(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, None) = (values.next()?, values.next()) else {
        return None;
    };
    let essence = first.to_str().ok()?.split(';').next()?.trim();
    (!essence.is_empty()).then(|| essence.to_ascii_lowercase())
}

/// Why there is no answer. Each tells its cause in one line, without the URL or any header.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The client's certificates do not load.
    #[error(transparent)]
    Files(#[from] TlsError),
    /// The client cannot be made.
    #[error("cannot set up the HTTP client: {0}")]
    Client(String),
    /// What was to be asked is not an HTTP URL.
    #[error("expected an http or https URL, found {0}")]
    Url(String),
    /// Time ran out.
    #[error("no whole answer in time")]
    Timeout,
    /// No connection came about: name, route or port.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The server did not prove itself. One that will not have *our* certificate says so after the
    /// handshake (RFC 8446 4.4.2.4), where HTTP/2 keeps only the words: that may be `Protocol`.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The connection broke, or what came was not HTTP, before there was a status.
    #[error("no HTTP answer: {0}")]
    Protocol(String),
    /// The body broke off.
    #[error("the answer's body broke off: {0}")]
    Body(String),
    /// The body is longer than an answer may be.
    #[error("the answer's body is longer than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: usize,
    },
}

impl HttpError {
    fn from_exchange(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if let Some(tls) = find_tls(&error) {
            Self::Tls(one_line(&tls.to_string()))
        } else if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Connect(cause(&error))
        } else {
            Self::Protocol(cause(&error))
        }
    }

    fn from_body(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else {
            Self::Body(cause(&error.without_url()))
        }
    }
}

/// What rustls said; an `io::Error` hides its content from `source`.
fn find_tls<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    let inside = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
        .map(|inner| inner as &(dyn Error + 'static));
    find_tls(inside.or_else(|| error.source())?)
}

/// The innermost causes, outermost first; reqwest's own layer says only that something failed.
fn cause(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        let part = error.to_string();
        if parts.last() != Some(&part) {
            parts.push(part);
        }
        next = error.source();
    }
    if parts.is_empty() {
        one_line(&error.to_string())
    } else {
        one_line(&parts.join(": "))
    }
}

/// A peer may have chosen parts of it.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for char in text.chars().take(500) {
        if char.is_control() {
            line.extend(char.escape_default());
        } else {
            line.push(char);
        }
    }
    line
}

#[cfg(test)]
mod tests;
