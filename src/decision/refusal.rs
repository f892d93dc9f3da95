//! Why a request is turned away.

use crate::credential::CredentialError;
use crate::revocation::status_list::StatusError;
use crate::revocation::{Hit, Stale};
use crate::subject::SubjectError;
use crate::tenant::TenantError;
use crate::token::TokenError;
use crate::token::claims::ClaimsError;
use crate::token::keyring::NoKey;
use crate::user::NotKnown;
use std::fmt;
use std::time::Duration;

/// A reason to turn a request away, with what the step that found it saw.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Envoy sent no headers at all: it was told to send none, or in a form that is not read.
    #[error(
        "Envoy sent no headers; set neither allowed_headers nor disallowed_headers so that none is left"
    )]
    NoHeaders,
    /// Envoy names a policy that configuration does not have.
    #[error("context_extensions name a policy that is not configured, or several")]
    PolicyUnknown,
    /// No credential came.
    #[error("no credential in the sources that the policy lists")]
    TokenMissing,
    /// What was presented is not one credential.
    #[error("{0}")]
    Credential(CredentialError),
    /// The token does not verify.
    #[error("{0}")]
    Token(TokenError),
    /// The token names nobody.
    #[error("{0}")]
    Subject(SubjectError),
    /// The token is a client's own and would pass as a user's.
    #[error("a client-credentials token, which machines.allow does not let pass")]
    Machine,
    /// There is no tenant to go on with.
    #[error("{0}")]
    Tenant(TenantError),
    /// Something of the token was revoked.
    #[error("{} was revoked{}", .0.kind.as_str(), because(.0))]
    Revoked(Hit),
    /// What the token says of its status does not let it pass.
    #[error("{0}")]
    Status(StatusError),
    /// Nobody can tell whether something was revoked.
    #[error("{0}")]
    RevocationsStale(Stale),
    /// An event told that nobody of the tenant may act.
    #[error("the tenant is suspended")]
    TenantSuspended,
    /// The directory said, recognizably, that the user does not exist; or an event did.
    #[error("the directory, or an event, says that there is no such user")]
    UserNotFound,
    /// The user may not act.
    #[error("the record's status is a disabled one, or an event disabled the user")]
    UserDisabled,
    /// The record lacks a required attribute.
    #[error("the record lacks attribute `{0}`")]
    UserIncomplete(Box<str>),
    /// Nothing trustworthy is known of the user.
    #[error("{0}")]
    NotKnown(NotKnown),
    /// The token lacks a scope; these are required.
    #[error("the token does not grant all of: {0}")]
    Scopes(Box<str>),
    /// The user has none of the roles.
    #[error("the caller has none of the policy's roles")]
    Roles,
    /// Too much is asked at once.
    #[error("limits.in_flight decisions are being made")]
    Overloaded,
    /// The headers for the service behind are too long.
    #[error("identity headers take {came} bytes: expected at most identity.max_bytes, {most}")]
    IdentityTooLong {
        /// Their sum.
        came: usize,
        /// The limit.
        most: usize,
    },
    /// What Envoy sent is not a `CheckRequest`.
    #[error("what Envoy sent is not a CheckRequest")]
    Undecodable,
    /// The decision panicked.
    #[error("the decision panicked; the log says where")]
    Panicked,
}

/// Whose fault a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// Whoever sent the request.
    Caller,
    /// Something that is asked and does not answer.
    Dependency,
    /// Whoever configured or wrote this.
    Us,
}

impl Refusal {
    /// The public name.
    pub const fn code(&self) -> Code {
        match self {
            Self::TokenMissing => Code::TokenMissing,
            Self::Credential(CredentialError::Several | CredentialError::Malformed) => {
                Code::TokenMalformed
            }
            Self::Token(error) => of_token(error),
            Self::Subject(SubjectError::Missing) => Code::SubjectMissing,
            Self::Subject(SubjectError::Invalid(_)) | Self::Machine => Code::SubjectInvalid,
            Self::Subject(SubjectError::Reserved) => Code::SubjectReserved,
            Self::Tenant(TenantError::Missing) => Code::TenantMissing,
            Self::Tenant(TenantError::Sources | TenantError::Path | TenantError::Issuer) => {
                Code::TenantMismatch
            }
            Self::Tenant(TenantError::Form | TenantError::Unknown) => Code::TenantUnknown,
            Self::Revoked(_) | Self::Status(StatusError::Revoked(_)) => Code::TokenRevoked,
            Self::Status(StatusError::Malformed(_)) => Code::TokenMalformed,
            Self::Status(StatusError::Unavailable { .. }) | Self::RevocationsStale(Stale) => {
                Code::RevocationUnavailable
            }
            Self::TenantSuspended => Code::TenantSuspended,
            Self::UserNotFound => Code::UserNotFound,
            Self::UserDisabled => Code::UserDisabled,
            Self::UserIncomplete(_) => Code::UserIncomplete,
            Self::NotKnown(NotKnown::Unanswered(_) | NotKnown::Late) => Code::DirectoryUnavailable,
            Self::NotKnown(NotKnown::NotYetVisible) => Code::UserNotYetVisible,
            Self::Status(StatusError::Crowded)
            | Self::NotKnown(NotKnown::Crowded)
            | Self::Overloaded => Code::Overloaded,
            Self::Scopes(_) | Self::Roles => Code::ScopeInsufficient,
            Self::PolicyUnknown => Code::PolicyUnknown,
            Self::NoHeaders | Self::IdentityTooLong { .. } | Self::Undecodable | Self::Panicked => {
                Code::Internal
            }
        }
    }

