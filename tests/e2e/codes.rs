//! Every code of the table, provoked through Envoy.

use crate::parts::client::{Request, get};
use crate::parts::faulty::person;
use crate::parts::issuer::Issuer;
use crate::parts::key::{Algorithm, Key};
use crate::parts::token::{Token, now};
use crate::parts::users::{Mood, User};
use crate::parts::{self, envoy};
use crate::scene::Scene;
use crate::world::{BARE, Expected, POLICIES, World};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use subgate::decision::refusal::Code;

/// Codes with a test of their own below.
const ALONE: [&str; 3] = ["tenant_suspended", "overloaded", "internal"];

const REVOKED: &str = "tokens: [{issuer: acme, jti: lost-laptop, reason: the laptop was lost}]
subjects: [{issuer: acme, subject: frank, before: '2100-01-01T00:00:00Z'}]
";

struct Row {
    code: &'static str,
    status: u16,
    request: Request,
}

fn row(status: u16, code: &'static str, request: Request) -> Row {
    Row {
        code,
        status,
        request,
    }
}

const SECTIONS: &str = "tenant:
  from: [{claim: tenant}, {header: x-tenant-id}]
  known: [acme, globex]
revocation: {memory: {file: '{folder}/revocations.yaml'}}
";

const STRICT: &str = "keys: {discovery: true, min_refresh: 100ms}
status_lists: ['http://127.0.0.1:9/']
algorithms: [RS256, ES256]
subject: {normalize: [trim, lowercase], format: '[a-z0-9-]+'}
";

async fn world(unreachable: &str) -> World {
    let issuer = Issuer::with(&[Algorithm::ES256, Algorithm::RS256]);
    let url = issuer.url();
    let world = World::with(issuer, BARE, |same| {
        same.issuer(&url, STRICT)
            .and_issuer(unreachable, "unreachable", "")
            .sections(SECTIONS)
            .and_sections(POLICIES)
            .file("revocations.yaml", REVOKED)
    })
    .await;
    world.users.add(User::named("erin").of("globex"));
    world.users.mood_about("gina", Mood::Status(500));
    world
}

fn token_rows(world: &World, unreachable: &str) -> Vec<Row> {
    let token = || world.issuer.token();
    let bearer = |token: Token| get("/").bearer(&token.sign());
    let foreign = || Arc::new(Key::generate(Algorithm::ES256));
    // Nobody listens on the port of `discard`.
    let nowhere = json!({"status_list": {"idx": 0, "uri": "http://127.0.0.1:9/list"}});
    vec![
        row(401, "token_missing", get("/")),
        row(401, "token_malformed", get("/").bearer("not.a.token")),
        row(
            401,
            "token_malformed",
            bearer(token().header("crit", vec!["exp"])),
        ),
        row(401, "token_malformed", bearer(token().typ("logout+jwt"))),
        row(401, "token_malformed", bearer(token().without("exp"))),
        row(401, "token_malformed", bearer(token().claim("exp", "soon"))),
        row(
            401,
            "algorithm_not_allowed",
            bearer(token().header("alg", "HS256")),
        ),
        row(
            401,
            "algorithm_not_allowed",
            bearer(token().header("alg", "none")),
        ),
        row(
            401,
            "key_unknown",
            bearer(token().kid("another").signed_by(foreign())),
        ),
        row(
            401,
            "signature_invalid",
            bearer(token().signed_by(foreign())),
        ),
        row(
            401,
            "signature_invalid",
            get("/").bearer(&token().sign_then("sub", "admin")),
        ),
        row(
            401,
            "issuer_unknown",
            bearer(token().claim("iss", "https://staging.example.com")),
        ),
        row(
            401,
            "audience_mismatch",
            bearer(token().audience("another-api")),
        ),
        row(401, "audience_mismatch", bearer(token().without("aud"))),
        row(
            401,
            "token_expired",
            bearer(token().issued_ago(600).expires_in(-300)),
        ),
        row(
            401,
            "token_not_yet_valid",
            bearer(token().claim("nbf", now() + 120)),
        ),
        row(401, "token_not_yet_valid", bearer(token().issued_ago(-120))),
        row(
            401,
            "token_lifetime_exceeded",
            bearer(token().expires_in(30 * 86_400)),
        ),
        row(
            401,
            "token_revoked",
            bearer(token().claim("jti", "lost-laptop")),
        ),
        row(401, "token_revoked", bearer(token().subject("frank"))),
        row(401, "token_malformed", bearer(token().claim("status", 5))),
        row(
            503,
            "revocation_unavailable",
            bearer(token().claim("status", nowhere)),
        ),
        row(
            503,
            "keys_unavailable",
            bearer(Token::new(unreachable, foreign())),
        ),
    ]
}

