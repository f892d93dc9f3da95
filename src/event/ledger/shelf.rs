//! Entries by realm, tenant and name; an entry may be for all tenants of its realm.

use std::collections::HashMap;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Shelf<T> {
    realms: HashMap<Arc<str>, Realm<T>>,
    len: usize,
}

#[derive(Debug)]
struct Realm<T> {
    /// For all tenants.
    all: Names<T>,
    tenants: HashMap<Arc<str>, Names<T>>,
}

type Names<T> = HashMap<Arc<str>, T>;

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) realm: Arc<str>,
    pub(super) name: Arc<str>,
    /// `None` for all tenants.
    pub(super) tenant: Option<Arc<str>>,
}

impl<T> Shelf<T> {
    pub(super) fn new() -> Self {
        Self {
            realms: HashMap::new(),
            len: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The entry of a name that is for this tenant alone, and the one that is for all.
    pub(super) fn of(
        &self,
        realm: &str,
        name: &str,
        tenant: Option<&str>,
    ) -> (Option<&T>, Option<&T>) {
        let Some(realm) = self.realms.get(realm) else {
            return (None, None);
        };
        let own = tenant.and_then(|tenant| realm.tenants.get(tenant)?.get(name));
        (own, realm.all.get(name))
    }

    /// The entry at a place.
    pub(super) fn at(&self, place: &Place) -> Option<&T> {
        let realm = self.realms.get(&*place.realm)?;
        let names = match &place.tenant {
            Some(tenant) => realm.tenants.get(tenant)?,
            None => &realm.all,
        };
        names.get(&*place.name)
    }

    /// The tenants of a realm that have entries of their own.
    pub(super) fn tenants(&self, realm: &str) -> impl Iterator<Item = &Arc<str>> {
        let realm = self.realms.get(realm);
        realm.into_iter().flat_map(|realm| realm.tenants.keys())
    }

    /// Puts an entry into its place; gives the one that it replaces.
    pub(super) fn put(&mut self, place: &Place, entry: T) -> Option<T> {
        let realm = self.realms.entry(Arc::clone(&place.realm)).or_default();
        let names = match &place.tenant {
            Some(tenant) => realm.tenants.entry(Arc::clone(tenant)).or_default(),
            None => &mut realm.all,
        };
        let old = names.insert(Arc::clone(&place.name), entry);
        self.len += usize::from(old.is_none());
        old
    }

    /// Takes an entry off its place.
    pub(super) fn cut(&mut self, place: &Place) -> Option<T> {
        let realm = self.realms.get_mut(&place.realm)?;
        let entry = match &place.tenant {
            Some(tenant) => {
                let names = realm.tenants.get_mut(tenant)?;
                let entry = names.remove(&place.name);
                if names.is_empty() {
                    realm.tenants.remove(tenant);
                }
                entry
            }
            None => realm.all.remove(&place.name),
        };
        if realm.all.is_empty() && realm.tenants.is_empty() {
            self.realms.remove(&place.realm);
        }
        self.len -= usize::from(entry.is_some());
        entry
    }

    /// What is made of entries, each with its place.
    pub(super) fn filtered<U>(&self, mut of: impl FnMut(&T) -> Option<U>) -> Vec<(Place, U)> {
        let mut made = Vec::new();
        self.each(|place, entry| made.extend(of(entry).map(|entry| (place, entry))));
        made
    }

    /// Every entry, with its place.
    pub(super) fn each(&self, mut take: impl FnMut(Place, &T)) {
        for (realm, Realm { all, tenants }) in &self.realms {
            let own = tenants.iter().map(|(tenant, names)| (Some(tenant), names));
            for (tenant, names) in own.chain([(None, all)]) {
                for (name, entry) in names {
                    let place = Place {
                        realm: Arc::clone(realm),
                        name: Arc::clone(name),
                        tenant: tenant.cloned(),
                    };
                    take(place, entry);
                }
            }
        }
    }
}

impl<T> Default for Realm<T> {
    fn default() -> Self {
        Self {
            all: Names::new(),
            tenants: HashMap::new(),
        }
    }
}
