//! The key `users.canary`.

use super::Beside;
use crate::config::document::Canary as Written;
use crate::config::report::At;
use crate::subject::Subject;
use crate::token::issuer;
use crate::user::Canary;
use crate::user::directory::Supabase;
use crate::yaml::shown;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn resolve(
    at: &At<'_>,
    written: Vec<Written>,
    beside: &Beside<'_>,
) -> Option<Vec<Canary>> {
    let resolved: Vec<_> = written
        .into_iter()
        .enumerate()
        .map(|(index, canary)| one(&at.item(index), canary, beside))
        .collect();
    let mut first_of: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for (index, canary) in resolved.iter().enumerate() {
        let Some(canary) = canary else { continue };
        if let Some(first) = first_of.insert(Arc::clone(&canary.realm), index) {
            at.item(index).wrong(
                "at most one canary a realm",
                format!("that realm again, which canary/{first} has"),
                "remove one of the two",
            );
        }
    }
    resolved.into_iter().collect()
}

fn one(at: &At<'_>, canary: Written, beside: &Beside<'_>) -> Option<Canary> {
    let Written {
        issuer,
        tenant,
        subject,
    } = canary;
    let tenant = self::tenant(&at.key("tenant"), tenant, beside);
    let issuer = issuer.and_then(|name| self::issuer(&at.key("issuer"), &name, beside))?;
    let at_subject = at.key("subject");
    let subject = subject
        .and_then(|written| self::subject(&at_subject, &written, issuer, beside.asks_supabase));
    Some(Canary {
        realm: Arc::clone(&issuer.realm),
        issuer: Arc::clone(&issuer.issuer),
        tenant: tenant?,
        subject: subject?,
    })
}

fn issuer<'b>(at: &At<'_>, name: &str, beside: &Beside<'b>) -> Option<&'b issuer::Config> {
    let issuers = || beside.issuers.iter().flatten();
    let found = issuers().find(|one| *one.issuer == *name || *one.name == *name);
    // The one that is meant may be one with mistakes of its own.
    if found.is_none() && beside.all_issuers {
        let known: Vec<_> = issuers().map(|one| &*one.name).collect();
        at.wrong(
            "URL or name of a configured issuer",
            shown(name),
            format!("write one of: {}", known.join(", ")),
        );
    }
    found
}

fn subject(
    at: &At<'_>,
    written: &str,
    issuer: &issuer::Config,
    asks_supabase: bool,
) -> Option<Arc<str>> {
    match Subject::of(&issuer.subject, written) {
        Ok(subject) if asks_supabase && !Supabase::can_be_asked_for(subject.normalized()) => {
            at.wrong(
                "the UUID of a user, because Supabase cannot be asked for another subject",
                shown(written),
                "write the user's id as Supabase shows it: in lower case, with hyphens",
            );
            None
        }
        Ok(subject) => Some(Arc::clone(subject.normalized())),
        Err(error) => {
            at.wrong(
                format!("a subject as the tokens of {} write it", issuer.name),
                shown(written),
                format!("correct it: {error}"),
            );
            None
        }
    }
}

#[expect(
    clippy::option_option,
    reason = "no tenant, or a mistake that was reported"
)]
fn tenant(at: &At<'_>, written: Option<String>, beside: &Beside<'_>) -> Option<Option<Arc<str>>> {
    let Some(written) = written else {
        if beside.asks_inside_tenant {
            at.wrong(
                "a tenant, because the directory is asked inside one",
                "none",
                "add the tenant in which this user is: `tenant: …`",
            );
            return None;
        }
        return Some(None);
    };
    match beside.tenant?.normalized(&written) {
        Ok(tenant) => Some(Some(tenant.into())),
        Err(error) => {
            at.wrong(
                "a tenant that matches `tenant.format`",
                shown(&written),
                format!("correct it: {error}"),
            );
            None
        }
    }
}
