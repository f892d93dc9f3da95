//! A new configuration for a running process: checked first, then swapped at once.

use super::assembly::{
    generation, key_watch, ledger_settings, next_users, revocations, tenant_form,
};
use super::{BuildError, Parts};
use crate::config::{Config, Loaded};
use crate::net::watch::Watch;
use crate::revocation::status_list::StatusLists;
use crate::token::Remembered;
use crate::token::issuer::Issuer;
use crate::yaml::Mistakes;
use futures_util::future::join_all;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

/// How long a new issuer's first keys are waited for before the swap: its tokens come right after.
const FIRST_KEYS: Duration = Duration::from_secs(5);

/// How long the first copy of another store is waited for: before the swap nothing of it is known.
const FIRST_COPY: Duration = Duration::from_secs(30);

/// Where the configuration comes from.
pub struct Source {
    path: PathBuf,
    watch: Watch,
    load: Arc<dyn Fn() -> Result<Loaded, Mistakes> + Send + Sync>,
}

impl Source {
    /// Watches a file from now on, which `load` reads, with the environment as it is at the start.
    pub fn new(
        path: PathBuf,
        load: impl Fn() -> Result<Loaded, Mistakes> + Send + Sync + 'static,
    ) -> Self {
        Self {
            watch: Watch::new(vec![path.clone()]),
            path,
            load: Arc::new(load),
        }
    }

