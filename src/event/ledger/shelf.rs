//! Entries by realm, name and tenant; the last may be all.

use std::collections::HashMap;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Shelf<T> {
    realms: HashMap<Arc<str>, HashMap<Arc<str>, Rows<T>>>,
    len: usize,
}

type Rows<T> = Vec<(Option<Arc<str>>, T)>;

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

    /// The entries of a name that are for this tenant, or for all.
    pub(super) fn of<'s>(
        &'s self,
        realm: &str,
        name: &str,
        tenant: Option<&'s str>,
    ) -> impl Iterator<Item = &'s T> + use<'s, T> {
        let rows = self.realms.get(realm).and_then(|names| names.get(name));
        rows.into_iter()
            .flatten()
            .filter(move |(house, _)| house.is_none() || house.as_deref() == tenant)
            .map(|(_, entry)| entry)
    }

    /// The entry of a name that is for this tenant alone, or for all where there is none, to be
    /// changed.
    pub(super) fn of_mut<'s>(
        &'s mut self,
        realm: &str,
        name: &str,
        tenant: Option<&'s str>,
    ) -> impl Iterator<Item = &'s mut T> + use<'s, T> {
        let rows = self
            .realms
            .get_mut(realm)
            .and_then(|names| names.get_mut(name));
        rows.into_iter()
            .flatten()
            .filter(move |(house, _)| house.as_deref() == tenant)
            .map(|(_, entry)| entry)
    }

    /// The entry at a place.
    pub(super) fn at(&self, place: &Place) -> Option<&T> {
        let rows = self.realms.get(&*place.realm)?.get(&*place.name)?;
        rows.iter()
            .find(|(tenant, _)| *tenant == place.tenant)
            .map(|(_, entry)| entry)
    }

    /// Puts an entry into its place; gives the one that it replaces.
    pub(super) fn put(&mut self, place: &Place, entry: T) -> Option<T> {
        let names = self.realms.entry(Arc::clone(&place.realm)).or_default();
        let rows = names.entry(Arc::clone(&place.name)).or_default();
        if let Some((_, known)) = rows.iter_mut().find(|(tenant, _)| *tenant == place.tenant) {
            return Some(std::mem::replace(known, entry));
        }
        rows.push((place.tenant.clone(), entry));
        self.len += 1;
        None
    }

    /// Takes an entry off its place, if it is the one that is meant.
    pub(super) fn cut(&mut self, place: &Place, is_meant: impl Fn(&T) -> bool) -> Option<T> {
        let names = self.realms.get_mut(&*place.realm)?;
        let rows = names.get_mut(&*place.name)?;
        let at = rows
            .iter()
            .position(|(tenant, entry)| *tenant == place.tenant && is_meant(entry))?;
        let (_, entry) = rows.swap_remove(at);
        if rows.is_empty() {
            names.remove(&*place.name);
        }
        self.len -= 1;
        Some(entry)
    }

    /// Every entry, with its place.
    pub(super) fn each(&self, mut take: impl FnMut(Place, &T)) {
        for (realm, names) in &self.realms {
            for (name, rows) in names {
                for (tenant, entry) in rows {
                    let place = Place {
                        realm: Arc::clone(realm),
                        name: Arc::clone(name),
                        tenant: tenant.clone(),
                    };
                    take(place, entry);
                }
            }
        }
    }
}
