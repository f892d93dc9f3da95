//! The reader: connects, takes a snapshot where it must, and follows the log.

use super::Shared;
use super::position::{End, Next, Position};
use super::wire::{Probe, ReadError, Wire};
use crate::clock::Clock;
use crate::event::Ledger;
use crate::net::redis::{Backoff, Options, Redis};
use crate::revocation::copy::{Copy, Prints};
use crate::revocation::store::Keys;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
    pub(super) ledger: Ledger,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shared: Arc<Shared>,
    position: Option<Position>,
    /// Whether an operator accepted the store as it is, and it was not read since.
    pub(super) accepted: bool,
    /// When the last heartbeat was written, by the store's clock, and when it was read.
    pub(super) beat: Option<(u64, Instant)>,
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
            accepted: false,
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
            next = self.read_on(&mut wire, position, &history).await?;
        }
    }

    async fn resume(&mut self, wire: &mut Wire<'_>, history: &str) -> Result<Next, ReadError> {
        let Some(position) = &mut self.position else {
            return Ok(Next::Replace);
        };
        let Probe { head, .. } = wire.probe().await?;
        let entry = wire.entry(&position.id).await?;
        let ours = entry.is_some_and(|entry| position.is_at(&entry.link));
        match position.resume(&head, ours, history) {
            Next::Follow => position.goes_on(history),
            lost @ (Next::Replace | Next::Unite(_)) => return Ok(lost),
        }
        Ok(if self.accepted {
            Next::Replace
        } else {
            Next::Follow
        })
    }

    /// Follows the log until the thread is lost.
    async fn read_on(
        &mut self,
        wire: &mut Wire<'_>,
        mut position: Position,
        history: &str,
    ) -> Result<Next, ReadError> {
        let mut was_behind = false;
        // When the node last said that it is a primary.
        let mut confirmed = None;
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
                self.apply(&entry);
                position = position.after(entry.link);
                position.goes_on(history);
                if self.accepted {
                    self.position = Some(position);
                    return Ok(Next::Replace);
                }
            }
            self.sweep(sent);
            if count == MOST {
                continue;
            }
            let is_primary = confirmed.is_some_and(|confirmed| sent < confirmed + self.block());
            if !is_idle && is_primary && !self.settings.heartbeat {
                self.shared.complete_at(sent);
                was_behind = false;
                continue;
            }
            let asked = Instant::now();
            let Probe { head, now } = wire.probe().await?;
            confirmed = Some(asked);
            match position.at_end(&head) {
                End::Reached => {
                    was_behind = false;
                    self.complete(asked, now);
                }
                // The next read brings it; where that brings nothing, it was trimmed.
                End::Behind if is_idle && was_behind => return Ok(Next::Replace),
                End::Behind if is_idle => was_behind = true,
                // What was read was all that there was when it was asked for.
                End::Behind => {
                    was_behind = false;
                    self.complete(sent, now);
                }
                End::Lost(next) => return Ok(next),
            }
        }
    }

    /// All was read that was written until a moment; later it was `now` in the store.
    fn complete(&self, moment: Instant, now: u64) {
        if !self.settings.heartbeat {
            self.shared.complete_at(moment);
        } else if let Some((beat, read)) = self.beat {
            let age = Duration::from_millis(now.saturating_sub(beat));
            // The store's clock may have been put back: no heartbeat is younger than its reading.
            if let Some(beaten) = moment.checked_sub(age) {
                self.shared.complete_at(beaten.min(read));
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
        let Probe { head, .. } = wire.probe().await?;
        let (copy, is_empty) = self.read_state(wire).await?;
        let Probe { head: seen, .. } = wire.probe().await?;
        let ours = self.position.as_ref();
        let why = why.of_snapshot(ours, (&head, &seen), history, is_empty);
        let is_missed = ours.is_some_and(|ours| !ours.is_head(&head));
        let why = why.ok_or(ReadError::Unsettled)?;
        let accepted = std::mem::take(&mut self.accepted);
        match why {
            Next::Unite(why) => self.shared.diverge(why),
            Next::Follow | Next::Replace => {
                self.shared.counts.replaced.fetch_add(1, Ordering::Relaxed);
                if accepted {
                    self.shared.diverged.store(false, Ordering::Release);
                }
            }
        }
        if self.shared.diverged.load(Ordering::Acquire) {
            copy.unite(&self.shared.copy.load());
        }
        let names: usize = copy.held().map(|(_, count)| count).sum();
        self.shared.copy.store(Arc::new(copy));
        if is_missed {
            // Of some events the state holds no trace.
            self.ledger.missed();
        }
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
                self.take(name, value, |name, strikes, cleared| {
                    copy.put(name, strikes, cleared);
                });
            }
            is_empty &= page.is_empty();
            if next == 0 {
                return Ok((copy, is_empty));
            }
            cursor = next;
        }
    }

    fn sweep(&mut self, now: Instant) {
        if now.saturating_duration_since(self.swept) >= SWEEP {
            self.swept = now;
            self.shared.copy.load().sweep(self.clock.now());
        }
    }
}
