//! Young tokens: their users may not be visible yet.

use super::script::*;
use super::world::*;
use crate::user::*;
use futures_util::future::join_all;

fn graceful() -> Config {
    Config {
        creation_grace: secs(30),
        ..config()
    }
}

/// What is said of `alice`, whose token was issued so many seconds ago.
async fn asked(world: &World, issued: u64) -> String {
    match world.find_with("alice", Some(secs(issued))).await {
        Ok(known) => format!("{} {}", known.cached.as_str(), id_of(&known)),
        Err(NotKnown::NotYetVisible) => "not yet".to_owned(),
        Err(other) => other.to_string(),
    }
}

fn consistent(world: &World) -> Vec<bool> {
    let asked = world.script.0.asked.lock().clone();
    asked
        .into_iter()
        .map(|(consistent, _)| consistent)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_young_subject_is_read_again_consistently_before_it_is_refused() {
    let world = configured(graceful(), &[Line::NotFound, Line::Found("u-1")]);
    assert_eq!(asked(&world, 1).await, "miss u-1");
    assert_eq!(consistent(&world), [false, true]);
    assert_eq!(asked(&world, 1).await, "hit u-1");
}

#[tokio::test(start_paused = true)]
async fn it_is_read_again_once_a_second_and_three_times_in_all_and_then_waited_for() {
    let world = configured(graceful(), &[Line::NotFound]);
    for at in 0..10 {
        assert_eq!(asked(&world, 1 + at).await, "not yet", "{at}");
        assert_eq!(asked(&world, 1 + at).await, "not yet", "{at}");
        pass(secs(1)).await;
    }
    let rereads = consistent(&world).into_iter().filter(|is| *is).count();
    assert_eq!(rereads, 3);
    // What is asked for every five seconds, as for everybody, sees it when it comes.
    world.script.now_says(&[Line::Found("u-1")]);
    pass(secs(5)).await;
    assert_eq!(asked(&world, 20).await, "miss u-1");
}

#[tokio::test(start_paused = true)]
async fn after_creation_grace_a_not_found_stands_however_young_the_next_token_is() {
    let world = configured(graceful(), &[Line::NotFound]);
    assert_eq!(asked(&world, 0).await, "not yet");
    pass(secs(29)).await;
    assert_eq!(asked(&world, 0).await, "not yet");
    pass(secs(1)).await;
    assert_eq!(asked(&world, 0).await, "negative none");
    pass(secs(60)).await;
    assert_eq!(asked(&world, 0).await, "miss none");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_young_or_does_not_say_is_refused_at_once() {
    let world = configured(graceful(), &[Line::NotFound]);
    assert_eq!(asked(&world, 30).await, "miss none");
    assert_eq!(asked(&world, 29).await, "not yet");
    let unknown = world.find_with("alice", None).await.unwrap();
    assert_eq!(unknown.cached, Cached::Negative);
}

#[tokio::test(start_paused = true)]
async fn rereads_take_a_tenth_of_the_room_and_those_beyond_it_are_told_to_wait() {
    let narrow = Config {
        concurrency: 20,
        ..graceful()
    };
    let world = configured(narrow, &[Line::NotFound]);
    let names: Vec<String> = (0..10).map(|number| format!("user-{number}")).collect();
    for name in &names {
        world.find_with(name, None).await.unwrap();
    }
    world.script.now_says(&[Line::FoundAfter(millis(50))]);
    let young = names
        .iter()
        .map(|name| world.find_with(name, Some(secs(1))));
    let outcomes = join_all(young).await;
    let found = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(found, 2);
    assert_eq!(
        world
            .script
            .0
            .most
            .load(std::sync::atomic::Ordering::SeqCst),
        2
    );
}

#[tokio::test(start_paused = true)]
async fn concurrent_young_requests_of_one_subject_are_one_reread() {
    let lines = [Line::NotFound, Line::FoundAfter(millis(50))];
    let world = configured(graceful(), &lines);
    world.find_with("alice", None).await.unwrap();
    let outcomes = join_all((0..20).map(|_| world.find_with("alice", Some(secs(1))))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(consistent(&world), [false, true]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_while_it_is_read_again_is_no_not_found() {
    let fails = Line::Fails(Reason::UnexpectedStatus);
    let world = configured(graceful(), &[Line::NotFound, fails]);
    assert_eq!(asked(&world, 1).await, "not yet");
}
