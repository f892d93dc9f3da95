//! A user who was found.

use super::pool::{Pool, part};
use super::start::{Start, in_millis, millis};
use super::{Given, Restored};
use crate::clock::Timestamp;
use crate::event::Version;
use crate::user::directory::Lifetime;
use crate::user::freshness::ERROR_PAUSE;
use crate::user::record::{Attribute, Status, User, allocated, named, weigh};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// For [`Found::said`]: the directory said nothing of how long it is fresh.
const UNSAID: u32 = u32::MAX;

/// A user who was found; small and in one piece, since a million of them are kept.
pub struct Found {
    id: Option<Box<str>>,
    /// Most users have the roles of many others.
    roles: Arc<[Box<str>]>,
    more: Option<Box<More>>,
    /// When the question was sent, in microseconds from the start.
    pub(super) sent: u64,
    /// The ledger's epoch at which it stood.
    epoch: AtomicU64,
    /// Tokens issued at or before this, in milliseconds since the epoch, are dead; zero for none.
    revoked: AtomicU64,
    /// How old the answer was when it came, in milliseconds.
    age: u32,
    /// How long it is fresh from when it was made, as the directory said, in milliseconds.
    said: u32,
    /// The last look-up without an answer, in milliseconds from the start, which begin anew after 49
    /// days; zero for none.
    failed: AtomicU32,
    status: Status,
    /// Whether it must be asked for again before it is served.
    revalidate: bool,
    /// Its share of jitter.
    pub(super) draw: u8,
}

/// What most users do not have.
#[derive(Clone, Debug, Default)]
struct More {
    attributes: Box<[Attribute]>,
    lacks: Option<Box<str>>,
    version: Option<Version>,
    etag: Option<Box<str>>,
}

impl Found {
    pub(super) fn new(
        user: User,
        given: Given,
        draw: u8,
        start: Start,
        roles: &Pool<[Box<str>]>,
    ) -> Self {
        let Given {
            sent,
            lifetime,
            etag,
            epoch,
            revoked,
        } = given;
        let own = Self::of_record(user, etag, roles);
        Self {
            sent: start.micros(sent),
            epoch: AtomicU64::new(epoch),
            revoked: AtomicU64::new(revoked.map_or(0, Timestamp::as_millis)),
            age: in_millis(lifetime.age),
            said: lifetime
                .fresh
                .map_or(UNSAID, |fresh| in_millis(fresh).min(UNSAID - 1)),
            revalidate: lifetime.revalidate,
            draw,
            ..own
        }
    }

    /// How long it was fresh is not known any more: nothing may become longer by a restart.
    pub(super) fn restored(restored: Restored, roles: &Pool<[Box<str>]>) -> Self {
        let Restored { user, etag, age } = restored;
        Self {
            age: in_millis(age),
            revalidate: true,
            ..Self::of_record(Arc::unwrap_or_clone(user), etag, roles)
        }
    }

    fn of_record(user: User, etag: Option<Box<str>>, pool: &Pool<[Box<str>]>) -> Self {
        let User {
            id,
            status,
            roles,
            attributes,
            lacks,
            version,
        } = user;
        let has_more =
            !attributes.is_empty() || lacks.is_some() || version.is_some() || etag.is_some();
        let more = has_more.then(|| {
            Box::new(More {
                attributes,
                lacks,
                version,
                etag,
            })
        });
        Self {
            id,
            roles: pool.share(roles.into()),
            more,
            sent: 0,
            epoch: AtomicU64::new(0),
            revoked: AtomicU64::new(0),
            age: 0,
            said: UNSAID,
            failed: AtomicU32::new(0),
            status,
            revalidate: false,
            draw: 0,
        }
    }

    /// A user who was found just now, for the tests of what is made of it.
    #[cfg(test)]
    pub(crate) fn sample(user: User) -> Arc<Self> {
        Arc::new(Self::of_record(user, None, &Pool::default()))
    }

    /// The canonical id; `None` where the subject is the id.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether the user may act.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The roles.
    pub fn roles(&self) -> &[Box<str>] {
        &self.roles
    }

    /// Whether the user has one of these roles.
    pub fn has_any_role(&self, roles: &[String]) -> bool {
        self.roles
            .iter()
            .any(|role| roles.iter().any(|wanted| **wanted == **role))
    }

