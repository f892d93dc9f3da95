//! The files in `envoy/`, as they are.

use crate::parts::client::get;
use crate::parts::envoy::{self, JWT_AUTHN, TCP, UDS};
use crate::parts::issuer::Issuer;
use crate::parts::key::Algorithm;
use crate::world::{Expected, World};

#[test]
fn envoy_loads_every_file_as_it_stands() {
    for name in ["uds", "tcp", "jwt-authn"] {
        let loaded = envoy::validate(&format!("envoy/plain/{name}.yaml"));
        assert_eq!(loaded, Ok(()), "envoy/plain/{name}.yaml");
    }
}

#[test]
fn every_file_fails_closed_and_says_so_with_503() {
    for file in [UDS, TCP, JWT_AUTHN] {
        for option in [
            "failure_mode_allow: false",
            "status_on_error: {code: ServiceUnavailable}",
            "timeout: 0.25s",
            "encode_raw_headers: true",
            "charge_cluster_response_stats: false",
            "headers_with_underscores_action: REJECT_REQUEST",
            "max_stream_duration:",
            "normalize_path: true",
            "# Often forgot",
        ] {
            assert!(file.contains(option), "expected `{option}` in every file");
        }
    }
}

#[tokio::test]
async fn the_file_for_a_unix_socket_serves() {
    serves(&World::with(Issuer::start(), UDS, |same| same).await).await;
}

#[tokio::test]
async fn the_file_for_tcp_serves() {
    serves(&World::over_tcp(TCP, |file, _| file).await).await;
}

#[tokio::test]
async fn the_file_behind_jwt_authn_serves() {
    let world = World::over_tcp(JWT_AUTHN, behind_jwt_authn).await;
    serves(&world).await;

    for algorithm in Algorithm::ALL {
        let token = world.issuer.token_with(algorithm).sign();
        let answer = world.send(&get("/").bearer(&token)).await;
        // Not among the sidecar's default algorithms.
        let refused = algorithm == Algorithm::ES384;
        let code = if refused { "algorithm_not_allowed" } else { "" };
        assert_eq!(answer.code(), code, "{algorithm:?}: {answer:?}");
    }

    let bad = world.issuer.token().sign_then("sub", "mallory");
    let answer = world.send(&get("/").bearer(&bad)).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, ""),
        "jwt_authn's own answer"
    );
}

async fn serves(world: &World) {
    let token = world.issuer.token().sign();
    let answer = world.send(&get("/orders?page=2").bearer(&token)).await;
    answer.is_allowed();
    assert_eq!(answer.seen("x-user-id"), ["u-alice"]);

    world
        .send(&get("/nobody"))
        .await
        .is_refused(401, "token_missing");
    assert_eq!(world.envoy.access("/nobody").await["code"], "token_missing");

    let gone = world.issuer.token().subject("dave").sign();
    world
        .send(&get("/").bearer(&gone))
        .await
        .is_refused(403, "user_not_found");

    for free in ["/healthz", "/public/prices"] {
        let spoofed = get(free)
            .header("X-User-Id", "admin")
            .header("x-user-roles", "admin");
        let answer = world.send(&spoofed).await;
        answer.is_allowed();
        for name in ["x-user-id", "x-user-roles"] {
            assert!(answer.seen(name).is_empty(), "{name} on {free}");
        }
    }

    let underscore = get("/").bearer(&token).header("x_user_id", "admin");
    assert_eq!(
        world.send(&underscore).await.status,
        400,
        "Envoy's own answer"
    );
    assert_eq!(world.send(&get("/a%2fb").bearer(&token)).await.status, 400);
    let merged = world.send(&get("//a/./b/../c").bearer(&token)).await;
    assert_eq!(merged.json()["target"], "/a/c");
}

/// The provider of the file becomes the test's issuer, without TLS.
fn behind_jwt_authn(file: envoy::Configuration, issuer: &Issuer) -> envoy::Configuration {
    let (_, tls) = JWT_AUTHN
        .split_once("    transport_socket:\n")
        .expect("TLS to the provider");
    let address = issuer.url().replace("http://", "");
    let (_, port) = address.split_once(':').expect("a port");
    file.swap(&format!("    transport_socket:\n{tls}"), "", 1)
        .swap(
            "issuer: https://id.example.com",
            &format!("issuer: {}", issuer.url()),
            1,
        )
        .swap(
            "https://id.example.com/jwks",
            &format!("{}/jwks", issuer.url()),
            1,
        )
        .swap(
            "address: id.example.com, port_value: 443",
            &format!("address: 127.0.0.1, port_value: {port}"),
            1,
        )
}

#[tokio::test]
async fn without_the_sidecar_nobody_passes_and_routes_without_it_stay_safe() {
    let mut world = World::with(Issuer::start(), UDS, |same| same).await;
    let token = world.issuer.token().sign();
    world.send(&get("/").bearer(&token)).await.is_allowed();
    world.sidecar.kill();

    let answer = world.send(&get("/").bearer(&token)).await;
    assert_eq!((answer.status, answer.body.as_str()), (503, ""));
    let answer = world
        .send(&get("/healthz").header("x-user-id", "admin"))
        .await;
    answer.is_allowed();
    assert!(answer.seen("x-user-id").is_empty());
}
