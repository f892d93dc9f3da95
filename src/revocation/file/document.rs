//! `revocations.yaml` as written.

use crate::clock::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

/// The file as written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Document {
    /// Tokens, by `jti`.
    pub(super) tokens: Vec<Token>,
    /// Sessions, by `sid`.
    pub(super) sessions: Vec<Session>,
    /// Subjects, as a token writes them: rewritten and normalized as the issuer's tokens are.
    pub(super) subjects: Vec<Named>,
    /// Users, by the directory's id.
    pub(super) users: Vec<User>,
    /// Tenants.
    pub(super) tenants: Vec<House>,
    /// Whole issuers.
    pub(super) issuers: Vec<Whole>,
    /// Keys, by `kid`, else RFC 7638 thumbprint; a shared secret is called `secret`.
    pub(super) keys: Vec<Key>,
}

macro_rules! entry {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $($(#[$field_doc])* pub(super) $field: $type,)*
            /// Since when, RFC 3339; for the log.
            pub(super) at: Option<Time>,
            /// When the entry ends, RFC 3339; never, if left out.
            pub(super) until: Option<Time>,
            /// Why; for the log.
            pub(super) reason: Option<String>,
        }
    };
}

entry! {
    /// A token.
    Token {
        /// URL or name of the issuer.
        issuer: String,
        /// The token's `jti`.
        jti: String,
    }
}
entry! {
    /// A session.
    Session {
        /// URL or name of the issuer.
        issuer: String,
        /// The session's `sid`.
        sid: String,
    }
}
entry! {
    /// A key.
    Key {
        /// URL or name of the issuer.
        issuer: String,
        /// The key's `kid`, else its thumbprint; `secret` for a shared secret.
        kid: String,
    }
}
entry! {
    /// A subject.
    Named {
        /// URL or name of the issuer.
        issuer: String,
        /// The subject, in any spelling that the issuer's rules bring together.
        subject: String,
        /// The tenant in which; all, if left out.
        tenant: Option<String>,
        /// Strikes what was issued at or before this; everything, if left out.
        before: Option<Time>,
    }
}
entry! {
    /// A user.
    User {
        /// URL or name of the issuer.
        issuer: String,
        /// The directory's id.
        id: String,
        /// The tenant in which; all, if left out.
        tenant: Option<String>,
        /// Strikes what was issued at or before this; everything, if left out.
        before: Option<Time>,
    }
}
entry! {
    /// A tenant.
    House {
        /// The tenant, in any spelling that normalization brings together.
        tenant: String,
        /// Strikes what was issued at or before this; everything, if left out.
        before: Option<Time>,
    }
}
entry! {
    /// A whole issuer.
    Whole {
        /// URL or name of the issuer.
        issuer: String,
        /// Strikes what was issued at or before this; everything, if left out.
        before: Option<Time>,
    }
}

/// An RFC 3339 time.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("format" = "date-time"))]
pub(super) struct Time(#[schemars(with = "String")] pub(super) Timestamp);

impl TryFrom<String> for Time {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Timestamp::parse_rfc3339(&text)
            .map(Self)
            .ok_or("expected an RFC 3339 time")
    }
}
