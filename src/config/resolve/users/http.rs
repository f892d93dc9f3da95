//! The key `users.http`.

use super::reach::{Reaching, field, pointer, pointers, url_parts};
use crate::config::document::{
    Fields as WrittenFields, Http as Written, NotFound as WrittenNotFound, NotFoundCode as Code,
};
use crate::config::report::At;
use crate::user::directory::{
    Config, Fields, Http, NotFound, NotFoundCode, Pointer, UrlPart, UrlTemplate,
};
use crate::yaml::shown;

pub(super) fn resolve(at: &At<'_>, http: Written) -> Option<Config> {
    let Written {
        url,
        allow_plaintext,
        headers,
        token_file,
        tls,
        not_found,
        fields,
        disabled_values,
        attributes,
        required,
        consistent_read,
    } = http;
    let url = url.and_then(|url| url_template(&at.key("url"), &url, allow_plaintext));
    let consistent = (
        at.key("consistent_read").key("header"),
        consistent_read.header,
    );
    let reach = Reaching {
        allow_plaintext,
        headers,
        token: ("token_file", token_file),
        shown_in: &["authorization"],
        tls,
    }
    .resolve(at, consistent);
    let not_found = not_found.and_then(|shape| resolve_not_found(&at.key("not_found"), shape));
    let fields = resolve_fields(&at.key("fields"), &fields);
    let attributes = pointers(&at.key("attributes"), attributes);
    Some(Config::Http(Box::new(Http {
        url: url?,
        reach: reach?,
        not_found: not_found?,
        fields: fields?,
        disabled_values,
        attributes: attributes?,
        required,
    })))
}

/// The URL of one user.
fn url_template(at: &At<'_>, written: &str, allow_plaintext: bool) -> Option<UrlTemplate> {
    let names = ["subject", "tenant", "realm", "issuer"];
    let parts = url_parts(at, written, &names, allow_plaintext)?;
    if !parts.contains(&UrlPart::Subject) {
        at.wrong(
            "`{subject}` in the URL",
            shown(written),
            "write for example `https://users.example.com/users/{subject}`",
        );
        return None;
    }
    Some(UrlTemplate { parts })
}

fn resolve_not_found(at: &At<'_>, written: WrittenNotFound) -> Option<NotFound> {
    let WrittenNotFound {
        status,
        content_type,
        code,
    } = written;
    let lower = content_type.to_ascii_lowercase();
    let is_token = |text: &str| !text.is_empty() && header_token(text);
    let is_media_type = lower
        .split_once('/')
        .is_some_and(|(kind, sub)| is_token(kind) && is_token(sub));
    if !is_media_type {
        at.key("content_type").wrong(
            "a media type without parameters",
            shown(&content_type),
            "write for example `application/json`",
        );
    }
    let code = match code? {
        Code::Code(code) if code == "any" => Some(NotFoundCode::Any),
        Code::Code(is) => Pointer::parse("/code").map(|pointer| NotFoundCode::At { pointer, is }),
        Code::At(place) => match (place.pointer, place.is) {
            (Some(written), Some(is)) => pointer(&at.key("code").key("pointer"), &written)
                .map(|pointer| NotFoundCode::At { pointer, is }),
            (_, None) | (None, _) => None,
        },
    };
    Some(NotFound {
        status,
        content_type: lower,
        code: code?,
    })
}

/// A token of RFC 9110 5.6.2.
fn header_token(text: &str) -> bool {
    http::HeaderName::from_bytes(text.as_bytes()).is_ok()
}

fn resolve_fields(at: &At<'_>, fields: &WrittenFields) -> Option<Fields> {
    let WrittenFields {
        id,
        subject,
        tenant,
        status,
        roles,
        version,
    } = fields;
    if subject == "none" {
        at.key("subject").warn(
            "none",
            "that an answer is about the subject asked for is not checked",
        );
    }
    if tenant == "none" {
        at.key("tenant").warn(
            "none",
            "that an answer is about the tenant asked for is not checked",
        );
    }
    let id = field(&at.key("id"), id);
    let subject = field(&at.key("subject"), subject);
    let tenant = field(&at.key("tenant"), tenant);
    let status = field(&at.key("status"), status);
    let roles = field(&at.key("roles"), roles);
    let version = field(&at.key("version"), version);
    Some(Fields {
        id: id?,
        subject: subject?,
        tenant: tenant?,
        status: status?,
        roles: roles?,
        version: version?,
    })
}
