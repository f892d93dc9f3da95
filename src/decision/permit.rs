//! Leave to pass, and what the service behind is told about the caller.

use crate::tenant::Tenancy;
use crate::token::VerifiedToken;
use crate::user::Found;
use std::sync::Arc;

/// Leave to pass. Only a decision makes one.
#[derive(Clone, Debug)]
pub struct Permit {
    caller: Caller,
    tenant: Option<Arc<str>>,
}

/// In whose name the request is made.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Nobody: no credential came.
    Nobody,
    /// A client of its own accord.
    Client(Arc<VerifiedToken>),
    /// A user that was not asked for, by policy: the token stands, the user's existence does not.
    Unasked {
        /// The token.
        token: Arc<VerifiedToken>,
        /// The canonical id, where subjects are ids, so that it is known all the same.
        id: Option<Arc<str>>,
    },
    /// A user that exists.
    User {
        /// The token.
        token: Arc<VerifiedToken>,
        /// The record.
        user: Arc<Found>,
        /// The subject under which the directory knows the user.
        subject: Arc<str>,
    },
}

impl Permit {
    /// What a decision would give, for the tests of what is made of it.
    #[cfg(test)]
    pub(crate) fn sample(caller: Caller, tenant: Option<&str>) -> Self {
        Self {
            caller,
            tenant: tenant.map(Arc::from),
        }
    }

    pub(super) const fn nobody() -> Self {
        Self {
            caller: Caller::Nobody,
            tenant: None,
        }
    }

    pub(super) fn client(token: Arc<VerifiedToken>, tenancy: &Tenancy) -> Self {
        Self {
            caller: Caller::Client(token),
            tenant: tenancy.proven().cloned(),
        }
    }

    pub(super) fn unasked(
        token: Arc<VerifiedToken>,
        tenancy: &Tenancy,
        id: Option<Arc<str>>,
    ) -> Self {
        Self {
            caller: Caller::Unasked { token, id },
            tenant: tenancy.proven().cloned(),
        }
    }

    pub(super) fn user(
        token: Arc<VerifiedToken>,
        tenancy: &Tenancy,
        user: Arc<Found>,
        subject: Arc<str>,
        proves_tenant: bool,
    ) -> Self {
        let tenant = if proves_tenant {
            tenancy.tenant()
        } else {
            tenancy.proven()
        };
        Self {
            tenant: tenant.cloned(),
            caller: Caller::User {
                token,
                user,
                subject,
            },
        }
    }

    /// In whose name the request is made.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The tenant, where it is proven.
    pub const fn tenant(&self) -> Option<&Arc<str>> {
        self.tenant.as_ref()
    }

    /// The token, where there is one.
    pub const fn token(&self) -> Option<&Arc<VerifiedToken>> {
        match &self.caller {
            Caller::Nobody => None,
            Caller::Client(token) | Caller::Unasked { token, .. } | Caller::User { token, .. } => {
                Some(token)
            }
        }
    }

    /// The canonical id of the user, where it is known: the directory's, or the subject where
    /// subjects are ids.
    pub fn user_id(&self) -> Option<&str> {
        match &self.caller {
            Caller::Nobody | Caller::Client(_) => None,
            Caller::Unasked { id, .. } => id.as_deref(),
            Caller::User { user, subject, .. } => Some(user.id().unwrap_or(subject)),
        }
    }
}
