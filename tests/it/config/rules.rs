//! Each rule of the configuration, with a text that breaks it and nothing else.

use super::{folder, parse_in};
use std::path::Path;

const BASE: &str = "\
issuers:
- issuer: https://id.example.com
ISSUER
users:
  http:
HTTP
    not_found: {code: user_not_found}
REST
";

const ISSUER_LINE: &str = "  audiences: [shop-api]";
const HTTP_LINE: &str = "    url: https://users.example.com/{subject}";

const REDIS_LINE: &str = "url: redis://127.0.0.1:6379";

/// The smallest configuration with a text at one of its places.
fn text(place: &str, put: &str) -> String {
    let put = put.replace('⏎', "\n");
    let (mut issuer, mut http) = (ISSUER_LINE.to_owned(), HTTP_LINE.to_owned());
    let mut rest = String::new();
    match place {
        "issuer" if put.contains("audiences:") => issuer = format!("  {put}"),
        "issuer" => issuer = format!("  {put}\n{ISSUER_LINE}"),
        "http" if put.contains("url:") => http = format!("    {put}"),
        "http" => http = format!("    {put}\n{HTTP_LINE}"),
        "redis" if put.contains("url:") || put == "mode: replica" => {
            rest = format!("revocation:\n  redis:\n    {put}");
        }
        "redis" => rest = format!("revocation:\n  redis:\n    {REDIS_LINE}\n    {put}"),
        "rest" => rest = put,
        other => panic!("no place {other:?}"),
    }
    BASE.replace("ISSUER", &issuer)
        .replace("HTTP", &http)
        .replace("REST", &rest)
}

/// Expects exactly one mistake, with these words.
pub(super) fn expect(folder: &Path, text: &str, words: &str) {
    let Err(mistakes) = parse_in(folder, text) else {
        panic!("expected {words:?} of\n{text}");
    };
    let told = mistakes.to_string();
    assert!(
        mistakes.iter().len() == 1 && told.contains(words),
        "expected {words:?} of\n{text}\ngot\n{told}"
    );
    for mistake in mistakes.iter() {
        assert!(!mistake.remedy.is_empty() && !mistake.expected.is_empty());
    }
}

