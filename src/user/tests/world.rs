//! Users who are found in a scripted directory.

use super::script::{Line, Script};
use crate::clock::SystemClock;
use crate::event::{TenantForm, ledger};
use crate::load::Load;
use crate::user::directory::Config as DirectoryConfig;
use crate::user::*;
use std::time::Duration;

/// Users of a scripted directory, and the places for those who ask.
pub(super) struct World {
    pub(super) script: Script,
    pub(super) users: Users,
    pub(super) ledger: Ledger,
    pub(super) load: Load,
}

pub(super) fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Ten seconds fresh, a hundred more if there is an error, five for a not-found; 180 ms of waiting.
pub(super) fn config() -> Config {
    Config {
        directory: DirectoryConfig::File("/nonexistent/users.yaml".into()),
        timeout: secs(1),
        wait: millis(180),
        retries: 0,
        concurrency: 64,
        creation_grace: secs(0),
        alias_for: secs(86_430),
        canaries: Vec::new(),
        vanish_guard: VanishGuard {
            share: 1.0,
            window: secs(60),
            min: 20,
        },
        audit: Audit {
            every: secs(600),
            sample: 0,
        },
        snapshot: None,
        cache: Cache {
            fresh: secs(10),
            stale_while_revalidate: secs(0),
            tombstone_for: secs(90_000),
            stale_if_error: secs(100),
            not_found_for: secs(5),
            max_memory: 1 << 20,
        },
    }
}

pub(super) fn world(lines: &[Line]) -> World {
    configured(config(), lines)
}

pub(super) fn configured(config: Config, lines: &[Line]) -> World {
    with(config, Script::new(lines))
}

pub(super) fn settings(config: &Config) -> ledger::Settings {
    ledger::Settings {
        fence_for: config.longest_answer(),
        tombstone_for: config.cache.tombstone_for,
        alias_for: config.alias_for,
    }
}

pub(super) fn with(config: Config, script: Script) -> World {
    let ledger = Ledger::new(settings(&config), TenantForm::as_written());
    World {
        users: Users::new(
            config,
            Box::new(script.clone()),
            ledger.clone(),
            Arc::new(SystemClock),
        ),
        ledger,
        load: Load::new(10_000, 10_000),
        script,
    }
}

impl World {
    pub(super) async fn find(&self, subject: &str) -> Result<Known, NotKnown> {
        self.find_at("realm", Some("acme"), subject, secs(60)).await
    }

    /// Of a token that was issued so long ago.
    pub(super) async fn find_with(
        &self,
        name: &str,
        ago: Option<Duration>,
    ) -> Result<Known, NotKnown> {
        let now = Instant::now();
        let [realm, issuer, tenant, subject] =
            ["realm", "https://id.example.com", "acme", name].map(Arc::<str>::from);
        let query = Query {
            realm: &realm,
            issuer: &issuer,
            tenant: Some(&tenant),
            subject: &subject,
        };
        let place = self.load.admit(now + secs(60)).unwrap();
        self.users
            .find(query, Asked { now, issued: ago }, &place)
            .await
    }

    pub(super) async fn find_at(
        &self,
        realm: &str,
        tenant: Option<&str>,
        subject: &str,
        patience: Duration,
    ) -> Result<Known, NotKnown> {
        let now = Instant::now();
        let (realm, subject) = (Arc::from(realm), Arc::from(subject));
        let (issuer, tenant) = (Arc::from("https://id.example.com"), tenant.map(Arc::from));
        let query = Query {
            realm: &realm,
            issuer: &issuer,
            tenant: tenant.as_ref(),
            subject: &subject,
        };
        let place = self.load.admit(now + patience).unwrap();
        let asked = Asked { now, issued: None };
        self.users.find(query, asked, &place).await
    }

    /// Drops what is remembered of someone.
    pub(super) fn forget(&self, subject: &str) -> bool {
        self.users.forget(&key("acme", subject).query())
    }

    /// What is known of `alice`, in one word and her id.
    pub(super) async fn alice(&self) -> (&'static str, String) {
        match self.find("alice").await {
            Ok(known) => (known.cached.as_str(), id_of(&known)),
            Err(error) => ("unknown", error.to_string()),
        }
    }
}

/// Someone of a tenant.
pub(super) fn key(tenant: &str, subject: &str) -> Key {
    Key {
        realm: "realm".into(),
        issuer: "https://id.example.com".into(),
        tenant: Some(tenant.into()),
        subject: subject.into(),
    }
}

/// The id of a user who is there; else `none`.
pub(super) fn id_of(known: &Known) -> String {
    match &known.existence {
        Existence::There { user, .. } => user.id().unwrap_or("none").to_owned(),
        Existence::Gone => "none".to_owned(),
        Existence::Disabled => "disabled".to_owned(),
    }
}

pub(super) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

pub(super) fn says(word: &'static str, id: &str) -> (&'static str, String) {
    (word, id.to_owned())
}
