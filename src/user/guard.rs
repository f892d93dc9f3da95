//! The vanish guard: when known users turn not-found too fast to be believed, they are held.
//!
//! A *known* user is one that was found before. Within the window and the one before it each counts
//! once: as confirmed, when it was asked for again and found, or as vanished, when it was not found
//! and no mark says why. A group is a tenant in its realm.
//!
//! # The rules
//!
//! *Alone:* a group is held while at least `min` of its known users vanished, and more than `share` of
//! them. Nothing but its own users takes part.
//!
//! *All:* a group speaks for at most `min` users, with its own share of vanished ones. All groups
//! are held while, **whichever one group is left out**, at least `min` of the users that the others speak
//! for vanished, and more than `share` of them.
//!
//! # What one tenant can do to the others
//!
//! No rule over several tenants, except one that never or always holds, is wholly deaf to each of
//! them: take the tenants away one by one, and with one of them the verdict turns. What can be promised,
//! whatever the users of one tenant do, is this:
//!
//! - It never makes others be held: all are held only if the others, on their own, pass the share and
//!   `min`.
//! - It never frees others: if the others, without the worst of them, pass `min`, and the share by
//!   more than `share` × `min` users, all are held.
//! - Whether another tenant is held alone it does not touch at all.
//!
//! Between the two the others have passed the share on their own, and either verdict is theirs. The
//! number of groups is bounded ([`MOST_GROUPS`]): those beyond it have no guard of their own, and
//! take no part in the rule over all; they are held with all.

mod books;
mod evidence;
mod tally;

use super::VanishGuard;
use super::directory::Query;
use evidence::Evidence;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tally::{Rule, Tally, Voice};
use tokio::time::Instant;

/// The most groups of which evidence is kept.
const MOST_GROUPS: usize = 65_536;

/// Holds not-found answers that are too many to be believed; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    shared: Arc<Shared>,
    held_answers: Arc<AtomicU64>,
}

/// What becomes of the not-found of a known user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The user is gone.
    Believed,
    /// The answer is an error ([`Reason::VanishGuard`](super::directory::Reason::VanishGuard)).
    Held,
}

/// A tenant in its realm.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group {
    /// The realm.
    pub realm: Arc<str>,
    /// The tenant, where there is one.
    pub tenant: Option<Arc<str>>,
}

/// How the guard stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether all are held.
    pub all_held: bool,
    /// Whether an operator released all, and the share has not fallen since.
    pub all_released: bool,
    /// Known users that were asked for again, over all groups.
    pub known: u64,
    /// Those of them that vanished.
    pub vanished: u64,
    /// Answers that did not count, since their group found no room.
    pub uncounted: u64,
    /// The groups that lost users, in the order of their names.
    pub groups: Vec<GroupStatus>,
}

/// How one group stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    /// Which.
    pub group: Group,
    /// Its known users that were asked for again.
    pub known: u64,
    /// Those of them that vanished.
    pub vanished: u64,
    /// Whether it is held on its own account.
    pub held: bool,
    /// Whether an operator released it, and the share has not fallen since.
    pub released: bool,
}

#[derive(Debug)]
struct Shared {
    /// Keyed, so that nobody chooses which users are counted where not all of them can be.
    hasher: RandomState,
    books: Mutex<Books>,
}

#[derive(Debug)]
struct Books {
    config: VanishGuard,
    rule: Rule,
    /// When the first window began, and the number of the current one.
    start: Instant,
    window: u128,
    groups: HashMap<Group, Member>,
    /// What all groups say, and what those say that no operator released.
    voices: Tally,
    unreleased: Tally,
    all: Hold,
    uncounted: u64,
    news: Vec<News>,
}

#[derive(Debug, Default)]
struct Member {
    evidence: Evidence,
    hold: Hold,
    /// What it adds to each tally.
    voice: Voice,
    unreleased: Voice,
}

