//! The key `users`.

use super::template::{self, Part};
use super::url::{self, Plain};
use super::{file, header, quantity};
use crate::config::document::{
    Fields as WrittenFields, Http as WrittenHttp, NotFound as WrittenNotFound,
    NotFoundCode as Code, Period, Users,
};
use crate::config::report::At;
use crate::user::Config;
use crate::user::directory::{
    self, Fields, Http, NotFound, NotFoundCode, Pointer, UrlPart, UrlTemplate,
};
use crate::yaml::shown;
use std::collections::BTreeMap;

pub(super) fn resolve(at: &At<'_>, users: Users) -> Option<Config> {
    let Users {
        http,
        file,
        timeout,
        wait,
        concurrency,
        cache,
    } = users;
    let directory = match (http, file) {
        (Some(http), None) => {
            resolve_http(&at.key("http"), http).map(|http| directory::Config::Http(Box::new(http)))
        }
        (None, Some(named)) => named
            .path
            .and_then(|written| file::readable(&at.key("file").key("path"), &written))
            .map(directory::Config::File),
        (Some(_), Some(_)) => {
            at.wrong(
                "exactly one directory",
                "`http` and `file`",
                "remove one of the two",
            );
            None
        }
        (None, None) if at.key("http").is_spoiled() || at.key("file").is_spoiled() => None,
        (None, None) => {
            at.wrong(
                "exactly one directory",
                "none",
                "add `http: {url: …, not_found: {code: …}}` or `file: {path: users.yaml}`",
            );
            None
        }
    };
    let shortest = Period::millis(1);
    let longest = Period::secs(60);
    let bounded = quantity::within(&at.key("timeout"), timeout, shortest, longest);
    let wait = quantity::within(
        &at.key("wait"),
        wait,
        shortest,
        bounded.map_or(longest, Period),
    );
    let cache = quantity::cache(&at.key("cache"), &cache);
    Some(Config {
        directory: directory?,
        timeout: bounded?,
        wait: wait?,
        concurrency,
        cache: cache?,
    })
}

fn resolve_http(at: &At<'_>, http: WrittenHttp) -> Option<Http> {
    let WrittenHttp {
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
    } = http;
    if allow_plaintext {
        at.key("allow_plaintext").warn(
            "true",
            "users may be asked for in plain text, where anyone may answer",
        );
    }
    let url = url.and_then(|url| url_template(&at.key("url"), &url, allow_plaintext));
    let secret = [(
        "authorization",
        "write the token into a file, for `token_file`",
    )];
    let headers = header::map(&at.key("headers"), headers, &secret);
    let token_file = match token_file {
        None => Some(None),
        Some(written) => file::secret(&at.key("token_file"), &written, 1).map(Some),
    };
    let tls = file::client_tls(&at.key("tls"), tls);
    let not_found = not_found.and_then(|shape| resolve_not_found(&at.key("not_found"), shape));
    let fields = resolve_fields(&at.key("fields"), &fields);
    let attributes: Vec<_> = attributes
        .into_iter()
        .map(|(name, written)| {
            let at = at.key("attributes").key(&name);
            Some((name, pointer(&at, &written)?))
        })
        .collect();
    Some(Http {
        url: url?,
        headers: headers?,
        token_file: token_file?,
        tls: tls?,
        not_found: not_found?,
        fields: fields?,
        disabled_values,
        attributes: attributes.into_iter().collect::<Option<BTreeMap<_, _>>>()?,
        required,
    })
}

/// The values are a client's to choose: they may stand in path and query, never in the host.
fn url_template(at: &At<'_>, written: &str, allow_plaintext: bool) -> Option<UrlTemplate> {
    let names = ["subject", "tenant", "realm", "issuer"];
    let parts = template::parts(at, written, &names)?;
    let sample: String = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text,
            Part::Name(_) => "x",
        })
        .collect();
    let url = url::fetched(at, &sample, Plain::Cluster, allow_plaintext)?;
    if url::is_exposed(&url, Plain::Cluster) {
        at.warn(&shown(written), "subjects travel in plain text");
    }
    let after_scheme = written.split_once("://").map_or(written, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('{') {
        at.wrong(
            "names between braces in path and query only",
            shown(authority),
            "write the host out",
        );
        return None;
    }
    if !parts.contains(&Part::Name("subject")) {
        at.wrong(
            "`{subject}` in the URL",
            shown(written),
            "write for example `https://users.example.com/users/{subject}`",
        );
        return None;
    }
    let parts = parts.into_iter().map(|part| match part {
        Part::Name("tenant") => UrlPart::Tenant,
        Part::Name("realm") => UrlPart::Realm,
        Part::Name("issuer") => UrlPart::Issuer,
        Part::Name(_) => UrlPart::Subject,
        Part::Text(text) => UrlPart::Text(text.to_owned()),
    });
    Some(UrlTemplate {
        parts: parts.collect(),
    })
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
        Code::Code(code) if code == "any" => {
            at.key("code").wrong(
                "the value of the member `code` in a not-found answer",
                "`any`",
                "write the value: `any` needs a canary, which is not in this version",
            );
            None
        }
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

/// A pointer, or the written-out `none`.
#[expect(
    clippy::option_option,
    reason = "`none`, or a mistake that was reported"
)]
fn field(at: &At<'_>, written: &str) -> Option<Option<Pointer>> {
    if written == "none" {
        return Some(None);
    }
    pointer(at, written).map(Some)
}

fn pointer(at: &At<'_>, written: &str) -> Option<Pointer> {
    let pointer = Pointer::parse(written);
    if pointer.is_none() {
        at.wrong(
            "a JSON pointer (RFC 6901)",
            shown(written),
            "write for example `/user/email`",
        );
    }
    pointer
}
