//! The file as it is written: its keys, their types, their defaults, and what they mean.
//!
//! The JSON Schema and the reference are made from these types. A key that must be written is an
//! `Option` beside a `required` in its schema: where it is missing, the schema check says so, and the
//! rest of the file is still read and judged.

/// An enum of the file whose values are those of a slice's own.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident => $target:ty {
        $($(#[doc = $line:literal])+ $variant:ident = $word:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq,
            serde::Deserialize, serde::Serialize, schemars::JsonSchema,
        )]
        pub(in crate::config) enum $name {
            $($(#[doc = $line])+ #[serde(rename = $word)] $variant,)+
        }

        impl From<$name> for $target {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$variant => Self::$variant,)+
                }
            }
        }
    };
}

mod identity;
mod issuers;
mod limits;
mod listen;
mod policies;
mod quantity;
mod responses;
mod revocation;
mod telemetry;
mod tenant;
mod tls;
mod users;

pub(super) use identity::Identity;
pub(super) use issuers::{
    Audiences, Issuer, Keys, KnownFormat, Machines, Rewrite, Subject, SubjectFormat, Tenants,
};
pub(super) use limits::Limits;
pub(super) use listen::Listen;
pub(super) use policies::{AllowOrDeny, Credential, InheritedAudiences, Policy, Route};
pub(super) use quantity::{Period, Size};
pub(super) use responses::Responses;
pub(super) use revocation::{Login, Memory, Redis, RedisUrl, Revocation};
pub(super) use telemetry::{DecisionKind, Decisions, Log, SubjectPrivacy, Telemetry};
pub(super) use tenant::{KnownTenants, Tenant, TenantSource};
pub(super) use tls::{ClientTls, ServerTls};
pub(super) use users::{
    Audit, Cache, Canary, ConsistentRead, Fields, Grpc, Http, NotFound, NotFoundCode, Scim, ScimBy,
    Snapshot, Supabase, SupabaseFields, Users, UsersFile, VanishGuard,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The configuration of subgate: `issuers` and `users` are enough.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["issuers", "users"]))]
#[schemars(title = "subgate configuration")]
pub(crate) struct Document {
    /// Where the process listens, and how it stops.
    pub(super) listen: Listen,
    /// The issuers whose tokens are believed.
    #[schemars(length(min = 1))]
    pub(super) issuers: Option<Vec<Issuer>>,
    /// How the tenant of a request is settled.
    pub(super) tenant: Tenant,
    /// The directory that knows the users, and how its answers are remembered.
    pub(super) users: Option<Users>,
    /// Where revocations come from: exactly one source.
    pub(super) revocation: Revocation,
    /// What is asked of a request, by name. `default` rules where neither Envoy nor a route names
    /// another; a policy inherits nothing from it.
    pub(super) policies: BTreeMap<String, Policy>,
    /// Which policy rules, where Envoy cannot name one: the first route that matches.
    pub(super) routes: Vec<Route>,
    /// The headers that tell the service behind who is calling.
    pub(super) identity: Identity,
    /// How a denial looks to the client.
    pub(super) responses: Responses,
    /// What the process tells about itself.
    pub(super) telemetry: Telemetry,
    /// What is taken on at once.
    pub(super) limits: Limits,
}

/// Keys of later versions: unknown today, and named as such in the mistake.
pub(super) const LATER: &[&str] = &[
    "issuers/*/status_lists",
    "policies/*/mode",
    "telemetry/traces",
    "foreign",
    "relay",
    "inject",
];
