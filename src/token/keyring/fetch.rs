//! One fetch of a key set at a time, and what becomes of it.

use super::{Asking, Fetched, First, Held, Keyring};
use crate::token::discovery::FetchError;
use crate::token::keyset::KeySet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::watch;
use tokio::time::Instant;

impl Keyring {
    /// Begins a fetch, or joins the one that is under way.
    pub(super) fn start(
        self: &Arc<Self>,
        asking: &mut Asking,
        now: Instant,
    ) -> watch::Receiver<Option<Fetched>> {
        if let Some(running) = &asking.running {
            return running.clone();
        }
        let (done, fetch) = watch::channel(None);
        asking.running = Some(fetch.clone());
        asking.last_began = Some(now);
        let ring = Arc::clone(self);
        tokio::spawn(async move {
            let ended = Ended { ring: &ring, done };
            let fetched = ring.source.fetch().await;
            ended.with(ring.keep(fetched, now));
        });
        fetch
    }

    /// Takes a set over, in the place of the one that is held.
    fn keep(&self, fetched: Result<KeySet, FetchError>, began: Instant) -> Fetched {
        let set = match fetched {
            Ok(set) => set,
            Err(error) => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(issuer = &*self.name, %error, "keys could not be fetched");
                return Fetched::Failed;
            }
        };
        for error in set.unusable() {
            tracing::warn!(issuer = &*self.name, %error, "a key of the set is not used");
        }
        let earlier = self.held.load_full();
        let (set, changed) = match &earlier {
            Some(earlier) => {
                let before: Vec<_> = earlier.set.keys().to_vec();
                let set = set.replacing(&earlier.set);
                let same =
                    set.keys().len() == before.len() && before.iter().all(|key| key.is_alive());
                (set, !same)
            }
            None => (set, true),
        };
        if changed {
            let names: Vec<_> = set.keys().iter().map(|key| &**key.name()).collect();
            tracing::info!(issuer = &*self.name, keys = ?names, "keys replaced");
        }
        let has_keys = !set.keys().is_empty();
        self.held.store(Some(Arc::new(Held { set, began })));
        if has_keys {
            self.first.send_replace(First::Had);
        }
        self.counts.replaced.fetch_add(1, Ordering::Relaxed);
        Fetched::Replaced
    }
}

/// Ends a fetch for all who wait, however its task ends.
struct Ended<'k> {
    ring: &'k Keyring,
    done: watch::Sender<Option<Fetched>>,
}

impl Ended<'_> {
    fn with(self, fetched: Fetched) {
        self.done.send_replace(Some(fetched));
    }
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.ring.asking.lock().running = None;
        self.ring.first.send_if_modified(|first| {
            std::mem::replace(first, First::Asked.max(*first)) < First::Asked
        });
        self.done.send_if_modified(|fetched| {
            fetched
                .replace(fetched.unwrap_or(Fetched::Failed))
                .is_none()
        });
    }
}

/// Waits for the end of a fetch.
pub(super) async fn ended(mut fetch: watch::Receiver<Option<Fetched>>) -> Fetched {
    match fetch.wait_for(Option::is_some).await {
        Ok(fetched) => fetched.unwrap_or(Fetched::Failed),
        Err(_) => Fetched::Failed,
    }
}
