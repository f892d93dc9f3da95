//! How Envoy reaches the sidecar.

use crate::parts::backend::Backend;
use crate::parts::client::get;
use crate::parts::configuration::{Check, Configuration};
use crate::parts::envoy::{self, Envoy, TCP, UDS};
use crate::parts::issuer::Issuer;
use crate::parts::sidecar::Sidecar;
use crate::parts::until;
use crate::world::{Expected, World, people, program};
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn envoy_asks_at_an_abstract_socket() {
    let (issuer, users, backend) = (Issuer::start(), people(), Backend::start());
    let name = format!("subgate-test-{}", backend.address().port());
    let configuration = Configuration::new(&issuer, &users)
        .and_sections(crate::world::POLICIES)
        .check(Check::Abstract(name.clone()));
    let _sidecar = Sidecar::start(program(), |place| configuration.install(place)).await;
    let file = envoy::file(UDS)
        .service(backend.address())
        .sidecar_at_socket(&format!("@{name}"));
    let envoy = Envoy::start(&file).await;
    let answer = envoy
        .client()
        .send(&get("/").bearer(&issuer.token().sign()))
        .await;
    answer.is_allowed();
    assert_eq!(answer.seen("x-user-id"), ["u-alice"]);
    envoy
        .client()
        .send(&get("/"))
        .await
        .is_refused(401, "token_missing");
}

#[tokio::test]
async fn a_unix_socket_has_the_mode_that_was_asked_for() {
    let world = World::start().await;
    let socket = std::fs::metadata(world.sidecar.place().socket()).expect("a socket");
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn envoy_may_start_first_and_a_killed_sidecar_may_come_back_at_its_socket() {
    let (issuer, users, backend) = (Issuer::start(), people(), Backend::start());
    let configuration = Configuration::new(&issuer, &users).and_sections(crate::world::POLICIES);
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("check.sock").display().to_string();
    let file = envoy::file(UDS)
        .service(backend.address())
        .sidecar_at_socket(&socket);
    let envoy = Envoy::start(&file).await;
    let token = issuer.token().sign();
    let send = async || envoy.client().send(&get("/").bearer(&token)).await;
    assert_eq!(send().await.status, 503);

    for _life in 0..2 {
        let mut sidecar = Sidecar::start(program(), |place| {
            configuration
                .install(place)
                .replace(&place.socket(), &socket)
        })
        .await;
        until("Envoy finds the socket", async || {
            send().await.status == 200
        })
        .await;
        // Killed, it leaves its socket behind.
        sidecar.kill();
        assert!(folder.path().join("check.sock").exists());
        assert_eq!(send().await.status, 503);
    }
}

#[tokio::test]
async fn envoys_health_checks_see_the_service_by_its_name() {
    let world = World::over_tcp(TCP, |file, _| file).await;
    world.envoy.healthy("subgate", 1).await;
    assert!(
        world
            .envoy
            .counter("cluster.subgate.health_check.success")
            .await
            > 0
    );
    assert_eq!(
        world
            .envoy
            .counter("cluster.subgate.health_check.failure")
            .await,
        0
    );
}
