//! The way to the directory: room for so many attempts, retries, and a circuit breaker.
//!
//! Known users and strangers have a lane each. Strangers take at most half of the room, wait behind
//! the known, and have a breaker of their own: whoever makes up subjects on which the directory stumbles
//! does not close the way for users who are known.
//!
//! `Retry-After` is obeyed for the user about whom the directory said it, and for all of the lane once
//! it said so of several. What it asks for known users holds for strangers too; not the other way round.

mod breaker;
mod pleas;
mod room;

pub use breaker::BreakerState;

use super::directory::{Reason, Unanswered};
use backon::{BackoffBuilder, ExponentialBuilder};
use breaker::{Breaker, Pauses, Symptom, Turn};
use room::{Room, Seat};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

/// The shortest and the longest pause before a retry, jitter aside, which at most doubles it.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// The longest `Retry-After` for which a look-up waits by itself.
const MOST_WAITED: Duration = Duration::from_secs(1);

/// The lanes before one directory; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    settings: Settings,
    room: Arc<Room>,
    rereads: Arc<Semaphore>,
    breakers: Arc<Breakers>,
}

#[derive(Debug)]
struct Breakers {
    known: Breaker,
    strangers: Breaker,
}

/// How a directory is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// The time-out of one attempt, and the longest it waits for room.
    pub(super) timeout: Duration,
    /// How often it is tried again.
    pub(super) retries: usize,
    /// How many attempts may be under way at once.
    pub(super) concurrency: usize,
}

/// Whose look-up it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// A user that was found before.
    Known,
    /// Anybody else.
    Stranger,
}

/// What an attempt is made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Errand {
    /// Whose look-up it is.
    pub(super) lane: Lane,
    /// A hash of who is looked up: one user on whom the directory stumbles says little of it.
    pub(super) user: u64,
    /// Whether nobody waits for it; it then takes room only if that is free at once.
    pub(super) background: bool,
}

impl Lane {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::Known, Self::Stranger];

    /// The name in metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Stranger => "stranger",
        }
    }
}

impl Lanes {
    /// Lanes before a directory of which nothing is known yet.
    pub(super) fn new(settings: Settings) -> Self {
        let breakers = Breakers {
            known: Breaker::new(Lane::Known),
            strangers: Breaker::new(Lane::Stranger),
        };
        Self::with(settings, Arc::new(breakers))
    }

    /// Lanes before the same directory under other settings: what is known of it stays. Attempts under
    /// way end where they began, and do not count against the new room.
    pub(super) fn reconfigured(&self, settings: Settings) -> Self {
        if settings == self.settings {
            return self.clone();
        }
        Self::with(settings, Arc::clone(&self.breakers))
    }

    /// Makes an attempt, and others where that may help: a time-out, a connection that failed, an
    /// answer that broke off, a server's error. The directory's own plea for a pause is heard.
    ///
    /// Fails with the attempt's reason, or, where none was made, with [`Reason::BreakerOpen`] or
    /// [`Reason::Crowded`]. It lasts at most twice `timeout` for each attempt, and the pauses.
    pub(super) async fn ask<T, A>(
        &self,
        errand: Errand,
        mut attempt: impl FnMut() -> A,
    ) -> Result<T, Unanswered>
    where
        A: Future<Output = Result<T, Unanswered>>,
    {
        let mut pauses = pauses(RETRY_PAUSE, self.settings.retries);
        let mut outcome = self.attempt(errand, &mut attempt).await;
        loop {
            let failed = match outcome {
                Ok(answer) => return Ok(answer),
                Err(NoAttempt::Refused(refusal)) => return Err(refusal),
                Err(NoAttempt::Failed(failed)) => failed,
            };
            let pause = match pauses.next() {
                Some(pause) if may_pass(failed) && !self.breaker(errand.lane).is_open() => pause,
                Some(_) | None => return Err(failed),
            };
            sleep(pause.max(failed.retry_after.unwrap_or_default())).await;
            outcome = match self.attempt(errand, &mut attempt).await {
                // Why there was no second attempt matters less than how the first one ended.
                Err(NoAttempt::Refused(_)) => return Err(failed),
                outcome => outcome,
            };
        }
    }

