//! Names as they are written in the store: JSON arrays of texts.

use crate::event::{Event, Whom};
use crate::revocation::name::{Kind, Named};
use serde_json::Value as Json;
use std::fmt;

/// Under which name something lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Revocations.
    Revoked(Named),
    /// Lifecycle events: `lifecycle`, then whose: `subject`, `user`, `tenant` or `alias`, the realm, the
    /// name and, where there is one, the tenant.
    Lifecycle {
        /// Whose.
        whose: &'static str,
        /// The realm.
        realm: Box<str>,
        /// The subject, the id or the tenant.
        name: Box<str>,
        /// The tenant of a subject or a user.
        tenant: Option<Box<str>>,
    },
}

const LIFECYCLE: &str = "lifecycle";
const WHOSE: [&str; 4] = ["subject", "user", "tenant", "alias"];

impl Key {
    /// The name under which an event lies; `None` where it names nobody.
    pub fn of_event(event: &Event) -> Option<Self> {
        let is_alias = matches!(event.kind, crate::event::Kind::UserIdChanged { .. });
        let (whose, name, tenant) = match (&event.whom, &event.tenant) {
            (Some(Whom::Subject(from)), tenant) if is_alias => ("alias", from, tenant.as_deref()),
            (Some(Whom::Subject(subject)), tenant) => ("subject", subject, tenant.as_deref()),
            (Some(Whom::Id(id)), tenant) => ("user", id, tenant.as_deref()),
            (None, Some(tenant)) => ("tenant", tenant, None),
            (None, None) => return None,
        };
        Some(Self::Lifecycle {
            whose,
            realm: (*event.realm).into(),
            name: (**name).into(),
            tenant: tenant.map(Box::from),
        })
    }

    /// Reads a name; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<String> = serde_json::from_str(text).ok()?;
        let mut parts = parts.into_iter().map(String::into_boxed_str);
        let first = parts.next()?;
        let rest: Vec<_> = parts.collect();
        if *first == *LIFECYCLE {
            let [whose, rest @ ..] = &*rest else {
                return None;
            };
            let whose = WHOSE.into_iter().find(|known| **known == **whose)?;
            let (realm, name, tenant) = match rest {
                [realm, name] => (realm, name, None),
                [realm, name, tenant] if whose != "tenant" => (realm, name, Some(tenant)),
                _ => return None,
            };
            return Some(Self::Lifecycle {
                whose,
                realm: realm.clone(),
                name: name.clone(),
                tenant: tenant.cloned(),
            });
        }
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| *kind.as_str() == *first)?;
        let (scope, name, tenant) = match (kind, &*rest) {
            (Kind::Token | Kind::Session | Kind::Key, [issuer, name]) => (issuer, Some(name), None),
            (Kind::Subject | Kind::User, [realm, name]) => (realm, Some(name), None),
            (Kind::Subject | Kind::User, [realm, name, tenant]) => {
                (realm, Some(name), Some(tenant))
            }
            (Kind::Issuer, [issuer]) => (issuer, None, None),
            (Kind::Tenant, [tenant]) => {
                return Some(Self::Revoked(Named {
                    kind,
                    scope: "".into(),
                    name: tenant.clone(),
                    tenant: None,
                }));
            }
            _ => return None,
        };
        Some(Self::Revoked(Named {
            kind,
            scope: scope.clone(),
            name: name.cloned().unwrap_or_default(),
            tenant: tenant.cloned(),
        }))
    }
}

/// As it is written in the store.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<&str> = Vec::with_capacity(5);
        match self {
            Self::Revoked(named) => {
                parts.push(named.kind.as_str());
                match named.kind {
                    Kind::Tenant => parts.push(&named.name),
                    Kind::Issuer => parts.push(&named.scope),
                    Kind::Token | Kind::Session | Kind::Key | Kind::Subject | Kind::User => {
                        parts.extend([&*named.scope, &*named.name]);
                    }
                }
                parts.extend(named.tenant.as_deref());
            }
            Self::Lifecycle {
                whose,
                realm,
                name,
                tenant,
            } => {
                parts.extend([LIFECYCLE, whose, realm, name]);
                parts.extend(tenant.as_deref());
            }
        }
        let texts = parts.into_iter().map(|part| Json::String(part.to_owned()));
        Json::Array(texts.collect()).fmt(f)
    }
}
