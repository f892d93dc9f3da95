//! `/livez`, `/readyz` and `/metrics`, and nothing else.

use crate::lifecycle::{Phase, Readiness};
use crate::net::listen::Listener;
use crate::server::http1::{self, Door};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use tokio::sync::watch;

/// Connections at once: a probe and a few scrapers, with room.
const CONNECTIONS: usize = 128;

/// The type that `prometheus_client` writes (OpenMetrics 1.0).
const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What the health listener tells.
#[derive(Clone, Debug)]
pub struct Health {
    /// Where the process is; ready is [`Phase::Serving`].
    pub phase: watch::Receiver<Phase>,
    /// What it still waits for.
    pub readiness: Readiness,
    /// What it counts.
    pub registry: Arc<Registry>,
}

/// Serves HTTP/1.1 for ever; at most 128 connections, ten seconds for a request's head. Beyond them
/// the oldest makes way, so that a probe always gets in.
pub async fn serve(listener: Listener, health: Health) {
    let door = Door {
        listener,
        acceptor: None,
        connections: CONNECTIONS,
        unproven: None,
    };
    http1::serve("health", door, router(health)).await;
}

/// The paths, for a server or a test.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn ready(State(health): State<Health>, RawQuery(query): RawQuery) -> Response {
    let phase = *health.phase.borrow();
    let status = match phase {
        Phase::Serving => StatusCode::OK,
        Phase::Starting | Phase::Draining | Phase::Stopping | Phase::Stopped => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    let mut body = format!("{}\n", phase.name());
    let verbose = query.is_some_and(|query| query.split('&').any(asks_for_detail));
    if verbose {
        for gate in health.readiness.pending() {
            body.push_str("waiting for ");
            body.push_str(&gate);
            body.push('\n');
        }
    }
    (status, body).into_response()
}

fn asks_for_detail(pair: &str) -> bool {
    pair.split('=').next() == Some("verbose")
}

async fn metrics(State(health): State<Health>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &health.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot write the metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests;