    /// When asking again may help: for the refusals that the caller can only wait out.
    pub const fn retry_after(&self) -> Option<Duration> {
        const SOON: Duration = Duration::from_secs(1);
        match self {
            Self::Token(error) => error.retry_after(),
            Self::NotKnown(NotKnown::Unanswered(unanswered)) => match unanswered.retry_after {
                Some(asked) => Some(asked),
                None => Some(SOON),
            },
            Self::Status(StatusError::Unavailable { retry_after }) => Some(*retry_after),
            Self::Status(StatusError::Crowded)
            | Self::RevocationsStale(Stale)
            | Self::NotKnown(NotKnown::Late | NotKnown::Crowded | NotKnown::NotYetVisible)
            | Self::Overloaded => Some(SOON),
            Self::NoHeaders
            | Self::PolicyUnknown
            | Self::TokenMissing
            | Self::Credential(_)
            | Self::Subject(_)
            | Self::Machine
            | Self::Tenant(_)
            | Self::Revoked(_)
            | Self::Status(StatusError::Malformed(_) | StatusError::Revoked(_))
            | Self::TenantSuspended
            | Self::UserNotFound
            | Self::UserDisabled
            | Self::UserIncomplete(_)
            | Self::Scopes(_)
            | Self::Roles
            | Self::IdentityTooLong { .. }
            | Self::Undecodable
            | Self::Panicked => None,
        }
    }
}

const fn of_token(error: &TokenError) -> Code {
    match error {
        TokenError::TooLarge { .. } | TokenError::Malformed(_) | TokenError::Type => {
            Code::TokenMalformed
        }
        TokenError::IssuerUnknown => Code::IssuerUnknown,
        TokenError::AlgorithmNotAllowed | TokenError::Key(NoKey::OtherAlgorithm) => {
            Code::AlgorithmNotAllowed
        }
        TokenError::Key(NoKey::Unknown) => Code::KeyUnknown,
        TokenError::Key(NoKey::Unavailable { .. }) => Code::KeysUnavailable,
        TokenError::Key(NoKey::Crowded) => Code::Overloaded,
        TokenError::SignatureInvalid => Code::SignatureInvalid,
        TokenError::Claims(error) => match error {
            ClaimsError::NotAnObject
            | ClaimsError::Type(_)
            | ClaimsError::Missing(_)
            | ClaimsError::SecurityEvent
            | ClaimsError::StatusList => Code::TokenMalformed,
            ClaimsError::Audience => Code::AudienceMismatch,
            ClaimsError::Expired(_) => Code::TokenExpired,
            ClaimsError::NotYetValid(_) => Code::TokenNotYetValid,
            ClaimsError::Lifetime(_) => Code::TokenLifetimeExceeded,
        },
    }
}

fn because(hit: &Hit) -> String {
    let since = hit.at.map(|at| format!(" at {at}")).unwrap_or_default();
    let why = hit
        .reason
        .as_ref()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    since + &why
}

