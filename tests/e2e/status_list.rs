//! Token Status List: an issuer whose tokens and lists another library signs.

use crate::parts::backend::Backend;
use crate::parts::client::get;
use crate::parts::configuration::Configuration;
use crate::parts::envoy::{self, Envoy};
use crate::parts::issuer::Issuer;
use crate::parts::sidecar::Sidecar;
use crate::parts::status_issuer::StatusIssuer;
use crate::world::{BARE, Expected, World, people, program};

/// A world in which the first issuer's tokens point to lists, and Envoy is patient.
async fn world(lists: &StatusIssuer, prefixes: &str) -> World {
    let (issuer, users, backend) = (Issuer::start(), people(), Backend::start());
    let members = format!(
        "keys: {{discovery: true, timeout: 2s}}\nstatus_lists: [{prefixes}]\naudiences: [shop-api]\n"
    );
    let configuration = Configuration::new(&issuer, &users).issuer(&lists.url(), &members);
    let sidecar = Sidecar::start(program(), |place| configuration.install(place)).await;
    let file = envoy::file(BARE)
        .service(backend.address())
        .sidecar_at_socket(&sidecar.place().socket())
        .swap("timeout: 0.25s", "timeout: 10s", 1);
    let envoy = Envoy::start(&file).await;
    World {
        issuer,
        users,
        backend,
        sidecar,
        envoy,
    }
}

#[tokio::test]
async fn tsl_05_the_signed_list_decides_and_where_it_cannot_be_had_nobody_passes() {
    let mut lists = StatusIssuer::start().await;
    lists.put(1, 1);
    lists.put(2, 2);
    lists.put((1 << 20) - 1, 3);
    let world = world(&lists, &format!("'{}/lists/'", lists.url())).await;
    let send = async |token: &str| world.send(&get("/").bearer(token)).await;

    let valid = lists.token(0, "1");
    send(&valid).await.is_allowed();
    for index in [1, 2, (1 << 20) - 1] {
        let answer = send(&lists.token(index, "1")).await;
        answer.is_refused(401, "token_revoked");
    }
    send(&lists.token(1 << 20, "1"))
        .await
        .is_refused(401, "token_malformed");
    // Neither a refused token nor one that points elsewhere has a list fetched.
    assert_eq!(lists.asked(), 1);
    let elsewhere = lists.token(0, "../jwks");
    send(&elsewhere).await.is_refused(401, "token_malformed");
    assert_eq!(lists.asked(), 1);

    let lost = lists.token(0, "2");
    let answer = send(&lost).await;
    answer.is_refused(503, "revocation_unavailable");
    assert!(answer.header("retry-after").parse::<u32>().is_ok());

    let unseen = lists.token(0, "3");
    lists.kill();
    send(&unseen)
        .await
        .is_refused(503, "revocation_unavailable");
    send(&valid).await.is_allowed();

    let held = world
        .sidecar
        .metric("subgate_status_lists{issuer=\"acme\"}")
        .await;
    assert!((held - 1.0).abs() < f64::EPSILON, "{held}");
    let name = |result| {
        format!("subgate_status_list_fetches_total{{issuer=\"acme\",result=\"{result}\"}}")
    };
    assert!(world.sidecar.metric(&name("ok")).await >= 1.0);
    assert!(world.sidecar.metric(&name("unanswered")).await >= 2.0);
    world
        .sidecar
        .logged("the reason of a suspended token", |line| {
            line["code"] == "token_revoked"
                && line["detail"]
                    .as_str()
                    .is_some_and(|told| told.contains("suspended"))
        })
        .await;
}

#[tokio::test]
async fn tsl_01_bcp_14_no_list_is_fetched_for_a_token_that_fails_and_none_passes_as_a_token() {
    let lists = StatusIssuer::start().await;
    let world = world(&lists, &format!("'{}'", lists.url())).await;
    let send = async |token: &str| world.send(&get("/").bearer(token)).await;
    let token = lists.token(0, "1");
    let (signed, _) = token.rsplit_once('.').expect("a signature");
    let forged = format!("{signed}.{}", "A".repeat(86));
    send(&forged).await.is_refused(401, "signature_invalid");
    send(&lists.list_token())
        .await
        .is_refused(401, "token_malformed");
    assert_eq!(lists.asked(), 0);
    send(&token).await.is_allowed();
    assert_eq!(lists.asked(), 1);
}

#[tokio::test]
async fn tsl_06_without_prefixes_no_list_is_fetched_and_the_claim_means_nothing() {
    let lists = StatusIssuer::start().await;
    lists.put(1, 1);
    let world = world(&lists, "").await;
    let token = lists.token(1, "1");
    world.send(&get("/").bearer(&token)).await.is_allowed();
    assert_eq!(lists.asked(), 0);
}
