//! Names as people write them, in the form in which they are keys.

use super::invalid;
use crate::server::admin::AdminError;
use crate::server::admin::message::{Release, UserKey, UserQuery};
use crate::subject::Subject;
use crate::tenant;
use crate::token::issuer::{Config, Issuer, Tenants};
use crate::user::directory::Query;
use std::sync::Arc;

/// What the configuration knows names by.
#[derive(Debug)]
pub(super) struct Names<'g> {
    pub(super) issuers: &'g [Arc<Issuer>],
    pub(super) tenants: &'g tenant::Config,
}

/// A user, by the name under which it is remembered.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) realm: Arc<str>,
    pub(super) issuer: Arc<str>,
    pub(super) tenant: Option<Arc<str>>,
    pub(super) subject: Arc<str>,
}

/// Whom a release is narrowed to.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) realm: Option<Arc<str>>,
    pub(super) tenant: Option<Arc<str>>,
}

/// A realm, and those of its issuers who are spoken of.
#[derive(Debug)]
pub(super) struct Scope<'g> {
    pub(super) realm: &'g Arc<str>,
    issuers: Vec<&'g Config>,
}

impl Names<'_> {
    /// The user of a query. An issuer that speaks for one tenant needs none to be written.
    pub(super) fn user(&self, query: &UserQuery) -> Result<Named, AdminError> {
        let issuer = self.issuer(&query.issuer)?;
        let scope = Scope {
            realm: &issuer.realm,
            issuers: vec![issuer],
        };
        let mut tenant = self.tenant(query.tenant.as_deref())?;
        if let Tenants::Of(list) = &issuer.tenants {
            if let Some(named) = tenant.as_deref().filter(|named| !list.contains(*named)) {
                return Err(invalid("tenant", "one for which the issuer speaks", named));
            }
            if list.len() == 1 {
                tenant = list.first().map(|only| only.as_str().into());
            }
        }
        if tenant.is_none() && self.tenants.required {
            return Err(invalid("tenant", "one, as every request has", "none"));
        }
        Ok(Named {
            realm: Arc::clone(&issuer.realm),
            issuer: Arc::clone(&issuer.issuer),
            tenant,
            subject: scope.subject("subject", &query.subject)?,
        })
    }

    /// The realm and tenant that a release is narrowed to.
    pub(super) fn group(&self, which: &Release) -> Result<Group, AdminError> {
        let realm = match (which.issuer.as_deref(), which.realm.as_deref()) {
            (None, None) => None,
            (issuer, realm) => Some(Arc::clone(self.scope(issuer, realm)?.realm)),
        };
        Ok(Group {
            realm,
            tenant: self.tenant(which.tenant.as_deref())?,
        })
    }

    /// The realm of an issuer, or by its own name.
    pub(super) fn scope(
        &self,
        issuer: Option<&str>,
        realm: Option<&str>,
    ) -> Result<Scope<'_>, AdminError> {
        match (issuer, realm) {
            (Some(issuer), None) => {
                let issuer = self.issuer(issuer)?;
                Ok(Scope {
                    realm: &issuer.realm,
                    issuers: vec![issuer],
                })
            }
            (None, Some(named)) => {
                let issuers = self.issuers.iter().map(|issuer| issuer.config());
                let issuers: Vec<_> = issuers.filter(|issuer| *issuer.realm == *named).collect();
                match issuers.first() {
                    Some(first) => Ok(Scope {
                        realm: &first.realm,
                        issuers,
                    }),
                    None => Err(invalid("realm", "that of a configured issuer", named)),
                }
            }
            (Some(_), Some(_)) => Err(invalid("realm", "`issuer` or `realm`", "both")),
            (None, None) => Err(invalid("issuer", "`issuer` or `realm`", "neither")),
        }
    }

    fn tenant(&self, written: Option<&str>) -> Result<Option<Arc<str>>, AdminError> {
        let Some(written) = written else {
            return Ok(None);
        };
        let tenant = self.tenants.normalized(written);
        let tenant = tenant.map_err(|_| bad_tenant(written))?;
        Ok(Some(tenant.into()))
    }

    fn issuer(&self, name: &str) -> Result<&Config, AdminError> {
        let mut issuers = self.issuers.iter().map(|issuer| issuer.config());
        let found = issuers.find(|one| *one.issuer == *name || *one.name == *name);
        found.ok_or_else(|| {
            let known = self.issuers.iter().map(|issuer| &*issuer.config().name);
            let known: Vec<_> = known.collect();
            let expected = format!("URL or name of a configured issuer: {}", known.join(", "));
            invalid("issuer", expected, name)
        })
    }
}

/// What is said against a tenant that can be none.
pub(super) fn bad_tenant(written: &str) -> AdminError {
    invalid("tenant", "a tenant of the configured format", written)
}

impl Scope<'_> {
    /// A subject as tokens write it, rewritten and normalized: all issuers of the scope must read it
    /// alike.
    pub(super) fn subject(
        &self,
        field: &'static str,
        written: &str,
    ) -> Result<Arc<str>, AdminError> {
        let mut read: Option<Arc<str>> = None;
        for issuer in &self.issuers {
            let subject = Subject::of(&issuer.subject, written).map_err(|error| {
                let expected = format!("a subject as tokens of {} write it", issuer.name);
                invalid(field, expected, format!("`{written}`: {error}"))
            })?;
            let subject = subject.normalized();
            if read.as_ref().is_some_and(|read| read != subject) {
                let expected = "`issuer`, because those of the realm write subjects differently";
                return Err(invalid("realm", expected, "`realm`"));
            }
            read = Some(Arc::clone(subject));
        }
        read.ok_or_else(|| invalid("realm", "that of a configured issuer", &*self.realm.clone()))
    }
}

impl Named {
    pub(super) fn query(&self) -> Query<'_> {
        Query {
            realm: &self.realm,
            issuer: &self.issuer,
            tenant: self.tenant.as_ref(),
            subject: &self.subject,
        }
    }

    pub(super) fn key(&self) -> UserKey {
        UserKey {
            realm: self.realm.to_string(),
            issuer: self.issuer.to_string(),
            tenant: self.tenant.as_deref().map(str::to_owned),
            subject: self.subject.to_string(),
        }
    }
}
