//! Why a request is turned away.

use std::fmt;

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
        /// The local copy of the revocations is older than is allowed.
    PolicyUnknown "policy_unknown" 503 "Request cannot be authorized: the policy of this route is not known"
        /// Envoy names a policy that configuration does not have.
    Overloaded "overloaded" 503 "Too many requests are being checked; try again"
        /// More requests than the limits allow.
    Internal "internal" 503 "Request cannot be authorized because of an internal error"
        /// A fault of ours, or a request from Envoy without headers.
}

impl Code {
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
