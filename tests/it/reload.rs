//! Another configuration while it serves, and what must outlive the change.

use crate::parts::client::Client;
use crate::parts::issuer::Issuer;
use crate::parts::{PATIENCE, until};
use crate::world::{Told, World, http};

/// The status of `/readyz`; `None` where nobody listens yet.
async fn ready(health: Client) -> Option<u16> {
    health
        .try_get("/readyz")
        .await
        .ok()
        .map(|answer| answer.status)
}

#[tokio::test]
async fn a_configuration_edited_while_a_reload_is_under_way_is_taken_over_too() {
    let mut world = World::start().await;
    let _running = world.serve();
    let token = world.issuer.token().sign();
    assert_eq!(world.bearer(&token).await.code(), "allow");

    // The reload waits for the first keys of an issuer that is asked and does not answer.
    let mute = Issuer::start();
    mute.slow(PATIENCE * 10);
    let more = format!(
        "issuers:\n- {{issuer: '{}', audiences: [shop-api]}}\n",
        mute.url()
    );
    world.rewrite("issuers:\n", &more);
    until("the new issuer is asked", async || mute.documents() > 0).await;
    world.rewrite("audiences: [shop-api]\n", "audiences: [elsewhere]\n");
    mute.down();

    until("the second edit is taken over", async || {
        world.bearer(&token).await.code() == "audience_mismatch"
    })
    .await;
}

#[tokio::test]
async fn a_process_without_keys_gets_ready_by_a_reload_that_brings_an_issuer_with_some() {
    let dead = Issuer::start();
    dead.down();
    let mut world = World::configured(|same| same.issuer(&dead.url(), "")).await;
    let health = Client::new(world.health());
    let _running = world.serve();
    until("the health listener answers", async || {
        ready(health).await.is_some()
    })
    .await;
    assert_eq!(ready(health).await, Some(503));

    world.rewrite(&dead.url(), &world.issuer.url());
    until("the process is ready", async || {
        ready(health).await == Some(200)
    })
    .await;
    let told = world.bearer(&world.issuer.token().sign()).await;
    assert_eq!(told.code(), "allow");
}

#[tokio::test]
async fn a_reload_that_changes_how_long_is_waited_keeps_the_users_that_are_known() {
    let mut world = World::start().await;
    let _running = world.serve();
    let token = world.issuer.token().sign();
    assert_eq!(world.bearer(&token).await.code(), "allow");

    world.users.down();
    world.rewrite(
        "tenant:\n",
        "  wait: 100ms\npolicies: {default: {}, public: {anonymous: allow}}\ntenant:\n",
    );
    until("the reload is taken over", async || {
        let told = world.ask_about(http(&[]), &[("policy", "public")]).await;
        told.code() == "allow"
    })
    .await;
    let told = world.bearer(&token).await;
    assert_eq!(told.code(), "allow");
    assert_eq!(told.metadata["cache"], "hit");
}

/// What becomes of a known user in an outage, when the configuration was rewritten meanwhile.
async fn known_after(old: &str, new: &str) -> Told {
    let mut world = World::start().await;
    let _running = world.serve();
    let token = world.issuer.token().sign();
    assert_eq!(world.bearer(&token).await.code(), "allow");
    world.users.down();
    world.rewrite(old, new);
    world.rewrite(
        "tenant:\n",
        "policies: {default: {}, public: {anonymous: allow}}\ntenant:\n",
    );
    until("the reload is taken over", async || {
        let told = world.ask_about(http(&[]), &[("policy", "public")]).await;
        told.code() == "allow"
    })
    .await;
    world.bearer(&token).await
}

#[tokio::test]
async fn an_outage_outlasts_any_reload_that_asks_the_same_directory() {
    let rewritten = [
        (
            "tenant:\n",
            "  cache: {fresh: 50s, stale_while_revalidate: 10s}\ntenant:\n",
        ),
        (
            "tenant:\n",
            "  cache: {stale_if_error: 20m, not_found_for: 1s, tombstone_for: 30h}\ntenant:\n",
        ),
        ("tenant:\n", "  cache: {max_memory: 8MiB}\ntenant:\n"),
        (
            "tenant:\n",
            "  vanish_guard: {share: 0.5, window: 10s, min: 3}\ntenant:\n",
        ),
        (
            "    required: [email]\n",
            "    required: [email]\n    consistent_read: {header: {x-fresh: '1'}}\n",
        ),
        (
            "issuers:\n",
            "issuers:\n- {issuer: 'http://127.0.0.1:9/more', name: more, audiences: [shop-api]}\n",
        ),
    ];
    for (old, new) in rewritten {
        let told = known_after(old, new).await;
        assert_eq!(told.code(), "allow", "{new}");
        assert_eq!(told.metadata["cache"], "hit", "{new}");
    }
}

#[tokio::test]
async fn what_one_directory_said_is_not_believed_of_another_nor_under_another_reading() {
    let rewritten = [
        ("/v1/realms/", "/v2/realms/"),
        ("    required: [email]\n", "    required: [plan]\n"),
        ("code: user_not_found", "code: gone"),
        (
            "    required: [email]\n",
            "    required: [email]\n    headers: {x-organization: other}\n",
        ),
    ];
    for (old, new) in rewritten {
        let told = known_after(old, new).await;
        assert_eq!(told.code(), "directory_unavailable", "{new}");
    }
}
