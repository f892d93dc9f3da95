//! The routes of the admin API, and what holds for all of them.

use super::Admin;
use super::message::{EventRequest, GuardView, Release, UserQuery};
use super::problem::Problem;
use super::token::NotAdmitted;
use crate::server::http1::Proof;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};
use futures_util::FutureExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::timeout;

/// The longest body of a request, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// How long a request may take, its body included.
const PATIENCE: Duration = Duration::from_secs(10);

type Answer = Result<Response, Problem>;

fn table() -> [(Method, &'static str, MethodRouter<Admin>); 5] {
    [
        (Method::GET, "/v1/users", get(user)),
        (Method::DELETE, "/v1/users", delete(forget)),
        (Method::GET, "/v1/guard", get(guard)),
        (Method::POST, "/v1/guard/release", post(release)),
        (Method::POST, "/v1/events", post(event)),
    ]
}

/// The method and path of each route.
pub fn routes() -> impl Iterator<Item = (Method, &'static str)> {
    table().into_iter().map(|(method, path, _)| (method, path))
}

/// The routes, for a server or a test.
pub fn router(admin: Admin) -> Router {
    let empty = Router::new();
    let routes = table().into_iter();
    routes
        .fold(empty, |router, (_, path, does)| router.route(path, does))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "no_route", "nothing is here"))
        .method_not_allowed_fallback(async || {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(
                status,
                "no_method",
                "`Allow` names the methods of this path",
            )
        })
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn_with_state(admin.clone(), guarded))
        .with_state(admin)
}

/// What holds for every request, those to nowhere too: the token first, then a bounded time, no
/// panic that ends the connection, and an answer that nobody keeps.
async fn guarded(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    let mut response = match admin.token.admits(request.headers()) {
        Err(NotAdmitted::Missing) => Problem::token_missing().into_response(),
        Err(NotAdmitted::Wrong) => {
            tracing::warn!(method = %request.method(), "an admin call with a wrong token");
            Problem::token_wrong().into_response()
        }
        Ok(()) => {
            if let Some(proof) = request.extensions().get::<Proof>() {
                proof.give();
            }
            answered(next.run(request)).await
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn answered(running: impl Future<Output = Response>) -> Response {
    match timeout(PATIENCE, AssertUnwindSafe(running).catch_unwind()).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(status, "internal", "a panic: the log says where").into_response()
        }
        Err(_) => {
            let status = StatusCode::REQUEST_TIMEOUT;
            Problem::new(status, "too_slow", "expected the whole request within 10 s")
                .into_response()
        }
    }
}

async fn user(
    State(admin): State<Admin>,
    query: Result<Query<UserQuery>, QueryRejection>,
) -> Answer {
    json(&admin.administration.user(&asked(query)?)?)
}

async fn forget(
    State(admin): State<Admin>,
    query: Result<Query<UserQuery>, QueryRejection>,
) -> Answer {
    json(&admin.administration.forget(&asked(query)?)?)
}

async fn guard(State(admin): State<Admin>) -> Answer {
    json::<GuardView>(&admin.administration.guard())
}

async fn release(
    State(admin): State<Admin>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let body = whole(body)?;
    let which = if body.is_empty() {
        Release::default()
    } else {
        read(&headers, &body)?
    };
    json(&admin.administration.release(&which)?)
}

async fn event(
    State(admin): State<Admin>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let event: EventRequest = read(&headers, &whole(body)?)?;
    json(&admin.administration.event(&event)?)
}

fn asked(query: Result<Query<UserQuery>, QueryRejection>) -> Result<UserQuery, Problem> {
    query
        .map(|Query(query)| query)
        .map_err(|rejection| Problem::new(StatusCode::BAD_REQUEST, "query", rejection.body_text()))
}

fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    body.map_err(|rejection| match rejection.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(status, "too_large", "expected a body of at most 64 KiB")
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, "body", "the body broke off"),
    })
}

/// Reads a body of JSON that says so.
fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        .unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("application/json") {
        let detail = "expected `Content-Type: application/json`";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "media_type", detail));
    }
    serde_json::from_slice(body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "body", error.to_string()))
}

fn json<T: Serialize>(value: &T) -> Answer {
    let kind = HeaderValue::from_static("application/json");
    match serde_json::to_vec(value) {
        Ok(body) => Ok(([(header::CONTENT_TYPE, kind)], body).into_response()),
        Err(error) => {
            tracing::error!(%error, "cannot write an answer of the admin API");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Err(Problem::new(
                status,
                "internal",
                "the answer cannot be written",
            ))
        }
    }
}
