//! The only place where the parts meet: from a configuration to a process that serves.

mod administration;
mod assembly;
mod metrics;
mod office;
mod reload;
mod warm;

pub use reload::Source;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::decision::Decider;
use crate::event::Ledger;
use crate::lifecycle::{Grace, Lifecycle, Outcome, Run, Signal};
use crate::load::Load;
use crate::net::http::HttpError;
use crate::net::listen::{Address, BindError, Listener, bind};
use crate::net::serve::incoming;
use crate::net::tls::{Acceptor, TlsError};
use crate::net::watch::Watch;
use crate::revocation::status_list::StatusLists;
use crate::revocation::{OnStale, StartError};
use crate::secret::SecretError;
use crate::server::admin::TokenError;
use crate::server::authorization::Authorization;
use crate::server::generation::Generation;
use crate::server::{grpc_health, health};
use crate::telemetry::decisions::Metrics;
use crate::telemetry::log::Dropped;
use crate::telemetry::registry::registry;
use crate::token::Remembered;
use crate::token::issuer::Issuer;
use crate::user::directory::SetupError;
use crate::yaml::Mistakes;
use arc_swap::ArcSwap;
use assembly::{generation, key_watch, ledger_settings, revocations, tenant_form, users};
use futures_util::Stream;
use futures_util::future::select_all;
use metrics::Reloads;
use office::Office;
use prometheus_client::registry::Registry;
use reload::Reloader;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How soon a start that waits for keys sees that a reload exchanged the issuers.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A process that is bound to its addresses and not yet serving.
#[derive(Debug)]
pub struct App {
    parts: Parts,
    authorization: Authorization,
    listeners: Vec<(Listener, Option<Acceptor>)>,
    tls: Option<(Acceptor, Watch)>,
    health: Listener,
    admin: Option<Office>,
    registry: Arc<Registry>,
    lifecycle: Lifecycle,
    run: Run,
}

/// What a reload takes apart and puts together again.
#[derive(Debug)]
struct Parts {
    config: Config,
    current: Arc<ArcSwap<Generation>>,
    issuers: Arc<ArcSwap<Vec<Arc<Issuer>>>>,
    remembered: Remembered,
    /// What events told; it outlives every reload.
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    load: Load,
    metrics: Metrics,
    reloads: Reloads,
    /// Watches the key that hides subjects, where there is one.
    key: Option<Watch>,
}

