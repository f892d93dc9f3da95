//! Answers that are none, or somebody else's.

use super::lies;
use crate::scene::Scene;
use crate::world::Expected;
use serde_json::json;

#[tokio::test]
async fn a_server_error() {
    lies("status 500", "server_error").await;
}

/// It is tried again for longer than a request waits; what is wrong is told all the same.
#[tokio::test]
async fn a_server_error_is_told_while_it_is_tried_again() {
    let users = "wait: 1s\ntimeout: 10s\nretries: 10\n";
    let mut scene = Scene::with(Vec::new(), users).await;
    scene.service.mood("status 500");
    let answer = scene.ask("erin").await;
    answer.is_refused(503, "directory_unavailable");
    scene
        .decided(json!({"subject": "erin", "reason": "server_error"}))
        .await;
}

#[tokio::test]
async fn a_not_found_page_of_an_ingress() {
    lies("html_not_found", "unrecognized_not_found").await;
}

#[tokio::test]
async fn a_not_found_of_another_shape() {
    lies("other_not_found", "unrecognized_not_found").await;
}

#[tokio::test]
async fn garbage() {
    lies("garbage", "malformed_answer").await;
}

#[tokio::test]
async fn a_truncated_body() {
    lies("truncated", "truncated").await;
}

#[tokio::test]
async fn an_endless_body() {
    lies("endless", "too_large").await;
}

#[tokio::test]
async fn another_user() {
    lies("other_user", "other_subject").await;
}

#[tokio::test]
async fn another_tenant() {
    lies("other_tenant", "other_tenant").await;
}
