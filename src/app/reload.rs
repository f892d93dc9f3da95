//! A new configuration for a running process: checked first, then swapped at once.

use super::{BuildError, Parts, generation, users};
use crate::config::{Config, Loaded};
use crate::net::watch::Watch;
use crate::telemetry::SubjectPrivacy;
use crate::token::Remembered;
use crate::token::issuer::Issuer;
use crate::yaml::Mistakes;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a new issuer's first keys are waited for before the swap: its tokens come right after.
const FIRST_KEYS: Duration = Duration::from_secs(5);

/// Where the configuration comes from.
pub struct Source {
    /// The file, to be watched.
    pub path: PathBuf,
    /// Reads it, with the environment as it was at the start.
    pub load: Box<dyn Fn() -> Result<Loaded, Mistakes> + Send>,
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
    watch: Watch,
}

/// Why a new configuration is refused, and the old one stays.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    #[error("{0}")]
    Mistakes(#[from] Mistakes),
    #[error("`listen` changed: restart the process for that")]
    Listen,
    #[error("`telemetry.log.level` or `format` changed: restart the process for that")]
    Log,
    #[error("{0}")]
    Build(#[from] BuildError),
}

/// The files whose change is a new configuration: data, keys and certificates are followed by those
/// who read them.
fn watched(source: &Source, config: &Config) -> Vec<PathBuf> {
    let mut files = vec![source.path.clone()];
    if let SubjectPrivacy::Hash(key) = &config.telemetry.subject {
        files.push(key.clone());
    }
    files
}

impl Reloader {
    pub(super) fn new(parts: Parts, source: Source) -> Self {
        let watch = Watch::new(watched(&source, &parts.config));
        Self {
            parts,
            source,
            watch,
        }
    }

    /// Reloads at each signal and each change of the file, for ever.
    pub(super) async fn run(mut self, mut signals: watch::Receiver<u64>) {
        loop {
            tokio::select! {
                () = self.watch.changed() => {}
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
        } = (self.source.load)()?;
        if config.listen != self.parts.config.listen {
            return Err(ReloadError::Listen);
        }
        let (log, own) = (&config.telemetry, &self.parts.config.telemetry);
        if (log.level, log.format) != (own.level, own.format) {
            return Err(ReloadError::Log);
        }
        let issuers = self.issuers(&config)?;
        let current = self.parts.current.load_full();
        let same_users = config.users == self.parts.config.users
            && config.realms() == self.parts.config.realms();
        let users = if same_users {
            current.decider.users().clone()
        } else {
            users(&config).map_err(BuildError::from)?
        };
        let remembered = if config.limits.tokens == self.parts.config.limits.tokens {
            self.parts.remembered.clone()
        } else {
            Remembered::new(config.limits.tokens)
        };
        let next = generation(
            &config,
            &issuers,
            users,
            remembered.clone(),
            self.parts.metrics.clone(),
        )?;
        for issuer in &issuers {
            // One that does not answer is retried beside the road, as at the start.
            let _in_time = timeout(FIRST_KEYS, issuer.keyring().asked()).await;
        }
        for warning in warnings {
            tracing::warn!(%warning, "risky setting");
        }
        self.watch = Watch::new(watched(&self.source, &config));
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
            load,
            metrics: _,
            reloads: _,
        } = &mut self.parts;
        load.resize(config.limits.in_flight, config.limits.waiting);
        current.store(Arc::new(next));
        let issuers = Arc::new(issuers);
        let old = shared.swap(Arc::clone(&issuers));
        for issuer in old
            .iter()
            .filter(|old| !issuers.iter().any(|kept| Arc::ptr_eq(kept, old)))
        {
            issuer.retire();
        }
        *kept = remembered;
        *own = config;
    }
}
