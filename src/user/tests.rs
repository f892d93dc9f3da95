mod ages;
mod audit;
mod crowds;
mod events;
mod faults;
mod hostile;
mod memory;
mod races;
mod reload;
mod room;
mod script;
mod warm;
mod world;
mod young;

use super::directory::Unanswered;
use super::*;
use futures_util::future::join_all;
use script::*;
use std::sync::atomic::Ordering;
use world::*;

#[tokio::test(start_paused = true)]
async fn a_found_user_is_served_from_memory_while_fresh_and_asked_for_after_that() {
    let world = world(&[Line::Found("u-1"), Line::Found("u-2")]);
    assert_eq!(world.alice().await, says("miss", "u-1"));
    pass(secs(9)).await;
    assert_eq!(world.alice().await, says("hit", "u-1"));
    assert_eq!(world.script.calls(), 1);
    pass(secs(1)).await;
    assert_eq!(world.alice().await, says("miss", "u-2"));
    assert_eq!(world.script.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_not_found_is_remembered_for_its_seconds_and_then_asked_for_again() {
    let world = world(&[Line::NotFound, Line::Found("u-1")]);
    assert_eq!(world.alice().await, says("miss", "none"));
    pass(millis(4900)).await;
    assert_eq!(world.alice().await, says("negative", "none"));
    assert_eq!(world.script.calls(), 1);
    pass(millis(200)).await;
    assert_eq!(world.alice().await, says("miss", "u-1"));
    assert_eq!(world.alice().await, says("hit", "u-1"));
}

#[tokio::test(start_paused = true)]
async fn a_trustworthy_not_found_replaces_a_user_that_was_known() {
    let world = world(&[
        Line::Found("u-1"),
        Line::NotFound,
        Line::Fails(Reason::Connect),
    ]);
    world.alice().await;
    pass(secs(11)).await;
    assert_eq!(world.alice().await, says("miss", "none"));
    assert_eq!(world.alice().await, says("negative", "none"));
    // Nothing stale is left of it: the window of a user that is gone is gone.
    pass(secs(6)).await;
    assert_eq!(world.alice().await, says("unknown", "directory: connect"));
}

#[tokio::test(start_paused = true)]
async fn while_the_directory_fails_a_known_user_is_stale_and_then_spent_and_errors_lengthen_nothing()
 {
    let world = world(&[Line::Found("u-1"), Line::Fails(Reason::ServerError)]);
    let began = Instant::now();
    world.alice().await;
    pass(secs(11)).await;
    // Freshness, and what follows it, may end a sixteenth of ten seconds early.
    while began.elapsed() < millis(109_300) {
        assert_eq!(
            world.alice().await,
            says("stale", "u-1"),
            "{:?}",
            began.elapsed()
        );
        pass(millis(300)).await;
    }
    pass(secs(110).saturating_sub(began.elapsed())).await;
    assert_eq!(
        world.alice().await,
        says("unknown", "directory: server_error")
    );
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_failed_is_left_alone_for_a_second_by_those_who_have_something_stale() {
    let world = world(&[Line::Found("u-1"), Line::Fails(Reason::Connect)]);
    world.alice().await;
    pass(secs(11)).await;
    for _ in 0..50 {
        assert_eq!(world.alice().await, says("stale", "u-1"));
    }
    assert_eq!(world.script.calls(), 2);
    pass(millis(1001)).await;
    world.script.now_says(&[Line::Found("u-2")]);
    assert_eq!(world.alice().await, says("miss", "u-2"));
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_any_reason_is_never_a_not_found() {
    for reason in Reason::ALL {
        let world = world(&[Line::Fails(*reason)]);
        let error = world.find("alice").await.unwrap_err();
        assert_eq!(error, NotKnown::Unanswered(Unanswered::because(*reason)));
        // Nothing was remembered: the next one asks again.
        world.script.now_says(&[Line::Found("u-1")]);
        assert_eq!(world.alice().await, says("miss", "u-1"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_directory_says_of_when_to_ask_again_is_kept() {
    let world = world(&[Line::Throttled(secs(7))]);
    let NotKnown::Unanswered(unanswered) = world.find("alice").await.unwrap_err() else {
        panic!("expected the directory's own answer");
    };
    assert_eq!(unanswered.retry_after, Some(secs(7)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_directory_makes_a_stale_user_wait_no_longer_than_wait() {
    let world = world(&[Line::Found("u-1"), Line::FoundAfter(millis(600))]);
    world.alice().await;
    pass(secs(11)).await;
    let asked = Instant::now();
    assert_eq!(world.alice().await, says("stale", "u-1"));
    assert!(
        (millis(180)..millis(190)).contains(&asked.elapsed()),
        "{:?}",
        asked.elapsed()
    );
    pass(millis(600)).await;
    assert_eq!(world.alice().await, says("hit", "late"));
    assert_eq!(world.script.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_until_wait_or_its_own_deadline_and_the_look_up_until_its_timeout() {
    let world = world(&[Line::FoundAfter(secs(5))]);
    for (patience, waited) in [(secs(60), millis(180)), (millis(90), millis(90))] {
        let asked = Instant::now();
        let outcome = world.find_at("realm", None, "alice", patience).await;
        assert_eq!(outcome.unwrap_err(), NotKnown::Late);
        assert!((waited..waited + millis(10)).contains(&asked.elapsed()));
    }
    // Both waited for one look-up, which ends by its own time-out a second after it began.
    assert_eq!(world.script.calls(), 1);
    pass(secs(1)).await;
    assert_eq!(world.script.0.running.load(Ordering::SeqCst), 0);
    let timeouts = &world.users.counts().unanswered[Reason::Timeout.index()];
    assert_eq!(timeouts.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_concurrent_misses_of_one_user_are_one_look_up() {
    let world = world(&[Line::FoundAfter(millis(50))]);
    let asked = (0..100).map(|_| world.alice());
    for outcome in join_all(asked).await {
        assert_eq!(outcome, says("miss", "late"));
    }
    assert_eq!(world.script.calls(), 1);
    assert_eq!(world.users.counts().found.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_look_up_outlives_those_who_asked_and_its_answer_is_kept() {
    let world = world(&[Line::FoundAfter(millis(500))]);
    {
        let mut asking = Box::pin(world.alice());
        assert!(futures_util::poll!(&mut asking).is_pending());
        tokio::task::yield_now().await;
    }
    pass(millis(501)).await;
    assert_eq!(world.alice().await, says("hit", "late"));
    assert_eq!(world.script.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_panics_is_a_fault_of_ours_and_the_next_look_up_begins_anew() {
    let world = world(&[Line::Panics, Line::Found("u-1")]);
    let error = world.find("alice").await.unwrap_err();
    assert_eq!(
        error,
        NotKnown::Unanswered(Unanswered::because(Reason::Internal))
    );
    assert_eq!(world.alice().await, says("miss", "u-1"));
    assert_eq!(world.script.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_no_one_who_is_known_and_gives_its_room_back() {
    let narrow = Config {
        concurrency: 2,
        ..config()
    };
    let world = configured(narrow, &[Line::Found("u-1"), Line::Panics]);
    world.alice().await;
    pass(secs(11)).await;
    for _ in 0..5 {
        assert_eq!(world.alice().await, says("stale", "u-1"));
    }
    world.script.now_says(&[Line::Found("u-2")]);
    pass(secs(2)).await;
    assert_eq!(world.alice().await, says("miss", "u-2"));
}

#[tokio::test(start_paused = true)]
async fn realms_and_tenants_are_apart_and_issuers_of_one_realm_are_not() {
    let world = world(&[Line::Found("u-1"), Line::NotFound]);
    world.alice().await;
    let elsewhere = [
        ("other", Some("acme")),
        ("realm", Some("globex")),
        ("realm", None),
    ];
    for (realm, tenant) in elsewhere {
        let known = world
            .find_at(realm, tenant, "alice", secs(1))
            .await
            .unwrap();
        assert_eq!(
            (known.cached, id_of(&known)),
            (Cached::Miss, "none".to_owned()),
            "{realm} {tenant:?}"
        );
    }
    let [realm, subject, tenant] = ["realm", "alice", "acme"].map(Arc::<str>::from);
    let other_issuer = Arc::from("https://other.example.com");
    let query = Query {
        realm: &realm,
        issuer: &other_issuer,
        tenant: Some(&tenant),
        subject: &subject,
    };
    let now = Instant::now();
    let place = world.load.admit(now + secs(1)).unwrap();
    let known = world
        .users
        .find(query, Asked { now, issued: None }, &place)
        .await
        .unwrap();
    assert_eq!(known.cached, Cached::Hit);
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_changed_is_asked_again() {
    let world = world(&[Line::Found("u-1"), Line::Found("u-2")]);
    world.alice().await;
    tokio::task::yield_now().await;
    world.script.0.versions.send_modify(|version| *version += 1);
    pass(millis(1)).await;
    assert_eq!(world.alice().await, says("miss", "u-2"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_asked_for_before_the_directory_changed_is_not_remembered_after_it() {
    for before in [
        Line::FoundAfter(millis(100)),
        Line::NotFoundAfter(millis(100)),
    ] {
        let world = world(&[before]);
        let change = async {
            pass(millis(50)).await;
            world.script.0.versions.send_modify(|version| *version += 1);
        };
        let (_of_before, ()) = tokio::join!(world.alice(), change);
        world.script.now_says(&[Line::Found("u-2")]);
        assert_eq!(world.alice().await, says("miss", "u-2"), "{before:?}");
    }
}
