//! What can be revoked, and by which name.

use serde::{Deserialize, Serialize};

/// The kinds of things that are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A token, by `jti`.
    Token,
    /// A session, by `sid`.
    Session,
    /// A key, by `kid`, else thumbprint; a shared secret is called `secret`.
    Key,
    /// An issuer.
    Issuer,
    /// A subject, in its normalized form.
    Subject,
    /// A user, by the directory's id.
    User,
    /// A tenant.
    Tenant,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Token,
        Self::Session,
        Self::Key,
        Self::Issuer,
        Self::Subject,
        Self::User,
        Self::Tenant,
    ];

    /// The name in logs, commands and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Session => "session",
            Self::Key => "key",
            Self::Issuer => "issuer",
            Self::Subject => "subject",
            Self::User => "user",
            Self::Tenant => "tenant",
        }
    }
}

/// What is revoked. Names of different issuers never meet: an issuer's URL, or its realm, is part of
/// each but a tenant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name<'n> {
    /// Of which kind it is.
    pub kind: Kind,
    /// The URL of the issuer; of a subject or a user the realm; of a tenant nothing.
    pub scope: &'n str,
    /// `jti`, `sid`, `kid`, normalized subject, user id or tenant; of an issuer nothing.
    pub name: &'n str,
    /// The tenant of a subject or a user; `None` for all tenants.
    pub tenant: Option<&'n str>,
}

/// A [`Name`] that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Named {
    /// Of which kind it is.
    pub kind: Kind,
    /// As in [`Name`].
    pub scope: Box<str>,
    /// As in [`Name`].
    pub name: Box<str>,
    /// As in [`Name`].
    pub tenant: Option<Box<str>>,
}

impl<'n> Name<'n> {
    /// What an issuer names: a token, a session, a key.
    pub const fn of_issuer(kind: Kind, issuer: &'n str, name: &'n str) -> Self {
        Self {
            kind,
            scope: issuer,
            name,
            tenant: None,
        }
    }

    /// An issuer itself.
    pub const fn issuer(issuer: &'n str) -> Self {
        Self::of_issuer(Kind::Issuer, issuer, "")
    }

    /// A subject or a user of a realm, in one tenant or in all.
    pub const fn of_realm(
        kind: Kind,
        realm: &'n str,
        name: &'n str,
        tenant: Option<&'n str>,
    ) -> Self {
        Self {
            kind,
            scope: realm,
            name,
            tenant,
        }
    }

    /// A tenant, whatever the issuer.
    pub const fn tenant(tenant: &'n str) -> Self {
        Self::of_issuer(Kind::Tenant, "", tenant)
    }

    /// The same, to be kept.
    pub fn to_owned(self) -> Named {
        Named {
            kind: self.kind,
            scope: self.scope.into(),
            name: self.name.into(),
            tenant: self.tenant.map(Box::from),
        }
    }
}

impl Named {
    /// The same, lent.
    pub fn lent(&self) -> Name<'_> {
        Name {
            kind: self.kind,
            scope: &self.scope,
            name: &self.name,
            tenant: self.tenant.as_deref(),
        }
    }
}
