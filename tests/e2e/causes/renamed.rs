//! Row 3, where somebody gains by it: a changed subject opens nothing that was closed.

use crate::parts::faulty::person;
use crate::scene::{Scene, event};
use crate::world::Expected;
use serde_json::json;
use std::time::Duration;
use subgate::clock::{Clock, SystemClock};

#[tokio::test]
async fn row_03_whoever_gets_a_subject_anew_is_not_who_had_it_before() {
    let mut alice = person("acme", "alice");
    alice["id"] = json!("u-old");
    let mut scene = Scene::with(vec![alice], "wait: 1s\n").await;
    let first = scene.ask("alice").await;
    assert_eq!(first.seen("x-user-id"), ["u-old"]);
    let mut changed = event("user.id_changed", "alice");
    changed["new_subject"] = json!("a-0001");
    changed["time"] = SystemClock
        .now()
        .minus(Duration::from_secs(30))
        .to_string()
        .into();
    scene.tell(changed).await;
    let mut another = person("acme", "alice");
    another["id"] = json!("u-new");
    scene.service.people(vec![another]);
    // A token from after the change.
    let new = scene
        .show(scene.issuer.token().subject("alice").issued_ago(5))
        .await;
    assert_eq!(new.seen("x-user-id"), ["u-new"], "{new:?}");
}

#[tokio::test]
async fn row_03_what_was_revoked_under_a_name_in_between_stays_revoked() {
    let mut alice = person("acme", "c");
    alice["id"] = json!("u-7");
    let mut b = person("acme", "b");
    b["id"] = json!("u-7");
    let scene = Scene::configured(vec![alice, b], |issuer, same| {
        let url = issuer.url();
        same.users("wait: 1s\n")
            .and_sections("revocation: {memory: {file: '{folder}/revocations.yaml'}}\n")
            .file(
                "revocations.yaml",
                &format!(
                    "subjects: [{{issuer: '{url}', subject: b, tenant: acme, reason: stolen}}]\n"
                ),
            )
    })
    .await;
    let mut one = event("user.id_changed", "a");
    one["new_subject"] = json!("b");
    scene.tell(one).await;
    let token = || {
        scene
            .issuer
            .token()
            .subject("a")
            .issued_ago(600)
            .expires_in(600)
    };
    let before = scene.show(token()).await;
    before.is_refused(401, "token_revoked");
    let mut two = event("user.id_changed", "b");
    two["new_subject"] = json!("c");
    scene.tell(two).await;
    let after = scene.show(token()).await;
    after.is_refused(401, "token_revoked");
}

#[tokio::test]
async fn row_03_a_new_name_does_not_bring_a_deleted_user_back() {
    let mut b = person("acme", "b");
    b["id"] = json!("u-7");
    let scene = Scene::with(vec![b], "wait: 1s\n").await;
    scene.tell(event("user.deleted", "a")).await;
    let token = || {
        scene
            .issuer
            .token()
            .subject("a")
            .issued_ago(600)
            .expires_in(600)
    };
    scene.show(token()).await.is_refused(403, "user_not_found");
    let mut one = event("user.id_changed", "a");
    one["new_subject"] = json!("b");
    one["time"] = SystemClock
        .now()
        .minus(Duration::from_secs(30))
        .to_string()
        .into();
    scene.tell(one).await;
    scene.show(token()).await.is_refused(403, "user_not_found");
}
