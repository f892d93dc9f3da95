//! How far a look-up is, for those who wait for it.

use super::directory::{Reason, Unanswered};
use super::known::NotKnown;
use super::look_up::Outcome;
use tokio::sync::watch;

/// How far a look-up is.
#[derive(Clone, Debug)]
pub(super) enum Progress {
    /// Under way; and why its latest attempt brought nothing, once one has failed.
    Asking(Option<Unanswered>),
    /// At its end.
    Ended(Outcome),
}

impl Progress {
    /// Notes why an attempt brought nothing; nobody is woken by that.
    pub(super) fn failed(progress: &watch::Sender<Self>, unanswered: Unanswered) {
        progress.send_if_modified(|progress| {
            *progress = Self::Asking(Some(unanswered));
            false
        });
    }

    /// What is told to who stops waiting: what was wrong so far, or that there was no time.
    pub(super) const fn not_known(&self) -> NotKnown {
        match self {
            Self::Asking(Some(unanswered)) | Self::Ended(Err(unanswered)) => {
                NotKnown::Unanswered(*unanswered)
            }
            Self::Asking(None) | Self::Ended(Ok(_)) => NotKnown::Late,
        }
    }
}

/// Waits for the end of a look-up.
pub(super) async fn ended(running: &mut watch::Receiver<Progress>) -> Outcome {
    let is_over = |progress: &Progress| matches!(progress, Progress::Ended(_));
    let ended = running.wait_for(is_over).await;
    match ended.as_deref() {
        Ok(Progress::Ended(outcome)) => outcome.clone(),
        // The task ended without an outcome: it panicked.
        Ok(Progress::Asking(_)) | Err(_) => Err(Unanswered::because(Reason::Internal)),
    }
}
