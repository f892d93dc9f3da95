//! Another configuration while it serves.

use crate::parts::client::get;
use crate::parts::configuration::Configuration;
use crate::parts::until;
use crate::world::{Expected, POLICIES, World};
use serde_json::Value;

/// The sidecar says that it refused a configuration.
fn refused(line: &Value) -> bool {
    let level = line["level"].as_str().unwrap_or_default();
    level.eq_ignore_ascii_case("error") && line.to_string().contains("configuration")
}

#[tokio::test]
async fn a_bad_configuration_changes_nothing_and_a_good_one_takes_over_without_losing_users() {
    let world = World::start().await;
    let token = world.issuer.token().sign();
    world.send(&get("/").bearer(&token)).await.is_allowed();
    let ordinary = Configuration::new(&world.issuer, &world.users);
    let good = ordinary
        .clone()
        .and_sections(&POLICIES.replace("  public: {anonymous: allow}\n", ""));
    let place = world.sidecar.place();

    let bad = good
        .text(place)
        .replace("audiences: [shop-api]", "audiences: []\n  colour: blue");
    world.sidecar.reload(&bad);
    world
        .sidecar
        .logged("the bad configuration is refused", refused)
        .await;
    world.send(&get("/").bearer(&token)).await.is_allowed();
    world.send(&get("/public")).await.is_allowed();

    world.sidecar.reload(&good.text(place));
    until("the policy is gone", async || {
        world.send(&get("/public")).await.code() == "policy_unknown"
    })
    .await;
    world.send(&get("/").bearer(&token)).await.is_allowed();
    assert_eq!(
        world.users.calls("alice"),
        1,
        "the reload lost a known user"
    );
}

#[tokio::test]
async fn a_configuration_that_listens_elsewhere_is_refused() {
    let world = World::start().await;
    let ordinary = Configuration::new(&world.issuer, &world.users);
    let place = world.sidecar.place();
    let moved = ordinary.text(place).replace("check.sock", "elsewhere.sock");
    world.sidecar.reload(&moved);
    world.sidecar.logged("the move is refused", refused).await;
    world.send(&get("/public")).await.is_allowed();
    assert!(!place.path("elsewhere.sock").exists());
}

#[tokio::test]
async fn a_configuration_that_names_tenants_otherwise_is_refused_and_says_what_to_do() {
    let world = World::start().await;
    let ordinary = Configuration::new(&world.issuer, &world.users);
    let text = ordinary.text(world.sidecar.place());
    assert!(text.contains("\ntenant:\n"), "{text}");
    let renaming = text.replace("\ntenant:\n", "\ntenant:\n  normalize: [trim]\n");
    world.sidecar.reload(&renaming);
    let refused = |line: &Value| {
        refused(line)
            && line
                .to_string()
                .contains("`tenant.normalize` changed: restart")
    };
    world
        .sidecar
        .logged("the new names are refused", refused)
        .await;
    let token = world.issuer.token().sign();
    world.send(&get("/").bearer(&token)).await.is_allowed();
}

#[tokio::test]
async fn a_revocations_file_is_watched() {
    let world = World::configured(|same| {
        same.and_sections("revocation: {memory: {file: '{folder}/revocations.yaml'}}\n")
            .file("revocations.yaml", "tokens: []\n")
    })
    .await;
    let write = |text: &str| world.sidecar.place().write("revocations.yaml", text);
    let token = world.issuer.token().claim("jti", "lost-laptop").sign();
    let send = async || world.send(&get("/").bearer(&token)).await;
    send().await.is_allowed();

    write("tokens: [{issuer: acme, jti: lost-laptop}]\n");
    until("the token is revoked", async || {
        send().await.code() == "token_revoked"
    })
    .await;

    write("tokens: [{issuer: acme, jty: lost-laptop}]\n");
    world
        .sidecar
        .logged("the bad file is refused", |line| {
            line.to_string().contains("jty")
        })
        .await;
    send().await.is_refused(401, "token_revoked");
}
