//! The reader: connects, takes a snapshot where it must, and follows the log.

use super::Shared;
use super::position::{End, Next, Position};
use super::wire::{Entry, Probe, ReadError, Wire};
use crate::clock::Clock;
use crate::event::{self, Ledger};
use crate::net::redis::{Backoff, Options, Redis};
use crate::revocation::copy::{Copy, Prints};
use crate::revocation::store::{Key, Keys, StoredEvent, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How many entries of the log, or names of the state, are read at once.
const MOST: usize = 1000;

/// How much longer than it blocks a read may take.
const MARGIN: Duration = Duration::from_secs(2);

/// How often what has ended is let go of.
const SWEEP: Duration = Duration::from_secs(60);

/// How it reads.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) keys: Keys,
    /// How old the copy may be.
    pub(super) max_staleness: Duration,
    /// Whether its age is that of the last heartbeat.
    pub(super) heartbeat: bool,
}

/// Reads the store for a copy.
#[derive(Debug)]
pub(super) struct Reader {
    redis: Redis,
    settings: Settings,
    prints: Prints,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    position: Option<Position>,
    /// When the last heartbeat was written, by the store's clock.
    beat: Option<u64>,
    swept: Instant,
}

impl Reader {
    pub(super) fn new(
        redis: Redis,
        settings: Settings,
        prints: Prints,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            redis,
            settings,
            prints,
            ledger,
            clock,
            shared,
            position: None,
            beat: None,
            swept: Instant::now(),
        }
    }

    /// Follows the store for ever.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new();
        let mut is_told = false;
        loop {
            let before = self.shared.caught_up.load(Ordering::Acquire);
            let Err(error) = self.follow().await;
            self.shared.counts.lost.fetch_add(1, Ordering::Relaxed);
            if self.shared.caught_up.load(Ordering::Acquire) > before {
                backoff.reset();
                is_told = false;
            }
            if is_told {
                tracing::debug!(%error, "revocations cannot be read");
            } else {
                tracing::warn!(%error, "revocations cannot be read; trying again");
            }
            is_told = true;
            sleep(backoff.pause()).await;
        }
    }

    /// How long a read blocks: a fraction of what the copy may be behind.
    fn block(&self) -> Duration {
        let part = self.settings.max_staleness / 5;
        part.clamp(Duration::from_millis(100), Duration::from_secs(5))
    }

    /// One connection, as long as it lasts.
    async fn follow(&mut self) -> Result<std::convert::Infallible, ReadError> {
        let keys = self.settings.keys.clone();
        let options = Options {
            response_timeout: self.block() + MARGIN,
            pushes: None,
        };
        let connection = self.redis.primary(keys.head.as_bytes(), options).await?;
        tracing::debug!(node = %connection.node(), "reading revocations");
        let mut wire = Wire {
            connection,
            keys: &keys,
        };
        let history = wire.history().await?;
        let mut next = self.resume(&mut wire, &history).await?;
        loop {
            let position = match (next, &self.position) {
                (Next::Follow, Some(position)) => position.clone(),
                (next, _) => self.snapshot(&mut wire, next, &history).await?,
            };
            next = self.read_on(&mut wire, position).await?;
        }
    }

    async fn resume(&mut self, wire: &mut Wire<'_>, history: &str) -> Result<Next, ReadError> {
        let Some(position) = &mut self.position else {
            return Ok(Next::Replace);
        };
        let Probe { head, .. } = wire.probe().await?;
        let entry = wire.entry(&position.id).await?;
        let ours = entry.is_some_and(|entry| position.is_at(&entry.link));
        let next = position.resume(&head, ours, history);
        if next == Next::Follow {
            position.history = history.into();
        }
        Ok(next)
    }

    /// Follows the log until the thread is lost.
    async fn read_on(
        &mut self,
        wire: &mut Wire<'_>,
        mut position: Position,
    ) -> Result<Next, ReadError> {
        let mut was_behind = false;
        loop {
            let sent = Instant::now();
            // Until it is known how it goes on, it stands where it stood.
            self.position = Some(position.clone());
            let entries = wire.entries_after(&position.id, MOST, self.block()).await?;
            let (count, is_idle) = (entries.len(), entries.is_empty());
            for entry in entries {
                match position.follow(&entry.link) {
                    Next::Follow => {}
                    lost @ (Next::Replace | Next::Unite(_)) => return Ok(lost),
                }
                let is_accepted = self.apply(&entry);
                position = position.after(entry.link);
                if is_accepted {
                    self.position = Some(position);
                    return Ok(Next::Replace);
                }
            }
            self.sweep(sent);
            if count == MOST {
                continue;
            }
            if !is_idle && !self.settings.heartbeat {
                self.shared.complete_at(sent);
                was_behind = false;
                continue;
            }
            let asked = Instant::now();
            let Probe { head, now } = wire.probe().await?;
            match position.at_end(&head) {
                End::Reached => {
                    was_behind = false;
                    self.complete(asked, now);
                }
                // The next read brings it; where that brings nothing, it was trimmed.
                End::Behind if is_idle && was_behind => return Ok(Next::Replace),
                End::Behind => was_behind = is_idle,
                End::Lost(next) => return Ok(next),
            }
        }
    }

    /// The end of the log was reached at a moment, when it was `now` in the store.
    fn complete(&self, moment: Instant, now: u64) {
        if !self.settings.heartbeat {
            self.shared.complete_at(moment);
        } else if let Some(beat) = self.beat {
            let age = Duration::from_millis(now.saturating_sub(beat));
            if let Some(beaten) = moment.checked_sub(age) {
                self.shared.complete_at(beaten);
            }
        }
    }

    /// Reads the whole state, and stands where the log stood before that.
    async fn snapshot(
        &mut self,
        wire: &mut Wire<'_>,
        why: Next,
        history: &str,
    ) -> Result<Position, ReadError> {
        let began = Instant::now();
        let (copy, head, seen, why) = loop {
            let Probe { head, .. } = wire.probe().await?;
            let (copy, is_empty) = self.read_state(wire).await?;
            let Probe { head: seen, .. } = wire.probe().await?;
            if let Some(why) = why.of_snapshot(self.position.as_ref(), &head, &seen, is_empty) {
                break (copy, head, seen, why);
            }
        };
        if let Next::Unite(why) = why {
            self.shared.diverge(why);
        } else {
            self.shared.counts.replaced.fetch_add(1, Ordering::Relaxed);
        }
        if self.shared.diverged.load(Ordering::Acquire) {
            copy.unite(&self.shared.copy.load());
        }
        let names: usize = copy.held().map(|(_, count)| count).sum();
        self.shared.copy.store(Arc::new(copy));
        // What an event told in the meantime, and left no trace of, may be missed.
        self.ledger.touch();
        tracing::info!(names, took = ?began.elapsed(), "revocations read whole");
        Ok(Position {
            generation: head.generation,
            number: head.number,
            id: head.last,
            drawn: head.drawn,
            seen,
            history: history.into(),
        })
    }

    async fn read_state(&self, wire: &mut Wire<'_>) -> Result<(Copy, bool), ReadError> {
        let copy = Copy::new(self.prints.clone());
        let (mut cursor, mut is_empty) = (0, true);
        loop {
            let (next, page) = wire.page(cursor, MOST).await?;
            for (name, value) in &page {
                self.take(&copy, name, value);
            }
            is_empty &= page.is_empty();
            if next == 0 {
                return Ok((copy, is_empty));
            }
            cursor = next;
        }
    }

    /// Takes in an entry; whether it says that the store is to be taken as it is.
    fn apply(&mut self, entry: &Entry) -> bool {
        self.shared.counts.entries.fetch_add(1, Ordering::Relaxed);
        match &*entry.op {
            "put" => self.take(&self.shared.copy.load(), &entry.name, &entry.value),
            "event" => self.tell(&entry.value),
            "beat" => {
                let millis = entry.link.id.split('-').next();
                self.beat = millis.and_then(|millis| millis.parse().ok()).or(self.beat);
            }
            "accept" => {
                self.shared.diverged.store(false, Ordering::Release);
                return true;
            }
            _ => self.unreadable("an unknown operation"),
        }
        false
    }

    fn take(&self, copy: &Copy, name: &str, value: &str) {
        let (Some(key), Ok(value)) = (Key::parse(name), serde_json::from_str::<Value>(value))
        else {
            return self.unreadable("a name or a value");
        };
        match key {
            Key::Revoked(named) => copy.put(named.lent(), value.strikes(), value.cleared()),
            Key::Lifecycle { .. } => {
                for event in &value.events {
                    self.tell(event);
                }
            }
        }
    }

    fn tell(&self, written: &str) {
        let event = serde_json::from_str::<StoredEvent>(written).ok();
        let Some(event) = event.and_then(|event| event.event()) else {
            return self.unreadable("an event");
        };
        if let Err(error) = event::apply(&event, &self.ledger, self.clock.now()) {
            // The error itself may name a subject.
            tracing::warn!(
                why = error.kind(),
                event = event.kind.as_str(),
                "event of the store not taken"
            );
        }
    }

    fn unreadable(&self, what: &'static str) {
        let count: &AtomicU64 = &self.shared.counts.unreadable;
        if count.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!(
                what,
                "the revocation store holds something that is not of its format; more of it is only counted"
            );
        }
    }

    fn sweep(&mut self, now: Instant) {
        if now.saturating_duration_since(self.swept) >= SWEEP {
            self.swept = now;
            self.shared.copy.load().sweep(self.clock.now());
        }
    }
}
