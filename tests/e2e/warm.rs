//! The warm start: what one process knew, the next one knows, though the user service is gone.

use crate::parts::faulty::person;
use crate::parts::until;
use crate::scene::{Scene, event};
use crate::world::Expected;
use serde_json::json;

const USERS: &str = "snapshot: {file: users.snapshot, key_file: snapshot.key}
cache: {fresh: 1ms, stale_while_revalidate: 0s, stale_if_error: 15m}
timeout: 10s
wait: 10s
retries: 0
";
const KEY: &str = "the key of the snapshot, 32 bytes and more";

/// `alice` is known, `bob` was told to be deleted; then sidecar and user service are gone.
async fn stopped() -> Scene {
    let people = vec![person("acme", "alice"), person("acme", "bob")];
    let mut scene = Scene::configured(people, |_, same| {
        same.users(USERS).file("snapshot.key", KEY)
    })
    .await;
    scene.ask("alice").await.is_allowed();
    scene.ask("bob").await.is_allowed();
    scene.tell(event("user.deleted", "bob")).await;
    scene.sidecar.stop().await;
    scene.service.kill();
    scene
}

#[tokio::test]
async fn known_users_and_marks_outlive_the_process_and_strangers_have_to_wait() {
    let mut scene = stopped().await;
    scene.sidecar.start_again().await;
    scene
        .sidecar
        .logged("a user is taken up", |line| line["users"] == 1)
        .await;

    let known = scene.ask("alice").await;
    known.is_allowed();
    assert_eq!(known.seen("x-user-id"), ["u-alice"]);
    scene
        .decided(
            json!({"code": "allow", "subject": "alice", "cache": "stale", "reason": "connect"}),
        )
        .await;
    scene.ask("bob").await.is_refused(403, "user_not_found");
    scene
        .decided(json!({"code": "user_not_found", "subject": "bob", "cache": "mark"}))
        .await;
    let stranger = scene.ask("dave").await;
    stranger.is_refused(503, "directory_unavailable");
    scene
        .decided(json!({"code": "directory_unavailable", "subject": "dave", "reason": "connect"}))
        .await;

    scene.service.restart().await;
    until("dave is nobody, since the service says so", async || {
        scene.ask("dave").await.code() == "user_not_found"
    })
    .await;
    // The service still has him; what was told before the stop counts.
    scene.ask("bob").await.is_refused(403, "user_not_found");
}

#[tokio::test]
async fn a_snapshot_made_with_another_key_is_not_used_and_the_process_starts() {
    let mut scene = stopped().await;
    let another = "another key of the snapshot, 32 bytes and more";
    scene.sidecar.place().write("snapshot.key", another);
    scene.sidecar.start_again().await;
    let told = scene
        .sidecar
        .logged("it is not used", |line| {
            line["level"] == "ERROR"
                && line
                    .to_string()
                    .contains("the snapshot of users is not used")
        })
        .await;
    assert!(told["error"].to_string().contains("another key"), "{told}");
    for subject in ["alice", "bob"] {
        let answer = scene.ask(subject).await;
        answer.is_refused(503, "directory_unavailable");
    }
}
