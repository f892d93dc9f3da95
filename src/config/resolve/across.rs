//! What several parts must agree on.

use crate::config::document::{Document, Issuer, TenantSource, Tenants, Users};
use crate::config::report::At;
use crate::yaml::shown;
use std::collections::BTreeMap;

pub(super) fn check(at: &At<'_>, document: &Document) {
    let issuers = document.issuers.as_deref().unwrap_or_default();
    let sharing = Sharing::of(issuers);
    sharing.check(&at.key("issuers"), issuers);
    if let Some(users) = &document.users {
        directory_tells_realms_apart(at, &sharing, users, document);
        directory_proves_tenants(at, issuers, users, document);
        attributes_exist(at, users, document);
    }
}

/// Whether the directory's request names the tenant, so that there must be one.
pub(super) fn asks_inside_tenant(users: Option<&Users>) -> bool {
    users.is_some_and(|users| url(users).is_some_and(|url| url.contains("{tenant}")))
}

fn url(users: &Users) -> Option<&str> {
    users.http.as_ref()?.url.as_deref()
}

/// Which realm has which issuers.
struct Sharing<'d> {
    realms: BTreeMap<&'d str, Vec<usize>>,
}

impl<'d> Sharing<'d> {
    fn of(issuers: &'d [Issuer]) -> Self {
        let mut realms: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (index, issuer) in issuers.iter().enumerate() {
            if let Some(realm) = issuer.realm.as_deref().or(issuer.issuer.as_deref()) {
                realms.entry(realm).or_default().push(index);
            }
        }
        Self { realms }
    }

    fn is_shared(&self) -> bool {
        self.realms.values().any(|sharers| sharers.len() > 1)
    }

    /// A realm is shared on purpose or not at all.
    fn check(&self, at: &At<'_>, issuers: &[Issuer]) {
        for (realm, sharers) in self.realms.iter().filter(|(_, sharers)| sharers.len() > 1) {
            let by_default = sharers.iter().copied().find(|&index| {
                let issuer = issuers.get(index);
                issuer.is_some_and(|issuer| issuer.realm.is_none())
            });
            let written = sharers.iter().copied().find(|&index| {
                let issuer = issuers.get(index);
                issuer.is_some_and(|issuer| issuer.realm.is_some())
            });
            if let (Some(by_default), Some(written)) = (by_default, written) {
                at.item(written).key("realm").wrong(
                    "a realm of its own, or one that every sharer writes",
                    format!("the realm that issuers/{by_default} has by default"),
                    format!("write `realm: {realm}` at issuers/{by_default} too, or another here"),
                );
            }
        }
    }
}

fn directory_tells_realms_apart(
    at: &At<'_>,
    sharing: &Sharing<'_>,
    users: &Users,
    document: &Document,
) {
    let several = sharing.realms.len() > 1;
    let Some(http) = &users.http else { return };
    let url = http.url.as_deref().unwrap_or_default();
    let at_http = at.key("users").key("http");
    let apart = url.contains("{realm}") || url.contains("{issuer}");
    if several && !apart && !url.is_empty() {
        at_http.key("url").wrong(
            "`{realm}` or `{issuer}`, because there are several realms",
            "neither",
            "put one into the URL, or give all issuers one `realm` if they share their subjects",
        );
    }
    if url.contains("{issuer}") && sharing.is_shared() {
        at_http.key("url").wrong(
            "`{realm}`, because issuers share a realm",
            "`{issuer}`",
            "write `{realm}`: one user must have one URL",
        );
    }
    if several && http.fields.id == "none" && document.identity.issuer == "none" {
        at_http.key("fields").key("id").wrong(
            "a JSON pointer, because there are several realms and `identity.issuer` is off",
            "`none`",
            "name the id, or turn `identity.issuer` on: equal subjects of two realms are two users",
        );
    }
}

/// A tenant that only the request names must be proven by the directory's answer.
fn directory_proves_tenants(at: &At<'_>, issuers: &[Issuer], users: &Users, document: &Document) {
    let from = &document.tenant.from;
    let has_claim = from
        .iter()
        .any(|source| matches!(source, TenantSource::Claim(_)));
    let all_bound = issuers
        .iter()
        .all(|issuer| matches!(&issuer.tenants, Tenants::Of(tenants) if tenants.len() == 1));
    let unnamed = users
        .http
        .as_ref()
        .is_some_and(|http| http.fields.tenant == "none");
    if !from.is_empty() && !has_claim && !all_bound && unnamed && !asks_inside_tenant(Some(users)) {
        at.key("users").key("http").key("fields").key("tenant").wrong(
            "a JSON pointer, because only the request names the tenant",
            "`none`",
            "name the tenant's member, put `{tenant}` into the URL, or read a claim in `tenant.from`",
        );
    }
}

fn attributes_exist(at: &At<'_>, users: &Users, document: &Document) {
    let Some(http) = &users.http else { return };
    let at_attributes = at.key("users").key("http").key("attributes");
    let is_known =
        |name: &str| http.attributes.contains_key(name) || at_attributes.key(name).is_spoiled();
    for (header, source) in &document.identity.headers {
        if let Some(attribute) = source.strip_prefix("attributes.")
            && !is_known(attribute)
        {
            at.key("identity").key("headers").key(header).wrong(
                "an attribute of `users.http.attributes`",
                shown(attribute),
                format!("add `{attribute}: /…` there"),
            );
        }
    }
    for (index, attribute) in http.required.iter().enumerate() {
        if !is_known(attribute) {
            at.key("users")
                .key("http")
                .key("required")
                .item(index)
                .wrong(
                    "an attribute of `users.http.attributes`",
                    shown(attribute),
                    format!("add `{attribute}: /…` there"),
                );
        }
    }
}
