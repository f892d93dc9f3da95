//! `revocations.yaml`: what an operator revoked by hand.

use super::{Names, Revoked, Strike};
use crate::clock::Timestamp;
use crate::subject::Subject;
use crate::tenant::Config as Tenants;
use crate::token::issuer::Config as Issuer;
use crate::yaml::{self, Mistakes, Path, Tree};
use schemars::JsonSchema;
use serde::Deserialize;

/// The file as written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// Tokens, by `jti`.
    tokens: Vec<Token>,
    /// Sessions, by `sid`.
    sessions: Vec<Session>,
    /// Subjects, as a token writes them: rewritten and normalized as the issuer's tokens are.
    subjects: Vec<Named>,
    /// Users, by the directory's id.
    users: Vec<User>,
    /// Tenants.
    tenants: Vec<House>,
    /// Whole issuers.
    issuers: Vec<Whole>,
    /// Keys, by `kid`, else RFC 7638 thumbprint; a shared secret is called `secret`.
    keys: Vec<Key>,
}

macro_rules! entry {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        struct $name {
            $($(#[$field_doc])* $field: $type,)*
            /// Since when, RFC 3339; for the log.
            at: Option<Time>,
            /// When the entry ends, RFC 3339; never, if left out.
            until: Option<Time>,
            /// Why; for the log.
            reason: Option<String>,
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
struct Time(#[schemars(with = "String")] Timestamp);

impl TryFrom<String> for Time {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Timestamp::parse_rfc3339(&text)
            .map(Self)
            .ok_or("expected an RFC 3339 time")
    }
}

/// Reads the file; each entry that names what is not configured is a mistake of its own.
pub(super) fn read(
    path: &std::path::Path,
    issuers: &[Issuer],
    tenants: &Tenants,
) -> Result<Revoked, Mistakes> {
    let (tree, document) = yaml::open::<Document>(path);
    let mut reading = Reading {
        tree,
        issuers,
        tenants,
    };
    let mut revoked = Revoked::default();
    if let Some(document) = document {
        reading.take(document, &mut revoked);
    }
    match reading.tree.into_mistakes() {
        none if none.is_empty() => Ok(revoked),
        mistakes => Err(mistakes),
    }
}

struct Reading<'i> {
    tree: Tree,
    issuers: &'i [Issuer],
    tenants: &'i Tenants,
}

impl Reading<'_> {
    fn take(&mut self, document: Document, revoked: &mut Revoked) {
        let Document {
            tokens,
            sessions,
            subjects,
            users,
            tenants,
            issuers,
            keys,
        } = document;
        for (at, entry) in tokens.into_iter().enumerate() {
            let Token {
                issuer,
                jti,
                at: since,
                until,
                reason,
            } = entry;
            self.named(
                "tokens",
                at,
                &issuer,
                jti,
                strike(None, since, until, reason),
                &mut revoked.tokens,
            );
        }
        for (at, entry) in sessions.into_iter().enumerate() {
            let Session {
                issuer,
                sid,
                at: since,
                until,
                reason,
            } = entry;
            self.named(
                "sessions",
                at,
                &issuer,
                sid,
                strike(None, since, until, reason),
                &mut revoked.sessions,
            );
        }
        for (at, entry) in keys.into_iter().enumerate() {
            let Key {
                issuer,
                kid,
                at: since,
                until,
                reason,
            } = entry;
            self.named(
                "keys",
                at,
                &issuer,
                kid,
                strike(None, since, until, reason),
                &mut revoked.keys,
            );
        }
        for (at, entry) in issuers.into_iter().enumerate() {
            let Whole {
                issuer,
                before,
                at: since,
                until,
                reason,
            } = entry;
            if let Some(issuer) = self.issuer("issuers", at, &issuer) {
                let struck = strike(before, since, until, reason);
                revoked
                    .issuers
                    .entry((*issuer.issuer).into())
                    .or_default()
                    .push(struck);
            }
        }
        for (at, entry) in subjects.into_iter().enumerate() {
            self.subject(at, entry, revoked);
        }
        for (at, entry) in users.into_iter().enumerate() {
            self.user(at, entry, revoked);
        }
        for (at, entry) in tenants.into_iter().enumerate() {
            let House {
                tenant,
                before,
                at: since,
                until,
                reason,
            } = entry;
            let path = Path::default().key("tenants").item(at).key("tenant");
            if let Some(tenant) = self.tenant(&path, &tenant) {
                let struck = strike(before, since, until, reason);
                revoked.tenants.entry(tenant).or_default().push(struck);
            }
        }
    }

    /// A tenant in the form in which tokens are looked up.
    fn tenant(&mut self, path: &Path, written: &str) -> Option<Box<str>> {
        match self.tenants.normalized(written) {
            Ok(tenant) => Some(tenant.into()),
            Err(error) => {
                let remedy = format!("correct it: {error}");
                self.mistake(path, "a tenant of the configured format", written, &remedy);
                None
            }
        }
    }

    /// Takes an entry that names something of one issuer.
    fn named(
        &mut self,
        list: &str,
        at: usize,
        issuer: &str,
        name: String,
        strike: Strike,
        into: &mut Names,
    ) {
        if let Some(issuer) = self.issuer(list, at, issuer) {
            into.entry((*issuer.issuer).into())
                .or_default()
                .entry(name.into())
                .or_default()
                .push(strike);
        }
    }

    fn user(&mut self, at: usize, entry: User, revoked: &mut Revoked) {
        let User {
            issuer,
            id,
            tenant,
            before,
            at: since,
            until,
            reason,
        } = entry;
        let mut house = None;
        if let Some(tenant) = &tenant {
            let path = Path::default().key("users").item(at).key("tenant");
            house = self.tenant(&path, tenant);
            if house.is_none() {
                return;
            }
        }
        if let Some(issuer) = self.issuer("users", at, &issuer) {
            let names = revoked.users.entry((*issuer.realm).into()).or_default();
            let struck = (house, strike(before, since, until, reason));
            names.entry(id.into()).or_default().push(struck);
        }
    }

    fn subject(&mut self, at: usize, entry: Named, revoked: &mut Revoked) {
        let Named {
            issuer,
            subject,
            tenant,
            before,
            at: since,
            until,
            reason,
        } = entry;
        let mut house = None;
        if let Some(tenant) = &tenant {
            let path = Path::default().key("subjects").item(at).key("tenant");
            house = self.tenant(&path, tenant);
            if house.is_none() {
                return;
            }
        }
        let Some(issuer) = self.issuer("subjects", at, &issuer) else {
            return;
        };
        match Subject::of(&issuer.subject, &subject) {
            Ok(subject) => {
                let names = revoked.subjects.entry((*issuer.realm).into()).or_default();
                let struck = (house, strike(before, since, until, reason));
                names
                    .entry((**subject.normalized()).into())
                    .or_default()
                    .push(struck);
            }
            Err(error) => {
                let path = Path::default().key("subjects").item(at).key("subject");
                let remedy = format!("correct it: {error}");
                self.mistake(
                    &path,
                    "a subject as this issuer's tokens write it",
                    &subject,
                    &remedy,
                );
            }
        }
    }

    fn issuer(&mut self, list: &str, at: usize, name: &str) -> Option<&'_ Issuer> {
        let found = self
            .issuers
            .iter()
            .find(|one| *one.issuer == *name || *one.name == *name);
        if found.is_none() {
            let known: Vec<_> = self.issuers.iter().map(|issuer| &*issuer.name).collect();
            let remedy = format!("write one of: {}", known.join(", "));
            let path = Path::default().key(list).item(at).key("issuer");
            self.mistake(&path, "URL or name of a configured issuer", name, &remedy);
        }
        found
    }

    fn mistake(&mut self, path: &Path, expected: &str, came: &str, remedy: &str) {
        self.tree
            .report_at(path, expected, &yaml::shown(came), remedy);
    }
}

fn strike(
    before: Option<Time>,
    at: Option<Time>,
    until: Option<Time>,
    reason: Option<String>,
) -> Strike {
    Strike {
        before: before.map(|time| time.0),
        until: until.map(|time| time.0),
        at: at.map(|time| time.0),
        reason: reason.map(String::into_boxed_str),
    }
}
