//! Under what an answer is remembered: small, since there are a million of them.

use super::pool::{Pool, part};
use crate::user::directory::Query;
use crate::user::record::allocated;
use equivalent::Equivalent;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Who is asked about: a subject in its realm and tenant.
#[derive(Clone, Debug)]
pub(in crate::user) struct Key {
    pub(in crate::user) realm: Arc<str>,
    pub(in crate::user) issuer: Arc<str>,
    pub(in crate::user) tenant: Option<Arc<str>>,
    pub(in crate::user) subject: Arc<str>,
}

/// A [`Key`] as the segments keep it.
#[derive(Clone, Debug)]
pub(in crate::user) struct Slot {
    scope: Arc<Scope>,
    subject: Subject,
}

/// What the users of a tenant have in common.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    realm: Arc<str>,
    issuer: Arc<str>,
    tenant: Option<Arc<str>>,
}

/// The longest subject that lies in the slot itself; a UUID has 36 bytes.
const SHORT: usize = 38;

#[derive(Clone, Debug)]
enum Subject {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<str>),
}

impl Slot {
    pub(super) fn new(key: &Key, scopes: &Pool<Scope>) -> Self {
        let scope = Scope {
            realm: Arc::clone(&key.realm),
            issuer: Arc::clone(&key.issuer),
            tenant: key.tenant.clone(),
        };
        Self {
            scope: scopes.share(Arc::new(scope)),
            subject: Subject::new(&key.subject),
        }
    }

    /// Who that is.
    pub(in crate::user) fn key(&self) -> Key {
        let Scope {
            realm,
            issuer,
            tenant,
        } = &*self.scope;
        Key {
            realm: Arc::clone(realm),
            issuer: Arc::clone(issuer),
            tenant: tenant.clone(),
            subject: self.subject.as_str().into(),
        }
    }

    /// About what it takes in memory, in bytes, beside itself.
    pub(super) fn weight(&self) -> usize {
        let scope = size_of::<Scope>() + 16;
        let tenant = self.scope.tenant.as_ref();
        let tenant = tenant.map_or(0, |tenant| allocated(tenant.len() + 16));
        let subject = match &self.subject {
            Subject::Short { .. } => 0,
            Subject::Long(text) => allocated(text.len()),
        };
        subject + part(&self.scope, allocated(scope) + tenant)
    }
}

impl Subject {
    fn new(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(own), Ok(length)) => {
                own.copy_from_slice(text.as_bytes());
                Self::Short { length, bytes }
            }
            (None, _) | (_, Err(_)) => Self::Long(text.into()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or(bytes),
            Self::Long(text) => text.as_bytes(),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            // They are those of a text.
            Self::Short { .. } => str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

impl Key {
    pub(in crate::user) const fn query(&self) -> Query<'_> {
        Query {
            realm: &self.realm,
            issuer: &self.issuer,
            tenant: self.tenant.as_ref(),
            subject: &self.subject,
        }
    }
}

impl Query<'_> {
    pub(in crate::user) fn owned(&self) -> Key {
        Key {
            realm: Arc::clone(self.realm),
            issuer: Arc::clone(self.issuer),
            tenant: self.tenant.cloned(),
            subject: Arc::clone(self.subject),
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.query().hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.query() == other.query()
    }
}

impl Eq for Key {}

/// As that of the [`Query`] that asks for it: the issuer takes no part.
impl Hash for Slot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.subject.as_str().hash(state);
        self.scope.tenant.hash(state);
        self.scope.realm.hash(state);
    }
}

impl PartialEq for Slot {
    fn eq(&self, other: &Self) -> bool {
        let (scope, others) = (&self.scope, &other.scope);
        self.subject.as_bytes() == other.subject.as_bytes()
            && scope.tenant == others.tenant
            && scope.realm == others.realm
    }
}

impl Eq for Slot {}

impl Equivalent<Slot> for Query<'_> {
    fn equivalent(&self, slot: &Slot) -> bool {
        let scope = &slot.scope;
        slot.subject.as_bytes() == self.subject.as_bytes()
            && scope.tenant.as_ref() == self.tenant
            && scope.realm == *self.realm
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::hash::{BuildHasher, RandomState};

    fn key(realm: &str, issuer: &str, tenant: Option<&str>, subject: &str) -> Key {
        Key {
            realm: realm.into(),
            issuer: issuer.into(),
            tenant: tenant.map(Into::into),
            subject: subject.into(),
        }
    }

    #[test]
    fn a_slot_is_no_larger_than_it_is_said_to_be() {
        assert_eq!(size_of::<Slot>(), 48);
    }

    proptest! {
        #[test]
        fn a_slot_is_found_by_its_query_and_by_no_other(
            subjects in proptest::collection::vec(".{0,60}", 1..4),
            tenants in proptest::collection::vec(proptest::option::of("[ab]"), 4),
            realms in proptest::collection::vec("[ab]", 4),
        ) {
            let (pool, hasher) = (Pool::default(), RandomState::new());
            let keys = subjects.iter().zip(&tenants).zip(&realms);
            let keys: Vec<_> = keys
                .map(|((subject, tenant), realm)| key(realm, "i", tenant.as_deref(), subject))
                .collect();
            for one in &keys {
                let slot = Slot::new(one, &pool);
                prop_assert_eq!(&slot.key(), one);
                for other in &keys {
                    let other_slot = Slot::new(other, &pool);
                    let is_same = one == other;
                    prop_assert_eq!(other.query().equivalent(&slot), is_same);
                    prop_assert_eq!(slot == other_slot, is_same);
                    if is_same {
                        prop_assert_eq!(hasher.hash_one(&slot), hasher.hash_one(other.query()));
                    }
                }
            }
        }
    }
}
