//! What the directory has to say of a user: joined, waited for, or asked for in the background.

use super::directory::{Query, Reason, Unanswered};
use super::freshness::Freshness;
use super::known::{Asked, Cached, Known, NotKnown};
use super::look_up::{Running, Standing, Way};
use super::progress::{Progress, ended};
use super::remembered::{Found, Key, Memory, Missing};
use super::{Shared, Users};
use crate::event::ledger::Judgement;
use crate::load::{NoWait, Place, Who};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

/// How often a young subject is read again consistently, within `creation_grace`.
const REREADS: u32 = 3;

impl Users {
    /// Asks the directory, and waits for what it says; `stale` is served if that is nothing.
    pub(super) async fn ask(
        &self,
        query: Query<'_>,
        stale: Option<Arc<Found>>,
        asked: Asked,
        place: &Place,
    ) -> Result<Known, NotKnown> {
        let look_up = || self.look_up(query.owned(), Way::Waited, asked.now, None);
        let failure = match self.waited(&query, look_up, asked.now, place).await {
            Ok(Standing::Found(found)) => {
                return self.unless_told(&query, found, Cached::Miss);
            }
            Ok(Standing::Marked(mark)) => return Ok(Known::of_mark(mark)),
            Ok(Standing::Missing(missing)) => {
                if self.is_young(&missing, asked) {
                    return self.read_again(query, &missing, asked, place).await;
                }
                return Ok(Known::gone(Cached::Miss));
            }
            Err(failure) => failure,
        };
        let remembered = &self.shared.remembered;
        let is_good =
            |found: &Arc<Found>| remembered.freshness(found, Instant::now()) != Freshness::Spent;
        let Some(found) = stale.filter(is_good) else {
            return Err(failure);
        };
        if failure == NotKnown::Crowded {
            // There is no room to wait, which says nothing of the directory.
            self.refresh(&query);
        }
        let known = self.unless_told(&query, found, Cached::Stale)?;
        Ok(Known {
            reason: failure.reason(),
            ..known
        })
    }

    /// A user who is there, unless an event told otherwise while it was waited for.
    fn unless_told(
        &self,
        query: &Query<'_>,
        found: Arc<Found>,
        cached: Cached,
    ) -> Result<Known, NotKnown> {
        match self.judge(query, &found, self.shared.ledger.epoch()) {
            Judgement::Marked(mark) => Ok(Known::of_mark(mark)),
            Judgement::Renamed => Err(NotKnown::Unanswered(Unanswered::because(Reason::Outdated))),
            Judgement::Outdated | Judgement::Stands { .. } => Ok(Known::there(found, cached)),
        }
    }

    /// Reads a young subject once more, past whatever lags, if it has not been read too often.
    pub(super) async fn read_again(
        &self,
        query: Query<'_>,
        missing: &Missing,
        asked: Asked,
        place: &Place,
    ) -> Result<Known, NotKnown> {
        let look_up = || {
            let key = query.owned();
            let running = self.shared.under_way.lock().get(&key).cloned();
            if let Some(running) = running {
                return Ok(running);
            }
            let permit = self.lanes.reread().ok_or(NotKnown::NotYetVisible)?;
            let remembered = &self.shared.remembered;
            if !remembered.take_reread(missing, REREADS, Instant::now()) {
                return Err(NotKnown::NotYetVisible);
            }
            self.look_up(key, Way::Consistent, asked.now, Some(permit))
        };
        match self.waited(&query, look_up, asked.now, place).await {
            Ok(Standing::Found(found)) => self.unless_told(&query, found, Cached::Miss),
            Ok(Standing::Marked(mark)) => Ok(Known::of_mark(mark)),
            Ok(Standing::Missing(_)) | Err(_) => Err(NotKnown::NotYetVisible),
        }
    }

    /// Waits for a look-up as long as the request may; whoever may not wait begins none either.
    async fn waited(
        &self,
        query: &Query<'_>,
        look_up: impl Fn() -> Result<watch::Receiver<Progress>, NotKnown>,
        now: Instant,
        place: &Place,
    ) -> Result<Standing, NotKnown> {
        let mut running = None;
        let looked_up = async {
            loop {
                let running = running.insert(look_up()?);
                // One in the background that found no room says nothing to who may wait for room.
                if let Some(outcome) = ended(running).await {
                    return outcome.map_err(NotKnown::Unanswered);
                }
            }
        };
        let until = now + self.config.wait;
        match place.wait(self.who(query), until, looked_up).await {
            Ok(outcome) => outcome,
            Err(NoWait::Late) => Err(match running {
                Some(running) => running.borrow().not_known(),
                None => NotKnown::Late,
            }),
            Err(NoWait::Full) => Err(NotKnown::Crowded),
        }
    }

    /// Who waits for this user.
    fn who(&self, query: &Query<'_>) -> Who {
        let remembered = &self.shared.remembered;
        let subject = remembered.hash_subject(query);
        match remembered.get(query) {
            Some(Memory::Found(_)) => Who::Known(subject),
            Some(Memory::Missing(_)) | None => Who::Stranger(subject),
        }
    }

    /// Asks for someone in the background, if nobody does and there is room.
    pub(super) fn refresh(&self, query: &Query<'_>) {
        // What comes of it is remembered; whoever asks next sees it there.
        let _ = self.look_up(query.owned(), Way::Background, Instant::now(), None);
    }

    /// Joins the look-up of this user that is under way, or begins one; it ends by itself.
    pub(super) fn look_up(
        &self,
        key: Key,
        way: Way,
        now: Instant,
        reread: Option<OwnedSemaphorePermit>,
    ) -> Result<watch::Receiver<Progress>, NotKnown> {
        let mut under_way = self.shared.under_way.lock();
        if let Some(running) = under_way.get(&key) {
            return Ok(running.clone());
        }
        if let Some(standing) = self.just_answered(&key, way, now) {
            return Ok(watch::channel(Progress::Ended(Ok(standing))).1);
        }
        let is_known = self.shared.remembered.get_found(&key).is_some();
        let turn = if is_known {
            None
        } else {
            let tenant = key.tenant.as_deref();
            let turn = self.strangers.admit(&key.issuer, &key.subject, tenant, now);
            Some(turn.map_err(|_| NotKnown::Crowded)?)
        };
        let (done, outcome) = watch::channel(Progress::Asking(None));
        under_way.insert(key.clone(), outcome.clone());
        drop(under_way);
        let mut running = Running {
            users: self.clone(),
            key,
            way,
            turn,
            _reread: reread,
            done,
        };
        tokio::spawn(async move {
            let outcome = running.run().await;
            running.end(outcome);
        });
        Ok(outcome)
    }

    /// What a look-up brought that ended a moment ago: it has left the list and its answer behind.
    fn just_answered(&self, key: &Key, way: Way, now: Instant) -> Option<Standing> {
        let Shared {
            remembered, ledger, ..
        } = &*self.shared;
        let epoch = ledger.epoch();
        match (way, remembered.get(&key.query())?) {
            (Way::Waited, Memory::Found(found))
                if found.epoch() == epoch
                    && remembered.freshness(&found, now) == Freshness::Fresh =>
            {
                Some(Standing::Found(found))
            }
            (Way::Waited, Memory::Missing(missing))
                if missing.epoch() == epoch
                    && !missing.is_marked()
                    && remembered.is_fresh(&missing, now) =>
            {
                Some(Standing::Missing(missing))
            }
            (Way::Waited | Way::Consistent | Way::Background, _) => None,
        }
    }
}
