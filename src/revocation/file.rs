//! `revocations.yaml`: what an operator revoked by hand.

mod document;

use super::copy::Copy;
use super::name::{Kind, Name};
use super::strike::Strike;
use crate::subject::Subject;
use crate::tenant::Config as Tenants;
use crate::token::issuer::Config as Issuer;
use crate::yaml::{self, Mistakes, Path, Tree};
use document::{Document, House, Key, Named, Session, Time, Token, User, Whole};

/// Reads the file; each entry that names what is not configured is a mistake of its own.
pub(super) fn read(
    path: &std::path::Path,
    issuers: &[Issuer],
    tenants: &Tenants,
) -> Result<Copy, Mistakes> {
    let (tree, document) = yaml::open::<Document>(path);
    let mut reading = Reading {
        tree,
        issuers,
        tenants,
    };
    let revoked = Copy::default();
    if let Some(document) = document {
        reading.take(document, &revoked);
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
    fn take(&mut self, document: Document, revoked: &Copy) {
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
            let struck = strike(None, since, until, reason);
            self.named("tokens", at, Kind::Token, (&issuer, &jti), struck, revoked);
        }
        for (at, entry) in sessions.into_iter().enumerate() {
            let Session {
                issuer,
                sid,
                at: since,
                until,
                reason,
            } = entry;
            let struck = strike(None, since, until, reason);
            self.named(
                "sessions",
                at,
                Kind::Session,
                (&issuer, &sid),
                struck,
                revoked,
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
            let struck = strike(None, since, until, reason);
            self.named("keys", at, Kind::Key, (&issuer, &kid), struck, revoked);
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
                revoked.add(Name::issuer(&issuer.issuer), struck);
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
                revoked.add(Name::tenant(&tenant), struck);
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
        kind: Kind,
        (issuer, name): (&str, &str),
        strike: Strike,
        revoked: &Copy,
    ) {
        if let Some(issuer) = self.issuer(list, at, issuer) {
            revoked.add(Name::of_issuer(kind, &issuer.issuer, name), strike);
        }
    }

    fn user(&mut self, at: usize, entry: User, revoked: &Copy) {
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
            let name = Name::of_realm(Kind::User, &issuer.realm, &id, house.as_deref());
            revoked.add(name, strike(before, since, until, reason));
        }
    }

    fn subject(&mut self, at: usize, entry: Named, revoked: &Copy) {
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
                let subject = subject.normalized();
                let name = Name::of_realm(Kind::Subject, &issuer.realm, subject, house.as_deref());
                revoked.add(name, strike(before, since, until, reason));
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
