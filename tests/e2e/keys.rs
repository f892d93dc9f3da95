//! Keys: a certified OpenID provider, and issuers that fail.

use crate::parts::backend::Backend;
use crate::parts::client::{Answer, get};
use crate::parts::configuration::Configuration;
use crate::parts::envoy::{self, Envoy};
use crate::parts::issuer::Issuer;
use crate::parts::key::Algorithm;
use crate::parts::oidc::OpenIdProvider;
use crate::parts::sidecar::Sidecar;
use crate::parts::until;
use crate::world::{BARE, Expected, World, people, program};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn a_certified_providers_keys_are_discovered_verified_in_all_algorithms_and_rotated() {
    let mut provider = OpenIdProvider::start().await;
    let url = provider.url();
    let issuer = Issuer::start();
    let world = World::with(issuer, BARE, |same| {
        same.issuer(
            &url,
            "algorithms: [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA]\n\
             machines: {allow: true}\n\
             keys: {discovery: true, min_refresh: 100ms}",
        )
    })
    .await;
    let send = async |token: &str| world.send(&get("/").bearer(token)).await;

    let mut before = Vec::new();
    for algorithm in OpenIdProvider::ALGORITHMS {
        let token = provider.token(algorithm).await;
        let answer = send(&token).await;
        assert_eq!(answer.status, 200, "{algorithm}: {answer:?}");
        assert_eq!(answer.seen("x-client-id"), ["svc"]);
        assert!(answer.seen("x-user-id").is_empty());
        before.push(token);
    }

    provider.restart().await;
    let after = provider.token("ES256").await;
    until("the new keys are known", async || {
        send(&after).await.status == 200
    })
    .await;
    for token in &before {
        // Each kid is new to the set that is held: the next fetch says that it is gone.
        until("the old key is known to be gone", async || {
            send(token).await.code() == "key_unknown"
        })
        .await;
    }
}

#[tokio::test]
async fn a_clients_token_never_passes_as_a_user_unless_machines_may() {
    let provider = OpenIdProvider::start().await;
    let url = provider.url();
    let world = World::with(Issuer::start(), BARE, |same| same.issuer(&url, "")).await;
    let token = provider.token("RS256").await;
    world
        .send(&get("/").bearer(&token))
        .await
        .is_refused(401, "subject_invalid");
}

#[tokio::test]
async fn every_algorithm_of_our_own_issuer_verifies() {
    let world = World::with(Issuer::with(&Algorithm::ALL), BARE, |same| same).await;
    for algorithm in [
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
    ] {
        let token = world.issuer.token_with(algorithm).sign();
        world.send(&get("/").bearer(&token)).await.is_allowed();
    }
    let undeclared = world.issuer.token_with(Algorithm::ES384).sign();
    world
        .send(&get("/").bearer(&undeclared))
        .await
        .is_refused(401, "algorithm_not_allowed");
}

#[tokio::test]
async fn two_hundred_random_kids_cost_at_most_two_fetches() {
    let world = World::start().await;
    let before = world.issuer.fetches();
    let known = world.issuer.token().sign();
    let asked: Vec<_> = (0..200)
        .map(|number| {
            let token = world.issuer.token().kid(&format!("random-{number}")).sign();
            let client = world.envoy.client();
            tokio::spawn(async move { client.send(&get("/").bearer(&token)).await.code() })
        })
        .collect();
    world.send(&get("/").bearer(&known)).await.is_allowed();
    for one in asked {
        let code = one.await.expect("an answer");
        let bounded = ["key_unknown", "keys_unavailable", "overloaded"].contains(&code.as_str());
        assert!(bounded, "{code}");
    }
    let fetches = world.issuer.fetches() - before;
    assert!(fetches <= 2, "{fetches} fetches");
}

#[tokio::test]
async fn known_keys_outlive_their_provider() {
    let world = World::start().await;
    world.issuer.down();
    let token = world.issuer.token().sign();
    world.send(&get("/").bearer(&token)).await.is_allowed();
    let unknown = world.issuer.token().kid("never-seen").sign();
    let answer = world.send(&get("/").bearer(&unknown)).await;
    answer.is_refused(503, "keys_unavailable");
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_withdrawn_keys_tokens_die_at_the_next_refresh_remembered_or_not() {
    let issuer = Issuer::with(&[Algorithm::ES256, Algorithm::EdDSA]);
    let url = issuer.url();
    let world = World::with(issuer, BARE, |same| {
        same.issuer(
            &url,
            "keys: {discovery: true, refresh: 1s, min_refresh: 100ms}",
        )
    })
    .await;
    let token = world.issuer.token_with(Algorithm::EdDSA).sign();
    let send = async || -> Answer { world.send(&get("/").bearer(&token)).await };
    send().await.is_allowed();
    world.issuer.withdraw(Algorithm::EdDSA);
    until("the remembered token is refused", async || {
        send().await.code() == "key_unknown"
    })
    .await;
    world
        .send(&get("/").bearer(&world.issuer.token().sign()))
        .await
        .is_allowed();
}

#[tokio::test]
async fn an_issuer_whose_discovery_names_another_has_no_keys() {
    let liar = Issuer::start();
    liar.call_itself("https://another.example.com");
    let url = liar.url();
    let world = World::configured(|same| same.and_issuer(&url, "liar", "")).await;
    let answer = world.send(&get("/").bearer(&liar.token().sign())).await;
    answer.is_refused(503, "keys_unavailable");
}

#[tokio::test]
async fn two_issuers_of_which_one_is_dead_are_ready_within_ten_seconds() {
    let (living, dead) = (Issuer::start(), Issuer::start());
    dead.slow(Duration::from_secs(120));
    let users = people();
    let backend = Backend::start();
    let configuration = Configuration::new(&living, &users).and_issuer(
        &dead.url(),
        "dead",
        "keys: {discovery: true, min_refresh: 1s}",
    );
    let began = Instant::now();
    let sidecar = Sidecar::start(program(), |place| configuration.install(place)).await;
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );

    let file = envoy::file(BARE)
        .service(backend.address())
        .sidecar_at_socket(&sidecar.place().socket());
    let envoy = Envoy::start(&file).await;
    let send = async |issuer: &Issuer| {
        envoy
            .client()
            .send(&get("/").bearer(&issuer.token().sign()))
            .await
    };
    send(&living).await.is_allowed();
    send(&dead).await.is_refused(503, "keys_unavailable");

    dead.slow(Duration::ZERO);
    until("the dead issuer is asked again", async || {
        send(&dead).await.status == 200
    })
    .await;
}

/// A thumbprint of a secret in a log lets anybody try guesses (RFC 7638 7).
#[tokio::test]
async fn the_log_shows_nothing_that_is_made_of_a_shared_secret() {
    let (issuer, users) = (Issuer::start(), people());
    let configuration = Configuration::new(&issuer, &users)
        .issuer(
            &issuer.url(),
            "keys: {secret_file: secret}\nalgorithms: [HS256]",
        )
        .file("secret", &"correct horse ".repeat(3));
    let sidecar = Sidecar::start(program(), |place| configuration.install(place)).await;
    let replaced = |line: &Value| line["message"] == "keys replaced";
    let line = sidecar.logged("the keys are there", replaced).await;
    assert_eq!(line["keys"], r#"["secret"]"#);
}
