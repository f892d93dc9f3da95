//! The circuit breaker: a directory that is unwell is left alone, and tried with one attempt at a time.

use super::pleas::Pleas;
use super::{Lane, pauses};
use crate::user::directory::{Reason, Unanswered};
use backon::{BackoffBuilder, ExponentialBuilder};
use parking_lot::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// Open after failures with so many different users, and no answer between them.
const RUN: usize = 5;

/// The shortest and the longest pause, jitter aside, which at most doubles it: 1 s to 15 s.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_millis(7500));

/// Pauses that lengthen.
pub(super) type Pauses = <ExponentialBuilder as BackoffBuilder>::Backoff;

/// How a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Attempts are made.
    Closed,
    /// No attempt is made.
    Open,
    /// One attempt shows whether the directory is well again.
    HalfOpen,
}

impl BreakerState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What an attempt's end says of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symptom {
    /// It answered, whatever it said.
    Well,
    /// It is not fit to be asked; and when it wants to be asked again.
    Ill(Option<Duration>),
    /// Nothing: the reason is ours.
    Nothing,
}

impl Symptom {
    pub(super) fn of<T>(answer: &Result<T, Unanswered>) -> Self {
        let Err(unanswered) = answer else {
            return Self::Well;
        };
        match unanswered.reason {
            // It is not there, does not keep up, or does not know us: another subject fares no better.
            Reason::Timeout
            | Reason::Connect
            | Reason::Tls
            | Reason::Throttled
            | Reason::Unauthorized
            | Reason::Redirected
            | Reason::ServerError
            | Reason::Truncated => Self::Ill(unanswered.retry_after),
            // It answered at its ease; it is the answer that is of no use.
            Reason::UnexpectedStatus
            | Reason::UnrecognizedNotFound
            | Reason::TooLarge
            | Reason::MalformedAnswer
            | Reason::OtherSubject
            | Reason::OtherTenant
            | Reason::Ambiguous => Self::Well,
            // It was not asked, or it is we who do not believe it.
            Reason::TenantUnasked
            | Reason::Unaskable
            | Reason::CanaryMissing
            | Reason::CanaryUnanswered
            | Reason::VanishGuard
            | Reason::Outdated
            | Reason::BreakerOpen
            | Reason::Crowded
            | Reason::Internal => Self::Nothing,
        }
    }
}

/// A circuit breaker.
#[derive(Debug)]
pub(super) struct Breaker {
    lane: Lane,
    circuit: Mutex<Circuit>,
}

#[derive(Debug)]
struct Circuit {
    /// The users with whom the latest attempts failed, each once.
    run: Vec<u64>,
    open: Option<Open>,
    /// How long it is open next, and after that.
    pauses: Pauses,
    /// The pauses for which the directory asked.
    pleas: Pleas,
    /// How often it opened or closed: attempts begun before that say nothing of what is now.
    turns: u64,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    until: Instant,
    probing: bool,
}

/// An attempt that was let through; dropped without an end it says nothing.
#[derive(Debug)]
pub(super) struct Turn<'b> {
    breaker: &'b Breaker,
    turns: u64,
    probe: bool,
}

impl Breaker {
    pub(super) fn new(lane: Lane) -> Self {
        Self {
            lane,
            circuit: Mutex::new(Circuit {
                run: Vec::with_capacity(RUN),
                open: None,
                pauses: pauses(PAUSE, usize::MAX),
                pleas: Pleas::default(),
                turns: 0,
            }),
        }
    }

    pub(super) fn state(&self, now: Instant) -> BreakerState {
        let circuit = self.circuit.lock();
        match (
            circuit.rest(circuit.pleas.until_for_all(), now),
            circuit.open,
        ) {
            (Some(_), _) => BreakerState::Open,
            (None, Some(_)) => BreakerState::HalfOpen,
            (None, None) => BreakerState::Closed,
        }
    }

    /// Whether it has opened and not closed since.
    pub(super) fn is_open(&self) -> bool {
        self.circuit.lock().open.is_some()
    }

