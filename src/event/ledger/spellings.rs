//! In which spellings tenants were told, where these are not the form in which they are keys.

use crate::event::TenantForm;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The most spellings that are kept; where another form tells later ones apart, what was told of them
/// stays with the rest of their tenant.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Spellings {
    /// By the tenant as it is a key.
    told: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
    len: usize,
}

/// Where what stands under a tenant's name belongs in another form.
pub(super) type Ways = HashMap<Arc<str>, BTreeSet<Arc<str>>>;

impl Spellings {
    /// Notes in which spelling a tenant was told.
    pub(super) fn note(&mut self, tenant: &Arc<str>, told: &Arc<str>) {
        if tenant == told || self.len >= MOST {
            return;
        }
        let spellings = self.told.entry(Arc::clone(tenant)).or_default();
        self.len += usize::from(spellings.insert(Arc::clone(told)));
    }

    /// Reads tenants in another form, each in all its spellings; gives the ways of those that belong
    /// elsewhere then, or in more places. One that can be no tenant in that form stays.
    pub(super) fn respell(&mut self, tenants: &TenantForm, names: BTreeSet<Arc<str>>) -> Ways {
        let old = std::mem::take(self);
        let mut ways = Ways::new();
        for name in names {
            let spellings = || {
                [&name]
                    .into_iter()
                    .chain(old.told.get(&name).into_iter().flatten())
            };
            let mut to = BTreeSet::new();
            for told in spellings() {
                if let Some(read) = tenants.read(told) {
                    self.note(&read, told);
                    to.insert(read);
                }
            }
            if to.is_empty() {
                spellings().for_each(|told| self.note(&name, told));
            } else if to.len() > 1 || !to.contains(&name) {
                ways.insert(name, to);
            }
        }
        ways
    }
}
