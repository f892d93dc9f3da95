//! Entries in the order in which they end, and by whose they are.

use super::books::Row;
use super::shelf::Place;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tokio::time::Instant;

/// Whose an entry is: of a tenant, or of a whole realm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct House {
    pub(super) realm: Arc<str>,
    pub(super) tenant: Option<Arc<str>>,
}

/// Each entry stands in it once, however often it is renewed: nothing is ever struck or searched, and
/// whatever changes costs the logarithm of their number.
#[derive(Debug, Default)]
pub(super) struct Queue {
    houses: HashMap<House, BTreeSet<Spot>>,
    /// When the first of each house ends.
    firsts: BTreeSet<(Instant, House)>,
    /// How many each house has.
    sizes: BTreeSet<(usize, House)>,
    len: usize,
}

/// When an entry ends, and which it is among those of its house.
type Spot = (Instant, Row, Arc<str>);

impl Queue {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn put(&mut self, row: Row, place: &Place, ends: Instant) {
        self.change(place, |spots| {
            spots.insert((ends, row, Arc::clone(&place.name)));
        });
    }

    pub(super) fn cut(&mut self, row: Row, place: &Place, ends: Instant) {
        self.change(place, |spots| {
            spots.remove(&(ends, row, Arc::clone(&place.name)));
        });
    }

    /// The entry that ends first, if it has ended.
    pub(super) fn ended(&self, now: Instant) -> Option<(Row, Place)> {
        let (ends, house) = self.firsts.first()?;
        (*ends <= now).then(|| self.first_of(house)).flatten()
    }

    /// The entry that ends first among those of the house that has most.
    pub(super) fn of_the_largest(&self) -> Option<(Row, Place)> {
        let (_, house) = self.sizes.last()?;
        self.first_of(house)
    }

    fn first_of(&self, house: &House) -> Option<(Row, Place)> {
        let (_, row, name) = self.houses.get(house)?.first()?;
        let place = Place {
            realm: Arc::clone(&house.realm),
            name: Arc::clone(name),
            tenant: house.tenant.clone(),
        };
        Some((*row, place))
    }

    fn change(&mut self, place: &Place, change: impl FnOnce(&mut BTreeSet<Spot>)) {
        let house = House {
            realm: Arc::clone(&place.realm),
            tenant: place.tenant.clone(),
        };
        let spots = self.houses.entry(house.clone()).or_default();
        let key = |spots: &BTreeSet<Spot>| (spots.len(), spots.first().map(|(ends, ..)| *ends));
        let before = key(spots);
        change(spots);
        let after = key(spots);
        if let (len, Some(first)) = before {
            self.firsts.remove(&(first, house.clone()));
            self.sizes.remove(&(len, house.clone()));
        }
        self.len = self.len + after.0 - before.0;
        if let (len, Some(first)) = after {
            self.firsts.insert((first, house.clone()));
            self.sizes.insert((len, house));
        } else {
            self.houses.remove(&house);
        }
    }
}
