//! A YAML file of data that an operator may change while the process runs.

use crate::net::watch::Watch;
use crate::yaml::Mistakes;
use arc_swap::{ArcSwap, Guard};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio_util::task::AbortOnDropHandle;

/// What a file says, as of its last good version; a bad one is refused and the old one stays.
#[derive(Debug)]
pub struct DataFile<T> {
    held: Arc<ArcSwap<T>>,
    versions: watch::Receiver<u64>,
    _follower: AbortOnDropHandle<()>,
}

impl<T: Send + Sync + 'static> DataFile<T> {
    /// Reads the file, and again at each change until this is dropped.
    pub fn open(
        path: &Path,
        read: impl Fn(&Path) -> Result<T, Mistakes> + Send + Sync + 'static,
    ) -> Result<Self, Mistakes> {
        let mut watch = Watch::new(vec![path.to_owned()]);
        let held = Arc::new(ArcSwap::from_pointee(read(path)?));
        let read = Arc::new(read);
        let (version, versions) = watch::channel(0);
        let target = Arc::clone(&held);
        let path: PathBuf = path.to_owned();
        let follower = tokio::spawn(async move {
            loop {
                watch.changed().await;
                // A long file is not read where decisions are made.
                let reading = spawn_blocking({
                    let (read, path) = (Arc::clone(&read), path.clone());
                    move || read(&path)
                });
                match reading.await {
                    Ok(Ok(next)) => {
                        target.store(Arc::new(next));
                        version.send_modify(|version| *version += 1);
                        tracing::info!(path = %path.display(), "file read again");
                    }
                    Ok(Err(mistakes)) => {
                        tracing::error!(path = %path.display(), %mistakes, "new version of the file refused, the old one stays");
                    }
                    Err(_) => {
                        tracing::error!(path = %path.display(), "reading the file panicked, the old version stays");
                    }
                }
            }
        });
        Ok(Self {
            held,
            versions,
            _follower: AbortOnDropHandle::new(follower),
        })
    }

    /// What the file says now.
    pub fn load(&self) -> Guard<Arc<T>> {
        self.held.load()
    }

    /// Tells of each new version.
    pub fn versions(&self) -> watch::Receiver<u64> {
        self.versions.clone()
    }
}
