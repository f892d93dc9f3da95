//! Canaries: users that must exist. While a realm's canary is there, its not-founds are believed.

use super::config::Canary;
use super::directory::{Query, Reason, Unanswered};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How much older than a not-found the word of a canary may be, and how long one is not asked for
/// again after it failed.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// The canaries of all realms.
#[derive(Debug)]
pub(super) struct Canaries(Vec<Watched>);

#[derive(Debug)]
struct Watched {
    canary: Canary,
    last: Mutex<Option<(Instant, State)>>,
    /// Held by the one who asks.
    turn: Semaphore,
}

/// What was last heard of a canary, and how long ago.
pub type Heard = (State, Duration);

/// What was last heard of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is there.
    Found,
    /// It is not: the directory has lost its users, or is another.
    Missing,
    /// Nothing trustworthy was answered.
    Unanswered(Reason),
}

impl State {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Missing => "missing",
            Self::Unanswered(_) => "unanswered",
        }
    }

    const fn verdict(self) -> Result<(), Reason> {
        match self {
            Self::Found => Ok(()),
            Self::Missing => Err(Reason::CanaryMissing),
            Self::Unanswered(_) => Err(Reason::CanaryUnanswered),
        }
    }
}

impl Canaries {
    pub(super) fn new(canaries: &[Canary]) -> Self {
        let watched = canaries.iter().map(|canary| Watched {
            canary: canary.clone(),
            last: Mutex::new(None),
            turn: Semaphore::new(1),
        });
        Self(watched.collect())
    }

    /// Whether a not-found of a realm, which came at this moment, is to be believed. `ask` looks the
    /// canary up, where what was last heard of it is too old; one at a time does.
    pub(super) async fn vouch<'c, F>(
        &'c self,
        realm: &str,
        came: Instant,
        ask: impl FnOnce(Query<'c>) -> F,
    ) -> Result<(), Unanswered>
    where
        F: Future<Output = Result<bool, Unanswered>>,
    {
        let Some(watched) = self.0.iter().find(|one| *one.canary.realm == *realm) else {
            return Ok(());
        };
        let recent = || {
            let last = *watched.last.lock();
            last.filter(|(at, _)| came.saturating_duration_since(*at) <= GOOD_FOR)
        };
        if let Some((_, state)) = recent() {
            return state.verdict().map_err(Unanswered::because);
        }
        // It is never closed.
        let _turn = watched.turn.acquire().await;
        if let Some((_, state)) = recent() {
            return state.verdict().map_err(Unanswered::because);
        }
        let asked = Instant::now();
        let state = match ask(watched.query()).await {
            Ok(true) => State::Found,
            Ok(false) => State::Missing,
            Err(unanswered) => State::Unanswered(unanswered.reason),
        };
        let before = watched.last.lock().replace((asked, state));
        if before.is_none_or(|(_, before)| before != state) {
            watched.tell(state);
        }
        state.verdict().map_err(Unanswered::because)
    }

    /// What was last heard of each, and how long ago.
    pub(super) fn states(&self, now: Instant) -> Vec<(Arc<str>, Option<Heard>)> {
        let one = |watched: &Watched| {
            let last = *watched.last.lock();
            let heard = last.map(|(at, state)| (state, now.saturating_duration_since(at)));
            (Arc::clone(&watched.canary.realm), heard)
        };
        self.0.iter().map(one).collect()
    }
}

impl Watched {
    const fn query(&self) -> Query<'_> {
        Query {
            realm: &self.canary.realm,
            issuer: &self.canary.issuer,
            tenant: self.canary.tenant.as_ref(),
            subject: &self.canary.subject,
        }
    }

    fn tell(&self, state: State) {
        let realm = &*self.canary.realm;
        match state {
            State::Found => tracing::info!(realm, "the canary is there"),
            State::Missing => tracing::error!(
                realm,
                "the canary is not there: no not-found of this realm is believed; see whether the directory lost its users, or is the wrong one"
            ),
            State::Unanswered(reason) => tracing::warn!(
                realm,
                reason = reason.as_str(),
                "nothing trustworthy was answered about the canary: no not-found of this realm is believed"
            ),
        }
    }
}
