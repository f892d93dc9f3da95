//! The decision: from a request to a permit or a refusal, in one straight line.

pub mod permit;
pub mod policy;
pub mod record;
pub mod refusal;

pub use permit::{Caller, Permit};
pub use record::{Outcome, Record, Sink};
pub use refusal::{Code, Refusal};

use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::event::ledger::MarkKind;
use crate::load::Place;
use crate::request::Request;
use crate::revocation::status_list::StatusLists;
use crate::revocation::{self, Revocations};
use crate::subject::Subject;
use crate::tenant::{Tenancy, Tenants};
use crate::token::{Tokens, VerifiedToken};
use crate::user::directory::Query;
use crate::user::record::Status;
use crate::user::{Asked, Cached, Existence, Found, Known, Users};
use policy::{Policies, Policy};
use std::sync::Arc;
use tokio::time::Instant;

/// Decides requests by one generation of the configuration.
#[derive(Debug)]
pub struct Decider {
    policies: Policies,
    tokens: Tokens,
    tenants: Tenants,
    revocations: Revocations,
    status_lists: StatusLists,
    users: Users,
}

/// When a decision is made, by the wall and by the stopwatch.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time of tokens and revocations.
    pub wall: Timestamp,
    /// The time of everything that ages.
    pub instant: Instant,
}

impl Decider {
    /// Brings together what a decision asks.
    pub const fn new(
        policies: Policies,
        tokens: Tokens,
        tenants: Tenants,
        revocations: Revocations,
        status_lists: StatusLists,
        users: Users,
    ) -> Self {
        Self {
            policies,
            tokens,
            tenants,
            revocations,
            status_lists,
            users,
        }
    }

    /// Decides whether a request may pass; `record` keeps what each step saw.
    pub async fn decide(
        &self,
        request: &Request<'_>,
        moment: Moment,
        place: &Place,
        record: &mut Record<'_>,
    ) -> Result<Permit, Refusal> {
        let outcome = self.permit(request, moment, place, record).await;
        record.conclude(&outcome);
        outcome
    }

    async fn permit(
        &self,
        request: &Request<'_>,
        moment: Moment,
        place: &Place,
        record: &mut Record<'_>,
    ) -> Result<Permit, Refusal> {
        if request.headers.is_empty() {
            return Err(Refusal::NoHeaders);
        }
        let policy = self.policies.pick(request).ok_or(Refusal::PolicyUnknown)?;
        record.policy(policy);
        let Some(credential) = Credential::find(request, &policy.credentials)? else {
            return without_token(policy, request);
        };
        let token = self
            .token(credential, policy, moment, place, record)
            .await?;
        if token.is_machine() {
            return self
                .machine(token, policy, request, (moment, place), record)
                .await;
        }
        let subject = token
            .subject()
            .as_ref()
            .map_err(|error| Refusal::Subject(*error))?;
        let tenancy = self.tenancy(&token, request, moment, record)?;
        self.status(&token, moment, place).await?;
        let name = self.name(&token, subject, &tenancy, moment, record)?;
        if !policy.require_user {
            let id = self.users.names_by_subject().then_some(name.newest);
            if let Some(id) = &id {
                self.revoked_user(&token, &tenancy, id, moment)?;
            }
            return Ok(Permit::unasked(Arc::clone(&token), &tenancy, id));
        }
        let user = self
            .user(&token, &name, &tenancy, moment, place, record)
            .await?;
        policy.admits_roles(&user)?;
        Ok(Permit::user(
            Arc::clone(&token),
            &tenancy,
            user,
            name.newest,
            self.users.proves_tenant(),
        ))
    }

    async fn token(
        &self,
        credential: Credential<'_>,
        policy: &Policy,
        moment: Moment,
        place: &Place,
        record: &mut Record<'_>,
    ) -> Result<Arc<VerifiedToken>, Refusal> {
        let verified = self
            .tokens
            .verify(
                credential,
                moment.wall,
                moment.instant,
                place,
                record.claimed(),
            )
            .await;
        let (token, seen) = verified?;
        record.token(&token, seen);
        policy.admits_audience(token.claims())?;
        policy.admits_scopes(token.claims())?;
        Ok(token)
    }

    /// In whose house the request is made, if nothing that the token stands on was revoked there.
    fn tenancy(
        &self,
        token: &VerifiedToken,
        request: &Request<'_>,
        moment: Moment,
        record: &mut Record<'_>,
    ) -> Result<Tenancy, Refusal> {
        let tenancy = self.tenants.settle(request, Some(token))?;
        record.tenant(tenancy.tenant());
        let tenant = tenancy.tenant().map(|tenant| &**tenant);
        let realm = &token.issuer().config().realm;
        if tenant.is_some_and(|tenant| self.users.is_suspended(realm, tenant)) {
            return Err(Refusal::TenantSuspended);
        }
        self.revocations.is_known(moment.instant)?;
        self.revocations.check(token, tenant, moment.wall)?;
        Ok(tenancy)
    }

    /// Whether the token holds, as the status list says that it points to.
    async fn status(
        &self,
        token: &VerifiedToken,
        moment: Moment,
        place: &Place,
    ) -> Result<(), Refusal> {
        let Moment { wall, instant } = moment;
        Ok(self.status_lists.check(token, wall, instant, place).await?)
    }

