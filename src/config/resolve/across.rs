//! What several parts must agree on.

use super::issuers;
use crate::config::document::{
    Canary, Document, Issuer, KnownFormat, NotFoundCode, SubjectFormat, TenantSource, Tenants,
    Users,
};
use crate::config::report::At;
use crate::yaml::shown;
use std::collections::BTreeMap;

pub(super) fn check(at: &At<'_>, document: &Document) {
    let issuers = document.issuers.as_deref().unwrap_or_default();
    let sharing = Sharing::of(issuers);
    sharing.check(&at.key("issuers"), issuers);
    if let Some(users) = &document.users {
        let asked = asked(users);
        for asked in &asked {
            directory_tells_realms_apart(at, &sharing, asked, document);
            directory_proves_tenants(at, issuers, asked, document);
            required_attributes_exist(at, asked);
        }
        injected_attributes_exist(at, &asked, document);
        canaries_stand_for_any(at, &sharing, issuers, users);
        supabase_asks_for_uuids(at, issuers, users);
    }
}

/// Whether the directory's request names the tenant, so that there must be one.
pub(super) fn asks_inside_tenant(users: Option<&Users>) -> bool {
    let asked = users.map(asked).unwrap_or_default();
    asked.iter().any(Asked::inside_tenant)
}

/// What the directories that are asked by URL have in common.
struct Asked<'d> {
    key: &'static str,
    url: &'d str,
    /// What may stand in the URL and tells realms apart.
    by_realm: &'static [&'static str],
    /// Whether the record names the tenant; `None`: it never does.
    names_tenant: Option<bool>,
    /// Whether the subject is the id.
    is_id_subject: bool,
    attributes: &'d BTreeMap<String, String>,
    required: &'d [String],
}

impl Asked<'_> {
    fn inside_tenant(&self) -> bool {
        self.url.contains("{tenant}")
    }

    /// Whether there is such an attribute, or one with a mistake of its own.
    fn has(&self, at: &At<'_>, attribute: &str) -> bool {
        let at = at.key("users").key(self.key).key("attributes");
        self.attributes.contains_key(attribute) || at.key(attribute).is_spoiled()
    }
}

/// Those that are written; where there are several, any may be the one that is kept.
fn asked(users: &Users) -> Vec<Asked<'_>> {
    let http = users.http.as_ref().map(|http| Asked {
        key: "http",
        url: http.url.as_deref().unwrap_or_default(),
        by_realm: &["{realm}", "{issuer}"],
        names_tenant: Some(http.fields.tenant != "none"),
        is_id_subject: http.fields.id == "none",
        attributes: &http.attributes,
        required: &http.required,
    });
    let scim = users.scim.as_ref().map(|scim| Asked {
        key: "scim",
        url: scim.url.as_deref().unwrap_or_default(),
        by_realm: &["{realm}"],
        names_tenant: None,
        is_id_subject: false,
        attributes: &scim.attributes,
        required: &scim.required,
    });
    let supabase = users.supabase.as_ref().map(|supabase| Asked {
        key: "supabase",
        url: supabase.url.as_deref().unwrap_or_default(),
        by_realm: &["{realm}"],
        names_tenant: Some(supabase.fields.tenant != "none"),
        is_id_subject: false,
        attributes: &supabase.attributes,
        required: &supabase.required,
    });
    [http, scim, supabase].into_iter().flatten().collect()
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
    asked: &Asked<'_>,
    document: &Document,
) {
    let several = sharing.realms.len() > 1;
    let at_asked = at.key("users").key(asked.key);
    let apart = asked.by_realm.iter().any(|name| asked.url.contains(name));
    if several && !apart && !asked.url.is_empty() {
        let names: Vec<_> = asked
            .by_realm
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        at_asked.key("url").wrong(
            format!("{}, because there are several realms", names.join(" or ")),
            if names.len() > 1 { "neither" } else { "none" },
            "put one into the URL, or give all issuers one `realm` if they share their subjects",
        );
    }
    if asked.by_realm.contains(&"{issuer}") && asked.url.contains("{issuer}") && sharing.is_shared()
    {
        at_asked.key("url").wrong(
            "`{realm}`, because issuers share a realm",
            "`{issuer}`",
            "write `{realm}`: one user must have one URL",
        );
    }
    if several && asked.is_id_subject && document.identity.issuer == "none" {
        at_asked.key("fields").key("id").wrong(
            "a JSON pointer, because there are several realms and `identity.issuer` is off",
            "`none`",
            "name the id, or turn `identity.issuer` on: equal subjects of two realms are two users",
        );
    }
}

