//! The user service of a crowd, which counts the calls that it has under way.

use crate::Result;
use crate::crowd;
use crate::population::Person;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// A user service in this process, for as long as the runtime lives.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    books: Arc<Books>,
}

#[derive(Debug)]
struct Books {
    /// People with a smaller number are there.
    people: usize,
    /// How long it looks for one who is not.
    looks: Duration,
    under_way: AtomicUsize,
    peak: AtomicUsize,
}

/// One call under way.
struct Call<'b>(&'b Books);

impl Service {
    pub(crate) async fn start(people: usize, looks: Duration) -> Result<Self> {
        let books = Arc::new(Books {
            people,
            looks,
            under_way: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/v1/tenants/{tenant}/users/{subject}", get(user))
            .with_state(Arc::clone(&books));
        drop(tokio::spawn(async { axum::serve(listener, router).await }));
        Ok(Self { address, books })
    }

    /// The most calls that were under way at once since this was asked last.
    pub(crate) fn peak(&self) -> usize {
        self.books.peak.swap(0, Ordering::Relaxed)
    }
}

impl<'b> Call<'b> {
    fn begin(books: &'b Books) -> Self {
        let now = books.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        books.peak.fetch_max(now, Ordering::Relaxed);
        Self(books)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn user(
    Path((tenant, subject)): Path<(String, String)>,
    State(books): State<Arc<Books>>,
) -> impl IntoResponse {
    let _call = Call::begin(&books);
    let digit = tenant.strip_prefix("tenant-");
    let digit = digit.and_then(|digit| digit.parse::<usize>().ok());
    let person = crowd::person(&subject).filter(|person| *person < books.people);
    let (status, record) = if let Some((person, digit)) = person.zip(digit) {
        let record = json!({
            "id": crowd::user_id(person, digit), "subject": subject, "tenant": tenant,
            "status": "active", "roles": Person::ROLES,
        });
        (StatusCode::OK, record)
    } else {
        sleep(books.looks).await;
        (StatusCode::NOT_FOUND, json!({ "code": "user_not_found" }))
    };
    (
        status,
        [(CONTENT_TYPE, "application/json")],
        record.to_string(),
    )
}
