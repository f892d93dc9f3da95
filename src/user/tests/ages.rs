//! How answers age: stale while they are asked for again, and as long as the directory said.

use super::script::*;
use super::world::*;
use crate::user::directory::{Lifetime, Reason};
use std::sync::atomic::Ordering;

fn lasting(fresh: u64, age: u64, revalidate: bool) -> Lifetime {
    Lifetime {
        age: secs(age),
        fresh: Some(secs(fresh)),
        revalidate,
    }
}

fn revalidating() -> crate::user::Config {
    let mut config = config();
    config.cache.stale_while_revalidate = secs(20);
    config
}

#[tokio::test(start_paused = true)]
async fn a_stale_user_is_served_at_once_and_asked_for_once_in_the_background() {
    let world = configured(
        revalidating(),
        &[Line::Found("u-1"), Line::FoundAfter(millis(300))],
    );
    world.alice().await;
    pass(secs(11)).await;
    for _ in 0..5 {
        let asked = tokio::time::Instant::now();
        assert_eq!(world.alice().await, says("revalidating", "u-1"));
        assert_eq!(asked.elapsed(), millis(0));
        pass(millis(10)).await;
    }
    assert_eq!(world.script.calls(), 2);
    pass(millis(300)).await;
    assert_eq!(world.alice().await, says("hit", "late"));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_failed_is_tried_again_after_a_second_and_lengthens_nothing() {
    let fails = Line::Fails(Reason::UnexpectedStatus);
    let world = configured(revalidating(), &[Line::Found("u-1"), fails]);
    world.alice().await;
    pass(secs(11)).await;
    for _ in 0..10 {
        assert_eq!(world.alice().await, says("revalidating", "u-1"));
        pass(millis(100)).await;
    }
    assert_eq!(world.script.calls(), 2);
    pass(millis(100)).await;
    world.alice().await;
    pass(millis(1)).await;
    assert_eq!(world.script.calls(), 3);
    pass(secs(18)).await;
    assert_eq!(world.alice().await, says("stale", "u-1"));
    // Ten seconds fresh and a hundred more, from the one trustworthy answer.
    pass(secs(80)).await;
    assert_eq!(world.alice().await.0, "unknown");
}

#[tokio::test(start_paused = true)]
async fn the_directory_shortens_and_never_lengthens() {
    let world = configured(
        revalidating(),
        &[
            Line::Lasting("u-1", lasting(5, 2, false), "v1"),
            Line::Lasting("u-2", lasting(1000, 0, false), "v2"),
            Line::Found("u-3"),
        ],
    );
    assert_eq!(world.alice().await, says("miss", "u-1"));
    pass(secs(2)).await;
    assert_eq!(world.alice().await, says("hit", "u-1"));
    // Two seconds old when it came, good for five: three are left.
    pass(secs(1)).await;
    assert_eq!(world.alice().await, says("revalidating", "u-1"));
    pass(millis(1)).await;
    assert_eq!(world.alice().await, says("hit", "u-2"));
    pass(secs(10)).await;
    assert_eq!(world.alice().await, says("revalidating", "u-2"));
    pass(millis(1)).await;
    assert_eq!(world.alice().await, says("hit", "u-3"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_must_be_revalidated_is_asked_for_each_time_and_served_stale_on_error_alone()
{
    let fails = Line::Fails(Reason::UnexpectedStatus);
    let strict = Line::Lasting("u-1", lasting(60, 0, true), "v1");
    let world = configured(revalidating(), &[strict, strict, fails]);
    assert_eq!(world.alice().await, says("miss", "u-1"));
    assert_eq!(world.alice().await, says("miss", "u-1"));
    assert_eq!(world.alice().await, says("stale", "u-1"));
    assert_eq!(world.script.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_validator_is_sent_back_and_an_unchanged_record_is_fresh_again() {
    let first = Line::Lasting("u-1", lasting(5, 0, false), "\"v1\"");
    let world = configured(revalidating(), &[first, Line::Unchanged, Line::NotFound]);
    world.alice().await;
    pass(secs(6)).await;
    assert_eq!(world.alice().await, says("revalidating", "u-1"));
    pass(millis(1)).await;
    assert_eq!(world.alice().await, says("hit", "u-1"));
    let asked = world.script.0.asked.lock().clone();
    assert_eq!(asked, [(false, None), (false, Some("\"v1\"".to_owned()))]);
    assert_eq!(world.users.counts().found.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn unchanged_without_a_record_is_no_answer() {
    let world = configured(revalidating(), &[Line::Unchanged]);
    assert_eq!(world.alice().await.0, "unknown");
}

#[tokio::test(start_paused = true)]
async fn an_older_version_never_replaces_a_newer_one() {
    let world = world(&[Line::Version("new", 7), Line::Version("old", 6)]);
    assert_eq!(world.alice().await, says("miss", "new"));
    pass(secs(11)).await;
    assert_eq!(world.alice().await, says("stale", "new"));
    // It was asked once more, past whatever lags, before it was given up.
    let asked = world.script.0.asked.lock().clone();
    let consistent: Vec<bool> = asked
        .into_iter()
        .map(|(consistent, _)| consistent)
        .collect();
    assert_eq!(consistent, [false, false, true]);
    world.script.now_says(&[Line::Version("newer", 8)]);
    pass(secs(2)).await;
    assert_eq!(world.alice().await, says("miss", "newer"));
}

#[tokio::test(start_paused = true)]
async fn an_older_version_is_not_believed_though_the_newer_one_is_spent_until_that_is_dropped() {
    let world = world(&[Line::Version("new", 7), Line::Version("old", 6)]);
    assert_eq!(world.alice().await, says("miss", "new"));
    for _ in 0..2 {
        // Past `fresh` and `stale_if_error`.
        pass(secs(200)).await;
        let not_known = world.find("alice").await.unwrap_err();
        assert_eq!(not_known.reason(), Some(Reason::Outdated));
    }
    let asked = world.script.0.asked.lock().clone();
    let consistent = asked.iter().map(|(consistent, _)| *consistent);
    let consistent: Vec<bool> = consistent.collect();
    assert_eq!(consistent, [false, false, true, false, true]);
    // An operator who knows that the store was put back says so.
    assert!(world.forget("alice"));
    assert_eq!(world.alice().await, says("miss", "old"));
}

#[tokio::test(start_paused = true)]
async fn a_spent_user_whose_version_is_not_older_or_cannot_be_compared_is_believed_again() {
    for line in [Line::Version("again", 7), Line::Found("again")] {
        let world = world(&[Line::Version("first", 7), line]);
        assert_eq!(world.alice().await, says("miss", "first"));
        pass(secs(200)).await;
        assert_eq!(world.alice().await, says("miss", "again"));
    }
}
