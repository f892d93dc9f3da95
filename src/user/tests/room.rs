//! Who finds room to ask, and to wait.

use super::script::*;
use super::world::*;
use crate::load::Load;
use crate::user::directory::Unanswered;
use crate::user::*;
use futures_util::future::join_all;
use std::sync::atomic::Ordering;

#[tokio::test(start_paused = true)]
async fn strangers_take_half_of_the_room_and_what_finds_none_is_crowded_out() {
    let narrow = Config {
        concurrency: 4,
        ..config()
    };
    let world = configured(narrow, &[Line::FoundAfter(millis(400))]);
    let names: Vec<String> = (0..20).map(|number| format!("user-{number}")).collect();
    let outcomes = join_all(names.iter().map(|name| world.find(name))).await;
    let crowded = NotKnown::Unanswered(Unanswered::because(Reason::Crowded));
    let count = |error| {
        let is_it =
            |outcome: &&Result<Known, NotKnown>| outcome.as_ref().is_err_and(|of| *of == error);
        outcomes.iter().filter(is_it).count()
    };
    assert_eq!(count(NotKnown::Late) + count(crowded), 20);
    assert!(count(crowded) >= 12, "{}", count(crowded));
    pass(secs(2)).await;
    assert_eq!(world.script.0.most.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_room_to_wait_is_told_so_or_served_stale() {
    let mut world = world(&[Line::Found("u-1"), Line::FoundAfter(millis(100))]);
    world.alice().await;
    pass(secs(11)).await;
    world.load = Load::new(10, 1);
    let (waiting, crowded, stale) =
        tokio::join!(world.find("bob"), world.find("carol"), world.find("alice"),);
    assert!(id_of(&waiting.unwrap()) != "none");
    assert_eq!(crowded.unwrap_err(), NotKnown::Crowded);
    assert_eq!(stale.unwrap().cached, Cached::Stale);
    assert_eq!(world.load.now(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_room_to_wait_begins_no_look_up() {
    let mut world = world(&[Line::FoundAfter(millis(100))]);
    world.load = Load::new(100, 1);
    let names: Vec<String> = (0..50).map(|number| format!("user-{number}")).collect();
    let outcomes = join_all(names.iter().map(|name| world.find(name))).await;
    let crowded = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(NotKnown::Crowded)))
        .count();
    assert_eq!((crowded, world.script.calls()), (49, 1));
    pass(secs(5)).await;
    assert_eq!(world.script.calls(), 1);
}