#[test]
fn the_base_of_the_rows_is_right() {
    let folder = folder();
    let text = text("rest", "");
    parse_in(folder.path(), &text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
}

#[test]
fn each_rule_has_its_mistake() {
    let folder = folder();
    let rows = include_str!("rules.table");
    for row in rows
        .lines()
        .filter(|row| !row.is_empty() && !row.starts_with('#'))
    {
        let columns: Vec<_> = row.split(" | ").collect();
        let [place, put, words] = columns.as_slice() else {
            panic!("three columns: {row}");
        };
        expect(folder.path(), &text(place, put), words);
    }
}

#[test]
fn each_rule_of_a_grpc_directory_has_its_mistake() {
    let folder = folder();
    let rows = [
        ("", "users/grpc/endpoint: expected a text, got no such key"),
        (
            "endpoint: users",
            "users/grpc/endpoint: expected an absolute URL, got `users`; write for example \
             `https://users.example.com:443`",
        ),
        (
            "endpoint: 'http://users.example.com:50051'",
            "users/grpc/endpoint: expected an `https` URL",
        ),
        (
            "endpoint: 'grpc://users.internal:50051'",
            "users/grpc/endpoint: expected an `https` URL",
        ),
        (
            "endpoint: 'https://u:p@users.internal'",
            "expected a URL without user name and password",
        ),
        (
            "endpoint: 'https://users.internal:50051/v1'",
            "users/grpc/endpoint: expected an endpoint without a path",
        ),
        (
            "endpoint: 'https://users.internal:50051?x=y'",
            "users/grpc/endpoint: expected an endpoint without a path",
        ),
        (
            "endpoint: 'https://users..internal:50051'",
            "users/grpc/endpoint: expected a host that a certificate can name",
        ),
        (
            "endpoint: 'unix:users.sock'",
            "users/grpc/endpoint: expected an absolute path of a socket",
        ),
        (
            "endpoint: 'unix:/users.sock', token_file: empty",
            "users/grpc/token_file: expected a file that is not empty",
        ),
        (
            "endpoint: 'unix:/users.sock', tls: {cert_file: tls.crt}",
            "users/grpc/tls: expected `cert_file` with `key_file`",
        ),
        (
            "endpoint: 'unix:/users.sock', watch: 1",
            "users/grpc/watch: expected `true` or `false`",
        ),
        (
            "endpoint: 'unix:/users.sock', attributes: {}",
            "users/grpc/attributes: expected",
        ),
        (
            "endpoint: 'unix:/users.sock'}, file: {path: users.yaml",
            "users: expected exactly one directory, got `grpc` and `file`",
        ),
    ];
    for (members, words) in rows {
        let text = format!(
            "issuers: [{{issuer: 'https://a', audiences: any}}]\nusers: {{grpc: {{{members}}}}}\n"
        );
        expect(folder.path(), &text, words);
    }
}

#[test]
fn a_grpc_directory_tells_realms_and_tenants_apart_and_has_any_attribute() {
    let folder = folder();
    for endpoint in [
        "http://127.0.0.1:50051",
        "http://users.default.svc:50051",
        "https://[::1]",
        "unix:/run/users.sock",
    ] {
        let text = format!(
            "issuers: [{{issuer: 'https://a', audiences: any}}, {{issuer: 'https://b', audiences: any}}]\n\
             tenant: {{from: [{{header: x-tenant}}]}}\n\
             identity: {{issuer: none, headers: {{x-plan: attributes.plan}}}}\n\
             users: {{grpc: {{endpoint: '{endpoint}', required: [plan]}}}}\n"
        );
        parse_in(folder.path(), &text).unwrap_or_else(|mistakes| panic!("{text}{mistakes}"));
    }
}

/// Rules over several parts, each with its whole text.
#[test]
fn parts_that_do_not_agree_have_their_mistake() {
    const USERS: &str = "users: {http: {not_found: {code: c}";
    let rows = [
        (
            "issuers: [{issuer: 'https://a?x=y', audiences: any}]\n\
             USERS, url: 'https://u/{subject}'}}",
            ":1:20: issuers/0/issuer: expected an issuer without `?`",
        ),
        (
            "issuers: [{issuer: 'http://a.example.com', audiences: any}]\n\
             USERS, url: 'https://u/{subject}'}}",
            ":1:20: issuers/0/issuer: expected an `https` URL",
        ),
        (
            "issuers: [{issuer: a, audiences: any}]\nUSERS, url: 'https://u/{subject}'}}",
            ":1:20: issuers/0/issuer: expected an absolute URL",
        ),
        (
            "issuers: [{issuer: 'https://a', realm: r, audiences: any}, \
             {issuer: 'https://b', realm: r, audiences: any}]\n\
             USERS, url: 'https://u/{issuer}/{subject}'}}",
            ":2:43: users/http/url: expected `{realm}`, because issuers share a realm",
        ),
        (
            "issuers: [{issuer: 'https://a', audiences: any}, {issuer: 'https://b', audiences: any}]\n\
             USERS, url: 'https://u/{issuer}/{subject}', fields: {id: none}}}\n\
             identity: {issuer: none}",
            "users/http/fields/id: expected a JSON pointer, because there are several realms",
        ),
        (
            "issuers: [{issuer: 'https://a', audiences: any}]\n\
             USERS, url: 'https://u/{subject}', fields: {tenant: none}}}\n\
             tenant: {from: [{header: x-tenant}]}",
            "users/http/fields/tenant: expected a JSON pointer, because only the request names",
        ),
        (
            "issuers: [{issuer: 'https://a', audiences: any}]\nusers: {}",
            ":2:8: users: expected exactly one directory, got none",
        ),
        (
            "issuers: [{issuer: 'https://a', audiences: any}]\n\
             users: {http: {url: 'https://u/{subject}', not_found: {code: any}}}",
            "users/http/not_found/code: expected the value of the member `code` in a not-found \
             answer, or a canary in every realm, got `any`, and no canary in the realm `https://a`; \
             write the value, or add `canary: [{issuer: a, subject: …}]` to `users`",
        ),
        (
            "issuers: [{issuer: 'https://a', audiences: any}, {issuer: 'https://b', audiences: any}]\n\
             users: {http: {url: 'https://u/{realm}/{subject}', not_found: {code: any}}, \
             canary: [{issuer: a, subject: c}]}",
            "and no canary in the realm `https://b`",
        ),
        (
            "issuers: [{issuer: 'https://a', audiences: any}]\n\
             tenant: {from: [{claim: tenant}]}\n\
             USERS, url: 'https://u/{tenant}/{subject}'}, canary: [{issuer: a, subject: c}]}",
            "users/canary/0/tenant: expected a tenant, because the directory is asked inside one",
        ),
        (
            "issuers: [{issuer: 'https://a', audiences: any, max_lifetime: 48h}, \
             {issuer: 'https://b', name: bob, audiences: any, max_lifetime: 48h, leeway: 5m}]\n\
             USERS, url: 'https://u/{realm}/{subject}'}, cache: {tombstone_for: 25h}}",
            "expected a duration of at least 2890m, the `max_lifetime` (48h) and twice the `leeway` \
             (5m) of bob, got 25h; write `49h`",
        ),
        (
            "issuers: [{issuer: 'https://a', audiences: any}]\n\
             users: {http: {url: 'https://u/{subject}', not_found: {status: [500], code: c}}}",
            "users/http/not_found/status/0: expected a whole number from 200 to 499",
        ),
        (
            "issuers: [{issuer: 'https://a', audiences: any}]\n\
             users: {http: {url: 'https://u/{subject}', not_found: {content_type: json, code: c}}}",
            "users/http/not_found/content_type: expected a media type",
        ),
        (
            "issuers: [{issuer: 'https://a', audiences: any}]\n\
             users: {http: {url: 'https://u/{subject}', not_found: {code: {pointer: a, is: c}}}}",
            "users/http/not_found/code/pointer: expected a JSON pointer",
        ),
        (
            "issuers: []\nusers: {file: {path: users.yaml}}",
            ":1:10: issuers: expected a list that",
        ),
        (
            "users: {file: {path: users.yaml}}",
            ":1:1: issuers: expected a list that is not empty",
        ),
        ("[]", ":1:1: expected a mapping, got an empty list"),
    ];
    let folder = folder();
    for (text, words) in rows {
        let text = text.replace("USERS", USERS);
        expect(folder.path(), &text, words);
    }
}

#[test]
fn any_answer_is_a_not_found_where_every_realm_has_a_canary() {
    let text = "issuers: [{issuer: 'https://a', realm: one, audiences: any}, \
                {issuer: 'https://b', realm: one, audiences: any}, \
                {issuer: 'https://c', audiences: any}]\n\
                users: {http: {url: 'https://u/{realm}/{subject}', not_found: {code: any}}, \
                canary: [{issuer: b, subject: ' Canary '}, {issuer: 'https://c', subject: c}]}";
    let folder = folder();
    let loaded = parse_in(folder.path(), text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let canary = &loaded.config.users.canaries[0];
    assert_eq!((&*canary.realm, &*canary.issuer), ("one", "https://b"));
    assert_eq!((&*canary.subject, &canary.tenant), ("Canary", &None));
}

#[test]
fn a_canary_of_an_issuer_with_mistakes_is_not_judged() {
    let text = "issuers: [{issuer: 'https://a', audiences: any, leeway: 1h}]\n\
                users: {file: {path: users.yaml}, canary: [{issuer: a, subject: 'null'}]}";
    expect(folder().path(), text, "issuers/0/leeway");
}
