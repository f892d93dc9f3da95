//! Old subjects that lead to new ones.

use super::Person;
use super::books::Books;
use super::shelf::Place;
use crate::clock::Timestamp;
use std::sync::Arc;
use tokio::time::Instant;

/// The most renamings that are followed from one subject.
const LONGEST_CHAIN: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Alias {
    pub(super) to: Arc<str>,
    /// When the subject changed: tokens issued later are not meant, unless all are.
    pub(super) time: Timestamp,
    pub(super) all_tokens: bool,
    pub(super) arrived: Instant,
    pub(super) ends: Instant,
}

impl Books {
    /// The subjects to which an old one leads, one after the other, for a token that was issued then.
    /// What was told of the tenant goes before what was told of all.
    pub(super) fn aliases(
        &self,
        person: Person<'_>,
        issued: Option<Timestamp>,
        now: Instant,
    ) -> Vec<Arc<str>> {
        let is_meant =
            |alias: &&Alias| alias.all_tokens || issued.is_none_or(|at| at <= alias.time);
        let mut names: Vec<Arc<str>> = Vec::new();
        while names.len() < LONGEST_CHAIN {
            let subject = names.last().map_or(person.subject, |name| name);
            let mut aliases = self.aliases_of(person.realm, subject, person.tenant, now);
            match aliases.find(is_meant) {
                // A name that was seen leads round in a circle.
                Some(alias) if names.contains(&alias.to) || *alias.to == *person.subject => break,
                Some(alias) => names.push(Arc::clone(&alias.to)),
                None => break,
            }
        }
        names
    }

    /// Whether a renaming of this subject to that one would lead some look-up back to it, or through
    /// too many names.
    pub(super) fn leads_back(&self, from: &Place, to: &Arc<str>, now: Instant) -> bool {
        let leads_back_in = |tenant| self.reaches(&from.realm, tenant, to, &from.name, now);
        leads_back_in(from.tenant.as_deref())
            // A renaming in all tenants is seen beside each one's own.
            || (from.tenant.is_none()
                && self
                    .aliases
                    .tenants(&from.realm)
                    .any(|tenant| leads_back_in(Some(tenant))))
    }

    /// Whether, in a tenant, one subject can lead to another; which way a token goes is settled by
    /// when it was issued.
    fn reaches(
        &self,
        realm: &str,
        tenant: Option<&str>,
        subject: &Arc<str>,
        other: &str,
        now: Instant,
    ) -> bool {
        let mut names = vec![Arc::clone(subject)];
        let mut at = 0;
        while let Some(subject) = names.get(at).map(Arc::clone) {
            if *subject == *other || at >= LONGEST_CHAIN {
                return true;
            }
            for alias in self.aliases_of(realm, &subject, tenant, now) {
                if !names.contains(&alias.to) {
                    names.push(Arc::clone(&alias.to));
                }
            }
            at += 1;
        }
        false
    }

    /// The renaming of a subject in this tenant, and the one in all, unless they have ended.
    fn aliases_of<'b>(
        &'b self,
        realm: &str,
        subject: &str,
        tenant: Option<&str>,
        now: Instant,
    ) -> impl Iterator<Item = &'b Alias> + use<'b> {
        let (own, all) = self.aliases.of(realm, subject, tenant);
        own.into_iter()
            .chain(all)
            .filter(move |alias| alias.ends > now)
    }
}
