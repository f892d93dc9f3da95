//! What a directory tells by itself: that it changed, and what happened to whom.

use super::directory::Change;
use super::{Shared, Users};
use crate::event;
use futures_util::StreamExt as _;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

impl Users {
    /// Forgets everything when a directory that lies in a file says that it changed.
    pub(super) fn forget_on_change(&self) {
        let Some(mut versions) = self.shared.directory.versions() else {
            return;
        };
        let (remembered, strangers) = (self.shared.remembered.clone(), self.strangers.clone());
        tokio::spawn(async move {
            // Until the directory is gone.
            while versions.changed().await.is_ok() {
                remembered.clear();
                strangers.clear();
            }
        });
    }

    /// Takes in what a directory tells by itself, for as long as the handle is held; `None` where it
    /// tells nothing.
    pub(super) fn follow_changes(&self) -> Option<Arc<AbortOnDropHandle<()>>> {
        let mut changes = self.shared.directory.changes()?;
        let shared = Arc::clone(&self.shared);
        let following = tokio::spawn(async move {
            while let Some(change) = changes.next().await {
                shared.learn(change);
            }
        });
        Some(Arc::new(AbortOnDropHandle::new(following)))
    }
}

impl Shared {
    pub(super) fn learn(&self, change: Change) {
        match change {
            Change::Event(event) => {
                if let Err(error) = event::apply(&event, &self.ledger, self.clock.now()) {
                    // The error itself may name a subject.
                    let why = error.kind();
                    tracing::warn!(
                        why,
                        event = event.kind.as_str(),
                        "event of the directory not taken"
                    );
                }
            }
            Change::Missed => {
                self.remembered.miss_all(Instant::now());
                self.ledger.touch();
            }
        }
    }
}
