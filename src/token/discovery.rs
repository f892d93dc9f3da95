//! Where an issuer says its keys are (OpenID Connect Discovery 1.0), and the fetching of them.

use super::issuer::{Algorithm, KeySource};
use super::json;
use super::jwk::KeyError;
use super::keyset::{KeySet, KeySetError};
use crate::net::http::{Answer, Client, HttpError};
use http::header::{ACCEPT, HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The longest discovery document and the longest key set, in bytes.
const MAX_DOCUMENT: usize = 256 * 1024;

/// Something that can be asked for an issuer's current keys.
#[derive(Debug)]
pub(super) enum Source {
    Discovery {
        issuer: Arc<str>,
        plain: bool,
        client: Client,
    },
    Url {
        url: Url,
        client: Client,
    },
    File(PathBuf),
    Secret {
        path: PathBuf,
        declared: Vec<Algorithm>,
    },
}

/// Why keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The provider did not answer.
    #[error("{0}")]
    Http(#[from] HttpError),
    /// It answered, but not with 200 (Discovery 4.3: success is exactly that).
    #[error("{url} answered {status}: expected 200")]
    Status {
        /// What was asked.
        url: String,
        /// What came.
        status: u16,
    },
    /// It answered with another media type.
    #[error("{url} answered with content type {came}: expected application/json")]
    ContentType {
        /// What was asked.
        url: String,
        /// What came.
        came: String,
    },
    /// The discovery document is not one.
    #[error("the discovery document has no usable `{0}`")]
    Document(&'static str),
    /// The document speaks for another issuer.
    #[error("the discovery document is of issuer `{came}`: expected exactly `{expected}`")]
    OtherIssuer {
        /// The configured issuer.
        expected: String,
        /// The issuer in the document, cut short.
        came: String,
    },
    /// The key set is not one.
    #[error("key set: {0}")]
    KeySet(#[from] KeySetError),
    /// The secret cannot be used.
    #[error("secret: {0}")]
    Secret(#[from] KeyError),
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl Source {
    pub(super) fn new(
        issuer: &Arc<str>,
        source: &KeySource,
        declared: &[Algorithm],
        timeout: Duration,
    ) -> Result<Self, HttpError> {
        Ok(match source {
            KeySource::Discovery { tls } => Self::Discovery {
                issuer: Arc::clone(issuer),
                plain: issuer.starts_with("http://"),
                client: Client::new(tls, timeout)?,
            },
            KeySource::Url { url, tls } => Self::Url {
                url: url.clone(),
                client: Client::new(tls, timeout)?,
            },
            KeySource::File(path) => Self::File(path.clone()),
            KeySource::Secret(path) => Self::Secret {
                path: path.clone(),
                declared: declared.to_vec(),
            },
        })
    }

    /// Whether the keys come over a network, where they can be out of reach for a while.
    pub(super) const fn is_remote(&self) -> bool {
        matches!(self, Self::Discovery { .. } | Self::Url { .. })
    }

    /// The file that holds the keys, to be watched.
    pub(super) fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::File(path) | Self::Secret { path, .. } => Some(path),
            Self::Discovery { .. } | Self::Url { .. } => None,
        }
    }

    /// Asks for the keys as they are now.
    pub(super) async fn fetch(&self) -> Result<KeySet, FetchError> {
        match self {
            Self::Discovery {
                issuer,
                plain,
                client,
            } => {
                let url = discover(client, issuer, *plain).await?;
                get_keys(client, &url).await
            }
            Self::Url { url, client } => get_keys(client, url.as_str()).await,
            Self::File(path) => Ok(KeySet::from_jwks(&read(path).await?)?),
            Self::Secret { path, declared } => {
                Ok(KeySet::from_secret(&read(path).await?, declared)?)
            }
        }
    }
}

/// The `jwks_uri` of the issuer's own document (Discovery 4).
async fn discover(client: &Client, issuer: &str, plain: bool) -> Result<String, FetchError> {
    let url = well_known(issuer);
    let document = get(client, &url, &["application/json"]).await?;
    let document = json::object(&document).map_err(|_| FetchError::Document("issuer"))?;
    let came = text(&document, "issuer")?;
    if came != issuer {
        return Err(FetchError::OtherIssuer {
            expected: issuer.to_owned(),
            came: came.chars().take(200).filter(|c| !c.is_control()).collect(),
        });
    }
    let keys = text(&document, "jwks_uri")?;
    let parsed = Url::parse(keys).map_err(|_| FetchError::Document("jwks_uri"))?;
    // An issuer that may be plain may have plain keys; any other has its keys behind TLS.
    match parsed.scheme() {
        "https" => Ok(keys.to_owned()),
        "http" if plain => Ok(keys.to_owned()),
        _ => Err(FetchError::Document("jwks_uri")),
    }
}

/// `{issuer}/.well-known/openid-configuration`, one terminating slash of the issuer removed first.
pub fn well_known(issuer: &str) -> String {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    format!("{base}/.well-known/openid-configuration")
}

fn text<'d>(document: &'d Map<String, Value>, name: &'static str) -> Result<&'d str, FetchError> {
    document
        .get(name)
        .and_then(Value::as_str)
        .ok_or(FetchError::Document(name))
}

async fn get_keys(client: &Client, url: &str) -> Result<KeySet, FetchError> {
    let document = get(
        client,
        url,
        &["application/json", "application/jwk-set+json"],
    )
    .await?;
    Ok(KeySet::from_jwks(&document)?)
}

async fn get(client: &Client, url: &str, types: &[&str]) -> Result<Vec<u8>, FetchError> {
    let mut headers = HeaderMap::new();
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/json, application/jwk-set+json"),
    );
    let answer: Answer = client.get(url, headers, MAX_DOCUMENT).await?;
    if answer.status != 200 {
        return Err(FetchError::Status {
            url: url.to_owned(),
            status: answer.status,
        });
    }
    match answer.content_type.as_deref() {
        Some(came) if types.contains(&came) => Ok(answer.body.into()),
        other => Err(FetchError::ContentType {
            url: url.to_owned(),
            came: other.unwrap_or("none").chars().take(100).collect(),
        }),
    }
}

async fn read(path: &PathBuf) -> Result<Vec<u8>, FetchError> {
    tokio::fs::read(path)
        .await
        .map_err(|error| FetchError::File {
            path: path.clone(),
            error,
        })
}

#[cfg(test)]
mod tests;