/// What follows from a rule, and from an operator's word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hold {
    /// Whether answers are held.
    held: bool,
    /// Whether an operator has said that they are true.
    released: bool,
    /// Whether the share is passed, so that such a word stands.
    over: bool,
}

/// A hold that began or ended, to be told outside the lock; no group: all of them.
#[derive(Debug)]
struct News {
    group: Option<Group>,
    known: u64,
    vanished: u64,
    held: bool,
    /// Whether it says something new: not where all are held anyway.
    loud: bool,
}

impl Guard {
    /// A guard without evidence.
    pub(super) fn new(config: &VanishGuard, now: Instant) -> Self {
        Self {
            shared: Arc::new(Shared::new(config, now)),
            held_answers: Arc::default(),
        }
    }

    /// From now on another configuration rules. The evidence stays, and an operator's word: who is held
    /// or free is judged anew by them. Where windows have another length, a new one begins now.
    pub(super) fn reconfigure(&self, config: &VanishGuard, now: Instant) {
        self.in_books(now, |books| books.obey(config, now));
    }

    /// A user found before was asked for again, and found.
    pub(super) fn confirmed(&self, query: &Query<'_>, now: Instant) {
        let user = self.shared.hasher.hash_one(query);
        self.in_books(now, |books| {
            books.count(query, |evidence| evidence.confirmed(user));
        });
    }

    /// A user found before was asked for again and not found, and no mark says why. Asked again for
    /// a user that is held, it still counts once.
    pub(super) fn vanished(&self, query: &Query<'_>, now: Instant) -> Verdict {
        let user = self.shared.hasher.hash_one(query);
        let verdict = self.in_books(now, |books| {
            let hold = books.count(query, |evidence| evidence.vanished(user));
            books.verdict(hold)
        });
        if verdict == Verdict::Held {
            self.held_answers.fetch_add(1, Ordering::Relaxed);
        }
        verdict
    }

    /// An operator's word that the not-founds of a group, or of all, are true: they are believed until
    /// the share has fallen by itself. Returns how many holds it ended.
    ///
    /// A group released by name is also free of the hold over all, and no longer speaks for it. With
    /// all, each group that is held alone is released; while the rule over all is passed, also each that
    /// will be.
    pub(super) fn release(&self, group: Option<&Group>, now: Instant) -> usize {
        self.in_books(now, |books| match group {
            Some(group) => usize::from(books.release(group)),
            None => books.release_all(),
        })
    }

    /// How the guard stands.
    pub(super) fn status(&self, now: Instant) -> Status {
        self.in_books(now, |books| books.status())
    }

    /// How many answers were held.
    pub(super) fn held_answers(&self) -> u64 {
        self.held_answers.load(Ordering::Relaxed)
    }

    /// Opens the books at the current window, and tells what changed when they are closed again.
    fn in_books<T>(&self, now: Instant, entry: impl FnOnce(&mut Books) -> T) -> T {
        let (outcome, news) = {
            let books = &mut *self.shared.books.lock();
            books.turn_to(now);
            let outcome = entry(books);
            books.judge_all();
            (outcome, std::mem::take(&mut books.news))
        };
        for news in news {
            news.tell();
        }
        outcome
    }
}

impl From<&Query<'_>> for Group {
    fn from(query: &Query<'_>) -> Self {
        Self {
            realm: Arc::clone(query.realm),
            tenant: query.tenant.cloned(),
        }
    }
}

impl Shared {
    fn new(config: &VanishGuard, start: Instant) -> Self {
        let books = Books {
            rule: Rule::new(config),
            config: config.clone(),
            start,
            window: 0,
            groups: HashMap::new(),
            voices: Tally::default(),
            unreleased: Tally::default(),
            all: Hold::default(),
            uncounted: 0,
            news: Vec::new(),
        };
        Self {
            hasher: RandomState::new(),
            books: Mutex::new(books),
        }
    }
}

#[cfg(test)]
mod tests;
