//! The warm start, and what is written down for the next one.

use crate::user::snapshot::SnapshotError;
use crate::user::{Users, WarmError};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long the writing may hold up the end of the process.
const LONGEST: Duration = Duration::from_secs(10);

/// Takes up who was remembered before; whatever is wrong with that file, the process comes up.
pub(super) async fn take_up(users: &Users) {
    let users = users.clone();
    match spawn_blocking(move || users.warm()).await {
        Ok(Ok(Some(users))) => tracing::info!(users, "users taken up from the snapshot"),
        Ok(Ok(None)) => {}
        Ok(Err(WarmError::File(SnapshotError::Missing(path)))) => {
            tracing::info!(path = %path.display(), "no snapshot of users yet: the cache begins empty");
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "the snapshot of users is not used: the cache begins empty");
        }
        Err(error) => tracing::error!(%error, "the reading of the snapshot panicked"),
    }
}

/// Writes down who is remembered.
pub(super) async fn write_down(users: &Users) {
    let users = users.clone();
    match timeout(LONGEST, spawn_blocking(move || users.save())).await {
        Ok(Ok(Ok(Some(users)))) => tracing::info!(users, "snapshot of users written"),
        Ok(Ok(Ok(None))) => {}
        Ok(Ok(Err(error))) => tracing::error!(%error, "no snapshot of users was written"),
        Ok(Err(error)) => tracing::error!(%error, "the writing of the snapshot panicked"),
        Err(_) => tracing::error!("no snapshot of users was written: it took too long"),
    }
}