    /// A client's own token passes only where its issuer's rule allows it, and never as a user.
    async fn machine(
        &self,
        token: Arc<VerifiedToken>,
        policy: &Policy,
        request: &Request<'_>,
        (moment, place): (Moment, &Place),
        record: &mut Record<'_>,
    ) -> Result<Permit, Refusal> {
        if !token.issuer().config().machines.allow {
            return Err(Refusal::Machine);
        }
        let tenancy = self.tenancy(&token, request, moment, record)?;
        self.status(&token, moment, place).await?;
        if !policy.roles.is_empty() {
            return Err(Refusal::Roles);
        }
        Ok(Permit::client(token, &tenancy))
    }

    /// Under which name the directory is asked: the newest, where the subject changed since the token
    /// was issued. What was revoked under any name in between is revoked.
    fn name(
        &self,
        token: &VerifiedToken,
        subject: &Subject,
        tenancy: &Tenancy,
        moment: Moment,
        record: &mut Record<'_>,
    ) -> Result<Name, Refusal> {
        let own = Arc::clone(subject.normalized());
        let query = query(token, tenancy, &own);
        let mut names = self.users.aliases(&query, token.claims().issued_at());
        let Some(newest) = names.pop() else {
            return Ok(Name {
                newest: own,
                former: Vec::new(),
            });
        };
        record.alias(&newest);
        let tenant = tenancy.tenant().map(|tenant| &**tenant);
        for name in names.iter().chain([&newest]) {
            self.revocations
                .check_subject(token, tenant, name, moment.wall)?;
        }
        names.push(own);
        Ok(Name {
            newest,
            former: names,
        })
    }

    /// Whoever was deleted or disabled under a former name, after the token was issued, is not made
    /// well by the new one.
    fn former(&self, token: &VerifiedToken, name: &Name, tenancy: &Tenancy) -> Result<(), Refusal> {
        let issued = token.claims().issued_at();
        for former in &name.former {
            match self.users.mark(&query(token, tenancy, former)) {
                Some(mark) if issued.is_none_or(|issued| issued <= mark.at) => {
                    return Err(match mark.kind {
                        MarkKind::Deleted => Refusal::UserNotFound,
                        MarkKind::Disabled => Refusal::UserDisabled,
                    });
                }
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    async fn user(
        &self,
        token: &VerifiedToken,
        name: &Name,
        tenancy: &Tenancy,
        moment: Moment,
        place: &Place,
        record: &mut Record<'_>,
    ) -> Result<Arc<Found>, Refusal> {
        self.former(token, name, tenancy)
            .inspect_err(|_| record.cached(Cached::Mark))?;
        let subject = &name.newest;
        let query = query(token, tenancy, subject);
        let asked = Asked {
            now: moment.instant,
            issued: token
                .claims()
                .issued_at()
                .map(|issued| moment.wall.since(issued)),
        };
        let known = self.users.find(query, asked, place).await;
        let Known {
            existence,
            cached,
            reason,
        } = known.inspect_err(|not_known| record.reason(not_known.reason()))?;
        record.cached(cached);
        record.reason(reason);
        let (user, revoked) = match existence {
            Existence::Gone => return Err(Refusal::UserNotFound),
            Existence::Disabled => return Err(Refusal::UserDisabled),
            Existence::There { user, revoked } => (user, revoked),
        };
        record.user(&user);
        if let Some(deleted) = revoked {
            revocation::check_deleted(token, deleted, moment.wall)?;
        }
        // Without an id of the directory's own, the subject is the canonical id.
        let id = user.id().unwrap_or(subject);
        self.revoked_user(token, tenancy, id, moment)?;
        match (user.status(), user.lacks()) {
            (Status::Disabled, _) => Err(Refusal::UserDisabled),
            (Status::Active, Some(attribute)) => Err(Refusal::UserIncomplete(attribute.into())),
            (Status::Active, None) => Ok(user),
        }
    }

    fn revoked_user(
        &self,
        token: &VerifiedToken,
        tenancy: &Tenancy,
        id: &str,
        moment: Moment,
    ) -> Result<(), Refusal> {
        let tenant = tenancy.tenant().map(|tenant| &**tenant);
        Ok(self
            .revocations
            .check_user(token, tenant, id, moment.wall)?)
    }

    /// The tokens it verifies.
    pub const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The tenants it settles.
    pub const fn tenants(&self) -> &Tenants {
        &self.tenants
    }

    /// The lists of statuses it reads.
    pub const fn status_lists(&self) -> &StatusLists {
        &self.status_lists
    }

    /// What it knows to be revoked.
    pub const fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// The users it knows.
    pub const fn users(&self) -> &Users {
        &self.users
    }
}

/// The names of a user.
struct Name {
    newest: Arc<str>,
    /// Those that a token may still bear, its own last.
    former: Vec<Arc<str>>,
}

/// Who a subject is, in the realm of its token and in a tenant.
fn query<'q>(token: &'q VerifiedToken, tenancy: &'q Tenancy, subject: &'q Arc<str>) -> Query<'q> {
    let issuer = token.issuer().config();
    Query {
        realm: &issuer.realm,
        issuer: &issuer.issuer,
        tenant: tenancy.tenant(),
        subject,
    }
}

/// A request without a credential passes where the policy lets it, as nobody.
fn without_token(policy: &Policy, request: &Request<'_>) -> Result<Permit, Refusal> {
    if policy.anonymous || (policy.preflight && request.is_preflight()) {
        Ok(Permit::nobody())
    } else {
        Err(Refusal::TokenMissing)
    }
}
