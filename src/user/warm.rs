//! The warm start: users and marks from one process to the next.

use super::Users;
use super::config::Snapshot;
use super::freshness::Freshness;
use super::remembered::{Key, Restored};
use super::snapshot::{self, Content, SavedUser, SnapshotError, Taken};
use crate::event::ledger::{Entry, Judgement};
use crate::secret::{Form, Secret, SecretError};
use std::fs;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How far the clock may have been set back meanwhile.
const CLOCKS_APART: Duration = Duration::from_secs(5);

/// Why nothing was written down or taken up.
#[derive(Debug, thiserror::Error)]
pub enum WarmError {
    /// The key cannot be read.
    #[error("users.snapshot.key_file: {0}")]
    Key(#[from] SecretError),
    /// The file cannot be written, or is not used.
    #[error("users.snapshot.file: {0}")]
    File(#[from] SnapshotError),
}

impl Users {
    /// Writes down who is remembered, and what events told; answers how many users, `None` where
    /// that is not configured. It blocks.
    pub fn save(&self) -> Result<Option<usize>, WarmError> {
        let Some(settings) = &self.config.snapshot else {
            return Ok(None);
        };
        let key = Secret::read(&settings.key_file, Form::Bytes)?;
        let content = self.content(settings);
        let written = snapshot::write(&settings.file, &key, &self.fingerprint(), &content)?;
        Ok(Some(written))
    }

    /// Takes up what the process before this one wrote down: users as stale, each as old as it is by
    /// now, unless they are of another directory; and all that events told. Answers how many users. It
    /// blocks.
    pub fn warm(&self) -> Result<Option<usize>, WarmError> {
        let Some(settings) = &self.config.snapshot else {
            return Ok(None);
        };
        let key = Secret::read(&settings.key_file, Form::Bytes)?;
        let max = settings.max;
        let Taken {
            saved,
            users,
            marks,
        } = snapshot::read::<Entry>(&settings.file, &key, &self.fingerprint(), max)?;
        // Taken up once: after the next crash it would be older than what was told since.
        fs::remove_file(&settings.file).map_err(|source| SnapshotError::Write {
            path: settings.file.clone(),
            source,
        })?;
        let now = self.shared.clock.now();
        // A clock that was set back would make every answer young again.
        let users = if saved > now.plus(CLOCKS_APART) {
            Vec::new()
        } else {
            users.unwrap_or_else(|| {
                let file = settings.file.display();
                tracing::warn!(%file, "the snapshot is of another directory: only marks are taken up");
                Vec::new()
            })
        };
        let mut taken = 0;
        for one in users {
            let SavedUser {
                realm,
                issuer,
                tenant,
                subject,
                user,
                answered,
                etag,
            } = one;
            let key = Key {
                realm,
                issuer,
                tenant,
                subject,
            };
            let age = now.since(answered);
            let restored = Restored { user, etag, age };
            taken += usize::from(self.shared.remembered.restore(&key, restored));
        }
        // After the users: whoever is found here is held against all that was told.
        self.shared.ledger.restore(marks, now.since(saved));
        Ok(Some(taken))
    }

    fn content(&self, settings: &Snapshot) -> Content<Entry> {
        let (remembered, ledger) = (&self.shared.remembered, &self.shared.ledger);
        let (now, saved) = (Instant::now(), self.shared.clock.now());
        let mut users = Vec::new();
        remembered.each_found(|slot, found| {
            let is_marked = matches!(
                self.judge(&slot.key().query(), &found, ledger.epoch()),
                Judgement::Marked(_) | Judgement::Renamed
            );
            if !is_marked && remembered.freshness(&found, now) != Freshness::Spent {
                users.push((remembered.age(&found, now), slot, found));
            }
        });
        users.sort_unstable_by_key(|(age, ..)| *age);
        users.truncate(settings.max);
        let users = users.into_iter().map(|(age, slot, found)| {
            let Key {
                realm,
                issuer,
                tenant,
                subject,
            } = slot.key();
            SavedUser {
                realm,
                issuer,
                tenant,
                subject,
                user: Arc::new(found.to_user()),
                answered: saved.minus(age),
                etag: found.etag().map(Box::from),
            }
        });
        Content {
            saved,
            users: users.collect(),
            marks: ledger.entries(),
        }
    }

    /// Names the directory, so that nobody takes up the users of another.
    fn fingerprint(&self) -> String {
        self.config.directory.fingerprint()
    }
}