    /// Reads the configuration as it is now.
    pub fn load(&self) -> Result<Loaded, Mistakes> {
        (self.load)()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Takes over new configurations.
#[derive(Debug)]
pub(super) struct Reloader {
    parts: Parts,
    source: Source,
}

/// Why a new configuration is refused, and the old one stays.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    #[error("{0}")]
    Mistakes(#[from] Mistakes),
    #[error("`listen` changed: restart the process for that")]
    Listen,
    #[error(
        "`tenant.normalize` changed: restart the process for that; what events told until now stands \
         under tenants in the old form"
    )]
    Tenants,
    #[error("`telemetry.log.level` or `format` changed: restart the process for that")]
    Log,
    #[error("{0}")]
    Build(#[from] BuildError),
    #[error("revocation.redis: the store was not read whole within {} s: see `subgate check --connect`", FIRST_COPY.as_secs())]
    Revocations,
    #[error("the reading of it panicked")]
    Panicked(#[from] JoinError),
}

impl Reloader {
    pub(super) const fn new(parts: Parts, source: Source) -> Self {
        Self { parts, source }
    }

    /// Reloads at each signal and each change of the file, or of the key that hides subjects, for
    /// ever. Data, keys and certificates are followed by those who read them.
    pub(super) async fn run(mut self, mut signals: watch::Receiver<u64>) {
        loop {
            tokio::select! {
                () = self.source.watch.changed() => {}
                () = changed(self.parts.key.as_mut()) => {}
                changed = signals.changed() => if changed.is_err() {
                    return;
                },
            }
            match self.reload().await {
                Ok(()) => {
                    self.parts.reloads.taken();
                    tracing::info!(path = %self.source.path.display(), "configuration reloaded");
                }
                Err(error) => {
                    self.parts.reloads.refused();
                    tracing::error!(path = %self.source.path.display(), error = %error, "configuration refused, the old one stays");
                }
            }
        }
    }

    async fn reload(&mut self) -> Result<(), ReloadError> {
        let Loaded {
            config,
            warnings,
            files: _,
        } = spawn_blocking({
            let load = Arc::clone(&self.source.load);
            move || load()
        })
        .await??;
        if config.listen != self.parts.config.listen {
            return Err(ReloadError::Listen);
        }
        let (log, own) = (&config.telemetry, &self.parts.config.telemetry);
        if (log.level, log.format) != (own.level, own.format) {
            return Err(ReloadError::Log);
        }
        let (new, own) = (&config.tenant, &self.parts.config.tenant);
        if !new.names_as(own) {
            return Err(ReloadError::Tenants);
        }
        let issuers = self.issuers(&config)?;
        let current = self.parts.current.load_full();
        let (ledger, clock) = (self.parts.ledger.clone(), Arc::clone(&self.parts.clock));
        let users = current.decider.users();
        let users = next_users(users, &self.parts.config, &config, ledger, clock);
        let users = users.map_err(BuildError::from)?;
        let remembered = if config.limits.tokens == self.parts.config.limits.tokens {
            self.parts.remembered.clone()
        } else {
            Remembered::new(config.limits.tokens)
        };
        let earlier = current.decider.status_lists();
        let status_lists = StatusLists::new(&issuers, &self.parts.clock, Some(earlier))
            .map_err(BuildError::from)?;
        let key = key_watch(&config);
        let followed = current.decider.revocations().replica().cloned();
        let (config, next) = spawn_blocking({
            let (issuers, remembered) = (issuers.clone(), remembered.clone());
            let (ledger, clock) = (self.parts.ledger.clone(), Arc::clone(&self.parts.clock));
            let metrics = self.parts.metrics.clone();
            move || {
                let revocations = revocations(&config, ledger, clock, followed)?;
                let next = generation(
                    &config,
                    &issuers,
                    status_lists,
                    users,
                    remembered,
                    metrics,
                    revocations,
                )?;
                Ok::<_, BuildError>((config, next))
            }
        })
        .await??;
        // Those that do not answer are retried beside the road, as at the start.
        let asked = join_all(issuers.iter().map(|issuer| issuer.keyring().asked()));
        let _in_time = timeout(FIRST_KEYS, asked).await;
        if let Some(replica) = next.decider.revocations().replica()
            && timeout(FIRST_COPY, replica.caught_up()).await.is_err()
        {
            return Err(ReloadError::Revocations);
        }
        for warning in warnings {
            tracing::warn!(%warning, "risky setting");
        }
        // From here on events are taken, and found, as the new configuration reads them.
        spawn_blocking({
            let (ledger, settings) = (self.parts.ledger.clone(), ledger_settings(&config.users));
            let (old, new) = (&self.parts.config.tenant, &config.tenant);
            let form = (!new.reads_as(old)).then(|| tenant_form(new));
            move || ledger.reconfigure(settings, form)
        })
        .await?;
        self.parts.key = key;
        self.swap(config, issuers, remembered, next);
        Ok(())
    }

    /// The issuers of a new configuration; those that did not change go on as they are.
    fn issuers(&self, config: &Config) -> Result<Vec<Arc<Issuer>>, BuildError> {
        let old = self.parts.issuers.load();
        let old: HashMap<_, _> = old
            .iter()
            .map(|issuer| (Arc::clone(&issuer.config().issuer), issuer))
            .collect();
        let issuers = config
            .issuers
            .iter()
            .map(|wanted| match old.get(&wanted.issuer) {
                Some(issuer) if issuer.config() == wanted => Ok(Arc::clone(issuer)),
                Some(_) | None => Issuer::start(wanted.clone()),
            });
        Ok(issuers.collect::<Result<_, _>>()?)
    }

    fn swap(
        &mut self,
        config: Config,
        issuers: Vec<Arc<Issuer>>,
        remembered: Remembered,
        next: super::Generation,
    ) {
        let Parts {
            config: own,
            current,
            issuers: shared,
            remembered: kept,
            ledger: _,
            clock: _,
            load,
            metrics: _,
            reloads: _,
            key: _,
        } = &mut self.parts;
        load.resize(config.limits.in_flight, config.limits.waiting);
        next.decider.users().take_over();
        current.store(Arc::new(next));
        let issuers = Arc::new(issuers);
        let old = shared.swap(Arc::clone(&issuers));
        for issuer in old
            .iter()
            .filter(|old| !issuers.iter().any(|kept| Arc::ptr_eq(kept, old)))
        {
            issuer.retire();
        }
        remembered.forget_dead();
        *kept = remembered;
        *own = config;
    }
}

/// Waits for a change of a file that may not be there to watch.
async fn changed(watch: Option<&mut Watch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}
