//! The user service that subgate asks, once for each user.

use crate::Result;
use crate::population::{Person, Population};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

type Records = Arc<HashMap<(String, String), String>>;

/// Serves the population on a port of its own, for as long as the runtime lives.
pub(crate) async fn serve(population: &Population) -> Result<SocketAddr> {
    let records: Records = Arc::new(population.people.iter().map(record).collect());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new()
        .route("/v1/tenants/{tenant}/users/{subject}", get(user))
        .with_state(records);
    drop(tokio::spawn(async { axum::serve(listener, router).await }));
    Ok(address)
}

fn record(person: &Person) -> ((String, String), String) {
    let record = json!({
        "id": person.id, "subject": person.subject, "tenant": person.tenant,
        "status": "active", "roles": Person::ROLES,
    });
    (
        (person.tenant.clone(), person.subject.clone()),
        record.to_string(),
    )
}

async fn user(
    Path(asked): Path<(String, String)>,
    State(records): State<Records>,
) -> impl IntoResponse {
    let (status, body) = records.get(&asked).map_or_else(
        || {
            let body = json!({ "code": "user_not_found" });
            (StatusCode::NOT_FOUND, body.to_string())
        },
        |record| (StatusCode::OK, record.clone()),
    );
    (status, [(CONTENT_TYPE, "application/json")], body)
}
