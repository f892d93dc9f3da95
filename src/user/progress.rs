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
    /// Given up: nobody waited when it began, and there was no room.
    NoRoom,
}

impl Progress {
    /// Notes why an attempt brought nothing; nobody is woken by that.
    pub(super) fn failed(progress: &watch::Sender<Self>, unanswered: Unanswered) {
        progress.send_if_modified(|progress| {
            *progress = Self::Asking(Some(unanswered));
            false
        });
    }

    /// Notes that it is given up. Who waits is woken when it has left the list, so as to begin another.
    pub(super) fn no_room(progress: &watch::Sender<Self>) {
        progress.send_if_modified(|progress| {
            *progress = Self::NoRoom;
            false
        });
    }

    /// What is told to who stops waiting: what was wrong so far, or that there was no time.
    pub(super) const fn not_known(&self) -> NotKnown {
        match self {
            Self::Asking(Some(unanswered)) | Self::Ended(Err(unanswered)) => {
                NotKnown::Unanswered(*unanswered)
            }
            Self::Asking(None) | Self::Ended(Ok(_)) | Self::NoRoom => NotKnown::Late,
        }
    }
}

/// Waits for the end of a look-up; `None` where it was given up for lack of room.
pub(super) async fn ended(running: &mut watch::Receiver<Progress>) -> Option<Outcome> {
    let is_over = |progress: &Progress| matches!(progress, Progress::Ended(_));
    // It fails where the task ended without an outcome, which is told by what it noted last.
    drop(running.wait_for(is_over).await);
    match &*running.borrow() {
        Progress::Ended(outcome) => Some(outcome.clone()),
        Progress::NoRoom => None,
        // It panicked.
        Progress::Asking(_) => Some(Err(Unanswered::because(Reason::Internal))),
    }
}
