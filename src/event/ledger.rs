//! What events told, for as long as an answer or a token may be older than they are.
//!
//! *Fences* hold back answers that are older than the last known change; a *mark* is a fence that
//! stands until something newer lifts it; *aliases* lead from an old subject to the new one;
//! *suspensions* close a tenant.
//!
//! A fence that never marked anybody is needed only while an older answer may be remembered or under
//! way, and such fences have room of their own: nobody's changes, however many, end a mark. Where one
//! has to go early, all that its tenant was answered before it is asked for again. Where marks are too
//! many, the oldest of the tenant that has most go.

mod alias;
mod answers;
mod books;
mod fence;
mod gaps;
mod judgement;
mod newer;
mod queue;
mod rewritten;
mod shelf;
mod suspension;
mod written;

pub use judgement::{Judgement, Mark, MarkKind, Person, Size, Told};
pub use written::Entry;

use super::{Event, EventError, TenantForm, Version};
use crate::clock::Timestamp;
use arc_swap::ArcSwap;
use books::{Books, Most};
use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The most entries; beyond it they go before their time, and are counted.
const MOST: Most = Most {
    passing: 250_000,
    lasting: 1_000_000,
};

/// How often at most the log says that marks went before their time.
const ALARM_PAUSE: Duration = Duration::from_secs(60);

/// How long what an event told is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a fence stands that marks nobody: at least as long as an answer may be remembered or
    /// under way.
    pub fence_for: Duration,
    /// How long the mark of a deletion or a disabling stands, and that the subject has another bearer;
    /// never shorter than `fence_for`.
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
    tenants: ArcSwap<TenantForm>,
    books: RwLock<Books>,
    /// When the log last said that marks went before their time.
    alarmed: Mutex<Option<Instant>>,
}

impl Settings {
    /// How long a fence stands.
    fn kept(&self, lasts: bool) -> Duration {
        if lasts {
            self.tombstone_for.max(self.fence_for)
        } else {
            self.fence_for
        }
    }
}

impl Ledger {
    /// An empty ledger, which reads tenants in this form.
    pub fn new(settings: Settings, tenants: TenantForm) -> Self {
        Self::bounded(settings, tenants, MOST)
    }

    /// One that holds at most so much.
    fn bounded(settings: Settings, tenants: TenantForm, most: Most) -> Self {
        Self {
            shared: Arc::new(Shared {
                epoch: AtomicU64::new(0),
                aliased: AtomicBool::new(false),
                suspending: AtomicBool::new(false),
                uses: AtomicU64::new(0),
                taken: Default::default(),
                tenants: ArcSwap::from_pointee(tenants),
                books: RwLock::new(Books::new(settings, most)),
                alarmed: Mutex::default(),
            }),
        }
    }

    /// Keeps what is told from now on for another time, and reads its tenants in another form, unless
    /// that stays as it is.
    ///
    /// What stands is kept for the longer time too. It stays under the tenants as they were read: a form
    /// that brings a tenant to another name than before is for another ledger. Where answers may be
    /// remembered for longer than before, whatever was asked until now is outdated: fences may have ended
    /// that are needed still.
    ///
    /// It takes time by how much is kept; whoever has to look into the ledger waits for it, so it is
    /// not for a thread on which decisions are made.
    pub fn reconfigure(&self, settings: Settings, tenants: Option<TenantForm>) {
        let mut books = self.shared.books.write();
        let now = Instant::now();
        let is_moved = if self.epoch() == 0 {
            books.settings = settings;
            false
        } else {
            books.keep_for(settings, now)
        };
        if let Some(tenants) = tenants {
            // Events are read and taken under the same lock.
            self.shared.tenants.store(Arc::new(tenants));
        }
        if is_moved {
            self.moved(&books);
        }
        self.alarm(books, now);
    }

    /// Takes an event in, and gives it as it was taken; see [`apply`](super::apply).
    pub(super) fn take(&self, told: &Event) -> Result<Event, EventError> {
        let mut books = self.shared.books.write();
        let tenants = self.shared.tenants.load();
        let read = |written| tenants.read(written).ok_or(EventError::Tenant);
        let event = Event {
            tenant: told.tenant.as_deref().map(read).transpose()?,
            ..told.clone()
        };
        let arrived = Instant::now();
        books.take(&event, arrived)?;
        self.moved(&books);
        self.alarm(books, arrived);
        let kind = super::Kind::NAMES
            .iter()
            .position(|name| *name == event.kind.as_str());
        if let Some(count) = kind.and_then(|at| self.shared.taken.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Ok(event)
    }

    /// Moves with everything that is told; zero while nothing was.
    pub fn epoch(&self) -> u64 {
        self.shared.epoch.load(Ordering::Acquire)
    }

    /// Moves the epoch, so that whatever is remembered is held against the ledger once more.
    pub fn touch(&self) {
        self.shared.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Events may have come to pass that nobody told here: whatever was asked for until now is not
    /// believed any more.
    pub fn missed(&self) {
        let mut books = self.shared.books.write();
        books.gaps.note_everywhere(Instant::now());
        self.moved(&books);
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
        let now = Instant::now();
        let mut books = self.shared.books.write();
        if books.lift(person, version, now) {
            self.moved(&books);
            self.alarm(books, now);
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
        let (now, tenants) = (Instant::now(), self.shared.tenants.load());
        for entry in entries {
            books.restore(entry.read_by(&tenants), ago, now);
        }
        self.moved(&books);
        self.alarm(books, now);
    }

    /// Says in the log, now and then, that marks went before their time.
    fn alarm(&self, mut books: RwLockWriteGuard<'_, Books>, now: Instant) {
        let (lost, dropped) = (books.lost(), books.size().dropped);
        drop(books);
        let Some(place) = lost else {
            return;
        };
        let mut alarmed = self.shared.alarmed.lock();
        if alarmed.is_none_or(|last| now.saturating_duration_since(last) >= ALARM_PAUSE) {
            *alarmed = Some(now);
            tracing::error!(
                dropped,
                realm = &*place.realm,
                tenant = place.tenant.as_deref(),
                "the ledger of events is full: marks of deletions go before their time"
            );
        }
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
