//! What must be done before the process is ready: named gates, each dropped when its part is done.

use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The gates that still hold. Clones are one.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<watch::Sender<Pending>>);

/// By number, so that they are listed in the order in which they were put up.
#[derive(Debug, Default)]
struct Pending {
    next: u64,
    gates: BTreeMap<u64, String>,
}

impl Readiness {
    /// No gate holds.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Pending::default())))
    }

    /// Puts up a gate; the process is not ready until it is dropped.
    ///
    /// The name is for operators, in `/readyz?verbose`: what is waited for, such as `keys: acme`.
    pub fn gate(&self, name: impl Into<String>) -> Gate {
        let mut number = 0;
        self.0.send_modify(|pending| {
            number = pending.next;
            pending.next += 1;
            pending.gates.insert(number, name.into());
        });
        Gate {
            number,
            readiness: self.clone(),
        }
    }

    /// The names of the gates that still hold, oldest first.
    pub fn pending(&self) -> Vec<String> {
        self.0.borrow().gates.values().cloned().collect()
    }

    /// Waits until no gate holds.
    pub async fn opened(&self) {
        let mut pending = self.0.subscribe();
        // The sender cannot be gone: it is borrowed here.
        let _open = pending.wait_for(|pending| pending.gates.is_empty()).await;
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

/// Something that is not done yet; dropping it says that it is.
#[derive(Debug)]
#[must_use = "a gate that is dropped at once holds nothing"]
pub struct Gate {
    number: u64,
    readiness: Readiness,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.readiness.0.send_modify(|pending| {
            if let Some(gate) = pending.gates.remove(&self.number) {
                tracing::debug!(gate, left = pending.gates.len(), "readiness gate opened");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn gates_are_named_in_order_until_they_are_dropped() {
        let readiness = Readiness::new();
        let keys = readiness.gate("keys: acme");
        let again = readiness.gate("keys: acme");
        let revocations = readiness.gate("revocations");
        assert_eq!(
            readiness.pending(),
            ["keys: acme", "keys: acme", "revocations"]
        );
        drop(keys);
        assert_eq!(readiness.pending(), ["keys: acme", "revocations"]);
        drop((again, revocations));
        assert!(readiness.pending().is_empty());
    }

    #[test]
    fn it_opens_with_the_last_gate() {
        let readiness = Readiness::new();
        assert!(readiness.opened().now_or_never().is_some());
        let (one, two) = (readiness.gate("one"), readiness.gate("two"));
        let mut opened = Box::pin(readiness.opened());
        assert!(opened.as_mut().now_or_never().is_none());
        drop(one);
        assert!(opened.as_mut().now_or_never().is_none());
        drop(two);
        assert!(opened.now_or_never().is_some());
    }
}
