//! Users: look-ups are few, and a user service that fails turns nobody away who was known.

use crate::parts::client::get;
use crate::parts::until;
use crate::parts::users::{Mood, User};
use crate::world::{Expected, World};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn a_hundred_concurrent_first_requests_of_one_user_cost_one_look_up() {
    let world = World::start().await;
    world.users.slow(Duration::from_millis(50));
    let asked: Vec<_> = (0..100)
        .map(|_| {
            let token = world.issuer.token().sign();
            let client = world.envoy.client();
            tokio::spawn(async move { client.send(&get("/").bearer(&token)).await })
        })
        .collect();
    for one in asked {
        one.await.expect("an answer").is_allowed();
    }
    assert_eq!(world.users.calls("alice"), 1);
}

#[tokio::test]
async fn with_the_user_service_killed_known_users_pass_and_nobody_becomes_not_found() {
    let world =
        World::configured(|same| same.users("cache: {fresh: 200ms, stale_if_error: 15m}")).await;
    let known = world.issuer.token().sign();
    let disabled = world.issuer.token().subject("bob").sign();
    let stranger = world.issuer.token().subject("dave").sign();
    world.send(&get("/").bearer(&known)).await.is_allowed();
    world
        .send(&get("/").bearer(&disabled))
        .await
        .is_refused(403, "user_disabled");

    world.users.down();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        world.send(&get("/").bearer(&known)).await.is_allowed();
        world
            .send(&get("/").bearer(&disabled))
            .await
            .is_refused(403, "user_disabled");
        let answer = world.send(&get("/").bearer(&stranger)).await;
        answer.is_refused(503, "directory_unavailable");
        assert!(!answer.header("retry-after").is_empty());
    }

    world.users.up();
    until("the user service is asked again", async || {
        world.send(&get("/").bearer(&stranger)).await.code() == "user_not_found"
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_trusted_is_never_a_not_found_and_never_an_allow() {
    let world = World::start().await;
    for (number, mood) in [
        Mood::Status(500),
        Mood::Status(429),
        Mood::Status(401),
        Mood::Status(204),
        Mood::HtmlNotFound,
        Mood::OtherNotFound,
        Mood::Garbage,
        Mood::CutOff,
        Mood::NoHttp,
        Mood::OtherUser,
        Mood::OtherTenant,
    ]
    .into_iter()
    .enumerate()
    {
        let subject = format!("user-{number}");
        world.users.add(User::named(&subject));
        world.users.mood_about(&subject, mood);
        let token = world.issuer.token().subject(&subject).sign();
        let answer = world.send(&get("/").bearer(&token)).await;
        assert_eq!(answer.code(), "directory_unavailable", "{mood:?}");
        answer.is_refused(503, "directory_unavailable");

        world.users.mood_about(&subject, Mood::Well);
        until("the user service is believed again", async || {
            world.send(&get("/").bearer(&token)).await.status == 200
        })
        .await;
    }
}

#[tokio::test]
async fn a_slow_look_up_is_answered_in_time_and_its_answer_kept() {
    let world = World::start().await;
    world.users.slow(Duration::from_millis(600));
    let token = world.issuer.token().sign();
    let asked = Instant::now();
    world
        .send(&get("/").bearer(&token))
        .await
        .is_refused(503, "directory_unavailable");
    assert!(
        asked.elapsed() < Duration::from_millis(600),
        "{:?}",
        asked.elapsed()
    );
    until("the look-up's answer is there", async || {
        world.send(&get("/").bearer(&token)).await.status == 200
    })
    .await;
    assert_eq!(world.users.calls("alice"), 1);
}

#[tokio::test]
async fn a_not_found_is_remembered_and_a_user_is_known_in_its_own_tenant_alone() {
    let world = World::start().await;
    let stranger = world.issuer.token().claim("tenant", "globex").sign();
    for _ in 0..3 {
        world
            .send(&get("/").bearer(&stranger))
            .await
            .is_refused(403, "user_not_found");
    }
    assert_eq!(world.users.calls("alice"), 1);
    let known = world.issuer.token().sign();
    for _ in 0..3 {
        world.send(&get("/").bearer(&known)).await.is_allowed();
    }
    assert_eq!(world.users.calls("alice"), 2);
}

#[tokio::test]
async fn spellings_of_one_subject_are_one_user() {
    let world = World::start().await;
    for subject in [" alice", "alice ", "  alice  "] {
        let token = world.issuer.token().subject(subject).sign();
        let answer = world.send(&get("/").bearer(&token)).await;
        answer.is_allowed();
        assert_eq!(answer.seen("x-user-id"), ["u-alice"], "{subject:?}");
    }
    assert_eq!(world.users.calls("alice"), 1);
}
