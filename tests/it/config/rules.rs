//! One row for each rule: what is put into the smallest configuration, the line and the words of the
//! only mistake that comes of it.

use super::{folder, parse_in};

/// Line 2: issuer, 4: users, 7: not_found. `ISSUER` and `HTTP` stand for further lines there.
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

enum Put {
    /// Beside the issuer, in place of its audiences.
    Issuer(&'static str),
    /// Into `users.http`, in place of its URL.
    Http(&'static str),
    /// At the end.
    Rest(&'static str),
}
use Put::{Http, Issuer, Rest};

const ISSUER_LINE: &str = "  audiences: [shop-api]";
const HTTP_LINE: &str = "    url: https://users.example.com/{subject}";

fn text(put: &Put) -> String {
    let (mut issuer, mut http, mut rest) = (ISSUER_LINE.to_owned(), HTTP_LINE.to_owned(), "");
    match put {
        Issuer(line) if line.contains("audiences:") => issuer = format!("  {line}"),
        Issuer(line) => issuer = format!("  {line}\n{ISSUER_LINE}"),
        Http(line) if line.contains("url:") => http = format!("    {line}"),
        Http(line) => http = format!("    {line}\n{HTTP_LINE}"),
        Rest(lines) => rest = lines,
    }
    BASE.replace("ISSUER", &issuer)
        .replace("HTTP", &http)
        .replace("REST", rest)
}

#[test]
fn each_rule_has_its_mistake() {
    let folder = folder();
    for (put, words) in rows() {
        let text = text(&put);
        let Err(mistakes) = parse_in(folder.path(), &text) else {
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
}

#[test]
fn the_base_of_the_rows_is_right() {
    let folder = folder();
    parse_in(folder.path(), &text(&Rest(""))).unwrap_or_else(|mistakes| panic!("{mistakes}"));
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
            "users/http/not_found/code: expected the value of the member `code`",
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
        let Err(mistakes) = parse_in(folder.path(), &text) else {
            panic!("expected {words:?} of\n{text}");
        };
        let told = mistakes.to_string();
        assert!(
            mistakes.iter().len() == 1 && told.contains(words),
            "expected {words:?} of\n{text}\ngot\n{told}"
        );
    }
}

fn rows() -> Vec<(Put, &'static str)> {
    let mut rows = yaml();
    rows.extend(listen());
    rows.extend(issuers());
    rows.extend(subjects_and_tenants());
    rows.extend(users());
    rows.extend(policies());
    rows.extend(answers());
    rows
}

fn yaml() -> Vec<(Put, &'static str)> {
    vec![
        (
            Rest("limits: {}\nlimits: {}"),
            ":9:1: limits: expected each key once",
        ),
        (
            Rest("limits: &a {}"),
            "limits: expected a value, got an anchor",
        ),
        (Rest("limits: {tokens: *a}"), "expected well-formed YAML"),
        (
            Rest("limits: !!map {}"),
            "limits: expected a value, got a tag",
        ),
        (Rest("---\nlimits: {}"), "expected one document"),
        (Rest("1: {}"), "expected a text as key"),
        (Rest("? [a]\n: b"), "expected a text as key"),
        (Rest("limits: ["), "expected well-formed YAML"),
        (Rest("limits:"), "limits: expected a mapping, got nothing"),
        (
            Rest("limits: {tokens: 5}"),
            "limits/tokens: expected a size such as `64MiB`, got the number 5",
        ),
        (
            Rest("limits: {tokens: '5'}"),
            "limits/tokens: expected a size",
        ),
        (
            Rest("limits: {tokens: 1KiB}"),
            "limits/tokens: expected a size from 1MiB",
        ),
        (
            Rest("limits: {token_bytes: 2MiB}"),
            "limits/token_bytes: expected a size from 256B to 1MiB",
        ),
        (
            Rest("limits: {in_flight: 0}"),
            "limits/in_flight: expected a whole number from 1",
        ),
        (
            Rest("limits: {waiting: 1.5}"),
            "limits/waiting: expected a whole number from 1",
        ),
    ]
}

fn listen() -> Vec<(Put, &'static str)> {
    vec![
        (
            Rest("listen: {check: []}"),
            "listen/check: expected a list that is not empty",
        ),
        (
            Rest("listen: {check: [localhost:1]}"),
            "listen/check/0: expected an IP address with a port",
        ),
        (
            Rest("listen: {check: ['unix:x.sock']}"),
            "expected an absolute path of a socket",
        ),
        (
            Rest("listen: {check: ['unix:@']}"),
            "expected a socket's name of 1 to 107 bytes",
        ),
        (
            Rest("listen: {check: ['unix:/a?mode=888']}"),
            "expected `mode=` with an octal number",
        ),
        (
            Rest("listen: {check: ['unix:/a?mode=1777']}"),
            "expected `mode=` with an octal number",
        ),
        (
            Rest("listen: {check: ['unix:/a', 'unix:/a']}"),
            "listen/check/1: expected each address once",
        ),
        (
            Rest("listen: {check: ['127.0.0.1:9'], health: '127.0.0.1:9'}"),
            "listen/health: expected an address of its own",
        ),
        (
            Rest("listen: {health: 'unix:/x'}"),
            "listen/health: expected an IP address with a port",
        ),
        (
            Rest(
                "listen: {check: ['unix:/a'], check_tls: {cert_file: tls.crt, key_file: tls.key}}",
            ),
            "listen/check_tls: expected a TCP address",
        ),
        (
            Rest("listen: {check_tls: {cert_file: tls.crt}}"),
            "listen/check_tls/key_file: expected a text, got no such key",
        ),
        (
            Rest("listen: {check_tls: {cert_file: tls.key, key_file: tls.key}}"),
            "expected a PEM file of certificates",
        ),
        (
            Rest("listen: {check_tls: {cert_file: tls.crt, key_file: tls.crt}}"),
            "expected a PEM file with an unencrypted private key",
        ),
        (
            Rest("listen: {drain: 2h}"),
            "listen/drain: expected a duration of at most 1h",
        ),
        (
            Rest("listen: {stop_within: 0s}"),
            "listen/stop_within: expected a duration of at least 1ms",
        ),
    ]
}

fn issuers() -> Vec<(Put, &'static str)> {
    vec![
        (
            Issuer("audiences: []"),
            "issuers/0/audiences: expected a list that is not empty",
        ),
        (
            Issuer("audiences: shop"),
            "issuers/0/audiences: expected `any` or a list",
        ),
        (
            Issuer("audiences: ['']"),
            "issuers/0/audiences/0: expected an audience",
        ),
        (
            Issuer("keys: {jwks_url: 'https://x', jwks_file: keys.json}"),
            "exactly one source of keys, got `jwks_url` and `jwks_file`",
        ),
        (
            Issuer("keys: {discovery: false}"),
            "exactly one source of keys, got none",
        ),
        (
            Issuer("keys: {jwks_url: 'http://keys.example.com'}"),
            "issuers/0/keys/jwks_url: expected an `https` URL",
        ),
        (
            Issuer("keys: {jwks_url: 'https://u:p@keys.example.com'}"),
            "expected a URL without user name and password, got one with them",
        ),
        (
            Issuer("keys: {jwks_url: keys.example.com}"),
            "expected an absolute URL",
        ),
        (
            Issuer("keys: {jwks_file: nowhere.json}"),
            "issuers/0/keys/jwks_file: expected a readable file",
        ),
        (Issuer("keys: {jwks_file: token}"), "expected a JWK Set"),
        (
            Issuer("keys: {secret_file: secret}\n  algorithms: [HS256, RS256]"),
            "issuers/0/algorithms/1: expected HS256, HS384 or HS512",
        ),
        (
            Issuer("keys: {secret_file: secret}\n  algorithms: [HS512]"),
            "expected a secret of at least 64 bytes",
        ),
        (
            Issuer("keys: {secret_file: secret}\n  algorithms: [HS384]"),
            "expected a secret of at least 48 bytes",
        ),
        (
            Issuer("keys: {secret_file: token}\n  algorithms: [HS256]"),
            "expected a secret of at least 32 bytes",
        ),
        (
            Issuer("keys: {secret_file: secret.pem}\n  algorithms: [HS256]"),
            "got a PEM text",
        ),
        (
            Issuer("keys: {secret_file: secret.json}\n  algorithms: [HS256]"),
            "got a JSON text",
        ),
        (
            Issuer("algorithms: [HS256]"),
            "issuers/0/algorithms/0: expected an algorithm of public keys",
        ),
        (
            Issuer("algorithms: [none]"),
            "issuers/0/algorithms/0: expected `HS256`",
        ),
        (
            Issuer("algorithms: []"),
            "issuers/0/algorithms: expected a list that is not empty",
        ),
        (
            Issuer("keys: {tls: {cert_file: tls.crt}}"),
            "expected `cert_file` with `key_file`",
        ),
        (
            Issuer("keys: {min_refresh: 6m}"),
            "issuers/0/keys/min_refresh: expected a duration of at most 5m",
        ),
        (
            Issuer("keys: {max_stale: 1m}"),
            "issuers/0/keys/max_stale: expected a duration of at least 5m",
        ),
        (
            Issuer("keys: {timeout: 0s}"),
            "issuers/0/keys/timeout: expected a duration of at least 1ms",
        ),
        (
            Issuer("leeway: 301s"),
            "issuers/0/leeway: expected a duration of at most 5m",
        ),
        (
            Issuer("max_lifetime: 0s"),
            "issuers/0/max_lifetime: expected a duration of at least 1ms",
        ),
        (
            Issuer("clock_ahead: 2h"),
            "issuers/0/clock_ahead: expected a duration of at most 1h",
        ),
        (
            Issuer("tenants: ['a b']"),
            "issuers/0/tenants/0: expected a tenant that matches",
        ),
        (
            Issuer("machines: {when: [{claim: gty}]}"),
            "issuers/0/machines/when/0/is: expected a text, got no such key",
        ),
        (
            Issuer("audiences: any\n- {issuer: 'https://id.example.com', audiences: any}"),
            "issuers/1/issuer: expected each issuer once",
        ),
        (
            Issuer(
                "audiences: any\n  realm: a\n- {issuer: 'https://b', name: id.example.com, realm: a, audiences: any}",
            ),
            "issuers/1/name: expected a name of its own",
        ),
        (
            Issuer("audiences: any\n- {issuer: 'https://b', audiences: any}"),
            "users/http/url: expected `{realm}` or `{issuer}`",
        ),
        (
            Issuer(
                "audiences: any\n- {issuer: 'https://b', realm: 'https://id.example.com', audiences: any}",
            ),
            "issuers/1/realm: expected a realm of its own, or one that every sharer writes",
        ),
    ]
}

fn subjects_and_tenants() -> Vec<(Put, &'static str)> {
    vec![
        (
            Issuer("subject: {format: '['}"),
            "issuers/0/subject/format: expected a regular expression",
        ),
        (
            Issuer("subject: {claim: ''}"),
            "issuers/0/subject/claim: expected a text that is not empty",
        ),
        (
            Issuer("subject: {normalize: [upper]}"),
            "issuers/0/subject/normalize/0: expected `trim`",
        ),
        (
            Issuer("subject: {rewrite: [{match: '(a)', to: '$2'}]}"),
            "issuers/0/subject/rewrite/0/to: expected groups that `match` has, got `$2`",
        ),
        (
            Issuer("subject: {rewrite: [{match: '(a)', to: '$1a'}]}"),
            "expected groups that `match` has, got `$1a`",
        ),
        (
            Issuer("subject: {rewrite: [{match: '(a)', to: '${name}'}]}"),
            "expected groups that `match` has, got `$name`",
        ),
        (
            Issuer("subject: {rewrite: [{match: '(a', to: ''}]}"),
            "issuers/0/subject/rewrite/0/match: expected a regular expression",
        ),
        (
            Rest("tenant: {format: ')('}"),
            "tenant/format: expected a regular expression",
        ),
        (
            Rest("tenant: {required: true}"),
            "expected a source of tenants, because one is required",
        ),
        (
            Rest("tenant: {known: ['-']}"),
            "tenant/known/0: expected a tenant that matches",
        ),
        (
            Rest("tenant: {known: {file: nowhere}}"),
            "tenant/known/file: expected a readable file",
        ),
        (
            Rest("tenant: {from: [{header: X-Tenant}]}"),
            "tenant/from/0/header: expected a header's name in lower case, got `X-Tenant`; write `x-tenant`",
        ),
        (
            Rest("tenant: {from: [{claim: a}, {claim: a}]}"),
            "tenant/from/1: expected each source once",
        ),
        (
            Rest("tenant: {from: [{claim: a, header: b}]}"),
            "expected exactly one of `claim`, `header`",
        ),
        (
            Rest("tenant: {from: [{}]}"),
            "tenant/from/0: expected exactly one of",
        ),
        (
            Rest("tenant: {from: [{host: shop.example.com}]}"),
            "tenant/from/0/host: expected `{tenant}` exactly once",
        ),
        (
            Rest("tenant: {from: [{host: '{tenant}.{tenant}.com'}]}"),
            "expected `{tenant}` exactly once",
        ),
        (
            Rest("tenant: {from: [{host: '{tenant}-a.com'}]}"),
            "`{tenant}` is one label",
        ),
        (
            Rest("tenant: {from: [{host: '{tenant}.a.com:443'}]}"),
            "`{tenant}` is one label",
        ),
        (
            Rest("tenant: {from: [{host: '{realm}.a.com'}]}"),
            "expected `{tenant}`, got `{realm}`",
        ),
        (
            Rest("tenant: {from: [{host: '{tenant.a.com'}]}"),
            "expected each `{` with its `}`",
        ),
        (
            Rest("tenant: {from: [{path: 't/{tenant}/'}]}"),
            "`{tenant}` is one segment",
        ),
        (
            Rest("tenant: {from: [{path: '/t-{tenant}/'}]}"),
            "`{tenant}` is one segment",
        ),
        (
            Rest("tenant: {from: [{path: '/../{tenant}/'}]}"),
            "`{tenant}` is one segment",
        ),
    ]
}

fn users() -> Vec<(Put, &'static str)> {
    vec![
        (
            Http("url: https://users.example.com/"),
            "users/http/url: expected `{subject}` in the URL",
        ),
        (Http("url: https://users.example.com/{usr}"), "got `{usr}`"),
        (
            Http("url: https://{subject}.example.com/"),
            "expected names between braces in path and query only",
        ),
        (
            Http("url: http://users.example.com/{subject}"),
            "users/http/url: expected an `https` URL",
        ),
        (
            Http("url: https://users.example.com/{subject}#x"),
            "expected a URL without `#`",
        ),
        (
            Http("url: https://users.example.com/{subject"),
            "expected each `{` with its `}`",
        ),
        (
            Http("url: https://users.example.com/{tenant}/{subject}"),
            "expected a source of tenants, because `users.http.url` has `{tenant}`",
        ),
        (
            Http("headers: {authorization: x}"),
            "users/http/headers/authorization: expected another header",
        ),
        (
            Http("headers: {host: x}"),
            "users/http/headers/host: expected another header",
        ),
        (Http("headers: {'a b': x}"), "expected a header's name"),
        (
            Http("headers: {a: \"x\\ny\"}"),
            "expected a header's value of visible ASCII",
        ),
        (
            Http("token_file: empty"),
            "users/http/token_file: expected a file of at least 1 bytes",
        ),
        (
            Http("attributes: {email: email}"),
            "users/http/attributes/email: expected a JSON pointer",
        ),
        (
            Http("fields: {id: id}"),
            "users/http/fields/id: expected a JSON pointer",
        ),
        (
            Http("required: [email]"),
            "users/http/required/0: expected an attribute of `users.http.attributes`",
        ),
        (
            Rest("  file: {path: users.yaml}"),
            "users: expected exactly one directory, got `http` and `file`",
        ),
        (
            Rest("  timeout: 0s"),
            "users/timeout: expected a duration of at least 1ms",
        ),
        (
            Rest("  wait: 2s"),
            "users/wait: expected a duration of at most 1s",
        ),
        (
            Rest("  concurrency: 1"),
            "users/concurrency: expected a whole number from 2",
        ),
        (
            Rest("  cache: {fresh: 0s}"),
            "users/cache/fresh: expected a duration of at least 1ms",
        ),
        (
            Rest("  cache: {not_found_for: 2h}"),
            "users/cache/not_found_for: expected a duration of at most 1h",
        ),
        (
            Rest("  cache: {max_memory: 1KiB}"),
            "users/cache/max_memory: expected a size from 1MiB",
        ),
        (
            Rest("revocation: {memory: {file: nowhere}}"),
            "revocation/memory/file: expected a readable file",
        ),
    ]
}

fn policies() -> Vec<(Put, &'static str)> {
    vec![
        (
            Rest("policies: {p: {roles: [a], require_user: false}}"),
            "policies/p/roles: expected no roles with `require_user: false`",
        ),
        (Rest("policies: {'a b': {}}"), "expected a policy's name"),
        (
            Rest("policies: {p: {credentials: []}}"),
            "policies/p/credentials: expected a list that is not empty",
        ),
        (
            Rest("policies: {p: {credentials: [{header: X}]}}"),
            "policies/p/credentials/0/header: expected a header's name in lower case",
        ),
        (
            Rest("policies: {p: {credentials: [{cookie: 'a;'}]}}"),
            "expected a cookie's name",
        ),
        (
            Rest("policies: {p: {anonymous: true}}"),
            "policies/p/anonymous: expected `allow` or `deny`",
        ),
        (
            Rest("policies: {p: {audiences: all}}"),
            "policies/p/audiences: expected `inherit` or a list",
        ),
        (
            Rest("routes: [{policy: x}]"),
            "routes/0/policy: expected one of the policies default",
        ),
        (
            Rest("routes: [{path: /x}]"),
            "routes/0/policy: expected a text, got no such key",
        ),
        (
            Rest("routes: [{path: x, policy: default}]"),
            "routes/0/path: expected a path from `/`",
        ),
        (
            Rest("routes: [{path: '/a?b', policy: default}]"),
            "routes/0/path: expected a path from `/`",
        ),
        (
            Rest("routes: [{path: '/a//b', policy: default}]"),
            "routes/0/path: expected a path from `/`",
        ),
        (
            Rest("routes: [{host: 'a:80', policy: default}]"),
            "routes/0/host: expected a host without port",
        ),
        (
            Rest("routes: [{methods: ['G T'], policy: default}]"),
            "routes/0/methods/0: expected a method",
        ),
    ]
}

fn answers() -> Vec<(Put, &'static str)> {
    vec![
        (
            Rest("identity: {user_id: X-User}"),
            "identity/user_id: expected a header's name in lower case",
        ),
        (
            Rest("identity: {user_id: host}"),
            "expected neither `host` nor `x-envoy-…`",
        ),
        (
            Rest("identity: {strip: [x-envoy-a]}"),
            "identity/strip/0: expected neither `host` nor `x-envoy-…`",
        ),
        (
            Rest("identity: {user_id: ':path'}"),
            "expected no pseudo header",
        ),
        (
            Rest("identity: {user_id: te}"),
            "expected no header of the connection itself",
        ),
        (
            Rest("identity: {user_id: a-b-c-d-e-f-g}"),
            "at most five hyphens",
        ),
        (
            Rest("identity: {user_id: x-tenant-id}"),
            "identity/tenant: expected a header of its own",
        ),
        (
            Rest("identity: {user_id: x_tenant_id}"),
            "identity/tenant: expected a header of its own",
        ),
        (
            Rest("identity: {user_id: x-client-id}"),
            "identity/user_id: expected a header of its own",
        ),
        (
            Rest("identity: {strip: [x-user-id]}"),
            "identity/strip/0: expected a header of its own",
        ),
        (
            Rest("identity: {subject: x-subject, issuer: none}"),
            "identity/subject: expected `identity.issuer` beside it",
        ),
        (
            Rest("identity: {headers: {x-a: email}}"),
            "identity/headers/x-a: expected `attributes.NAME` or `claims.NAME`",
        ),
        (
            Rest("identity: {headers: {x-a: attributes.email}}"),
            "identity/headers/x-a: expected an attribute of `users.http.attributes`",
        ),
        (
            Rest("identity: {max_bytes: 1MiB}"),
            "identity/max_bytes: expected a size from 256B to 60KiB",
        ),
        (
            Rest("responses: {statuses: {user_missing: 401}}"),
            "responses/statuses/user_missing: expected a code",
        ),
        (
            Rest("responses: {statuses: {user_not_found: 200}}"),
            "responses/statuses/user_not_found: expected a status from 400 to 599",
        ),
        (
            Rest("responses: {messages: {user_not_found: \"a\\nb\"}}"),
            "responses/messages/user_not_found: expected one line",
        ),
        (
            Rest("responses: {headers: {content-type: a}}"),
            "responses/headers/content-type: expected another header",
        ),
        (
            Rest("responses: {headers: {Cache-Control: a}}"),
            "responses/headers/Cache-Control: expected another header",
        ),
        (
            Rest("responses: {headers: {www-authenticate: a}}"),
            "responses/headers/www-authenticate: expected another header",
        ),
        (
            Rest("responses: {realm: 'a\"b'}"),
            "responses/realm: expected a realm",
        ),
        (
            Rest("telemetry: {log: {subject: hash}}"),
            "telemetry/log/subject: expected `subject_key_file` beside it",
        ),
        (
            Rest("telemetry: {log: {subject_key_file: secret}}"),
            "telemetry/log/subject_key_file: expected no key without `subject: hash`",
        ),
        (
            Rest("telemetry: {log: {subject: hash, subject_key_file: empty}}"),
            "telemetry/log/subject_key_file: expected a file of at least 16 bytes",
        ),
        (
            Rest("telemetry: {log: {decisions: {sample: 2}}}"),
            "telemetry/log/decisions/sample: expected a number from 0",
        ),
        (
            Rest("telemetry: {log: {level: warning}}"),
            "telemetry/log/level: expected `error`, `warn`",
        ),
    ]
}
