use super::{SMALLEST, parse};
use std::fs;
use std::time::Duration;
use subgate::config;

#[test]
fn what_is_not_written_has_the_documented_defaults() {
    let loaded = parse(SMALLEST).expect("a configuration");
    insta::assert_debug_snapshot!(loaded.config);
    assert_eq!(loaded.warnings, []);
}

#[test]
fn writing_the_defaults_out_changes_nothing() {
    let explicit = "\
listen: {check: [127.0.0.1:19191], health: 127.0.0.1:19192, admin: 127.0.0.1:19193, drain: 20s, stop_within: 10s}
issuers:
- issuer: https://id.example.com/realms/acme
  name: id.example.com/realms/acme
  realm: https://id.example.com/realms/acme
  keys: {discovery: true, refresh: 5m, min_refresh: 10s, max_stale: 24h, timeout: 5s}
  algorithms: [RS256, PS256, ES256, EdDSA]
  audiences: [shop-api]
  token_types: [at+jwt, JWT]
  required_claims: []
  leeway: 30s
  max_lifetime: 24h
  clock_ahead: 0s
  tenants: any
  machines: {when: [], allow: false}
  status_lists: []
  subject: {claim: sub, normalize: [trim], format: any, reserved: ['', 'null', undefined, none, '0', anonymous], rewrite: [], unmatched: refuse}
tenant: {required: false, from: [], normalize: [trim, lowercase], format: '[A-Za-z0-9][A-Za-z0-9._-]{0,63}', known: any}
users:
  http:
    url: https://users.example.com/v1/users/{subject}
    allow_plaintext: false
    headers: {accept: application/json}
    not_found: {status: [404, 410], content_type: application/json, code: user_not_found}
    fields: {id: /id, subject: /subject, tenant: /tenant, status: /status, roles: /roles, version: /version}
    disabled_values: [disabled, suspended, deleted, inactive]
    attributes: {}
    required: []
  timeout: 1s
  wait: 180ms
  retries: 2
  concurrency: 64
  creation_grace: 30s
  alias_for: 24h 30s
  cache: {fresh: 60s, stale_while_revalidate: 60s, stale_if_error: 15m, not_found_for: 5s, tombstone_for: 25h, max_memory: 64MiB}
  canary: []
  vanish_guard: {share: 0.2, window: 60s, min: 20}
  audit: {every: 10m, sample: 100}
revocation: {memory: {}}
policies: {default: {credentials: [{bearer: authorization}], anonymous: deny, preflight: deny, audiences: inherit, scopes: [], roles: [], require_user: true}}
routes: []
identity: {user_id: x-user-id, tenant: x-tenant-id, roles: x-user-roles, issuer: x-user-issuer, headers: {}, strip: [x-forwarded-user], max_bytes: 8KiB, forward_authorization: true}
responses: {format: json, unavailable: deny, statuses: {}, messages: {}, headers: {}, realm: subgate}
telemetry: {log: {level: info, format: auto, subject: plain, decisions: denies}}
limits: {token_bytes: 16KiB, in_flight: 1024, waiting: 256, tokens: 32MiB}
";
    let explicit = parse(explicit).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(explicit, parse(SMALLEST).expect("a configuration"));
}

#[test]
fn marks_and_aliases_outlive_the_tokens_that_the_issuers_allow() {
    let text = SMALLEST.replace(
        "  audiences: [shop-api]",
        "  audiences: [shop-api]\n  max_lifetime: 30h\n  leeway: 1m\n  realm: people\n\
         - {issuer: https://b.example.com, realm: people, audiences: any}",
    );
    let users = parse(&text).expect("a configuration").config.users;
    assert_eq!(users.cache.tombstone_for, Duration::from_mins(30 * 60 + 2));
    assert_eq!(users.alias_for, Duration::from_mins(30 * 60 + 1));
}

#[test]
fn the_committed_schema_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/subgate.schema.json");
    let committed: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).expect("docs/subgate.schema.json"))
            .expect("JSON");
    assert!(
        committed == config::schema(),
        "docs/subgate.schema.json is out of date: run `cargo run -- schema > docs/subgate.schema.json`"
    );
}

#[test]
fn every_key_of_the_schema_is_described_and_in_the_reference() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let reference = fs::read_to_string(path).expect("docs/configuration.md");
    let schema = config::schema();
    let definitions = schema["$defs"].as_object().expect("definitions").values();
    for object in definitions.chain([&schema]) {
        let branches = object["oneOf"].as_array().into_iter().flatten();
        for object in branches.chain([object]) {
            for (key, property) in object["properties"].as_object().into_iter().flatten() {
                let described = [property, object]
                    .iter()
                    .any(|schema| schema["description"].is_string());
                assert!(described, "`{key}` has no description");
                assert!(
                    reference.contains(key.as_str()),
                    "docs/configuration.md lacks `{key}`"
                );
            }
        }
    }
}
