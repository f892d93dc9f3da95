//! What Envoy really does with headers, and that it does no harm (rules ENV-01 to ENV-13).

use crate::parts::client::{Request, get};
use crate::parts::envoy::{self, Envoy};
use crate::parts::issuer::Issuer;
use crate::parts::until;
use crate::world::{BARE, Expected, World};

/// Bare Envoy that joins repeated headers instead of sending them as they are.
async fn joining() -> World {
    let cooked = BARE.replace("encode_raw_headers: true", "encode_raw_headers: false");
    World::with(Issuer::start(), &cooked, |same| same).await
}

/// ENV-05: the same answers whether headers arrive as a map or as a list.
#[tokio::test]
async fn headers_are_read_in_both_of_their_forms() {
    for world in [World::start().await, joining().await] {
        let token = world.issuer.token().sign();
        world.send(&get("/").bearer(&token)).await.is_allowed();
        world
            .send(&get("/").bearer("bad"))
            .await
            .is_refused(401, "token_malformed");
        world.send(&get("/")).await.is_refused(401, "token_missing");
    }
}

/// ENV-05: two credentials are one too many, however Envoy joins them.
#[tokio::test]
async fn two_authorization_headers_are_malformed() {
    for world in [World::start().await, joining().await] {
        let token = world.issuer.token().sign();
        let twice = get("/").bearer(&token).bearer(&token);
        world.send(&twice).await.is_refused(401, "token_malformed");
        let joined = get("/").header("authorization", &format!("Bearer {token},Bearer {token}"));
        world.send(&joined).await.is_refused(401, "token_malformed");
    }
}

/// ENV-05: two tenants are a mismatch, apart or joined.
#[tokio::test]
async fn two_tenant_headers_are_a_mismatch() {
    for world in [World::start().await, joining().await] {
        let token = world.issuer.token().sign();
        let twice = get("/")
            .bearer(&token)
            .header("x-tenant-id", "acme")
            .header("x-tenant-id", "acme");
        world.send(&twice).await.is_refused(403, "tenant_mismatch");
    }
}

/// ENV-01, ENV-02: ours replaces the client's, once.
#[tokio::test]
async fn an_identity_header_is_overwritten_and_never_appended() {
    let world = World::start().await;
    let spoofed = get("/")
        .bearer(&world.issuer.token().sign())
        .header("x-user-id", "admin")
        .header("X-User-Id", "root")
        .header("x-user-roles", "admin");
    let answer = world.send(&spoofed).await;
    assert_eq!(answer.seen("x-user-id"), ["u-alice"]);
    assert_eq!(answer.seen("x-user-roles"), ["reader"]);
}

/// ENV-11: hop-by-hop games do not take our header away.
#[tokio::test]
async fn a_connection_header_that_names_ours_does_not_remove_it() {
    let world = World::start().await;
    let token = world.issuer.token().sign();
    for connection in [
        "x-user-id",
        "close, x-user-id",
        "close, X-Tenant-Id, x-user-roles",
    ] {
        let asked = get("/").bearer(&token).header("connection", connection);
        let answer = world.send(&asked).await;
        assert_eq!(
            answer.seen("x-user-id"),
            ["u-alice"],
            "connection: {connection}"
        );
        assert_eq!(
            answer.seen("x-tenant-id"),
            ["acme"],
            "connection: {connection}"
        );
        assert_eq!(
            answer.seen("x-user-roles"),
            ["reader"],
            "connection: {connection}"
        );
    }
}

/// ENV-10: what cannot be a header's value is our refusal, not Envoy's 5xx.
#[tokio::test]
async fn a_signed_subject_with_control_characters_is_refused_by_us() {
    let world = World::start().await;
    for subject in ["alice\r\nx-user-roles: admin", "alice\nadmin", "alice\0"] {
        let token = world.issuer.token().subject(subject).sign();
        world
            .send(&get("/").bearer(&token))
            .await
            .is_refused(401, "subject_invalid");
    }
}

/// ENV-10: the rest is percent-encoded and arrives.
#[tokio::test]
async fn a_name_beyond_ascii_reaches_the_service_percent_encoded() {
    let world = World::configured(|same| {
        same.and_sections("identity: {headers: {x-user-name: claims.name}}\n")
    })
    .await;
    let token = world.issuer.token().claim("name", "Zoë, 100%").sign();
    let answer = world.send(&get("/").bearer(&token)).await;
    answer.is_allowed();
    let seen = answer.seen("x-user-name").concat();
    assert_eq!(seen, "Zo%C3%AB,%20100%25");
}

