//! One list, kept fresh by a task of its own, and asked without a lock.

use super::StatusError;
use super::held::{Held, Known, LEAST, Rules};
use super::reference::Fault;
use super::token::{ListError, Signed};
use crate::clock::{Clock, Timestamp};
use crate::load::{NoWait, Place, Who};
use arc_swap::ArcSwapOption;
use backon::{BackoffBuilder, ExponentialBuilder};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

/// A list that nobody asked for so long is let go.
const IDLE: Duration = Duration::from_secs(3600);

/// A list and the task that keeps it fresh, which ends with it.
pub(super) struct Kept {
    shared: Arc<Shared>,
    _follower: AbortOnDropHandle<()>,
}

struct Shared {
    held: ArcSwapOption<Held>,
    round: watch::Sender<Round>,
    /// Somebody needs another list.
    wanted: Notify,
    born: Instant,
    /// When it was last asked, in seconds since it was born.
    asked: AtomicU64,
    rules: Rules,
    clock: Arc<dyn Clock>,
}

/// How far the fetching is.
#[derive(Clone, Copy, Debug)]
struct Round {
    /// Fetches that ended.
    ended: u64,
    /// Whether one is under way.
    running: bool,
    /// Before this no other begins.
    not_before: Instant,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

impl Kept {
    /// Fetches a list at once, and again whenever it is time, until nobody asks for it any more.
    ///
    /// `fetch` brings one, or tells that there is nobody left to bring it to. `told` hears what became of
    /// each, and says whether to go on. `gone` is called when nobody asks any more.
    pub(super) fn start<F>(
        rules: Rules,
        clock: Arc<dyn Clock>,
        fetch: impl Fn() -> F + Send + 'static,
        told: impl Fn(Result<(), ListError>) -> bool + Send + 'static,
        gone: impl FnOnce() + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Option<(Instant, Result<Signed, ListError>)>> + Send,
    {
        let now = Instant::now();
        let shared = Arc::new(Shared {
            held: ArcSwapOption::empty(),
            round: watch::Sender::new(Round {
                ended: 0,
                running: true,
                not_before: now,
            }),
            wanted: Notify::new(),
            born: now,
            asked: AtomicU64::new(0),
            rules,
            clock,
        });
        let following = Arc::clone(&shared);
        let follower = tokio::spawn(async move {
            if following.follow(fetch, told).await == End::Idle {
                gone();
            }
        });
        Self {
            shared,
            _follower: AbortOnDropHandle::new(follower),
        }
    }

    /// What is known of an index, without waiting.
    pub(super) fn say(&self, index: u64, wall: Timestamp, now: Instant) -> Known {
        self.shared.touch(now);
        let held = self.shared.held.load();
        held.as_ref()
            .map_or(Known::Nothing, |held| held.say(index, wall, now))
    }

    /// The status at an index, waiting for a fetch if that may bring it.
    ///
    /// An index beyond the end may be of a token that is younger than the list.
    pub(super) async fn ask(
        &self,
        index: u64,
        wall: Timestamp,
        place: &Place,
    ) -> Result<u8, StatusError> {
        let mut rounds = self.shared.round.subscribe();
        let seen = *rounds.borrow_and_update();
        if seen.running || seen.not_before <= Instant::now() {
            if !seen.running {
                self.shared.wanted.notify_one();
            }
            let ended = async {
                rounds
                    .wait_for(|round| round.ended > seen.ended)
                    .await
                    .is_ok()
            };
            match place.wait(Who::Unverified, place.deadline(), ended).await {
                Err(NoWait::Full) => return Err(StatusError::Crowded),
                Err(NoWait::Late) | Ok(_) => {}
            }
        }
        let now = Instant::now();
        match self.say(index, wall, now) {
            Known::Status(status) => Ok(status),
            Known::OutOfRange => Err(StatusError::Malformed(Fault::OutOfRange)),
            Known::Nothing => Err(StatusError::Unavailable {
                retry_after: self.shared.retry_after(now),
            }),
        }
    }

    /// How long ago the fetch began that brought what is held, and what that takes in memory.
    pub(super) fn held(&self, now: Instant) -> Option<(Duration, usize)> {
        let held = self.shared.held.load();
        held.as_ref()
            .map(|held| (now.saturating_duration_since(held.began), held.size()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nobody asked for long.
    Idle,
    /// Whoever kept it let go of it.
    LetGo,
}

impl Shared {
    async fn follow<F>(
        &self,
        fetch: impl Fn() -> F,
        told: impl Fn(Result<(), ListError>) -> bool,
    ) -> End
    where
        F: Future<Output = Option<(Instant, Result<Signed, ListError>)>>,
    {
        let mut failures = back_off();
        loop {
            self.round.send_modify(|round| round.running = true);
            let Some((began, fetched)) = fetch().await else {
                return End::LetGo;
            };
            let taken = self.take(fetched, began);
            let (again, not_before) = if let Ok(refresh) = &taken {
                failures = back_off();
                (began + jittered(*refresh), began + LEAST)
            } else {
                let again = Instant::now() + failures.next().unwrap_or(IDLE);
                (again, again)
            };
            let goes_on = told(taken.map(|_| ()));
            self.round.send_modify(|round| {
                *round = Round {
                    ended: round.ended + 1,
                    running: false,
                    not_before,
                }
            });
            if !goes_on {
                return End::LetGo;
            }
            tokio::select! {
                () = sleep_until(again) => if self.is_idle(Instant::now()) {
                    return End::Idle;
                },
                () = self.wanted.notified() => sleep_until(not_before).await,
            }
        }
    }

    /// Takes a list over, unless the one that is held is newer; answers when to ask again.
    fn take(
        &self,
        fetched: Result<Signed, ListError>,
        began: Instant,
    ) -> Result<Duration, ListError> {
        let signed = fetched?;
        if let Some(held) = &*self.held.load()
            && held.is_newer_than(&signed)
        {
            return Err(ListError::Outdated);
        }
        let held = Held::new(signed, began, self.rules);
        let refresh = held.refresh_after(self.clock.now());
        self.held.store(Some(Arc::new(held)));
        Ok(refresh)
    }

    fn touch(&self, now: Instant) {
        let seconds = now.saturating_duration_since(self.born).as_secs();
        // One write a second at most: processors do not fight for it.
        if self.asked.load(Ordering::Relaxed) != seconds {
            self.asked.store(seconds, Ordering::Relaxed);
        }
    }

    fn is_idle(&self, now: Instant) -> bool {
        let asked = Duration::from_secs(self.asked.load(Ordering::Relaxed));
        now.saturating_duration_since(self.born) > asked + IDLE
    }

    fn retry_after(&self, now: Instant) -> Duration {
        const SOON: Duration = Duration::from_secs(1);
        let round = *self.round.borrow();
        round.not_before.saturating_duration_since(now).max(SOON)
    }
}

fn back_off() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(30))
        .without_max_times()
        .with_jitter()
        .with_jitter_seed(RandomState::new().hash_one(()))
        .build()
}

/// Up to a sixteenth sooner, so that sidecars do not ask all at once.
fn jittered(duration: Duration) -> Duration {
    let share = RandomState::new().hash_one(()) % 1024;
    let sooner = duration / 16 * u32::try_from(share).unwrap_or_default() / 1024;
    duration.saturating_sub(sooner)
}

#[cfg(test)]
mod tests;
