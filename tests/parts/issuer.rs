//! An identity provider of our own: discovery, a key set, tokens, and every misfortune on demand.

use super::http::{Answer, Request, Server};
use super::key::{Algorithm, Key};
use super::token::Token;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A running issuer.
pub(crate) struct Issuer {
    server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    books: Mutex<Books>,
    documents: AtomicUsize,
    fetches: AtomicUsize,
}

struct Books {
    url: String,
    /// The `issuer` in the discovery document.
    named: String,
    published: Vec<Arc<Key>>,
    slow: Duration,
}

impl Issuer {
    /// Starts with one ES256 key, the quickest to make and to use.
    pub(crate) fn start() -> Self {
        Self::with(&[Algorithm::ES256])
    }

    /// Starts with one key for each algorithm.
    pub(crate) fn with(algorithms: &[Algorithm]) -> Self {
        let shared = Arc::new(Shared {
            books: Mutex::new(Books {
                url: String::new(),
                named: String::new(),
                published: algorithms
                    .iter()
                    .map(|&one| Arc::new(Key::generate(one)))
                    .collect(),
                slow: Duration::ZERO,
            }),
            documents: AtomicUsize::new(0),
            fetches: AtomicUsize::new(0),
        });
        let server = Server::start({
            let shared = Arc::clone(&shared);
            move |request| shared.answer(request)
        });
        let url = format!("http://{}", server.address());
        shared.books.lock().url.clone_from(&url);
        shared.books.lock().named = url;
        Self { server, shared }
    }

    /// Its identifier.
    pub(crate) fn url(&self) -> String {
        self.shared.books.lock().url.clone()
    }

    /// A good token, signed by the first published key.
    pub(crate) fn token(&self) -> Token {
        let books = self.shared.books.lock();
        Token::new(
            &books.url,
            Arc::clone(books.published.first().expect("a published key")),
        )
    }

    /// A good token, signed by the published key of an algorithm.
    pub(crate) fn token_with(&self, algorithm: Algorithm) -> Token {
        let books = self.shared.books.lock();
        let mut keys = books.published.iter();
        let key = keys
            .find(|key| key.algorithm() == algorithm)
            .expect("a key of the algorithm");
        Token::new(&books.url, Arc::clone(key))
    }

    /// How often the discovery document was asked for.
    pub(crate) fn documents(&self) -> usize {
        self.shared.documents.load(Ordering::SeqCst)
    }

    /// How often the key set was asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    /// Refuses connections.
    pub(crate) fn down(&self) {
        self.server.down();
    }

    /// Takes connections again.
    pub(crate) fn up(&self) {
        self.server.up();
    }

    /// Answers only after a while.
    pub(crate) fn slow(&self, delay: Duration) {
        self.shared.books.lock().slow = delay;
    }

    /// Replaces every key by a new one of the same algorithm.
    pub(crate) fn rotate(&self) {
        for key in &mut self.shared.books.lock().published {
            *key = Arc::new(Key::generate(key.algorithm()));
        }
    }

    /// Takes a key out of the set.
    pub(crate) fn withdraw(&self, algorithm: Algorithm) {
        self.shared
            .books
            .lock()
            .published
            .retain(|key| key.algorithm() != algorithm);
    }

    /// Names another issuer in the discovery document.
    pub(crate) fn call_itself(&self, url: &str) {
        url.clone_into(&mut self.shared.books.lock().named);
    }
}

impl Shared {
    fn answer(&self, request: &Request) -> Answer {
        let books = self.books.lock();
        let answer = match request.target.as_str() {
            "/.well-known/openid-configuration" => {
                self.documents.fetch_add(1, Ordering::SeqCst);
                Answer::json(200, &books.document())
            }
            "/jwks" => {
                self.fetches.fetch_add(1, Ordering::SeqCst);
                let keys: Vec<Value> = books.published.iter().map(|key| key.jwk()).collect();
                Answer::json(200, &json!({"keys": keys}))
            }
            _ => Answer::new(404, "text/plain", "no such page"),
        };
        answer.after(books.slow)
    }
}

impl Books {
    fn document(&self) -> Value {
        json!({
            "issuer": self.named,
            "jwks_uri": format!("{}/jwks", self.url),
            "authorization_endpoint": format!("{}/authorize", self.url),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    }
}