/// A tenant that only the request names must be proven by the directory's answer.
fn directory_proves_tenants(
    at: &At<'_>,
    issuers: &[Issuer],
    asked: &Asked<'_>,
    document: &Document,
) {
    let from = &document.tenant.from;
    let has_claim = from
        .iter()
        .any(|source| matches!(source, TenantSource::Claim(_)));
    let all_bound = issuers
        .iter()
        .all(|issuer| matches!(&issuer.tenants, Tenants::Of(tenants) if tenants.len() == 1));
    if from.is_empty() || has_claim || all_bound || asked.inside_tenant() {
        return;
    }
    let at_asked = at.key("users").key(asked.key);
    match asked.names_tenant {
        Some(true) => {}
        Some(false) => at_asked.key("fields").key("tenant").wrong(
            "a JSON pointer, because only the request names the tenant",
            "`none`",
            "name the tenant's member, put `{tenant}` into the URL, or read a claim in `tenant.from`",
        ),
        None => at_asked.key("url").wrong(
            "`{tenant}`, because only the request names the tenant",
            "none",
            "put `{tenant}` into the URL, or read a claim in `tenant.from`",
        ),
    }
}

/// Any answer of the right status is a not-found only where a canary shows that users are found.
fn canaries_stand_for_any(at: &At<'_>, sharing: &Sharing<'_>, issuers: &[Issuer], users: &Users) {
    let code = users.http.as_ref().and_then(|http| http.not_found.as_ref());
    let code = code.and_then(|shape| shape.code.as_ref());
    let is_any = matches!(code, Some(NotFoundCode::Code(code)) if code == "any");
    if !is_any || at.key("users").key("canary").is_spoiled() || at.key("issuers").is_spoiled() {
        return;
    }
    let is_of = |canary: &Canary, index: &usize| {
        let issuer = issuers.get(*index);
        canary.issuer.as_deref().is_some_and(|named| {
            issuer.is_some_and(|issuer| {
                issuer.issuer.as_deref() == Some(named) || name(issuer).as_deref() == Some(named)
            })
        })
    };
    let lacking = sharing.realms.iter().find(|(_, sharers)| {
        let has = |canary: &Canary| sharers.iter().any(|index| is_of(canary, index));
        !users.canary.iter().any(has)
    });
    if let Some((realm, sharers)) = lacking {
        let issuer = sharers.first().and_then(|index| issuers.get(*index));
        let named = issuer.and_then(name).unwrap_or_else(|| "…".to_owned());
        at.key("users")
            .key("http")
            .key("not_found")
            .key("code")
            .wrong(
                "the value of the member `code` in a not-found answer, or a canary in every realm",
                format!("`any`, and no canary in the realm {}", shown(realm)),
                format!(
                    "write the value, or add `canary: [{{issuer: {named}, subject: …}}]` to `users`: \
                     a user that always exists"
                ),
            );
    }
}

/// Supabase knows users by UUID: whoever is named otherwise can never be asked for.
fn supabase_asks_for_uuids(at: &At<'_>, issuers: &[Issuer], users: &Users) {
    if users.supabase.is_none() {
        return;
    }
    for (index, issuer) in issuers.iter().enumerate() {
        if !matches!(
            issuer.subject.format,
            SubjectFormat::Known(KnownFormat::Uuid)
        ) {
            at.key("issuers").item(index).key("subject").key("format").warn(
                "not `uuid`",
                "Supabase knows users by UUID alone: tokens of other subjects are answered with 503 \
                 instead of `subject_invalid`; write `subject: {format: uuid}`",
            );
        }
    }
}

/// The name by which an issuer may be called.
fn name(issuer: &Issuer) -> Option<String> {
    let default = || issuer.issuer.as_deref().map(issuers::default_name);
    issuer.name.clone().or_else(default)
}

fn required_attributes_exist(at: &At<'_>, asked: &Asked<'_>) {
    for (index, attribute) in asked.required.iter().enumerate() {
        if !asked.has(at, attribute) {
            let at_asked = at.key("users").key(asked.key);
            unknown_attribute(&at_asked.key("required").item(index), asked, attribute);
        }
    }
}

fn injected_attributes_exist(at: &At<'_>, asked: &[Asked<'_>], document: &Document) {
    let Some(first) = asked.first() else { return };
    for (header, source) in &document.identity.headers {
        if let Some(attribute) = source.strip_prefix("attributes.")
            && !asked.iter().any(|asked| asked.has(at, attribute))
        {
            let at_header = at.key("identity").key("headers").key(header);
            unknown_attribute(&at_header, first, attribute);
        }
    }
}

fn unknown_attribute(at: &At<'_>, asked: &Asked<'_>, attribute: &str) {
    at.wrong(
        format!("an attribute of `users.{}.attributes`", asked.key),
        shown(attribute),
        format!("add `{attribute}: /…` there"),
    );
}