    /// Attributes, by their configured names.
    pub fn attributes(&self) -> &[Attribute] {
        self.more.as_ref().map_or(&[], |more| &more.attributes)
    }

    /// The values of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&[Box<str>]> {
        named(self.attributes(), name)
    }

    /// The first required attribute that the record lacks.
    pub fn lacks(&self) -> Option<&str> {
        self.more.as_ref()?.lacks.as_deref()
    }

    /// The record's version, where it is one that can be compared.
    pub fn version(&self) -> Option<Version> {
        self.more.as_ref()?.version
    }

    pub(in crate::user) fn etag(&self) -> Option<&str> {
        self.more.as_ref()?.etag.as_deref()
    }

    /// The record, as the directory told it.
    pub(in crate::user) fn to_user(&self) -> User {
        let More {
            attributes,
            lacks,
            version,
            etag: _,
        } = self.more.as_deref().cloned().unwrap_or_default();
        User {
            id: self.id.clone(),
            status: self.status,
            roles: self.roles.as_ref().into(),
            attributes,
            lacks,
            version,
        }
    }

    /// How old the answer was when it came.
    pub(super) const fn age(&self) -> Duration {
        millis(self.age)
    }

    /// How long it is good for, as the directory said.
    pub(in crate::user) fn lifetime(&self) -> Lifetime {
        Lifetime {
            age: Duration::ZERO,
            fresh: (self.said != UNSAID).then(|| millis(self.said)),
            revalidate: self.revalidate,
        }
    }

    /// The epoch of the ledger at which it stood last.
    pub(in crate::user) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Notes that it stands at an epoch, and which tokens are dead.
    pub(in crate::user) fn stands(&self, epoch: u64, revoked: Option<Timestamp>) {
        // Two may note it at once; what is dead stays so.
        let revoked = revoked.map_or(0, Timestamp::as_millis);
        self.revoked.fetch_max(revoked, Ordering::Relaxed);
        self.epoch.store(epoch, Ordering::Release);
    }

    /// Tokens issued at or before this are dead.
    pub(in crate::user) fn revoked(&self) -> Option<Timestamp> {
        match self.revoked.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(Timestamp::from_millis(millis)),
        }
    }

    /// Notes that a look-up brought nothing.
    pub(super) fn fails(&self, start: Start, now: Instant) {
        self.failed
            .store(start.turning_millis(now).max(1), Ordering::Relaxed);
    }

    pub(super) fn failed_just_now(&self, start: Start, now: Instant) -> bool {
        let failed = self.failed.load(Ordering::Relaxed);
        failed != 0 && millis(start.turning_millis(now).wrapping_sub(failed)) < ERROR_PAUSE
    }

    /// About what it takes in memory, in bytes, itself included.
    pub(super) fn weight(&self) -> usize {
        let id = self.id.as_ref().map_or(0, |id| allocated(id.len()));
        let roles = allocated(size_of_val(&*self.roles) + 16) + weigh(&self.roles);
        let more = self.more.as_ref().map_or(0, |more| {
            let More {
                attributes,
                lacks,
                version: _,
                etag,
            } = &**more;
            let texts = [lacks, etag].into_iter().flatten();
            let texts = texts.map(|text| allocated(text.len())).sum::<usize>();
            let named = attributes.iter().map(|(name, values)| {
                size_of::<Attribute>()
                    + allocated(name.len())
                    + size_of_val(&**values)
                    + weigh(values)
            });
            allocated(size_of::<More>()) + texts + named.sum::<usize>()
        });
        allocated(size_of::<Self>() + 16) + id + more + part(&self.roles, roles)
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_user().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_no_larger_than_it_is_said_to_be() {
        assert_eq!(size_of::<Found>(), 80);
    }

    #[test]
    fn a_record_is_kept_as_it_was_told() {
        let user = User {
            id: Some("u-1".into()),
            status: Status::Disabled,
            roles: ["editor".into(), "viewer".into()].into(),
            attributes: [("email".into(), ["a@example.com".into()].into())].into(),
            lacks: Some("phone".into()),
            version: Some(Version::Number(7)),
        };
        for user in [user, User::default()] {
            assert_eq!(Found::sample(user.clone()).to_user(), user);
        }
    }
}
