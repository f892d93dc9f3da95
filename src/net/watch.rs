//! Tells when files change: edited, replaced, or swapped under a symlink as Kubernetes does.

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

/// How long nothing must happen before files are looked at: a writer may not be done.
const QUIET: Duration = Duration::from_millis(100);
/// How long a restless directory can put that off.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often files are looked at without being told.
const POLL: Duration = Duration::from_secs(5);

/// A set of files, and what was in them when it was last asked.
///
/// Directories are watched, not files, so that a file which is replaced stays watched. Whatever the
/// kernel fails to tell (a network file system, exhausted watches) is found within five seconds.
pub struct Watch {
    paths: Vec<PathBuf>,
    seen: Vec<Content>,
    told: Option<Told>,
    poll: Duration,
    /// Something happened that was not looked at yet; survives a dropped [`Watch::changed`].
    stirred: bool,
}

impl Watch {
    /// Takes note of what is in the files now. Make it before reading them, so that no change is lost.
    ///
    /// Reads the files; a file need not exist.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let told = Told::new()
            .inspect_err(|error| {
                tracing::warn!(%error, "the system does not tell of changed files; looking every 5 s");
            })
            .ok();
        Self::start(paths, told, POLL)
    }

    fn start(paths: Vec<PathBuf>, told: Option<Told>, poll: Duration) -> Self {
        let mut watch = Self {
            seen: Vec::new(),
            told,
            poll,
            stirred: false,
            paths,
        };
        // Watching comes first: a change from here on is either seen below or told.
        watch.follow_directories();
        watch.seen = watch.paths.iter().map(|path| Content::of(path)).collect();
        watch
    }

    /// Waits until what is in a file, or whether it exists, is no longer what it was.
    ///
    /// A file that was touched, or replaced by its like, has not changed. A burst of changes is one.
    /// Dropping the future loses nothing.
    pub async fn changed(&mut self) {
        loop {
            self.wait().await;
            let now = self.look().await;
            self.stirred = false;
            self.follow_directories();
            let same = now
                .iter()
                .zip(&self.seen)
                .all(|(now, seen)| now.is_same(seen));
            self.seen = now;
            if !same {
                return;
            }
        }
    }

    /// Calls `reload` after each change, forever; a refusal is logged, and the old version stays.
    pub async fn follow<E: fmt::Display>(
        mut self,
        what: &str,
        mut reload: impl FnMut() -> Result<(), E>,
    ) {
        loop {
            self.changed().await;
            match reload() {
                Ok(()) => tracing::info!(what, "files changed and were read again"),
                Err(error) => tracing::error!(
                    what, %error, "files changed and were refused; the old version stays"
                ),
            }
        }
    }

    async fn wait(&mut self) {
        let Some(told) = &self.told else {
            tokio::time::sleep(self.poll).await;
            return;
        };
        if !self.stirred && timeout(self.poll, told.event.notified()).await.is_err() {
            return;
        }
        self.stirred = true;
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience {
            let quiet = (Instant::now() + QUIET).min(patience);
            if timeout_at(quiet, told.event.notified()).await.is_err() {
                return;
            }
        }
    }

    /// What is in the files now. Unless something stirred, a file whose stamp is as it was is not read.
    async fn look(&self) -> Vec<Content> {
        let (paths, seen, stirred) = (self.paths.clone(), self.seen.clone(), self.stirred);
        let look = move || {
            let files = paths.iter().zip(&seen);
            let looked_at = files.map(|(path, seen)| match (stirred, Stamp::of(path)) {
                (false, Some(stamp)) if seen.stamp() == Some(stamp) => *seen,
                (true | false, _) => Content::of(path),
            });
            looked_at.collect()
        };
        match tokio::task::spawn_blocking(look).await {
            Ok(now) => now,
            // The runtime is going down: nothing is left to be told.
            Err(_) => std::future::pending().await,
        }
    }

    /// Watches the directories the files are in now, by name and behind symlinks.
    fn follow_directories(&mut self) {
        let wanted = self
            .paths
            .iter()
            .flat_map(|path| directories(path))
            .collect();
        if let Some(told) = &mut self.told {
            told.watch(wanted);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("paths", &self.paths)
            .finish_non_exhaustive()
    }
}

/// What the kernel tells.
struct Told {
    watcher: RecommendedWatcher,
    event: Arc<Notify>,
    watched: BTreeSet<PathBuf>,
    /// Whether it was logged that a directory cannot be watched: once is enough.
    complained: bool,
}

impl Told {
    fn new() -> notify::Result<Self> {
        let event = Arc::new(Notify::new());
        let tell = Arc::clone(&event);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| only_read(event.kind)) {
                return;
            }
            tell.notify_one();
        })?;
        Ok(Self {
            watcher,
            event,
            watched: BTreeSet::new(),
            complained: false,
        })
    }

    fn watch(&mut self, wanted: BTreeSet<PathBuf>) {
        for gone in self.watched.difference(&wanted) {
            // It fails where the directory itself is gone, which ends the watch as well.
            let _ended = self.watcher.unwatch(gone);
        }
        self.watched.retain(|path| wanted.contains(path));
        for path in wanted {
            if self.watched.contains(&path) {
                continue;
            }
            match self.watcher.watch(&path, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(path)),
                Err(error) if !self.complained => {
                    self.complained = true;
                    tracing::warn!(path = %path.display(), %error, "cannot watch a directory; looking every 5 s");
                }
                Err(_) => {}
            }
        }
    }
}

/// Our own looking opens files, and must not stir us.
fn only_read(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write))
}

/// The directory of each name on the way to the file's content.
fn directories(path: &Path) -> BTreeSet<PathBuf> {
    let parent = |path: &Path| match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => path.to_owned(),
    };
    let real = fs::canonicalize(path).ok();
    real.iter()
        .map(|real| parent(real))
        .chain([parent(path)])
        .collect()
}

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Unreadable,
    Bytes { digest: u64, stamp: Stamp },
}

/// What the system says of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of a regular file; a pipe or a device has none, and is never read.
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            length: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

impl Content {
    fn of(path: &Path) -> Self {
        // The stamp comes first: a change between the two is seen at the next look.
        let Some(stamp) = Stamp::of(path) else {
            return Self::Unreadable;
        };
        fs::read(path).map_or(Self::Unreadable, |bytes| {
            let mut hasher = DefaultHasher::new();
            hasher.write(&bytes);
            Self::Bytes {
                digest: hasher.finish(),
                stamp,
            }
        })
    }

    const fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::Unreadable => None,
            Self::Bytes { stamp, .. } => Some(*stamp),
        }
    }

    /// Whether the same bytes are in it, whoever touched it since.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Bytes { digest, stamp },
                Self::Bytes {
                    digest: own,
                    stamp: at,
                },
            ) => digest == own && stamp.length == at.length,
            (Self::Unreadable, Self::Unreadable) => true,
            (Self::Unreadable, Self::Bytes { .. }) | (Self::Bytes { .. }, Self::Unreadable) => {
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
