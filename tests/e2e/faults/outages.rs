//! A service that is not there, or not in time.

use super::{Fault, LONG, SHORT, beyond};
use crate::parts::faulty::{Faulty, person};
use crate::parts::until;
use crate::scene::Scene;
use crate::world::Expected;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn a_service_that_is_down() {
    let fault = Fault::begin(SHORT, Faulty::kill).await;
    let fault = fault.lasts("connect").await;
    fault.ends(Faulty::restart).await;
}

#[tokio::test]
async fn a_service_that_hangs() {
    let fault = Fault::begin(SHORT, |service| service.signal("STOP")).await;
    let fault = fault.lasts("timeout").await;
    fault.ends(async |service| service.signal("CONT")).await;
}

#[tokio::test]
async fn a_service_that_is_slower_than_its_time_out() {
    let slow = |service: &mut Faulty| service.slow(Duration::from_secs(1));
    let fault = Fault::begin(SHORT, slow).await;
    let fault = fault.lasts("timeout").await;
    fault
        .ends(async |service| service.slow(Duration::ZERO))
        .await;
}

/// Beyond what a request waits, yet within what an attempt may take: the answer is kept.
#[tokio::test]
async fn a_service_that_is_slower_than_requests_wait() {
    let users = "wait: 50ms\ntimeout: 10s\nretries: 0\n";
    let mut scene = Scene::with(vec![person("acme", "alice")], users).await;
    scene.service.slow(Duration::from_millis(500));
    let answer = scene.ask("alice").await;
    answer.is_refused(503, "directory_unavailable");
    until("the answer is there", async || {
        scene.ask("alice").await.status == 200
    })
    .await;
    assert_eq!(scene.service.calls("alice").await, 1);
}

#[tokio::test]
async fn a_service_that_flaps() {
    let strangers: Vec<String> = (0..40).map(|number| format!("user-{number}")).collect();
    let mut people = super::people();
    people.extend(strangers.iter().map(|subject| person("acme", subject)));
    let mut scene = Scene::with(people, LONG).await;
    until("alice is known", async || {
        scene.ask("alice").await.status == 200
    })
    .await;
    for (number, stranger) in strangers.iter().enumerate() {
        let mood = if number % 6 < 3 { "status 503" } else { "well" };
        scene.service.mood(mood);
        scene.ask("alice").await.is_allowed();
        let answer = scene.ask(stranger).await;
        if answer.status != 200 {
            answer.is_refused(503, "directory_unavailable");
        }
    }
    scene.service.mood("well");
    for stranger in &strangers {
        until("the stranger passes", async || {
            let answer = scene.ask(stranger).await;
            assert_ne!(answer.code(), "user_not_found");
            answer.status == 200
        })
        .await;
    }
    assert!(scene.unanswered("server_error").await >= 1.0);
}

/// Nor does a change of what is wrong lengthen what may be served.
#[tokio::test]
async fn a_service_that_flaps_and_stays_away() {
    let mut scene = Scene::with(super::people(), SHORT).await;
    until("alice is known", async || {
        scene.ask("alice").await.status == 200
    })
    .await;
    for _ in 0..3 {
        scene.service.mood("status 503");
        scene.ask("alice").await;
        scene.service.mood("well");
        until("alice passes again", async || {
            scene.ask("alice").await.status == 200
        })
        .await;
    }
    scene.service.mood("status 503");
    let began = Instant::now();
    let moods = ["garbage", "status 503", "html_not_found", "other_user"];
    let mut moods = moods.into_iter().cycle();
    let answers = beyond(began, 1, async |_| {
        scene.service.mood(moods.next().expect("no end"));
        scene.ask("alice").await
    })
    .await;
    answers[0].is_refused(503, "directory_unavailable");
}
