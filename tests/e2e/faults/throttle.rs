//! 429: the service wants to be left alone for a while.

use super::{LONG, lies, people};
use crate::parts::until;
use crate::scene::Scene;
use crate::world::Expected;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn throttling() {
    lies("throttled 1", "throttled").await;
}

#[tokio::test]
async fn a_plea_for_a_pause_is_obeyed_until_it_is_over() {
    let pause = Duration::from_secs(2);
    let mut scene = Scene::with(people(), LONG).await;
    scene.service.mood("throttled 2");

    // What is said of one user concerns that user, until it is said of three.
    let began = Instant::now();
    let answer = scene.ask("erin").await;
    answer.is_refused(503, "directory_unavailable");
    let retry = answer.header("retry-after").parse::<u64>();
    assert!(retry.is_ok_and(|seconds| (1..=2).contains(&seconds)));
    scene
        .decided(json!({"code": "directory_unavailable", "reason": "throttled"}))
        .await;
    for stranger in ["dave", "frank"] {
        let answer = scene.ask(stranger).await;
        answer.is_refused(503, "directory_unavailable");
    }
    let ended = Instant::now();
    let strangers = ["erin", "dave", "frank", "grace"];
    let within = || Instant::now() < began + pause;
    while within() {
        let mut calls = Vec::new();
        for stranger in strangers {
            let answer = scene.ask(stranger).await;
            if within() {
                answer.is_refused(503, "directory_unavailable");
            }
            calls.push(scene.service.calls(stranger).await);
        }
        if within() && ended < began + pause {
            assert_eq!(calls, [1, 1, 1, 0], "called within the pause");
        }
        sleep(Duration::from_millis(20)).await;
    }

    scene.service.mood("well");
    until("erin passes and dave is nobody", async || {
        scene.ask("erin").await.status == 200 && scene.ask("dave").await.code() == "user_not_found"
    })
    .await;
}
