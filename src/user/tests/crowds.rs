//! Many who wait at once: nobody crowds out others, and whoever may wait does.

use super::script::*;
use super::world::*;
use crate::load::Load;
use crate::user::*;
use futures_util::future::{join, join_all};
use futures_util::poll;
use std::pin::pin;

fn crowded(outcomes: &[Result<Known, NotKnown>]) -> usize {
    let crowded = |outcome: &&Result<Known, NotKnown>| {
        outcome
            .as_ref()
            .is_err_and(|error| *error == NotKnown::Crowded)
    };
    outcomes.iter().filter(crowded).count()
}

#[tokio::test(start_paused = true)]
async fn one_subject_leaves_chairs_to_others_in_whatever_tenants_it_is_asked_for() {
    let mut world = world(&[Line::FoundAfter(millis(100))]);
    world.load = Load::new(1000, 256);
    let tenants = ["acme", "globex"];
    let flood = (0..300).map(|at| {
        let tenant = tenants.get(at % 2).copied();
        world.find_at("realm", tenant, "mallory", secs(60))
    });
    let (flood, bob) = join(join_all(flood), world.find("bob")).await;
    assert_eq!(crowded(&flood), 300 - 112);
    assert!(bob.is_ok(), "{bob:?}");
    assert_eq!(world.load.now(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn strangers_leave_half_of_the_chairs_to_users_who_are_known() {
    let mut world = world(&[Line::Found("u-1"), Line::FoundAfter(millis(100))]);
    world.alice().await;
    pass(secs(111)).await;
    world.load = Load::new(1000, 64);
    let names: Vec<String> = (0..200)
        .map(|number| format!("stranger-{number}"))
        .collect();
    let strangers = join_all(names.iter().map(|name| world.find(name)));
    let (strangers, alice) = join(strangers, world.alice()).await;
    assert!(crowded(&strangers) >= 200 - 32, "{}", crowded(&strangers));
    assert_eq!(alice, says("miss", "late"));
}

#[tokio::test(start_paused = true)]
async fn who_joins_a_look_up_in_the_background_that_finds_no_room_waits_in_the_queue_himself() {
    let narrow = Config {
        concurrency: 1,
        cache: Cache {
            stale_while_revalidate: secs(50),
            ..config().cache
        },
        ..config()
    };
    let world = configured(narrow, &[Line::Found("u-1"), Line::FoundAfter(millis(50))]);
    world.alice().await;
    pass(secs(11)).await;
    // He takes the only place, and the refresh of alice is begun before it finds none.
    let mut bob = pin!(world.find("bob"));
    assert!(poll!(&mut bob).is_pending());
    tokio::task::yield_now().await;
    assert_eq!(world.alice().await, says("revalidating", "u-1"));
    assert!(world.forget("alice"));
    let (bob, alice, again) = tokio::join!(bob, world.alice(), world.alice());
    assert!(bob.is_ok(), "{bob:?}");
    assert_eq!(alice, says("miss", "late"));
    assert_eq!(again, says("miss", "late"));
    assert_eq!(world.script.calls(), 3, "one look-up for both");
}

#[tokio::test(start_paused = true)]
async fn a_pause_asked_for_one_user_shuts_no_other_out() {
    let world = world(&[Line::Throttled(secs(30)), Line::Found("u-2")]);
    let mallory = world.find("mallory").await.unwrap_err();
    assert_eq!(mallory.reason(), Some(Reason::Throttled));
    assert_eq!(world.alice().await, says("miss", "u-2"));
    let again = world.find("mallory").await.unwrap_err();
    assert_eq!(again.reason(), Some(Reason::BreakerOpen));
    assert_eq!(world.script.calls(), 2);
}
