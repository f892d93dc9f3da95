//! What memory has to say of a user, held against what was told since.

use super::directory::Query;
use super::freshness::Freshness;
use super::known::{Asked, Cached, Known};
use super::remembered::{Found, Memory, Missing};
use super::{Shared, Users};
use crate::event::ledger::{Judgement, Mark};
use std::sync::Arc;
use tokio::time::Instant;

/// What memory has to say.
pub(super) enum Recalled {
    Known(Known),
    /// The directory has to be asked; what is remembered is good if it does not answer.
    Ask(Option<Arc<Found>>),
    /// It is not there, and may be in a moment.
    Young(Arc<Missing>),
}

impl Users {
    /// What memory has to say, without waiting for anything.
    pub(super) fn recall(&self, query: &Query<'_>, asked: Asked) -> Recalled {
        let Shared {
            ledger, remembered, ..
        } = &*self.shared;
        let epoch = ledger.epoch();
        match remembered.get(query) {
            Some(Memory::Found(found)) => match self.judge(query, &found, epoch) {
                Judgement::Marked(mark) => {
                    remembered.forget_found(query);
                    Recalled::Known(Known::of_mark(mark))
                }
                Judgement::Renamed => {
                    remembered.forget_found(query);
                    Recalled::Ask(None)
                }
                Judgement::Outdated => self.stale(found, asked.now),
                Judgement::Stands { .. } => self.aged(query, found, asked.now),
            },
            Some(Memory::Missing(missing)) if missing.is_marked() => {
                self.hidden(query, &missing, asked.now)
            }
            Some(Memory::Missing(missing)) => {
                let judgement = if missing.epoch() == epoch {
                    Judgement::Stands { revoked: None }
                } else {
                    let sent = remembered.missing_sent(&missing);
                    match ledger.judge_not_found(query.person(None), sent) {
                        Judgement::Stands { .. } if remembered.is_missed(sent) => {
                            Judgement::Outdated
                        }
                        judgement @ (Judgement::Stands { .. }
                        | Judgement::Outdated
                        | Judgement::Renamed
                        | Judgement::Marked(_)) => judgement,
                    }
                };
                let is_fresh = remembered.is_fresh(&missing, asked.now);
                match judgement {
                    Judgement::Marked(mark) => self.marked(query, mark, is_fresh, asked.now),
                    Judgement::Renamed | Judgement::Outdated => Recalled::Ask(None),
                    Judgement::Stands { .. } => {
                        missing.stands(epoch);
                        match (is_fresh, self.is_young(&missing, asked)) {
                            (false, _) => Recalled::Ask(None),
                            (true, true) => Recalled::Young(missing),
                            (true, false) => Recalled::Known(Known::gone(Cached::Negative)),
                        }
                    }
                }
            }
            None if epoch == 0 => Recalled::Ask(None),
            None => match ledger.judge_not_found(query.person(None), asked.now) {
                Judgement::Marked(mark) => self.marked(query, mark, false, asked.now),
                Judgement::Renamed | Judgement::Outdated | Judgement::Stands { .. } => {
                    Recalled::Ask(None)
                }
            },
        }
    }

    /// Holds a remembered user against what was told since it was done last.
    pub(super) fn judge(&self, query: &Query<'_>, found: &Found, epoch: u64) -> Judgement {
        let Shared {
            ledger, remembered, ..
        } = &*self.shared;
        if found.epoch() == epoch {
            return Judgement::Stands {
                revoked: found.revoked(),
            };
        }
        let person = query.person(found.id());
        let sent = remembered.sent(found);
        let judgement = match ledger.judge_found(person, found.version(), sent) {
            Judgement::Stands { .. } if remembered.is_missed(sent) => Judgement::Outdated,
            judgement @ (Judgement::Stands { .. }
            | Judgement::Outdated
            | Judgement::Renamed
            | Judgement::Marked(_)) => judgement,
        };
        if let Judgement::Stands { revoked } = judgement {
            found.stands(epoch, revoked);
        }
        judgement
    }

    /// A user who was found, as old as that is by now.
    fn aged(&self, query: &Query<'_>, found: Arc<Found>, now: Instant) -> Recalled {
        match self.shared.remembered.freshness(&found, now) {
            Freshness::Fresh => Recalled::Known(Known::there(found, Cached::Hit)),
            Freshness::Revalidate => {
                if !self.shared.remembered.failed_just_now(&found, now) {
                    self.refresh(query);
                }
                Recalled::Known(Known::there(found, Cached::Revalidating))
            }
            Freshness::Stale => self.stale(found, now),
            Freshness::Spent => Recalled::Ask(None),
        }
    }

    /// A user who is served only if the directory gives no trustworthy answer.
    fn stale(&self, found: Arc<Found>, now: Instant) -> Recalled {
        let remembered = &self.shared.remembered;
        match remembered.freshness(&found, now) {
            Freshness::Spent => Recalled::Ask(None),
            Freshness::Fresh | Freshness::Revalidate | Freshness::Stale
                if remembered.failed_just_now(&found, now) =>
            {
                Recalled::Known(Known::there(found, Cached::Stale))
            }
            Freshness::Fresh | Freshness::Revalidate | Freshness::Stale => {
                Recalled::Ask(Some(found))
            }
        }
    }

    /// Someone whom a mark hid a moment ago, perhaps by the id that the directory gave then. It is not
    /// known who is behind the mark.
    fn hidden(&self, query: &Query<'_>, missing: &Missing, now: Instant) -> Recalled {
        let is_fresh = self.shared.remembered.is_fresh(missing, now);
        // Whose id it is by now the directory knows.
        let person = query.person(missing.id().filter(|_| is_fresh));
        match self.shared.ledger.judge_not_found(person, now) {
            Judgement::Marked(mark) => self.marked(query, mark, is_fresh, now),
            Judgement::Renamed | Judgement::Outdated | Judgement::Stands { .. } => {
                Recalled::Ask(None)
            }
        }
    }

    /// Someone who was deleted or disabled. Where a greater version would lift that, it is asked for
    /// in the background, unless it was a moment ago.
    fn marked(&self, query: &Query<'_>, mark: Mark, was_asked: bool, now: Instant) -> Recalled {
        if mark.version.is_some() && !was_asked {
            // Before it is answered: a directory that fails is not asked by each request.
            self.shared.remembered.marked(&query.owned(), None, now);
            self.refresh(query);
        }
        Recalled::Known(Known::of_mark(mark))
    }

    /// Whether a token is so young that its user may be there in a moment.
    pub(super) fn is_young(&self, missing: &Missing, asked: Asked) -> bool {
        let grace = self.config.creation_grace;
        asked.issued.is_some_and(|ago| ago < grace)
            && self.shared.remembered.first_missed(missing, asked.now) < grace
            && self.shared.directory.lags()
    }
}