    /// How long the directory wants nobody of this lane to be asked about, if it does.
    pub(super) fn plea(&self, now: Instant) -> Option<Duration> {
        rest(self.circuit.lock().pleas.until_for_all()?, now)
    }

    /// Whether an attempt for this user would be let through; else how long not.
    pub(super) fn passes(&self, user: u64, now: Instant) -> Result<(), Duration> {
        self.circuit.lock().passes(user, now)
    }

    /// Lets an attempt for this user through; else says how long not.
    pub(super) fn admit(&self, user: u64, now: Instant) -> Result<Turn<'_>, Duration> {
        let circuit = &mut *self.circuit.lock();
        circuit.passes(user, now)?;
        if let Some(open) = &mut circuit.open {
            open.probing = true;
        }
        Ok(Turn {
            breaker: self,
            turns: circuit.turns,
            probe: circuit.open.is_some(),
        })
    }

    /// Takes in how an attempt ended; whether that opened or closed it.
    fn take(&self, turn: &Turn<'_>, symptom: Symptom, user: u64, now: Instant) -> Option<Duration> {
        let circuit = &mut *self.circuit.lock();
        if let Symptom::Ill(Some(wait)) = symptom {
            circuit.pleas.hear(user, wait, now);
        }
        if symptom == Symptom::Well {
            circuit.pleas.answered();
        }
        if turn.turns != circuit.turns {
            return None;
        }
        match symptom {
            Symptom::Well => {
                circuit.run.clear();
                if circuit.open.take().is_some() {
                    circuit.turns += 1;
                    circuit.pauses = pauses(PAUSE, usize::MAX);
                    return Some(Duration::ZERO);
                }
                None
            }
            Symptom::Ill(_) => {
                if !circuit.run.contains(&user) && circuit.run.len() < RUN {
                    circuit.run.push(user);
                }
                (turn.probe || circuit.run.len() >= RUN).then(|| circuit.open(now))
            }
            Symptom::Nothing => {
                circuit.leave(turn);
                None
            }
        }
    }
}

impl Circuit {
    /// How long no attempt is made, where the directory asked for a pause until then.
    fn rest(&self, asked: Option<Instant>, now: Instant) -> Option<Duration> {
        rest(asked.max(self.open.map(|open| open.until))?, now)
    }

    fn passes(&self, user: u64, now: Instant) -> Result<(), Duration> {
        match (self.rest(self.pleas.until(user), now), self.open) {
            (Some(rest), _) => Err(rest),
            // How long the probe takes nobody knows.
            (None, Some(Open { probing: true, .. })) => Err(PAUSE.0),
            (None, Some(_) | None) => Ok(()),
        }
    }

    fn open(&mut self, now: Instant) -> Duration {
        let pause = self.pauses.next().unwrap_or(PAUSE.1);
        self.turns += 1;
        self.open = Some(Open {
            until: now + pause,
            probing: false,
        });
        pause
    }

    /// The next attempt may be the probe.
    fn leave(&mut self, turn: &Turn<'_>) {
        if let (Some(open), true) = (&mut self.open, turn.probe && turn.turns == self.turns) {
            open.probing = false;
        }
    }
}

impl Turn<'_> {
    /// The attempt for this user ended so.
    pub(super) fn ended(self, symptom: Symptom, user: u64, now: Instant) {
        let lane = self.breaker.lane.as_str();
        match self.breaker.take(&self, symptom, user, now) {
            Some(Duration::ZERO) => tracing::info!(lane, "the directory answers again"),
            Some(pause) if !self.probe => tracing::warn!(
                lane,
                ?pause,
                "the directory failed again and again: it is left alone for a while"
            ),
            Some(pause) => tracing::debug!(lane, ?pause, "the directory is still unwell"),
            None => {}
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.breaker.circuit.lock().leave(self);
    }
}

fn rest(until: Instant, now: Instant) -> Option<Duration> {
    let rest = until.saturating_duration_since(now);
    (!rest.is_zero()).then_some(rest)
}