    /// A permit for one consistent re-read; `None` while a tenth of the room is taken by them.
    pub(super) fn reread(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.rereads).try_acquire_owned().ok()
    }

    /// How a lane's breaker stands.
    pub(super) fn state(&self, lane: Lane, now: Instant) -> BreakerState {
        match self.plea_of_others(lane, now) {
            Some(_) => BreakerState::Open,
            None => self.breaker(lane).state(now),
        }
    }

    /// Attempts under way, and those that wait for room.
    pub(super) fn now(&self) -> (usize, usize) {
        self.room.now()
    }

    fn with(settings: Settings, breakers: Arc<Breakers>) -> Self {
        Self {
            settings,
            room: Arc::new(Room::new(settings.concurrency)),
            rereads: Arc::new(Semaphore::new((settings.concurrency / 10).max(1))),
            breakers,
        }
    }

    fn breaker(&self, lane: Lane) -> &Breaker {
        match lane {
            Lane::Known => &self.breakers.known,
            Lane::Stranger => &self.breakers.strangers,
        }
    }

    /// How long the directory wants the users of the other lane not to be asked about, where that
    /// binds this one: what known users are denied, strangers do not get.
    fn plea_of_others(&self, lane: Lane, now: Instant) -> Option<Duration> {
        match lane {
            Lane::Known => None,
            Lane::Stranger => self.breakers.known.plea(now),
        }
    }

    /// Whether an attempt would be let through.
    fn passes(&self, errand: Errand) -> Result<(), Duration> {
        let now = Instant::now();
        match self.plea_of_others(errand.lane, now) {
            Some(rest) => Err(rest),
            None => self.breaker(errand.lane).passes(errand.user, now),
        }
    }

    fn admit(&self, errand: Errand) -> Result<Turn<'_>, Duration> {
        self.passes(errand)?;
        let breaker = self.breaker(errand.lane);
        breaker.admit(errand.user, Instant::now())
    }

    /// One attempt, where breaker and room let it through.
    async fn attempt<T, A>(
        &self,
        errand: Errand,
        attempt: &mut impl FnMut() -> A,
    ) -> Result<T, NoAttempt>
    where
        A: Future<Output = Result<T, Unanswered>>,
    {
        self.passes(errand).map_err(NoAttempt::shut)?;
        let seat = self.seat(errand).await.ok_or(NoAttempt::CROWDED)?;
        let turn = self.admit(errand).map_err(NoAttempt::shut)?;
        let late = |_| Err(Unanswered::because(Reason::Timeout));
        let answer = timeout(self.settings.timeout, attempt()).await;
        let answer = answer.unwrap_or_else(late);
        turn.ended(Symptom::of(&answer), errand.user, Instant::now());
        drop(seat);
        answer.map_err(NoAttempt::Failed)
    }

    async fn seat(&self, errand: Errand) -> Option<Seat> {
        if errand.background {
            return self.room.free(errand.lane);
        }
        let seat = self.room.wait(errand.lane);
        timeout(self.settings.timeout, seat).await.ok().flatten()
    }
}

/// Why an attempt brought nothing.
enum NoAttempt {
    /// It was not made.
    Refused(Unanswered),
    /// It was made.
    Failed(Unanswered),
}

impl NoAttempt {
    const CROWDED: Self = Self::Refused(Unanswered::because(Reason::Crowded));

    const fn shut(rest: Duration) -> Self {
        Self::Refused(Unanswered {
            reason: Reason::BreakerOpen,
            retry_after: Some(rest),
        })
    }
}

/// Whether another attempt may bring what this one did not.
fn may_pass(failed: Unanswered) -> bool {
    let soon = failed.retry_after.is_none_or(|wait| wait <= MOST_WAITED);
    match failed.reason {
        Reason::Timeout | Reason::Connect | Reason::Truncated | Reason::ServerError => soon,
        // Only when the directory says that a moment is enough.
        Reason::Throttled => soon && failed.retry_after.is_some(),
        Reason::Tls
        | Reason::Unauthorized
        | Reason::Redirected
        | Reason::UnexpectedStatus
        | Reason::UnrecognizedNotFound
        | Reason::TooLarge
        | Reason::MalformedAnswer
        | Reason::OtherSubject
        | Reason::OtherTenant
        | Reason::Ambiguous
        | Reason::TenantUnasked
        | Reason::Unaskable
        | Reason::CanaryMissing
        | Reason::CanaryUnanswered
        | Reason::VanishGuard
        | Reason::Outdated
        | Reason::BreakerOpen
        | Reason::Crowded
        | Reason::Internal => false,
    }
}

/// Pauses that double, each lengthened at random by up to itself; every lane of every process draws
/// its own.
fn pauses((shortest, longest): (Duration, Duration), times: usize) -> Pauses {
    ExponentialBuilder::default()
        .with_min_delay(shortest)
        .with_max_delay(longest)
        .with_max_times(times)
        .with_jitter()
        .with_jitter_seed(RandomState::new().hash_one(times))
        .build()
}

#[cfg(test)]
mod tests;