/// BRR-09: whoever reads the log learns why, and nothing that opens a door.
#[tokio::test]
async fn each_refusal_is_one_line_in_the_log_and_no_line_holds_a_token() {
    let world = World::start().await;
    let expired = world.issuer.token().expires_in(-3600).sign();
    let unknown = world.issuer.token().subject("nobody").sign();
    for (number, token) in [&expired, &unknown, &expired].into_iter().enumerate() {
        let id = format!("request-{number}");
        let request = get("/").bearer(token).header("x-request-id", &id);
        assert_ne!(world.send(&request).await.status, 200);
    }
    let lines = || -> Vec<serde_json::Value> {
        let parsed = world.sidecar.log().into_iter();
        let parsed = parsed.filter_map(|line| serde_json::from_str(&line).ok());
        parsed
            .filter(|line: &serde_json::Value| line["target"] == "decision")
            .collect()
    };
    until("the lines are written", async || lines().len() == 3).await;
    let told: Vec<_> = lines()
        .iter()
        .map(|line| (line["level"].clone(), line["code"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("INFO".into(), "token_expired".into()),
            ("WARN".into(), "user_not_found".into()),
            ("INFO".into(), "token_expired".into()),
        ]
    );
    let log = world.sidecar.log().concat();
    for token in [&expired, &unknown] {
        let signature = token.rsplit('.').next().expect("a signature");
        assert!(!log.contains(signature));
    }
}

/// ENV-13: the reason is in Envoy's access log, on refusals and passes alike.
#[tokio::test]
async fn the_decision_is_in_envoys_dynamic_metadata() {
    let world = World::start().await;
    let gone = world.issuer.token().subject("dave").sign();
    world
        .send(&get("/refused").bearer(&gone))
        .await
        .is_refused(403, "user_not_found");
    let metadata = &world.envoy.access("/refused").await["metadata"];
    assert_eq!(metadata["code"], "user_not_found");
    assert_eq!(metadata["tenant"], "acme");
    assert_eq!(metadata["policy"], "default");
    assert_eq!(metadata["subject"], "dave");

    let token = world.issuer.token().sign();
    world
        .send(&get("/passed").bearer(&token))
        .await
        .is_allowed();
    let metadata = &world.envoy.access("/passed").await["metadata"];
    assert_eq!(metadata["user_id"], "u-alice");
    assert!(metadata["issuer"].is_string());
}

/// ENV-03: a refusal is a refusal also where Envoy's failure mode lets errors pass.
#[tokio::test]
async fn a_refusal_is_not_an_error_that_failure_mode_allow_lets_pass() {
    let world = World::start().await;
    let lenient = envoy::file(BARE)
        .service(world.backend.address())
        .sidecar_at_socket(&world.sidecar.place().socket())
        .swap("encode_raw_headers: true", "failure_mode_allow: true", 1);
    let lenient = Envoy::start(&lenient).await;
    world.users.down();
    let token = world.issuer.token().sign();
    let send = async |request: Request| lenient.client().send(&request).await;
    send(get("/").bearer(&token))
        .await
        .is_refused(503, "directory_unavailable");
    send(get("/misspelt").bearer(&token))
        .await
        .is_refused(503, "policy_unknown");
    send(get("/")).await.is_refused(401, "token_missing");
    assert_eq!(lenient.counter("cluster.service.ext_authz.error").await, 0);
    assert_eq!(lenient.counter("cluster.service.ext_authz.denied").await, 3);
}

/// `responses.unavailable: envoy_error` hands an outage to Envoy's failure mode, and nothing else.
#[tokio::test]
async fn envoys_failure_mode_rules_only_over_an_outage_behind_a_verified_token() {
    let world =
        World::configured(|same| same.and_sections("responses: {unavailable: envoy_error}\n"))
            .await;
    let lenient = envoy::file(BARE)
        .service(world.backend.address())
        .sidecar_at_socket(&world.sidecar.place().socket())
        .swap("encode_raw_headers: true", "failure_mode_allow: true", 1);
    let lenient = Envoy::start(&lenient).await;
    world.users.down();
    let token = world.issuer.token().sign();
    let send = async |request: Request| lenient.client().send(&request).await;
    assert_eq!(send(get("/").bearer(&token)).await.status, 200);
    send(get("/").bearer("bad"))
        .await
        .is_refused(401, "token_malformed");
    let strict = world.send(&get("/").bearer(&token)).await;
    assert_eq!(strict.status, 503);
}

#[tokio::test]
async fn a_token_beyond_the_limit_and_bytes_that_are_no_text_are_malformed() {
    let world = World::start().await;
    let long = world
        .issuer
        .token()
        .claim("padding", "x".repeat(20_000))
        .sign();
    world
        .send(&get("/").bearer(&long))
        .await
        .is_refused(401, "token_malformed");
    let odd = get("/").header("authorization", "Bearer a\u{e9}.b.c");
    world.send(&odd).await.is_refused(401, "token_malformed");
    let other = get("/").header("authorization", "Basic YWxpY2U6cHc=");
    world.send(&other).await.is_refused(401, "token_missing");
}
