//! Users who come and go, and answers that lag behind.

use super::{LASTING, PATIENT, is_counted, is_told};
use crate::parts::client::get;
use crate::parts::faulty::person;
use crate::parts::until;
use crate::scene::{CONSISTENT, Scene, event};
use crate::world::Expected;
use serde_json::{Value, json};
use std::time::Duration;
use subgate::clock::{Clock, SystemClock};

/// A time that lies so many seconds back.
fn ago(seconds: u64) -> Value {
    let time = SystemClock.now().minus(Duration::from_secs(seconds));
    time.to_string().into()
}

#[tokio::test]
async fn row_01_a_deleted_user_is_refused_at_once_and_comes_back_with_new_tokens_alone() {
    let users = format!("{PATIENT}{LASTING}");
    let scene = Scene::with(vec![person("acme", "alice")], &users).await;
    let old = scene.issuer.token().issued_ago(60).sign();
    scene.send(&get("/").bearer(&old)).await.is_allowed();

    let mut deleted = event("user.deleted", "alice");
    deleted["time"] = ago(40);
    scene.tell(deleted).await;
    let answer = scene.send(&get("/").bearer(&old)).await;
    answer.is_refused(403, "user_not_found");
    is_told(&scene, &answer, "alice").await;
    scene
        .decided(json!({"code": "user_not_found", "cache": "mark"}))
        .await;
    assert_eq!(scene.service.calls("alice").await, 1, "a mark asks nobody");
    // Whoever needs no user passes: the logout of a deleted one.
    scene.send(&get("/logout").bearer(&old)).await.is_allowed();

    let mut created = event("user.created", "alice");
    created["time"] = ago(20);
    scene.tell(created).await;
    let answer = scene.send(&get("/").bearer(&old)).await;
    answer.is_refused(401, "token_revoked");
    is_told(&scene, &answer, "alice").await;
    let new = scene.show(scene.issuer.token().issued_ago(10)).await;
    new.is_allowed();
    assert_eq!(new.seen("x-user-id"), ["u-alice"]);
}

#[tokio::test]
async fn row_02_a_replica_that_still_has_a_deleted_user_brings_nobody_back() {
    let users = format!("{CONSISTENT}{PATIENT}{LASTING}");
    let mut scene = Scene::with(vec![person("acme", "alice")], &users).await;
    scene.ask("alice").await.is_allowed();
    scene.service.people(Vec::new());
    let replica = person("acme", "alice");
    scene.service.replica("acme", "alice", replica);
    let mut deleted = event("user.deleted", "alice");
    deleted["version"] = json!(2);
    scene.tell(deleted).await;
    scene.ask("alice").await.is_refused(403, "user_not_found");
    until("the replica was asked and said she is there", async || {
        scene.ask("alice").await.is_refused(403, "user_not_found");
        scene.service.calls("alice").await >= 2
    })
    .await;
    scene.forget("alice").await;
    let answer = scene.ask("alice").await;
    answer.is_refused(403, "user_not_found");
    is_told(&scene, &answer, "alice").await;

    // A greater version is a user who was made after the deletion.
    let mut again = person("acme", "alice");
    again["version"] = json!(3);
    scene.service.people(vec![again]);
    scene.service.catch_up();
    until("the greater version lifts the mark", async || {
        scene.forget("alice").await;
        let token = scene.issuer.token().issued_ago(-1);
        scene.show(token).await.status == 200
    })
    .await;
    let old = scene.ask("alice").await;
    old.is_refused(401, "token_revoked");
}

#[tokio::test]
async fn row_02_an_answer_older_than_the_last_known_change_is_read_again_consistently() {
    let users = format!("{CONSISTENT}{PATIENT}{LASTING}");
    let mut promoted = person("acme", "alice");
    promoted["version"] = json!(5);
    promoted["roles"] = json!(["admin"]);
    let mut scene = Scene::with(vec![promoted], &users).await;
    let replica = person("acme", "alice");
    scene.service.replica("acme", "alice", replica);
    let before = scene.ask("alice").await;
    before.is_allowed();
    assert!(before.seen("x-user-roles").is_empty());

    let mut updated = event("user.updated", "alice");
    updated["version"] = json!(5);
    scene.tell(updated).await;
    let after = scene.ask("alice").await;
    after.is_allowed();
    assert_eq!(after.seen("x-user-roles"), ["admin"]);
}

