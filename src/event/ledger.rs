//! What events told, for as long as an answer or a token may be older than they are.
//!
//! *Fences* hold back answers that are older than the last known change; a *mark* is a fence that
//! stands until something newer lifts it; *aliases* lead from an old subject to the new one;
//! *suspensions* close a tenant.

mod books;
mod fence;
mod shelf;
mod written;

pub use written::Entry;

use super::{Event, EventError, Version};
use crate::clock::Timestamp;
use books::Books;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The most fences and aliases together; beyond it the oldest go, and are counted.
const MOST: usize = 1_000_000;

/// How long what an event told is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a fence stands, and the mark of a deletion with it.
    pub tombstone_for: Duration,
    /// How long an old subject leads to the new one.
    pub alias_for: Duration,
}

/// What events told; a handle, cheap to clone.
///
/// Whoever remembers something of a user notes the [`epoch`](Self::epoch) at which that was held
/// against the ledger: only when the epoch has moved need it be held against it again.
#[derive(Clone, Debug)]
pub struct Ledger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    epoch: AtomicU64,
    /// Whether there ever was an alias, and a suspension: most processes never see one.
    aliased: AtomicBool,
    suspending: AtomicBool,
    uses: AtomicU64,
    taken: [AtomicU64; super::Kind::NAMES.len()],
    books: RwLock<Books>,
}

/// Of whom something is remembered or answered.
#[derive(Clone, Copy, Debug)]
pub struct Person<'p> {
    /// The namespace of the subject.
    pub realm: &'p str,
    /// The tenant, where there is one.
    pub tenant: Option<&'p str>,
    /// The normalized subject.
    pub subject: &'p str,
    /// The directory's id, once it is known.
    pub id: Option<&'p str>,
}

/// What the ledger makes of something that was answered about a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing that was told is newer.
    Stands {
        /// Tokens issued at or before this are dead: the user was deleted then, and is there again.
        revoked: Option<Timestamp>,
    },
    /// Something newer was told.
    Outdated,
    /// The subject went to somebody else, or to nobody, after that was asked for.
    Renamed,
    /// The user was deleted or disabled, and nothing newer has lifted that.
    Marked(Mark),
}

/// A deletion or a disabling that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which of the two.
    pub kind: MarkKind,
    /// When it happened, by its source's clock.
    pub at: Timestamp,
    /// The record's version after it, where known: a greater one lifts the mark.
    pub version: Option<Version>,
}

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// The user may not act.
    Disabled,
    /// The user is gone.
    Deleted,
}

/// What events told of a user, for whoever looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The time of the newest of them, by its source's clock.
    pub time: Timestamp,
    /// The version that it told.
    pub version: Option<Version>,
    /// What stands until something newer lifts it.
    pub mark: Option<MarkKind>,
    /// Tokens issued at or before this are dead.
    pub revoked: Option<Timestamp>,
}

