//! What very many have in common is kept once.

use parking_lot::Mutex;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// The fewest that are kept before those that nobody has any more are looked for.
const FEWEST: usize = 64;

/// What the pool itself takes for a value: a place in its table, which is half empty.
const PLACE: usize = 24;

/// Values that are shared; it keeps at most about twice as many as were in use at once.
#[derive(Debug)]
pub(super) struct Pool<T: ?Sized> {
    books: Mutex<Books<T>>,
}

#[derive(Debug)]
struct Books<T: ?Sized> {
    values: HashSet<Arc<T>>,
    /// With so many, those that nobody has are dropped.
    most: usize,
}

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Self {
        Self {
            books: Mutex::new(Books {
                values: HashSet::new(),
                most: FEWEST,
            }),
        }
    }
}

impl<T: Eq + Hash + ?Sized> Pool<T> {
    /// The one value that equals this one.
    pub(super) fn share(&self, value: Arc<T>) -> Arc<T> {
        let books = &mut *self.books.lock();
        if let Some(shared) = books.values.get(&value) {
            return Arc::clone(shared);
        }
        if books.values.len() >= books.most {
            books.values.retain(|value| Arc::strong_count(value) > 1);
            books.most = (books.values.len() * 2).max(FEWEST);
        }
        books.values.insert(Arc::clone(&value));
        value
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.books.lock().values.len()
    }
}

/// What of a shared value one of its holders is charged with, when so many bytes are kept for it.
///
/// Each pays a part, and those that are alone with it all; so do two, since an entry that is
/// replaced still holds what it held.
pub(super) fn part<T: ?Sized>(value: &Arc<T>, bytes: usize) -> usize {
    let holders = Arc::strong_count(value).saturating_sub(1);
    (bytes + PLACE) * 2 / holders.max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_and_what_nobody_has_is_dropped() {
        let pool = Pool::<str>::default();
        let one = pool.share("one".into());
        assert!(Arc::ptr_eq(&one, &pool.share("one".into())));
        for number in 0..10_000 {
            pool.share(number.to_string().into());
        }
        assert!(pool.len() <= 2 * FEWEST, "{}", pool.len());
        assert!(Arc::ptr_eq(&one, &pool.share("one".into())));
        let kept: Vec<_> = (0..1000)
            .map(|number| pool.share(number.to_string().into()))
            .collect();
        assert!(pool.len() > kept.len());
    }

    #[test]
    fn holders_share_the_bytes_and_none_goes_free() {
        let pool = Pool::<str>::default();
        let one = pool.share("one".into());
        assert_eq!(part(&one, 100 - PLACE), 100);
        let _replaced = Arc::clone(&one);
        assert_eq!(part(&one, 100 - PLACE), 100);
        let _others = [Arc::clone(&one), Arc::clone(&one)];
        assert_eq!(part(&one, 100 - PLACE), 50);
    }
}
