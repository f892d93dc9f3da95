//! Where a decision's record goes: counters that take no lock, and a line in the log.

use super::histogram::Histogram;
use super::privacy::Privacy;
use super::{Config, Decisions};
use crate::decision::record::{Outcome, Record, Sink};
use crate::decision::refusal::{Blame, Code};
use crate::subject::Normalization;
use crate::token::Seen;
use crate::user::Cached;
use crate::user::directory::Reason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The target of the lines in the log, for whoever filters them.
pub(super) const TARGET: &str = "decision";

/// Bounds of the latency histogram, in seconds: most decisions take microseconds, the slowest as
/// long as Envoy waits.
const BOUNDS: &[f64] = &[
    2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 5e-3, 0.025, 0.1, 0.2, 0.5, 1.0,
];

/// How many ways a decision can end: the refusals, allowed, abandoned.
const ENDS: usize = Code::ALL.len() + 2;

/// The counters of all decisions, over all generations of the configuration.
#[derive(Clone, Debug)]
pub struct Metrics {
    decisions: Family<Decided, Counter>,
    duration: Histogram,
    verified: Counter,
    remembered: Counter,
    cache: [Counter; Cached::ALL.len()],
    normalizations: [Counter; Normalization::ALL.len()],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    code: &'static str,
    policy: Arc<str>,
    issuer: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByResult {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

impl Metrics {
    /// Registers the counters.
    pub fn register(registry: &mut Registry) -> Self {
        let decisions = Family::<Decided, Counter>::default();
        let duration = Histogram::new(BOUNDS);
        let tokens = Family::<ByResult, Counter>::default();
        let users = Family::<ByResult, Counter>::default();
        let normalizations = Family::<ByKind, Counter>::default();
        registry.register(
            "decisions",
            "Decisions by code (allow, abandoned or the refusal's), policy and issuer",
            decisions.clone(),
        );
        registry.register_with_unit(
            "decision_duration",
            "Time from Envoy's question to our answer",
            Unit::Seconds,
            duration.clone(),
        );
        registry.register(
            "tokens",
            "Verified tokens by result: hit (verified before) or miss",
            tokens.clone(),
        );
        registry.register(
            "user_cache_requests",
            "Answers about users by result: hit, revalidating, miss, stale, negative or mark",
            users.clone(),
        );
        registry.register(
            "normalizations",
            "Subjects that a normalization changed, by kind",
            normalizations.clone(),
        );
        let token = |result| tokens.get_or_create_owned(&ByResult { result });
        Self {
            remembered: token("hit"),
            verified: token("miss"),
            cache: Cached::ALL.map(|cached| {
                users.get_or_create_owned(&ByResult {
                    result: cached.as_str(),
                })
            }),
            normalizations: Normalization::ALL.map(|kind| {
                normalizations.get_or_create_owned(&ByKind {
                    kind: kind.as_str(),
                })
            }),
            decisions,
            duration,
        }
    }
}

/// Takes the records of one generation of the configuration.
#[derive(Debug)]
pub struct Journal {
    metrics: Metrics,
    privacy: Privacy,
    log: Decisions,
    seen: AtomicU64,
    policies: Vec<Arc<str>>,
    issuers: Vec<Arc<str>>,
    cells: Vec<OnceLock<Counter>>,
}

/// Stands for a policy or issuer that was never known.
const NONE: &str = "none";

impl Journal {
    /// Takes records of decisions by these policies and issuers, which are labels: both are names
    /// that the operator wrote.
    pub fn new(
        metrics: Metrics,
        config: &Config,
        privacy: Privacy,
        policies: impl IntoIterator<Item = Arc<str>>,
        issuers: impl IntoIterator<Item = Arc<str>>,
    ) -> Self {
        let with_none = |names: &mut dyn Iterator<Item = Arc<str>>| -> Vec<Arc<str>> {
            std::iter::once(Arc::from(NONE)).chain(names).collect()
        };
        let policies = with_none(&mut policies.into_iter());
        let issuers = with_none(&mut issuers.into_iter());
        let cells = (0..policies.len() * issuers.len() * ENDS)
            .map(|_| OnceLock::new())
            .collect();
        Self {
            metrics,
            privacy,
            log: config.decisions,
            seen: AtomicU64::new(0),
            policies,
            issuers,
            cells,
        }
    }

    /// Counts a decision; the first of its kind takes the family's lock, no other does.
    fn count(&self, record: &Record<'_>) {
        let at = |names: &[Arc<str>], name: Option<&Arc<str>>| {
            let found = name.and_then(|name| names.iter().position(|known| known == name));
            found.unwrap_or_default()
        };
        let policy = at(
            &self.policies,
            record.picked_policy().map(|policy| &policy.name),
        );
        let issuer = at(&self.issuers, record.issuer().map(|issuer| &issuer.name));
        let end = match record.outcome() {
            Outcome::Allow => 0,
            Outcome::Abandon => 1,
            Outcome::Refuse(refusal) => 2 + refusal.code() as usize,
        };
        let cell = (policy * self.issuers.len() + issuer) * ENDS + end;
        let (Some(cell), Some(policy), Some(issuer)) = (
            self.cells.get(cell),
            self.policies.get(policy),
            self.issuers.get(issuer),
        ) else {
            return;
        };
        let decided = || Decided {
            code: record.code(),
            policy: Arc::clone(policy),
            issuer: Arc::clone(issuer),
        };
        cell.get_or_init(|| self.metrics.decisions.get_or_create_owned(&decided()))
            .inc();
    }

    fn is_logged(&self, record: &Record<'_>) -> bool {
        match self.log {
            Decisions::None => false,
            Decisions::Denies => !matches!(record.outcome(), Outcome::Allow),
            Decisions::All => true,
            Decisions::Sample(share) => {
                // Every nth, whatever n is: the running number's share steps over a whole.
                #[expect(clippy::cast_precision_loss, reason = "a sample needs no exact count")]
                let whole = |count: u64| (count as f64 * share).floor();
                let count = self.seen.fetch_add(1, Ordering::Relaxed);
                whole(count + 1) > whole(count)
            }
        }
    }

    fn log(&self, record: &Record<'_>) {
        let subject = record
            .subject()
            .and_then(|subject| self.privacy.shown(subject));
        let raw_subject = record.raw_subject().and_then(|raw| self.privacy.shown(raw));
        let newest = record
            .newest_subject()
            .and_then(|newest| self.privacy.shown(newest));
        let micros = u64::try_from(record.elapsed().as_micros()).unwrap_or(u64::MAX);
        let detail = match record.outcome() {
            Outcome::Refuse(refusal) => Some(refusal.to_string()),
            Outcome::Allow | Outcome::Abandon => None,
        };
        macro_rules! line {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    target: TARGET,
                    code = record.code(),
                    detail,
                    request_id = record.request_id(),
                    policy = record.picked_policy().map(|policy| &*policy.name),
                    issuer = record.issuer().map(|issuer| &*issuer.name),
                    tenant = record.named_tenant(),
                    subject = subject.as_deref(),
                    raw_subject = raw_subject.as_deref(),
                    kid = record.claimed_key(),
                    newest_subject = newest.as_deref(),
                    cache = record.cache().map(Cached::as_str),
                    reason = record.unanswered().map(Reason::as_str),
                    micros,
                    $message
                )
            };
        }
        match record.outcome() {
            Outcome::Allow => line!(info, "request allowed"),
            Outcome::Abandon => line!(warn, "Envoy hung up before the answer"),
            Outcome::Refuse(refusal) => match (refusal.code(), refusal.code().blame()) {
                (Code::UserNotFound, _) | (_, Blame::Dependency) => line!(warn, "request refused"),
                (_, Blame::Us) => line!(error, "request refused"),
                (_, Blame::Caller) => line!(info, "request refused"),
            },
        }
    }
}

impl Sink for Journal {
    fn take(&self, record: &Record<'_>) {
        self.count(record);
        self.metrics.duration.observe(record.elapsed());
        match record.seen() {
            Some(Seen::Before) => self.metrics.remembered.inc(),
            Some(Seen::Now) => self.metrics.verified.inc(),
            None => 0,
        };
        if let Some(counter) = record
            .cache()
            .and_then(|cached| self.metrics.cache.get(cached as usize))
        {
            counter.inc();
        }
        for kind in record.normalizations().iter() {
            if let Some(counter) = self.metrics.normalizations.get(kind as usize) {
                counter.inc();
            }
        }
        if self.is_logged(record) {
            self.log(record);
        }
    }
}
