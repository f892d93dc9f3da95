//! One generation of the configuration, put together of its parts.

use super::BuildError;
use crate::clock::Clock;
use crate::config::Config;
use crate::credential;
use crate::decision::Decider;
use crate::decision::policy::Policies;
use crate::envoy::identity::Identity;
use crate::envoy::response::Responses;
use crate::event::{Ledger, TenantForm, ledger};
use crate::net::watch::Watch;
use crate::revocation::status_list::StatusLists;
use crate::revocation::{Beside, Replica, Revocations, StartError};
use crate::server::generation::Generation;
use crate::telemetry::SubjectPrivacy;
use crate::telemetry::decisions::{Journal, Metrics};
use crate::telemetry::privacy::Privacy;
use crate::tenant::{self, Tenants};
use crate::token::issuer::Issuer;
use crate::token::{Remembered, Tokens};
use crate::user::directory::SetupError;
use crate::user::{self, Users};
use std::sync::Arc;

/// Watches the key that hides subjects, where there is one.
pub(super) fn key_watch(config: &Config) -> Option<Watch> {
    match &config.telemetry.subject {
        SubjectPrivacy::Hash(key) => Some(Watch::new(vec![key.clone()])),
        SubjectPrivacy::Plain | SubjectPrivacy::Omit => None,
    }
}

/// How long the ledger keeps what events told.
pub(super) fn ledger_settings(users: &user::Config) -> ledger::Settings {
    ledger::Settings {
        fence_for: users.longest_answer(),
        tombstone_for: users.cache.tombstone_for,
        alias_for: users.alias_for,
    }
}

/// Reads the tenants of events as those of tokens are read.
pub(super) fn tenant_form(tenants: &tenant::Config) -> TenantForm {
    let tenants = tenants.clone();
    TenantForm::new(move |written| tenants.normalized(written).ok())
}

/// Opens the configured directory.
pub(super) fn users(
    config: &Config,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
) -> Result<Users, SetupError> {
    let directory = config.users.directory.open(&config.realms())?;
    Ok(Users::new(config.users.clone(), directory, ledger, clock))
}

/// The users of a new configuration: what is remembered stays, unless another directory is asked, or an
/// issuer's subjects are others in another realm.
pub(super) fn next_users(
    current: &Users,
    old: &Config,
    config: &Config,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
) -> Result<Users, SetupError> {
    let (own, other) = (&old.users.directory, &config.users.directory);
    let moved = config.has_moved_issuers(old);
    if own == other && config.realms() == old.realms() && !moved {
        return Ok(current.reconfigured(&config.users));
    }
    let directory = other.open(&config.realms())?;
    // A file is read anew, and answers at once.
    Ok(if own.is_same_as(other) && directory.lags() && !moved {
        current.reconnected(&config.users, directory)
    } else {
        Users::new(config.users.clone(), directory, ledger, clock)
    })
}

/// Takes up what is revoked; `kept` goes on where it follows the same store.
pub(super) fn revocations(
    config: &Config,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    kept: Option<Arc<Replica>>,
) -> Result<Revocations, StartError> {
    let beside = Beside {
        issuers: &config.issuers,
        tenants: &config.tenant,
        ledger,
        clock,
        kept,
    };
    Revocations::start(&config.revocation, beside)
}

/// Puts one generation together of parts that may be older than it.
pub(super) fn generation(
    config: &Config,
    issuers: &[Arc<Issuer>],
    status_lists: StatusLists,
    users: Users,
    remembered: Remembered,
    metrics: Metrics,
    revocations: Revocations,
) -> Result<Generation, BuildError> {
    let privacy = Privacy::new(&config.telemetry.subject)?;
    let policies = config
        .policies
        .policies
        .iter()
        .map(|policy| Arc::clone(&policy.name));
    let names = config.issuers.iter().map(|issuer| Arc::clone(&issuer.name));
    let sink = Journal::new(metrics, &config.telemetry, privacy.clone(), policies, names);
    let decider = Decider::new(
        Policies::new(&config.policies).ok_or(BuildError::Policies)?,
        Tokens::new(issuers, remembered, config.limits.token_bytes),
        Tenants::start(config.tenant.clone())?,
        revocations,
        status_lists,
        users,
    );
    Ok(Generation {
        decider,
        identity: Identity::new(config.identity.clone(), &credential_headers(config)),
        responses: Responses::new(config.responses.clone()),
        privacy,
        sink,
    })
}

/// The headers that may bear a token, under any policy.
fn credential_headers(config: &Config) -> Vec<String> {
    let sources = config
        .policies
        .policies
        .iter()
        .flat_map(|policy| &policy.credentials);
    let named = sources.filter_map(|source| match source {
        credential::Source::Bearer(name) | credential::Source::Header(name) => Some(name.clone()),
        credential::Source::Cookie(_) => None,
    });
    named.collect()
}
