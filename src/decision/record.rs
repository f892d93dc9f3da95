//! One decision, told once: to the log, the metrics and Envoy's dynamic metadata.

use super::policy::Policy;
use super::{Code, Permit, Refusal};
use crate::subject::Kinds;
use crate::token::issuer::Config as Issuer;
use crate::token::{Claimed, Seen, VerifiedToken};
use crate::user::directory::Reason;
use crate::user::{Cached, Found};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How a decision ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The request may pass.
    Allow,
    /// It may not, and why.
    Refuse(Refusal),
    /// Envoy hung up before there was an answer.
    Abandon,
}

/// Where finished records go.
pub trait Sink: fmt::Debug + Send + Sync {
    /// Takes one finished record; never blocks.
    fn take(&self, record: &Record<'_>);
}

/// What became of a decision, written exactly once, on drop.
///
/// Envoy drops a `Check` call when its own time-out fires, and the decision with it. A record that
/// is dropped before it is concluded says so: no request leaves without a trace.
#[derive(Debug)]
pub struct Record<'s> {
    sink: &'s dyn Sink,
    began: Instant,
    request_id: Option<&'s str>,
    outcome: Outcome,
    policy: Option<Arc<Policy>>,
    claimed: Claimed,
    token: Option<(Arc<VerifiedToken>, Seen)>,
    tenant: Option<Arc<str>>,
    alias: Option<Arc<str>>,
    cached: Option<Cached>,
    reason: Option<Reason>,
    user: Option<Arc<Found>>,
    subject_is_id: bool,
}

impl<'s> Record<'s> {
    /// Opens a record.
    pub fn open(sink: &'s dyn Sink, began: Instant) -> Self {
        Self {
            sink,
            began,
            request_id: None,
            outcome: Outcome::Abandon,
            policy: None,
            claimed: Claimed::default(),
            token: None,
            tenant: None,
            alias: None,
            cached: None,
            reason: None,
            user: None,
            subject_is_id: false,
        }
    }

    /// Notes the request's `x-request-id`, which can be shown as it is.
    pub const fn identify(&mut self, request_id: Option<&'s str>) {
        self.request_id = request_id;
    }

    /// When Envoy's question came.
    pub const fn began(&self) -> Instant {
        self.began
    }

    pub(super) fn policy(&mut self, policy: &Arc<Policy>) {
        self.policy = Some(Arc::clone(policy));
    }

    pub(super) const fn claimed(&mut self) -> &mut Claimed {
        &mut self.claimed
    }

    pub(super) fn token(&mut self, token: &Arc<VerifiedToken>, seen: Seen) {
        self.token = Some((Arc::clone(token), seen));
    }

    pub(super) fn tenant(&mut self, tenant: Option<&Arc<str>>) {
        self.tenant = tenant.cloned();
    }

    pub(super) fn alias(&mut self, newest: &Arc<str>) {
        self.alias = Some(Arc::clone(newest));
    }

    pub(super) const fn reason(&mut self, reason: Option<Reason>) {
        self.reason = reason;
    }

    pub(super) const fn cached(&mut self, cached: Cached) {
        self.cached = Some(cached);
    }

    pub(super) fn user(&mut self, user: &Arc<Found>) {
        self.user = Some(Arc::clone(user));
    }

    pub(super) fn conclude(&mut self, outcome: &Result<Permit, Refusal>) {
        self.outcome = match outcome {
            Ok(permit) => {
                // Whoever reads Envoy's metadata may trust what stands in it on a pass.
                self.tenant = permit.tenant().cloned();
                self.subject_is_id = permit.user_id().is_some() && self.user_id().is_none();
                Outcome::Allow
            }
            Err(refusal) => Outcome::Refuse(refusal.clone()),
        };
    }

    /// Refuses a request that did not come to a decision, or whose permit cannot be carried out.
    pub fn refuse(&mut self, refusal: &Refusal) {
        self.outcome = Outcome::Refuse(refusal.clone());
    }

    /// How it ended.
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The name of how it ended: `allow`, `abandoned`, or the refusal's code.
    pub const fn code(&self) -> &'static str {
        match &self.outcome {
            Outcome::Allow => "allow",
            Outcome::Refuse(refusal) => refusal.code().as_str(),
            Outcome::Abandon => "abandoned",
        }
    }

    /// The refusal's code, if it is one.
    pub const fn refusal(&self) -> Option<Code> {
        match &self.outcome {
            Outcome::Refuse(refusal) => Some(refusal.code()),
            Outcome::Allow | Outcome::Abandon => None,
        }
    }

    /// How long it took until now.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The request's id, made safe to show.
    pub const fn request_id(&self) -> Option<&'s str> {
        self.request_id
    }

    /// The policy, once picked.
    pub const fn picked_policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    /// The issuer: of the verified token, or the configured one that a refused token names.
    pub fn issuer(&self) -> Option<&Issuer> {
        let verified = self.token.as_ref().map(|(token, _)| token.issuer());
        verified
            .or(self.claimed.issuer.as_ref())
            .map(|issuer| issuer.config())
    }

    /// The key id that a refused token names, cut short.
    pub fn claimed_key(&self) -> Option<&str> {
        self.claimed.key_id.as_deref()
    }

    /// Whether the token was verified before; `None` if it was not verified.
    pub fn seen(&self) -> Option<Seen> {
        self.token.as_ref().map(|(_, seen)| *seen)
    }

    /// The normalized subject, once the token is verified.
    pub fn subject(&self) -> Option<&str> {
        let (token, _) = self.token.as_ref()?;
        token
            .subject()
            .as_ref()
            .ok()
            .map(|subject| &**subject.normalized())
    }

    /// The subject as the token has it, where it was normalized.
    pub fn raw_subject(&self) -> Option<&str> {
        let (token, _) = self.token.as_ref()?;
        let subject = token.subject().as_ref().ok()?;
        (subject.raw() != subject.normalized()).then(|| &**subject.raw())
    }

    /// Which normalizations the subject needed.
    pub fn normalizations(&self) -> Kinds {
        let subject = self
            .token
            .as_ref()
            .and_then(|(token, _)| token.subject().as_ref().ok());
        subject
            .map(crate::subject::Subject::changed)
            .unwrap_or_default()
    }

    /// The tenant: proven on a pass, named by any source on a refusal.
    pub fn named_tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Where the knowledge of the user came from.
    pub const fn cache(&self) -> Option<Cached> {
        self.cached
    }

    /// The newest subject of the user, where it changed since the token was issued.
    pub fn newest_subject(&self) -> Option<&str> {
        self.alias.as_deref()
    }

    /// Why the directory gave no trustworthy answer, where it was asked and gave none.
    pub const fn unanswered(&self) -> Option<Reason> {
        self.reason
    }

    /// The canonical id of the user, once it is known.
    pub fn user_id(&self) -> Option<&str> {
        let own = self.user.as_ref().and_then(|user| user.id());
        let asked = self.newest_subject().or_else(|| self.subject());
        own.or_else(|| asked.filter(|_| self.subject_is_id))
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        self.sink.take(self);
    }
}