/// Why the process cannot come up.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An address cannot be taken.
    #[error("listen: {0}")]
    Bind(#[from] BindError),
    /// The server's certificates do not load.
    #[error("listen.check_tls: {0}")]
    Tls(#[from] TlsError),
    /// The certificates of the admin API do not load.
    #[error("listen.admin_tls: {0}")]
    AdminTls(TlsError),
    /// The token of the admin API cannot be had.
    #[error("listen.admin_token_file: {0}")]
    AdminToken(#[from] TokenError),
    /// An issuer's client cannot be made.
    #[error("issuers: {0}")]
    Issuer(#[from] HttpError),
    /// The directory cannot be set up.
    #[error("{0}")]
    Directory(#[from] SetupError),
    /// A data file is not one.
    #[error("{0}")]
    File(#[from] Mistakes),
    /// Revocations cannot be taken up.
    #[error("{0}")]
    Revocation(#[from] StartError),
    /// The key that hides subjects cannot be read.
    #[error("telemetry.log.subject_key_file: {0}")]
    Key(#[from] SecretError),
    /// No policy is named `default`, or a route names one that is not there.
    #[error("policies: expected one named `default`, and every route's policy among them")]
    Policies,
}

impl App {
    /// Brings a process up to where it can be asked; nothing is served yet. Call it inside a runtime.
    pub async fn build(
        config: Config,
        clock: Arc<dyn Clock>,
        dropped: Dropped,
    ) -> Result<Self, BuildError> {
        let listen = &config.listen;
        // Files are watched before they are read, so that no change is lost.
        let tls_watch = listen.check_tls.as_ref().map(|tls| Watch::new(tls.files()));
        let acceptor = listen.check_tls.as_ref().map(Acceptor::new).transpose()?;
        let mut listeners = Vec::new();
        for address in &listen.check {
            let tls = match address {
                Address::Tcp(_) => acceptor.clone(),
                Address::Unix { .. } | Address::Abstract(_) => None,
            };
            listeners.push((bind(address).await?, tls));
        }
        let health = bind(&Address::Tcp(listen.health)).await?;
        let grace = Grace {
            drain: listen.drain,
            stop_within: listen.stop_within,
        };
        let (lifecycle, run) = Lifecycle::new(grace);

        let mut registry = registry(dropped);
        let metrics = Metrics::register(&mut registry);
        let remembered = Remembered::new(config.limits.tokens);
        let load = Load::new(config.limits.in_flight, config.limits.waiting);
        let issuers = config
            .issuers
            .iter()
            .map(|issuer| Issuer::start(issuer.clone()));
        let issuers: Vec<_> = issuers.collect::<Result<_, _>>()?;
        let ledger = Ledger::new(ledger_settings(&config.users), tenant_form(&config.tenant));
        let users = users(&config, ledger.clone(), Arc::clone(&clock))?;
        warm::take_up(&users).await;
        let status_lists = StatusLists::new(&issuers, &clock, None)?;
        let key = key_watch(&config);
        let revocations = revocations(&config, ledger.clone(), Arc::clone(&clock), None)?;
        let generation = generation(
            &config,
            &issuers,
            status_lists,
            users,
            remembered.clone(),
            metrics.clone(),
            revocations,
        )?;
        let parts = Parts {
            current: Arc::new(ArcSwap::from_pointee(generation)),
            issuers: Arc::new(ArcSwap::from_pointee(issuers)),
            remembered,
            ledger,
            clock: Arc::clone(&clock),
            load: load.clone(),
            metrics,
            reloads: Reloads::default(),
            key,
            config,
        };
        metrics::register(&mut registry, &parts);
        let admin = match &parts.config.listen.admin {
            None => None,
            Some(admin) => Some(Office::open(admin, &parts, Arc::clone(&clock)).await?),
        };
        let authorization = Authorization::new(Arc::clone(&parts.current), clock, load);
        Ok(Self {
            parts,
            authorization,
            listeners,
            tls: acceptor.zip(tls_watch),
            health,
            admin,
            registry: Arc::new(registry),
            lifecycle,
            run,
        })
    }

    /// Where its health is told, port resolved.
    pub fn health_address(&self) -> Address {
        self.health.local_addr()
    }

    /// Where its admin API is, port resolved; `None` where that is not opened.
    pub fn admin_address(&self) -> Option<Address> {
        self.admin.as_ref().map(Office::local_addr)
    }

    /// What answers `Check`, for a caller in the same process.
    pub fn authorization(&self) -> Authorization {
        self.authorization.clone()
    }

    /// Serves until it is told to stop; `source` is where a reload finds the configuration.
    pub async fn run(self, source: Source, signals: impl Stream<Item = Signal>) -> Outcome {
        let Self {
            parts,
            authorization,
            listeners,
            tls,
            health,
            admin,
            registry,
            lifecycle,
            run,
        } = self;
        let current = Arc::clone(&parts.current);
        for (address, listener) in [("health", health.local_addr())].into_iter().chain(
            listeners
                .iter()
                .map(|(listener, _)| ("check", listener.local_addr())),
        ) {
            tracing::info!(listener = address, address = %listener, "listening");
        }
        hold_until_keys(&lifecycle, &parts.issuers);
        hold_until_caught_up(&lifecycle, &current.load().decider);
        if let Some((acceptor, watch)) = tls {
            let following = watch.follow("listen.check_tls", move || acceptor.reload());
            lifecycle.keep("check_tls", following);
        }
        let told = health::Health {
            phase: lifecycle.phase(),
            readiness: lifecycle.readiness().clone(),
            registry,
        };
        lifecycle.keep("health", health::serve(health, told));
        if let Some(office) = admin {
            office.serve(&lifecycle);
        }
        let (grpc_health, follower) = grpc_health::health(lifecycle.phase()).await;
        lifecycle.keep("grpc health", follower);
        lifecycle.keep(
            "reload",
            Reloader::new(parts, source).run(lifecycle.reloads()),
        );
        let server = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .http2_keepalive_timeout(Some(Duration::from_secs(10)))
            .http2_max_pending_accept_reset_streams(Some(20))
            .max_concurrent_streams(Some(1024))
            .http2_max_header_list_size(16 * 1024)
            .add_service(authorization)
            .add_service(grpc_health);
        let connections = incoming(listeners, lifecycle.soft());
        lifecycle.serve("check", async move {
            // The stream of connections ends at the soft stop, and with it the server.
            let ended = server.serve_with_incoming_shutdown(connections, std::future::pending());
            if let Err(error) = ended.await {
                tracing::error!(error = %error, "the gRPC server failed");
            }
        });
        let outcome = run.until_stopped(signals).await;
        warm::write_down(current.load().decider.users()).await;
        outcome
    }
}

/// The clock of a process that serves.
pub fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Ready means that every issuer was asked once and at least one has keys.
///
/// A reload may exchange the issuers meanwhile: one that is gone is not waited for.
fn hold_until_keys(lifecycle: &Lifecycle, issuers: &Arc<ArcSwap<Vec<Arc<Issuer>>>>) {
    for issuer in issuers.load().iter() {
        let name = &issuer.config().name;
        let gate = lifecycle
            .readiness()
            .gate(format!("first answer of issuer {name}"));
        let issuer = Arc::clone(issuer);
        tokio::spawn(async move {
            while issuer.is_alive() && timeout(LOOK_AGAIN, issuer.keyring().asked()).await.is_err()
            {
            }
            drop(gate);
        });
    }
    let gate = lifecycle.readiness().gate("keys of any issuer");
    let issuers = Arc::clone(issuers);
    tokio::spawn(async move {
        loop {
            let now = issuers.load_full();
            let arrived = now
                .iter()
                .map(|issuer| Box::pin(issuer.keyring().arrived()));
            if timeout(LOOK_AGAIN, select_all(arrived)).await.is_ok() {
                break;
            }
        }
        drop(gate);
    });
}

/// Ready means, too, that the copy of the revocations was complete once. Where the operator lets tokens
/// pass while it is too old, that is waited for no longer than it may be.
fn hold_until_caught_up(lifecycle: &Lifecycle, decider: &Decider) {
    let revocations = decider.revocations();
    let Some(replica) = revocations.replica().cloned() else {
        return;
    };
    let patience = match revocations.on_stale() {
        OnStale::Deny => Duration::MAX,
        OnStale::Allow => replica.max_staleness(),
    };
    let gate = lifecycle.readiness().gate("revocations");
    tokio::spawn(async move {
        let _in_time = timeout(patience, replica.caught_up()).await;
        drop(gate);
    });
}

#[cfg(test)]
mod tests;
