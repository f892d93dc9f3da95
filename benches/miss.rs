//! What a miss costs beyond the call that it makes.

use crate::Result;
use crate::crowd::{self, sections};
use crate::population::{AUDIENCE, ISSUER};
use crate::service::Service;
use crate::table::{Bound, Row};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use subgate::clock::SystemClock;
use subgate::event::{Ledger, Settings, TenantForm};
use subgate::load::Load;
use subgate::user::directory::{Directory, Query};
use subgate::user::{Asked, Existence, Users};
use tokio::time::Instant;

const ROUNDS: usize = 5;
/// Misses, and bare calls, in a round.
const CALLS: u16 = 2000;
/// In a turn; the two take turns, so that what else the machine does hits both alike.
const TURN: u16 = 100;

/// Looks users up who were never seen, and makes the same calls with a bare client of the same kind.
pub(crate) async fn measure(dir: &Path) -> Result<Vec<Row>> {
    let service = Service::start(usize::MAX, Duration::ZERO).await?;
    let asker = Asker::new(&sections(service.address), dir)?;
    let client = bare_client()?;
    let url = |person| {
        let (tenant, subject) = (crowd::tenant(0), crowd::subject(person));
        format!(
            "http://{}/v1/tenants/{tenant}/users/{subject}",
            service.address
        )
    };
    let (mut ratios, mut beyond, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    let mut people = 0..;
    for round in 0..=ROUNDS {
        let (mut missed, mut called) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..CALLS / TURN {
            for person in people.by_ref().take(TURN.into()) {
                missed += asker.miss(person).await?;
            }
            for person in people.by_ref().take(TURN.into()) {
                let url = url(person);
                let began = Instant::now();
                let answer = client.get(url).send().await?.error_for_status()?;
                let body = answer.bytes().await?;
                called += began.elapsed();
                if body.is_empty() {
                    return Err("the service said nothing".into());
                }
            }
        }
        // The first round opens connections and warms up.
        if round > 0 {
            let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(CALLS);
            ratios.push(each(missed) / each(called));
            beyond.push(each(missed) - each(called));
            calls.push(each(called));
        }
    }
    let row = |name: &str, bound, unit, rounds| Row {
        name: name.to_owned(),
        bound,
        unit,
        rounds,
    };
    Ok(vec![
        row(
            "miss ÷ the bare call to the user service",
            Bound::AtMost(2.0),
            "",
            ratios,
        ),
        row("miss beyond the bare call", Bound::None, " µs", beyond),
        row("bare call to the user service", Bound::None, " µs", calls),
    ])
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is what subgate's client is measured against"
)]
fn bare_client() -> Result<reqwest::Client> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    Ok(client.build()?)
}

/// Users in this process, without anything around them.
pub(crate) struct Asker {
    users: Users,
    load: Load,
    realm: Arc<str>,
    tenants: Vec<Arc<str>>,
}

impl Asker {
    /// Asks the directory of a configuration with these sections.
    fn new(sections: &str, dir: &Path) -> Result<Self> {
        let config = configuration(sections, dir)?;
        let directory = config.users.directory.open(&config.realms())?;
        Ok(Self::asking(config.users, directory))
    }

    /// Asks this directory.
    pub(crate) fn asking(config: subgate::user::Config, directory: Box<dyn Directory>) -> Self {
        let settings = Settings {
            fence_for: config.longest_answer(),
            tombstone_for: config.cache.tombstone_for,
            alias_for: config.alias_for,
        };
        let ledger = Ledger::new(settings, TenantForm::as_written());
        Self {
            users: Users::new(config, directory, ledger, Arc::new(SystemClock)),
            load: Load::new(1024, 256),
            realm: ISSUER.into(),
            tenants: (0..crowd::TENANTS)
                .map(|nth| crowd::tenant(nth).into())
                .collect(),
        }
    }

    /// Looks up the user that a person is in the first tenant; how long that took.
    async fn miss(&self, person: usize) -> Result<Duration> {
        let began = Instant::now();
        self.find(person, 0).await?;
        Ok(began.elapsed())
    }

    /// Looks up the user that a person is in a tenant.
    pub(crate) async fn find(&self, person: usize, tenant: usize) -> Result {
        let subject: Arc<str> = crowd::subject(person).into();
        let query = Query {
            realm: &self.realm,
            issuer: &self.realm,
            tenant: self.tenants.get(tenant),
            subject: &subject,
        };
        let now = Instant::now();
        let asked = Asked { now, issued: None };
        let place = self.load.admit(now + Duration::from_secs(5));
        let place = place.ok_or("no place for a decision")?;
        match self.users.find(query, asked, &place).await?.existence {
            Existence::There { .. } => Ok(()),
            other @ (Existence::Gone | Existence::Disabled) => {
                Err(format!("expected a user, got {other:?}").into())
            }
        }
    }

    /// How many users are remembered.
    pub(crate) fn remembered(&self) -> u64 {
        self.users.size().0
    }
}

/// The configuration with these sections.
pub(crate) fn configuration(sections: &str, dir: &Path) -> Result<subgate::config::Config> {
    let keys = dir.join("keys.json");
    std::fs::write(&keys, "{\"keys\": []}")?;
    let text = format!(
        "\
issuers:
- issuer: {ISSUER}
  keys: {{jwks_file: '{}'}}
  audiences: [{AUDIENCE}]
{sections}",
        keys.display()
    );
    Ok(subgate::config::parse("bench.yaml", dir, &text, [])?.config)
}
