//! One look-up: asks the directory, remembers the answer, and leaves the list however it ends.

use super::directory::{Answer, Reason, Unanswered};
use super::remembered::Key;
use super::{Outcome, Shared, Users};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// A look-up under way; it leaves the list however it ends.
pub(super) struct Running {
    pub(super) users: Users,
    pub(super) key: Key,
    pub(super) done: watch::Sender<Option<Outcome>>,
}

impl Running {
    /// Asks, remembers what was answered, and tells it.
    pub(super) async fn ask(&self) -> Outcome {
        let Shared {
            directory,
            remembered,
            counts,
            under_way: _,
        } = &*self.users.shared;
        let versions = directory.versions();
        let version = || versions.as_ref().map(|versions| *versions.borrow());
        let (began, before) = (Instant::now(), version());
        let answer = self.answer(began).await;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        counts.micros.fetch_add(micros, Ordering::Relaxed);
        match answer {
            Ok(Answer::Found(user)) => {
                counts.found.fetch_add(1, Ordering::Relaxed);
                let user = Arc::new(user);
                remembered.found(self.key.clone(), Arc::clone(&user), began);
                self.forget_if(version() != before);
                Ok(Some(user))
            }
            Ok(Answer::NotFound) => {
                counts.not_found.fetch_add(1, Ordering::Relaxed);
                remembered.not_found(self.key.clone(), began);
                self.forget_if(version() != before);
                Ok(None)
            }
            Err(unanswered) => {
                if let Some(count) = counts.unanswered.get(unanswered.reason.index()) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                tracing::debug!(reason = unanswered.reason.as_str(), "no trustworthy answer");
                Err(unanswered)
            }
        }
    }

    /// Forgets an answer that may be of a version of the directory that is gone. It is remembered
    /// first: whoever clears the memory after the change clears it too, or it is seen here.
    fn forget_if(&self, outdated: bool) {
        if outdated {
            self.users.shared.remembered.forget(&self.key);
        }
    }

    /// Asks, once there is room for another look-up; both within `timeout`.
    async fn answer(&self, began: Instant) -> Result<Answer, Unanswered> {
        let until = began + self.users.config.timeout;
        // The semaphore is never closed: an error can only be a late one.
        let Ok(Ok(_room)) = timeout_at(until, self.users.room.acquire()).await else {
            return Err(Unanswered::because(Reason::Crowded));
        };
        let looked_up = self.users.shared.directory.look_up(self.key.query());
        let late = |_| Err(Unanswered::because(Reason::Timeout));
        timeout_at(until, looked_up).await.unwrap_or_else(late)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Shared {
            remembered,
            under_way,
            ..
        } = &*self.users.shared;
        // No answer, or no outcome at all: a panic is no reason to ask again at once.
        if !matches!(&*self.done.borrow(), Some(Ok(_))) {
            remembered.unanswered(&self.key, Instant::now());
        }
        under_way.lock().remove(&self.key);
    }
}

/// Waits for the end of a look-up.
pub(super) async fn ended(mut outcome: watch::Receiver<Option<Outcome>>) -> Outcome {
    let ended = outcome.wait_for(Option::is_some).await;
    match ended.as_deref() {
        Ok(Some(outcome)) => outcome.clone(),
        // The task ended without an outcome: it panicked.
        Ok(None) | Err(_) => Err(Unanswered::because(Reason::Internal)),
    }
}
