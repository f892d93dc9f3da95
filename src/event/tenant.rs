//! In which form tenants are keys.

use std::fmt;
use std::sync::Arc;

/// Reads the tenants of events as those of tokens are read, whoever told the event.
#[derive(Clone)]
pub struct TenantForm(Arc<Read>);

type Read = dyn Fn(&str) -> Option<String> + Send + Sync;

impl TenantForm {
    /// Reads them so: the form in which a tenant is a key, or `None` where it can be none.
    pub fn new(read: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// Takes every tenant as it is written.
    pub fn as_written() -> Self {
        Self::new(|written| Some(written.to_owned()))
    }

    pub(super) fn read(&self, written: &str) -> Option<Arc<str>> {
        (self.0)(written).map(Into::into)
    }
}

impl fmt::Debug for TenantForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantForm")
    }
}
