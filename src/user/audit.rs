//! The audit: a sample of remembered users is asked for again and compared; what drifted is counted
//! by kind, and repaired by the answer itself.

use super::Users;
use super::look_up::{Standing, Way};
use super::progress::ended;
use super::remembered::{Found, Remembered, Slot};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

/// What audits found; over the life of the process's directory.
#[derive(Debug, Default)]
pub struct Audited {
    /// Users who were asked for again.
    pub asked: AtomicU64,
    /// Those of whom nothing trustworthy was answered.
    pub unanswered: AtomicU64,
    /// Differences, by kind.
    pub drift: [AtomicU64; Drift::ALL.len()],
}

/// How a remembered user differed from the directory's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Drift {
    /// Not there any more.
    Vanished,
    /// Another id.
    Id,
    /// Another status.
    Status,
    /// Other roles.
    Roles,
    /// Other attributes, or other required ones that are lacking.
    Attributes,
    /// Another version, and nothing else.
    Version,
}

impl Drift {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Vanished,
        Self::Id,
        Self::Status,
        Self::Roles,
        Self::Attributes,
        Self::Version,
    ];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vanished => "vanished",
            Self::Id => "id",
            Self::Status => "status",
            Self::Roles => "roles",
            Self::Attributes => "attributes",
            Self::Version => "version",
        }
    }

    fn between(remembered: &Found, answered: &Found) -> impl Iterator<Item = Self> {
        let others = [
            (Self::Id, remembered.id() != answered.id()),
            (Self::Status, remembered.status() != answered.status()),
            (Self::Roles, remembered.roles() != answered.roles()),
            (
                Self::Attributes,
                remembered.attributes() != answered.attributes()
                    || remembered.lacks() != answered.lacks(),
            ),
        ];
        let any = others.iter().any(|(_, differs)| *differs);
        let version = (
            Self::Version,
            !any && remembered.version() != answered.version(),
        );
        others
            .into_iter()
            .chain([version])
            .filter(|(_, differs)| *differs)
            .map(|(kind, _)| kind)
    }
}

impl Users {
    /// Audits for as long as the handle is held; `None` where that is turned off.
    pub(super) fn audit(&self) -> Option<Arc<AbortOnDropHandle<()>>> {
        let (every, most) = (self.config.audit.every, self.config.audit.sample);
        if most == 0 || !self.shared.directory.lags() {
            return None;
        }
        let users = self.clone();
        let auditing = async move {
            loop {
                sleep(every).await;
                users.audit_once(most).await;
            }
        };
        Some(Arc::new(AbortOnDropHandle::new(tokio::spawn(auditing))))
    }

    async fn audit_once(&self, most: usize) {
        let shared = Arc::clone(&self.shared);
        // A walk over a million users takes a while.
        let Ok(sample) = spawn_blocking(move || sample(&shared.remembered, most)).await else {
            return;
        };
        let audited = &self.shared.audited;
        let mut drifted = 0;
        for (slot, remembered) in &sample {
            let Ok(mut running) = self.look_up(slot.key(), Way::Background, Instant::now(), None)
            else {
                continue;
            };
            audited.asked.fetch_add(1, Ordering::Relaxed);
            let kinds: Vec<Drift> = match ended(&mut running).await {
                Some(Ok(Standing::Found(answered))) => {
                    Drift::between(remembered, &answered).collect()
                }
                Some(Ok(Standing::Missing(_))) => vec![Drift::Vanished],
                Some(Ok(Standing::Marked(_))) => Vec::new(),
                Some(Err(_)) | None => {
                    audited.unanswered.fetch_add(1, Ordering::Relaxed);
                    Vec::new()
                }
            };
            drifted += usize::from(!kinds.is_empty());
            for kind in kinds {
                if let Some(count) = audited.drift.get(kind as usize) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        tracing::debug!(asked = sample.len(), drifted, "users audited");
    }
}

/// So many remembered users, each as likely as any other.
fn sample(remembered: &Remembered, most: usize) -> Vec<(Arc<Slot>, Arc<Found>)> {
    let random = RandomState::new();
    let (mut sample, mut seen) = (Vec::new(), 0_u64);
    remembered.each_found(|slot, found| {
        seen += 1;
        if sample.len() < most {
            sample.push((slot, found));
            return;
        }
        let place = usize::try_from(random.hash_one(seen) % seen).unwrap_or(usize::MAX);
        if let Some(kept) = sample.get_mut(place) {
            *kept = (slot, found);
        }
    });
    sample
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::record::{Status, User};

    #[test]
    fn drift_is_told_by_kind_and_a_version_only_where_nothing_else_differs() {
        let user = User::default();
        let kinds = |other: &User| {
            let [user, other] = [&user, other].map(|user| Found::sample(user.clone()));
            Drift::between(&user, &other).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&user), []);
        let version = crate::event::Version::parse("7");
        let newer = User {
            version,
            ..User::default()
        };
        assert_eq!(kinds(&newer), [Drift::Version]);
        let other = User {
            version,
            status: Status::Disabled,
            roles: ["admin".into()].into(),
            ..User::default()
        };
        assert_eq!(kinds(&other), [Drift::Status, Drift::Roles]);
    }
}