macro_rules! from {
    ($($error:ty => $variant:ident,)*) => {
        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

from! {
    CredentialError => Credential,
    TokenError => Token,
    TenantError => Tenant,
    Hit => Revoked,
    Stale => RevocationsStale,
    NotKnown => NotKnown,
}

impl From<StatusError> for Refusal {
    fn from(error: StatusError) -> Self {
        match error {
            StatusError::Revoked(hit) => Self::Revoked(hit),
            StatusError::Malformed(_) | StatusError::Unavailable { .. } | StatusError::Crowded => {
                Self::Status(error)
            }
        }
    }
}

macro_rules! codes {
    ($($variant:ident $name:literal $status:literal $message:literal $(#[doc = $doc:literal])+)*) => {
        /// The stable, public name of a reason: a body member, a metric label, a log field, a row of
        /// the documentation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status, unless configuration says another.
            pub const fn default_status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The sentence for the client, unless configuration says another.
            pub const fn default_message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }
        }
    };
}

codes! {
    TokenMissing "token_missing" 401 "No token was presented"
        /// No credential came and the policy wants one.
    TokenMalformed "token_malformed" 401 "Token is malformed"
        /// Not a JWS compact token, too large, of wrong types, ambiguous, or lacking a claim.
    AlgorithmNotAllowed "algorithm_not_allowed" 401 "Token is signed with an algorithm that its issuer does not use"
        /// The header's `alg` is not one that the issuer declares.
    KeyUnknown "key_unknown" 401 "Token is signed with an unknown key"
        /// The issuer's current key set has no such key.
    SignatureInvalid "signature_invalid" 401 "Token signature is invalid"
        /// The signature does not verify.
    IssuerUnknown "issuer_unknown" 401 "Token issuer is not trusted"
        /// No configured issuer has this `iss`.
    AudienceMismatch "audience_mismatch" 401 "Token is not meant for this service"
        /// The token is for someone else.
    TokenExpired "token_expired" 401 "Token has expired"
        /// The token's time has passed.
    TokenNotYetValid "token_not_yet_valid" 401 "Token is not valid yet"
        /// `nbf` or `iat` lies ahead.
    TokenLifetimeExceeded "token_lifetime_exceeded" 401 "Token lives longer than is allowed"
        /// The token lives longer than its issuer's tokens may.
    TokenRevoked "token_revoked" 401 "Token has been revoked"
        /// The token, its session, subject, tenant, issuer or key was revoked.
    SubjectMissing "subject_missing" 401 "Token names no user"
        /// The declared claim is not there.
    SubjectInvalid "subject_invalid" 401 "Token names its user in a form that is not accepted"
        /// The subject is not of the declared format.
    SubjectReserved "subject_reserved" 401 "Token names a placeholder instead of a user"
        /// The subject is a placeholder such as `null`.
    TenantMissing "tenant_missing" 400 "No tenant was named"
        /// A tenant is required and no source has it.
    TenantMismatch "tenant_mismatch" 403 "Token and request do not agree on the tenant"
        /// Sources disagree, or the issuer may not speak for the tenant.
    TenantUnknown "tenant_unknown" 403 "Tenant is not known"
        /// The tenant has a bad form or is not in the list.
    TenantSuspended "tenant_suspended" 403 "Tenant is suspended"
        /// Between `tenant.suspended` and `tenant.resumed`.
    UserNotFound "user_not_found" 403 "User associated with token does not exist"
        /// The directory said, recognizably, that the user does not exist.
    UserDisabled "user_disabled" 403 "User associated with token is disabled"
        /// The user is not active.
    UserIncomplete "user_incomplete" 403 "User associated with token lacks a required attribute"
        /// The record lacks a required attribute.
    ScopeInsufficient "scope_insufficient" 403 "Token does not grant the scope or role that is required"
        /// The policy's scopes or roles are not all there.
    UserNotYetVisible "user_not_yet_visible" 503 "User is not visible yet; try again"
        /// A young token whose user is not there yet.
    DirectoryUnavailable "directory_unavailable" 503 "User cannot be checked at the moment; try again"
        /// No trustworthy answer and nothing stale to serve.
    KeysUnavailable "keys_unavailable" 503 "Token cannot be checked at the moment; try again"
        /// No key set recent enough to say.
    RevocationUnavailable "revocation_unavailable" 503 "Revocation cannot be checked at the moment; try again"
        /// What was revoked is not known: no list of statuses may be used.
    PolicyUnknown "policy_unknown" 503 "Request cannot be authorized: the policy of this route is not known"
        /// Envoy names a policy that configuration does not have.
    Overloaded "overloaded" 503 "Too many requests are being checked; try again"
        /// More requests than the limits allow.
    Internal "internal" 503 "Request cannot be authorized because of an internal error"
        /// A fault of ours, or a request from Envoy without headers.
}

impl Code {
    /// Whose fault it is.
    pub const fn blame(self) -> Blame {
        match self {
            Self::TokenMissing
            | Self::TokenMalformed
            | Self::AlgorithmNotAllowed
            | Self::KeyUnknown
            | Self::SignatureInvalid
            | Self::IssuerUnknown
            | Self::AudienceMismatch
            | Self::TokenExpired
            | Self::TokenNotYetValid
            | Self::TokenLifetimeExceeded
            | Self::TokenRevoked
            | Self::SubjectMissing
            | Self::SubjectInvalid
            | Self::SubjectReserved
            | Self::TenantMissing
            | Self::TenantMismatch
            | Self::TenantUnknown
            | Self::TenantSuspended
            | Self::UserNotFound
            | Self::UserDisabled
            | Self::UserIncomplete
            | Self::ScopeInsufficient => Blame::Caller,
            Self::UserNotYetVisible
            | Self::DirectoryUnavailable
            | Self::KeysUnavailable
            | Self::RevocationUnavailable => Blame::Dependency,
            Self::PolicyUnknown | Self::Overloaded | Self::Internal => Blame::Us,
        }
    }

    /// The code of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
