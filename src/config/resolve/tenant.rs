//! The key `tenant`.

use super::template::{self, Part};
use super::{file, header, subject};
use crate::config::document::{KnownTenants, Tenant, TenantSource};
use crate::config::report::At;
use crate::subject::Normalization;
use crate::tenant::{Config, Known, Source, Template};
use crate::yaml::shown;
use regex::Regex;
use std::collections::BTreeSet;

pub(super) fn resolve(at: &At<'_>, tenant: Tenant, asks_inside_tenant: bool) -> Option<Config> {
    let Tenant {
        required,
        from,
        normalize,
        format,
        known,
    } = tenant;
    let normalize: Vec<Normalization> = normalize.into_iter().map(Into::into).collect();
    let format = subject::whole(&at.key("format"), &format);
    if from.is_empty() && asks_inside_tenant {
        at.key("from").wrong(
            "a source of tenants, because the directory's URL has `{tenant}`",
            "none",
            "add for example `tenant: {from: [{claim: tenant}]}`",
        );
    } else if from.is_empty() && required {
        at.key("from").wrong(
            "a source of tenants, because one is required",
            "none",
            "add for example `from: [{claim: tenant}]`",
        );
    }
    let sources: Vec<_> = from
        .iter()
        .enumerate()
        .map(|(index, source)| {
            let at = at.key("from").item(index);
            if from.iter().take(index).any(|other| other == source) {
                at.wrong("each source once", "it again", "remove one of the two");
            }
            resolve_source(&at, source)
        })
        .collect();
    let at_known = at.key("known");
    let known = match known {
        KnownTenants::Any(_) => Some(Known::Any),
        KnownTenants::List(list) => format
            .as_ref()
            .and_then(|format| tenants(&at_known, &list, &normalize, format))
            .map(Known::List),
        KnownTenants::File(named) => named
            .file
            .and_then(|written| file::readable(&at_known.key("file"), &written))
            .map(Known::File),
    };
    Some(Config {
        required: required || asks_inside_tenant,
        from: sources.into_iter().collect::<Option<_>>()?,
        normalize,
        format: format?,
        known: known?,
    })
}

/// Tenants as they are after normalization, each of the right form.
pub(super) fn tenants(
    at: &At<'_>,
    written: &[String],
    normalize: &[Normalization],
    format: &Regex,
) -> Option<BTreeSet<String>> {
    let mut tenants = Some(BTreeSet::new());
    for (index, written) in written.iter().enumerate() {
        let Ok(tenant) = crate::tenant::normalized(written, normalize, format) else {
            at.item(index).wrong(
                "a tenant that matches `tenant.format`",
                shown(written),
                "correct the tenant, or the format",
            );
            tenants = None;
            continue;
        };
        if let Some(tenants) = &mut tenants {
            tenants.insert(tenant);
        }
    }
    tenants
}

fn resolve_source(at: &At<'_>, source: &TenantSource) -> Option<Source> {
    match source {
        TenantSource::Claim(claim) => Some(Source::Claim(claim.clone())),
        TenantSource::Context(name) => Some(Source::Context(name.clone())),
        TenantSource::Header(name) => header::name(&at.key("header"), name).map(Source::Header),
        TenantSource::Host(host) => host_template(&at.key("host"), host).map(Source::Host),
        TenantSource::Path(path) => path_template(&at.key("path"), path).map(Source::Path),
    }
}

fn host_template(at: &At<'_>, written: &str) -> Option<Template> {
    let lower = written.to_ascii_lowercase();
    let Template { before, after } = template(at, &lower)?;
    let is_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let whole_label = (before.is_empty() || before.ends_with('.'))
        && (after.is_empty() || after.starts_with('.'))
        && !(before.is_empty() && after.is_empty())
        && !lower.ends_with('.')
        && !lower.contains("..")
        && before.bytes().chain(after.bytes()).all(is_label);
    if !whole_label {
        at.wrong(
            "a host, without port, in which `{tenant}` is one label",
            shown(written),
            "write for example `{tenant}.shop.example.com`",
        );
        return None;
    }
    Some(Template { before, after })
}

fn path_template(at: &At<'_>, written: &str) -> Option<Template> {
    let Template { before, after } = template(at, written)?;
    let whole_segment = before.starts_with('/')
        && before.ends_with('/')
        && (after.is_empty() || after.starts_with('/'))
        && is_plain_path(&before)
        && is_plain_path(&after);
    if !whole_segment {
        at.wrong(
            "the start of a path in which `{tenant}` is one segment",
            shown(written),
            "write for example `/t/{tenant}/`",
        );
        return None;
    }
    Some(Template { before, after })
}

/// Whether a request's path could have this part: those with these marks match nothing.
pub(super) fn is_plain_path(path: &str) -> bool {
    path.bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"?#;\\%".contains(&byte))
        && !path.contains("//")
        && path
            .split('/')
            .all(|segment| segment != "." && segment != "..")
}

fn template(at: &At<'_>, written: &str) -> Option<Template> {
    let parts = template::parts(at, written, &["tenant"])?;
    let template = match parts.as_slice() {
        [Part::Name(_)] => Some(("", "")),
        [Part::Name(_), Part::Text(after)] => Some(("", *after)),
        [Part::Text(before), Part::Name(_)] => Some((*before, "")),
        [Part::Text(before), Part::Name(_), Part::Text(after)] => Some((*before, *after)),
        _ => None,
    };
    let Some((before, after)) = template else {
        at.wrong("`{tenant}` exactly once", shown(written), "write it once");
        return None;
    };
    Some(Template {
        before: before.to_owned(),
        after: after.to_owned(),
    })
}
