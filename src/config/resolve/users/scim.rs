//! The key `users.scim`.

use super::reach::{Reaching, base_url, field, pointers};
use crate::config::document::{Scim as Written, ScimBy as WrittenBy};
use crate::config::report::At;
use crate::user::directory::{Config, Pointer, Scim, ScimBy, ScimRoles};
use crate::yaml::shown;

pub(super) fn resolve(at: &At<'_>, written: Written) -> Option<Config> {
    let Written {
        url,
        filter,
        by,
        allow_plaintext,
        headers,
        token_file,
        tls,
        roles,
        role,
        attributes,
        required,
    } = written;
    let url = url.and_then(|url| base_url(&at.key("url"), &url, allow_plaintext));
    let by = match (filter, by) {
        (Some(filter), None) => attribute(&at.key("filter"), &filter),
        (None, Some(WrittenBy::Id)) => Some(ScimBy::Id),
        (None, None) if at.key("filter").is_spoiled() || at.key("by").is_spoiled() => None,
        (filter, _) => {
            at.wrong(
                "exactly one of `filter` and `by`",
                if filter.is_some() { "both" } else { "none" },
                "write `filter: 'externalId eq \"{subject}\"'` or `by: id`",
            );
            None
        }
    };
    let reach = Reaching {
        allow_plaintext,
        headers,
        token: ("token_file", token_file),
        shown_in: &["authorization"],
        tls,
    }
    .resolve_plainly(at);
    let roles = field(&at.key("roles"), &roles);
    let attributes = pointers(&at.key("attributes"), attributes);
    Some(Config::Scim(Box::new(Scim {
        url: url?,
        by: by?,
        reach: reach?,
        roles: roles?.map(|at| ScimRoles { at, member: role }),
        attributes: attributes?,
        required,
    })))
}

/// One attribute, compared with `eq`: only then can an answer be held against the question.
fn attribute(at: &At<'_>, written: &str) -> Option<ScimBy> {
    let path = written
        .strip_suffix(" eq \"{subject}\"")
        .filter(|path| is_path(path));
    let found = path.and_then(|path| {
        let at = Pointer::parse(&place(path))?;
        let path = path.to_owned();
        Some(ScimBy::Attribute { path, at })
    });
    if found.is_none() {
        at.wrong(
            "one attribute, `eq` and `\"{subject}\"`",
            shown(written),
            "write for example `'externalId eq \"{subject}\"'`",
        );
    }
    found
}

/// An attribute's path (RFC 7644 3.4.2.2): perhaps a schema, a name, perhaps a sub-attribute.
fn is_path(path: &str) -> bool {
    let (schema, path) = split(path);
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_'))
    };
    let names: Vec<_> = path.split('.').collect();
    let is_urn = |schema: &str| {
        schema.starts_with("urn:")
            && schema
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || matches!(char, ':' | '.' | '-' | '_'))
    };
    schema.is_none_or(is_urn) && names.len() <= 2 && names.into_iter().all(is_name)
}

/// Where in a resource an attribute is; those of an extension stand under its schema
/// (RFC 7643 3.3), those of the core schema do not.
fn place(path: &str) -> String {
    const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    let (schema, path) = split(path);
    let path = path.replace('.', "/");
    match schema {
        Some(schema) if schema != CORE => format!("/{schema}/{path}"),
        Some(_) | None => format!("/{path}"),
    }
}

fn split(path: &str) -> (Option<&str>, &str) {
    path.rsplit_once(':')
        .map_or((None, path), |(schema, path)| (Some(schema), path))
}
