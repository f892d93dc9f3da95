//! Another configuration of the same directory: what is remembered and known stays.

use super::canary::Canaries;
use super::directory::Directory;
use super::lane::Lanes;
use super::{Config, Shared, Users};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

impl Users {
    /// These users under another configuration, which asks the same directory in the same way. Nothing
    /// of what is remembered goes; how long it is good for is judged by the new settings, and never
    /// longer than the answer itself allowed.
    ///
    /// What concerns all who share the memory changes with [`take_over`](Self::take_over).
    #[must_use]
    pub fn reconfigured(&self, config: &Config) -> Self {
        let users = Self {
            shared: Arc::new(
                self.shared
                    .under(config, Arc::clone(&self.shared.directory)),
            ),
            ..self.with(config)
        };
        users.audited()
    }

    /// The same as [`reconfigured`](Self::reconfigured), where the directory is reached in another way,
    /// and this is it.
    #[must_use]
    pub fn reconnected(&self, config: &Config, directory: Box<dyn Directory>) -> Self {
        let mut users = Self {
            // What the old way was like says nothing of the new one.
            lanes: Lanes::new(config.lanes()),
            shared: Arc::new(self.shared.under(config, Arc::from(directory))),
            ..self.with(config)
        };
        users.forget_on_change();
        users.following = users.follow_changes();
        users.audited()
    }

    /// From now on this configuration rules over what others share with these users: how much memory
    /// answers take, and when known users are held.
    ///
    /// Call it inside a runtime.
    pub fn take_over(&self) {
        self.guard
            .reconfigure(&self.config.vanish_guard, Instant::now());
        if let Some(work) = self.shared.remembered.resize() {
            // It ends by itself, and meanwhile nobody notices.
            drop(spawn_blocking(work));
        }
    }

    fn with(&self, config: &Config) -> Self {
        Self {
            lanes: self.lanes.reconfigured(config.lanes()),
            canaries: Arc::new(Canaries::new(&config.canaries)),
            strangers: self.strangers.clone(),
            guard: self.guard.clone(),
            _auditor: None,
            following: self.following.clone(),
            config: Arc::new(config.clone()),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl Shared {
    fn under(&self, config: &Config, directory: Arc<dyn Directory>) -> Self {
        Self {
            directory,
            ledger: self.ledger.clone(),
            clock: Arc::clone(&self.clock),
            remembered: self.remembered.under(&config.cache),
            under_way: Arc::clone(&self.under_way),
            counts: Arc::clone(&self.counts),
            audited: Arc::clone(&self.audited),
        }
    }
}
