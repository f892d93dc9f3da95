//! An HTTP server that plays a provider.

use super::{Signer, jwks};
use crate::net::tls::ClientTls;
use crate::token::issuer::KeySource;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::watch;
use url::Url;

/// An HTTP server that says by path what it was told to say, and counts.
#[derive(Clone, Debug)]
pub(in crate::token) struct Provider {
    origin: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    answers: Mutex<HashMap<String, (u16, HeadersAndBody)>>,
    asked: Mutex<HashMap<String, usize>>,
    open: watch::Sender<bool>,
}

type HeadersAndBody = (Vec<(&'static str, String)>, Vec<u8>);

impl Provider {
    pub(in crate::token) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            answers: Mutex::default(),
            asked: Mutex::default(),
            open: watch::Sender::new(true),
        });
        let answering = Arc::clone(&shared);
        let router = axum::Router::new().fallback(move |uri: http::Uri| {
            let shared = Arc::clone(&answering);
            async move { shared.answer(uri.path()).await }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { origin, shared }
    }

    /// The URL of a path.
    pub(in crate::token) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    pub(in crate::token) fn says(
        &self,
        path: &str,
        status: u16,
        content_type: &str,
        body: impl AsRef<[u8]>,
    ) {
        let headers = vec![("content-type", content_type.to_owned())];
        self.answers(path, status, headers, body);
    }

    pub(in crate::token) fn redirects(&self, path: &str, to: &str) {
        self.answers(path, 302, vec![("location", self.url(to))], []);
    }

    /// Publishes a key set at `/jwks`.
    pub(in crate::token) fn publishes(&self, keys: &[&Signer]) {
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        self.says("/jwks", 200, "application/json", jwks(&keys));
    }

    /// The source of that key set.
    pub(in crate::token) fn keys(&self) -> KeySource {
        KeySource::Url {
            url: Url::parse(&self.url("/jwks")).unwrap(),
            tls: ClientTls::default(),
        }
    }

    /// How often a path was asked for.
    pub(in crate::token) fn asked(&self, path: &str) -> usize {
        self.shared.asked.lock().get(path).copied().unwrap_or(0)
    }

    /// Answers nobody until it is opened.
    pub(in crate::token) fn hold(&self) {
        self.shared.open.send_replace(false);
    }

    pub(in crate::token) fn open(&self) {
        self.shared.open.send_replace(true);
    }

    fn answers(
        &self,
        path: &str,
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: impl AsRef<[u8]>,
    ) {
        let answer = (status, (headers, body.as_ref().to_vec()));
        self.shared.answers.lock().insert(path.to_owned(), answer);
    }
}

impl Shared {
    async fn answer(&self, path: &str) -> http::Response<axum::body::Body> {
        *self.asked.lock().entry(path.to_owned()).or_default() += 1;
        let mut open = self.open.subscribe();
        let _opened = open.wait_for(|open| *open).await;
        let (status, (headers, body)) = self
            .answers
            .lock()
            .get(path)
            .cloned()
            .unwrap_or((404, (Vec::new(), Vec::new())));
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        response.body(body.into()).unwrap()
    }
}