#[tokio::test]
async fn row_02_a_not_found_from_before_the_user_was_created_is_not_believed() {
    let users = format!("{PATIENT}{LASTING}");
    let mut scene = Scene::with(Vec::new(), &users).await;
    for _ in 0..2 {
        scene.ask("nina").await.is_refused(403, "user_not_found");
    }
    assert_eq!(scene.service.calls("nina").await, 1);
    scene.service.people(vec![person("acme", "nina")]);
    scene.tell(event("user.created", "nina")).await;
    let answer = scene.ask("nina").await;
    answer.is_allowed();
    assert_eq!(answer.seen("x-user-id"), ["u-nina"]);
}

#[tokio::test]
async fn row_04_a_record_that_is_disabled_or_lacks_its_profile_is_named_so() {
    let mut bob = person("acme", "bob");
    bob["status"] = json!("disabled");
    let mut carol = person("acme", "carol");
    carol.as_object_mut().expect("a record").remove("email");
    let people = vec![person("acme", "alice"), bob, carol];
    let scene = Scene::with(people, &format!("{PATIENT}{LASTING}")).await;
    for (subject, code) in [("bob", "user_disabled"), ("carol", "user_incomplete")] {
        let answer = scene.ask(subject).await;
        answer.is_refused(403, code);
        is_told(&scene, &answer, subject).await;
    }
    let incomplete = scene.decided(json!({"code": "user_incomplete"})).await;
    assert!(incomplete["detail"].to_string().contains("email"));

    scene.ask("alice").await.is_allowed();
    let mut disabled = event("user.disabled", "alice");
    disabled["time"] = ago(40);
    scene.tell(disabled).await;
    let answer = scene.ask("alice").await;
    answer.is_refused(403, "user_disabled");
    is_told(&scene, &answer, "alice").await;
    scene.tell(event("user.enabled", "alice")).await;
    scene.ask("alice").await.is_allowed();
}

#[tokio::test]
async fn row_13_a_young_token_whose_user_has_not_reached_the_replica_is_read_consistently() {
    let users = format!("{CONSISTENT}{PATIENT}{LASTING}");
    let mut scene = Scene::with(vec![person("acme", "nina")], &users).await;
    scene.service.replica("acme", "nina", Value::Null);
    let token = scene.issuer.token().issued_ago(1).subject("nina");
    let answer = scene.show(token).await;
    answer.is_allowed();
    assert_eq!(answer.seen("x-user-id"), ["u-nina"]);
    assert_eq!(scene.service.calls("nina").await, 2);
}

#[tokio::test]
async fn row_13_a_young_token_whose_user_is_nowhere_yet_may_come_again_and_never_meets_a_kept_403()
{
    let users = format!("{CONSISTENT}{PATIENT}{LASTING}creation_grace: 5m\n");
    let mut scene = Scene::with(Vec::new(), &users).await;
    let young = scene.issuer.token().issued_ago(1).subject("nina").sign();
    let ask = async || scene.send(&get("/").bearer(&young)).await;
    for _ in 0..3 {
        let answer = ask().await;
        answer.is_refused(503, "user_not_yet_visible");
        assert_eq!(answer.header("retry-after"), "1");
    }
    is_counted(&scene, "user_not_yet_visible").await;
    // One who is not young is told the truth.
    let old = scene.issuer.token().issued_ago(600).subject("nina");
    scene
        .show(old.expires_in(600))
        .await
        .is_refused(403, "user_not_found");

    scene.service.people(vec![person("acme", "nina")]);
    let ask = async || scene.send(&get("/").bearer(&young)).await;
    until(
        "she is seen, although a not-found was remembered",
        async || {
            let answer = ask().await;
            assert!(answer.status == 200 || answer.code() == "user_not_yet_visible");
            answer.status == 200
        },
    )
    .await;
}

#[tokio::test]
async fn row_13_once_the_grace_is_over_the_not_found_stands() {
    let users = format!("{PATIENT}{LASTING}creation_grace: 1s\n");
    let scene = Scene::with(Vec::new(), &users).await;
    // Issued in what is this sidecar's future, within the leeway: young for as long as it lives.
    let young = scene.issuer.token().issued_ago(-10).subject("nina").sign();
    let answer = scene.send(&get("/").bearer(&young)).await;
    answer.is_refused(503, "user_not_yet_visible");
    until("the grace after the first miss is over", async || {
        scene.send(&get("/").bearer(&young)).await.code() == "user_not_found"
    })
    .await;
}