/// How much the ledger holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Users of whom a change is known, those with a mark too.
    pub fences: usize,
    /// Users who are marked as deleted or disabled.
    pub marks: usize,
    /// Old subjects that lead to new ones.
    pub aliases: usize,
    /// Tenants that are suspended.
    pub suspended: usize,
    /// Fences and aliases that went before their time, because there were too many.
    pub dropped: u64,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(settings: Settings) -> Self {
        Self::bounded(settings, MOST)
    }

    /// One that holds at most so many fences and aliases together.
    fn bounded(settings: Settings, most: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                epoch: AtomicU64::new(0),
                aliased: AtomicBool::new(false),
                suspending: AtomicBool::new(false),
                uses: AtomicU64::new(0),
                taken: Default::default(),
                books: RwLock::new(Books::new(settings, most)),
            }),
        }
    }

    /// Keeps what is told from now on for another time.
    pub fn reconfigure(&self, settings: Settings) {
        self.shared.books.write().settings = settings;
    }

    /// Takes an event in; see [`apply`](super::apply).
    pub(super) fn take(&self, event: &Event) -> Result<(), EventError> {
        let arrived = Instant::now();
        let mut books = self.shared.books.write();
        books.take(event, arrived)?;
        self.moved(&books);
        drop(books);
        let kind = super::Kind::NAMES
            .iter()
            .position(|name| *name == event.kind.as_str());
        if let Some(count) = kind.and_then(|at| self.shared.taken.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Moves with everything that is told; zero while nothing was.
    pub fn epoch(&self) -> u64 {
        self.shared.epoch.load(Ordering::Acquire)
    }

    /// Moves the epoch, so that whatever is remembered is held against the ledger once more.
    pub fn touch(&self) {
        self.shared.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether a found answer, or the memory of one, is newer than all that was told; `sent` is when
    /// its question was. Of two versions that can be compared the greater wins; otherwise an answer
    /// loses to whatever was told after it was asked for. A mark stands unless the answer's version
    /// is greater than the mark's.
    pub fn judge_found(
        &self,
        person: Person<'_>,
        version: Option<Version>,
        sent: Instant,
    ) -> Judgement {
        let books = self.shared.books.read();
        books.judge_found(person, version, sent, Instant::now())
    }

    /// Whether a not-found answer is newer than all that was told.
    pub fn judge_not_found(&self, person: Person<'_>, sent: Instant) -> Judgement {
        let books = self.shared.books.read();
        books.judge_not_found(person, sent, Instant::now())
    }

    /// Takes back the marks of a user whom the directory knows in a greater version, in the tenant
    /// where it does: a mark that stands in all of them goes on standing in the others.
    pub fn lift(&self, person: Person<'_>, version: Version) {
        let mut books = self.shared.books.write();
        if books.lift(person, version) {
            self.moved(&books);
        }
    }

    /// The subjects to which an old one leads, one after the other, for a token that was issued
    /// then; a token that does not say when was issued before everything.
    pub fn aliases(&self, person: Person<'_>, issued: Option<Timestamp>) -> Vec<Arc<str>> {
        if !self.shared.aliased.load(Ordering::Acquire) {
            return Vec::new();
        }
        let books = self.shared.books.read();
        let aliases = books.aliases(person, issued, Instant::now());
        drop(books);
        if !aliases.is_empty() {
            self.shared.uses.fetch_add(1, Ordering::Relaxed);
        }
        aliases
    }

    /// The mark that stands on a user.
    pub fn mark(&self, person: Person<'_>) -> Option<Mark> {
        if self.epoch() == 0 {
            return None;
        }
        match self.judge_not_found(person, Instant::now()) {
            Judgement::Marked(mark) => Some(mark),
            Judgement::Stands { .. } | Judgement::Outdated | Judgement::Renamed => None,
        }
    }

    /// What events told of a user.
    pub fn told(&self, person: Person<'_>) -> Option<Told> {
        self.shared.books.read().told(person, Instant::now())
    }

    /// The subject to which another one leads, for tokens from before the change.
    pub fn newest_subject(&self, person: Person<'_>) -> Option<Arc<str>> {
        let books = self.shared.books.read();
        books.aliases(person, None, Instant::now()).pop()
    }

    /// Whether nobody of a tenant may act.
    pub fn is_suspended(&self, realm: &str, tenant: &str) -> bool {
        self.shared.suspending.load(Ordering::Acquire)
            && self.shared.books.read().is_suspended(realm, tenant)
    }

    /// How much it holds.
    pub fn size(&self) -> Size {
        self.shared.books.read().size()
    }

    /// How often an old subject led to a new one.
    pub fn alias_uses(&self) -> u64 {
        self.shared.uses.load(Ordering::Relaxed)
    }

    /// Events taken, by the name of their kind.
    pub fn taken(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counts = self.shared.taken.iter();
        super::Kind::NAMES
            .into_iter()
            .zip(counts.map(|count| count.load(Ordering::Relaxed)))
    }

    /// All that it holds, to be written down.
    pub fn entries(&self) -> Vec<Entry> {
        self.shared.books.read().entries(Instant::now())
    }

    /// Takes in what was written down so long ago; what was told since then stays as it is.
    pub fn restore(&self, entries: impl IntoIterator<Item = Entry>, ago: Duration) {
        let mut books = self.shared.books.write();
        let now = Instant::now();
        for entry in entries {
            books.restore(entry, ago, now);
        }
        self.moved(&books);
    }

    /// Says that something moved, while the books are still held: whoever sees the new epoch finds
    /// what moved it.
    fn moved(&self, books: &Books) {
        let size = books.size();
        if size.aliases > 0 {
            self.shared.aliased.store(true, Ordering::Release);
        }
        if size.suspended > 0 {
            self.shared.suspending.store(true, Ordering::Release);
        }
        self.shared.epoch.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
