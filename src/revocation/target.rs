//! What an operator names, in the form in which tokens are looked up.

use super::name::{Kind, Name, Named};
use crate::subject::Subject;
use crate::tenant;
use crate::token::issuer::{self, Tenants};
use std::time::Duration;

/// How much longer than tokens what strikes them is kept.
const SPARE: Duration = Duration::from_secs(600);

/// What is revoked or restored, as an operator writes it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    /// Of which kind it is.
    pub kind: Kind,
    /// `jti`, `sid`, `kid`, user id, tenant, a subject as tokens write it, or an issuer.
    pub value: &'t str,
    /// URL or name of the issuer; none of a tenant, nor of an issuer itself.
    pub issuer: Option<&'t str>,
    /// The tenant of a subject or a user; `None` for all tenants.
    pub tenant: Option<&'t str>,
}

/// A [`Target`] that the configuration knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    /// The name under which it lies.
    pub named: Named,
    /// How long after an instant tokens from before it may still be accepted, and a little longer.
    pub lifetime: Duration,
}

/// Why a [`Target`] names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}, came {came}")]
pub struct Misnamed {
    /// The part that is wrong.
    pub field: &'static str,
    /// What would be right.
    pub expected: String,
    /// What came.
    pub came: String,
}

impl Target<'_> {
    /// Finds what is meant: issuers by URL or name, subjects and tenants in their normalized form.
    pub fn meant(
        &self,
        issuers: &[issuer::Config],
        tenants: &tenant::Config,
    ) -> Result<Meant, Misnamed> {
        if self.value.is_empty() {
            return Err(misnamed("value", "a name", "an empty one"));
        }
        let named = self.named(issuers, tenants)?;
        let concerned = || issuers.iter().filter(|issuer| concerns(&named, issuer));
        if let Some(tenant) = &named.tenant
            && !concerned().any(|issuer| speaks_for(issuer, tenant))
        {
            let expected = "one for which the issuer speaks";
            return Err(misnamed("tenant", expected, quoted(tenant)));
        }
        let lifetime = longest(concerned());
        Ok(Meant { named, lifetime })
    }

    fn named(
        &self,
        issuers: &[issuer::Config],
        tenants: &tenant::Config,
    ) -> Result<Named, Misnamed> {
        let Self { kind, value, .. } = *self;
        let name = match kind {
            Kind::Tenant => {
                self.has_no_issuer()?;
                self.has_no_tenant()?;
                let tenant = normalized(tenants, "value", value)?;
                Name::tenant(&tenant).to_owned()
            }
            Kind::Issuer => {
                self.has_no_issuer()?;
                self.has_no_tenant()?;
                Name::issuer(&configured(issuers, "value", value)?.issuer).to_owned()
            }
            Kind::Token | Kind::Session | Kind::Key => {
                self.has_no_tenant()?;
                let issuer = self.issuer_among(issuers)?;
                Name::of_issuer(kind, &issuer.issuer, value).to_owned()
            }
            Kind::User => {
                let issuer = self.issuer_among(issuers)?;
                let tenant = self.tenant_in(tenants)?;
                Name::of_realm(kind, &issuer.realm, value, tenant.as_deref()).to_owned()
            }
            Kind::Subject => {
                let issuer = self.issuer_among(issuers)?;
                let tenant = self.tenant_in(tenants)?;
                let subject = Subject::of(&issuer.subject, value).map_err(|error| {
                    let expected = format!("a subject as tokens of {} write it", issuer.name);
                    misnamed("value", expected, format!("{}: {error}", quoted(value)))
                })?;
                let subject = subject.normalized();
                Name::of_realm(kind, &issuer.realm, subject, tenant.as_deref()).to_owned()
            }
        };
        Ok(name)
    }

    fn issuer_among<'i>(
        &self,
        issuers: &'i [issuer::Config],
    ) -> Result<&'i issuer::Config, Misnamed> {
        let expected = || format!("the issuer of the {}", self.kind.as_str());
        let named = self.issuer;
        let named = named.ok_or_else(|| misnamed("issuer", expected(), "none"))?;
        configured(issuers, "issuer", named)
    }

    fn tenant_in(&self, tenants: &tenant::Config) -> Result<Option<Box<str>>, Misnamed> {
        let tenant = self.tenant;
        tenant
            .map(|written| normalized(tenants, "tenant", written))
            .transpose()
    }

    fn has_no_issuer(&self) -> Result<(), Misnamed> {
        match self.issuer {
            None => Ok(()),
            Some(came) => Err(misnamed("issuer", self.none(), quoted(came))),
        }
    }

    fn has_no_tenant(&self) -> Result<(), Misnamed> {
        match self.tenant {
            None => Ok(()),
            Some(came) => Err(misnamed("tenant", self.none(), quoted(came))),
        }
    }

    fn none(&self) -> String {
        format!("none beside the kind `{}`", self.kind.as_str())
    }
}

/// How long what strikes tokens of these issuers is kept after its instant.
pub fn longest<'i>(issuers: impl Iterator<Item = &'i issuer::Config>) -> Duration {
    let kept = issuers.map(|issuer| issuer.max_lifetime + 2 * issuer.leeway);
    kept.max().unwrap_or_default() + SPARE
}

fn concerns(named: &Named, issuer: &issuer::Config) -> bool {
    match named.kind {
        Kind::Tenant => true,
        Kind::Subject | Kind::User => *issuer.realm == *named.scope,
        Kind::Token | Kind::Session | Kind::Key | Kind::Issuer => *issuer.issuer == *named.scope,
    }
}

fn speaks_for(issuer: &issuer::Config, tenant: &str) -> bool {
    match &issuer.tenants {
        Tenants::Any => true,
        Tenants::Of(list) => list.contains(tenant),
    }
}

fn configured<'i>(
    issuers: &'i [issuer::Config],
    field: &'static str,
    name: &str,
) -> Result<&'i issuer::Config, Misnamed> {
    let mut all = issuers.iter();
    let found = all.find(|one| *one.issuer == *name || *one.name == *name);
    found.ok_or_else(|| {
        let known: Vec<_> = issuers.iter().map(|issuer| &*issuer.name).collect();
        let expected = format!("URL or name of a configured issuer: {}", known.join(", "));
        misnamed(field, expected, quoted(name))
    })
}

fn normalized(
    tenants: &tenant::Config,
    field: &'static str,
    written: &str,
) -> Result<Box<str>, Misnamed> {
    let tenant = tenants.normalized(written);
    let tenant = tenant.map_err(|_| {
        let expected = "a tenant of the configured format";
        misnamed(field, expected, quoted(written))
    })?;
    Ok(tenant.into())
}

/// What came from outside, without what moves a terminal's cursor.
fn quoted(came: &str) -> String {
    format!("{came:?}")
}

fn misnamed(field: &'static str, expected: impl Into<String>, came: impl Into<String>) -> Misnamed {
    Misnamed {
        field,
        expected: expected.into(),
        came: came.into(),
    }
}
