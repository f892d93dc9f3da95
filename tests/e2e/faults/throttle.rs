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
    scene.ask("alice").await.is_allowed();
    scene.service.mood("throttled 2");
    until("alice is no longer fresh", async || {
        scene.ask("alice").await.is_allowed();
        scene.unanswered("throttled").await > 0.0
    })
    .await;

    // Known users and strangers have a lane each, and each hears it.
    let began = Instant::now();
    let answer = scene.ask("erin").await;
    answer.is_refused(503, "directory_unavailable");
    let retry = answer.header("retry-after").parse::<u64>();
    assert!(retry.is_ok_and(|seconds| (1..=2).contains(&seconds)));
    scene
        .decided(json!({"code": "directory_unavailable", "reason": "throttled"}))
        .await;
    let erin = scene.service.calls("erin").await;
    assert_eq!(erin, 1);
    loop {
        scene.ask("alice").await.is_allowed();
        for stranger in ["erin", "dave"] {
            let answer = scene.ask(stranger).await;
            if Instant::now() < began + pause {
                answer.is_refused(503, "directory_unavailable");
            }
        }
        let (erin, dave) = (
            scene.service.calls("erin").await,
            scene.service.calls("dave").await,
        );
        if Instant::now() >= began + pause {
            break;
        }
        assert_eq!((erin, dave), (1, 0), "called within the pause");
        sleep(Duration::from_millis(20)).await;
    }

    scene.service.mood("well");
    until("erin passes and dave is nobody", async || {
        scene.ask("erin").await.status == 200 && scene.ask("dave").await.code() == "user_not_found"
    })
    .await;
}