fn subject_rows(world: &World) -> Vec<Row> {
    let token = || world.issuer.token();
    let bearer = |token: Token| get("/").bearer(&token.sign());
    vec![
        row(401, "subject_missing", bearer(token().without("sub"))),
        row(
            401,
            "subject_invalid",
            bearer(token().subject("alice@example.com")),
        ),
        row(
            401,
            "subject_reserved",
            bearer(token().subject("undefined")),
        ),
        row(401, "subject_reserved", bearer(token().subject("0"))),
        row(400, "tenant_missing", bearer(token().without("tenant"))),
        row(
            403,
            "tenant_mismatch",
            bearer(token()).header("x-tenant-id", "globex"),
        ),
        row(
            403,
            "tenant_unknown",
            bearer(token().claim("tenant", "initech")),
        ),
        row(
            403,
            "tenant_unknown",
            bearer(token().claim("tenant", "../acme")),
        ),
        row(403, "user_not_found", bearer(token().subject("dave"))),
        row(403, "user_not_found", bearer(token().subject("erin"))),
        row(
            503,
            "user_not_yet_visible",
            bearer(token().subject("nina").issued_ago(0)),
        ),
        row(403, "user_disabled", bearer(token().subject("bob"))),
        row(403, "user_incomplete", bearer(token().subject("carol"))),
        row(
            403,
            "scope_insufficient",
            get("/writers").bearer(&token().sign()),
        ),
        row(
            403,
            "scope_insufficient",
            get("/admins").bearer(&token().sign()),
        ),
        row(
            503,
            "directory_unavailable",
            bearer(token().subject("gina")),
        ),
        row(
            503,
            "policy_unknown",
            get("/misspelt").bearer(&token().sign()),
        ),
    ]
}

#[tokio::test]
async fn every_code_reaches_the_client_with_its_status_body_and_challenge() {
    let unreachable = format!("http://{}", parts::free_address());
    let world = world(&unreachable).await;
    let mut rows = token_rows(&world, &unreachable);
    rows.extend(subject_rows(&world));

    for Row {
        code,
        status,
        request,
    } in &rows
    {
        let answer = world
            .send(&request.clone().header("x-request-id", "row-1"))
            .await;
        answer.is_refused(*status, code);
        let body = answer.json();
        let message = Code::parse(code)
            .expect("a code of the table")
            .default_message();
        assert_eq!(body["message"], message);
        assert_eq!(body["request_id"], "row-1", "{code}");
        challenges(code, *status, answer.header("www-authenticate"));
        let retry = answer.header("retry-after");
        let passes = [
            "keys_unavailable",
            "revocation_unavailable",
            "directory_unavailable",
            "user_not_yet_visible",
        ];
        assert!(
            !passes.contains(code) || retry.parse::<u32>().is_ok(),
            "{code}: retry-after `{retry}`"
        );
    }

    let provoked = |code: &str| rows.iter().any(|row| row.code == code);
    let lacking: Vec<&str> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !provoked(code) && !ALONE.contains(code))
        .collect();
    assert!(lacking.is_empty(), "no row provokes {lacking:?}");
    assert!(
        world.backend.seen().is_empty(),
        "a refused request reached the service"
    );
}

/// RFC 6750 3: a challenge with every 401, without `error` where no credential came.
fn challenges(code: &str, status: u16, challenge: &str) {
    if status == 401 || code == "user_not_found" {
        assert!(
            challenge.starts_with("Bearer realm=\"subgate\""),
            "{code}: `{challenge}`"
        );
        let error = challenge.contains("error=\"invalid_token\"");
        assert_eq!(error, code != "token_missing", "{code}: `{challenge}`");
    } else if code != "scope_insufficient" {
        assert_eq!(challenge, "", "{code}");
    }
}

#[tokio::test]
async fn nobody_of_a_suspended_tenant_passes_until_it_is_resumed() {
    let people = vec![person("acme", "alice"), person("globex", "alice")];
    let scene = Scene::with(people, "").await;
    let elsewhere = || scene.issuer.token().claim("tenant", "globex");
    scene.ask("alice").await.is_allowed();
    let event = |kind| json!({"type": kind, "tenant": "acme"});
    scene.tell(event("tenant.suspended")).await;
    scene.ask("alice").await.is_refused(403, "tenant_suspended");
    scene.ask("dave").await.is_refused(403, "tenant_suspended");
    scene.show(elsewhere()).await.is_allowed();
    scene.tell(event("tenant.resumed")).await;
    scene.ask("alice").await.is_allowed();
}

#[tokio::test]
async fn requests_that_would_wait_beyond_the_limit_are_overloaded_at_once() {
    let world = World::configured(|same| same.and_sections("limits: {waiting: 1}\n")).await;
    let known = world.issuer.token().sign();
    world.send(&get("/").bearer(&known)).await.is_allowed();
    world.users.slow(Duration::from_secs(5));

    let strangers: Vec<_> = (0..8)
        .map(|number| {
            let token = world
                .issuer
                .token()
                .subject(&format!("stranger-{number}"))
                .sign();
            let client = world.envoy.client();
            tokio::spawn(async move { client.send(&get("/").bearer(&token)).await.code() })
        })
        .collect();
    let mut codes = Vec::new();
    for stranger in strangers {
        codes.push(stranger.await.expect("an answer"));
    }
    world.send(&get("/").bearer(&known)).await.is_allowed();
    codes.sort();
    codes.dedup();
    assert_eq!(codes, ["directory_unavailable", "overloaded"]);
}

#[tokio::test]
async fn a_request_whose_headers_envoy_withholds_is_internal() {
    let world = World::start().await;
    let file = envoy::file(BARE)
        .service(world.backend.address())
        .sidecar_at_socket(&world.sidecar.place().socket())
        .swap(
            "encode_raw_headers: true",
            "allowed_headers: {patterns: [{exact: x-nothing}]}",
            1,
        );
    let blind = envoy::Envoy::start(&file).await;
    let token = world.issuer.token().sign();
    blind
        .client()
        .send(&get("/").bearer(&token))
        .await
        .is_refused(503, "internal");
}
