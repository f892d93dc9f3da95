//! Events, drops and losses that come at the wrong moment.

use super::script::*;
use super::world::*;
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::event::{self, Event, Kind, Version, Whom};
use crate::user::directory::{Change, Lifetime};
use crate::user::*;
use futures_util::future::join_all;
use futures_util::stream;
use std::sync::atomic::Ordering;

fn event(kind: Kind, whom: Whom, after: u64) -> Event {
    Event {
        kind,
        time: Timestamp::from_secs(1_700_000_000 + after),
        realm: "realm".into(),
        tenant: Some("acme".into()),
        whom: Some(whom),
        version: None,
    }
}

fn alice() -> Whom {
    Whom::Subject("alice".into())
}

fn tell(world: &World, event: &Event) {
    event::apply(event, &world.ledger, SystemClock.now()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_seen_by_whoever_waits_in_vain_and_would_be_served_stale() {
    let world = world(&[Line::Found("u-1"), Line::FoundAfter(millis(600))]);
    world.alice().await;
    pass(secs(11)).await;
    let change = async {
        pass(millis(50)).await;
        tell(&world, &event(Kind::UserDeleted, alice(), 0));
    };
    let (answer, ()) = tokio::join!(world.alice(), change);
    assert_eq!(answer, says("mark", "none"));
}

#[tokio::test(start_paused = true)]
async fn who_is_created_while_the_canary_is_asked_is_no_longer_gone() {
    let mut config = config();
    config.canaries = vec![Canary {
        realm: "realm".into(),
        issuer: "https://id.example.com".into(),
        tenant: Some("acme".into()),
        subject: "canary".into(),
    }];
    let lines = [
        Line::NotFound,
        Line::FoundAfter(millis(100)),
        Line::Found("u-1"),
    ];
    let world = configured(config, &lines);
    let change = async {
        pass(millis(50)).await;
        tell(&world, &event(Kind::UserCreated, alice(), 0));
    };
    let (answer, ()) = tokio::join!(world.alice(), change);
    assert_eq!(answer, says("miss", "u-1"));
}

#[tokio::test(start_paused = true)]
async fn who_is_disabled_by_id_alone_is_disabled_each_time_and_there_when_enabled() {
    let world = world(&[Line::Found("u-1")]);
    let by_id = Whom::Id("u-1".into());
    tell(&world, &event(Kind::UserDisabled, by_id.clone(), 0));
    for _ in 0..3 {
        pass(secs(1)).await;
        assert_eq!(world.alice().await, says("mark", "disabled"));
    }
    // The mark does not cost a question each time.
    assert_eq!(world.script.calls(), 1);
    tell(&world, &event(Kind::UserEnabled, by_id, 1));
    pass(millis(1)).await;
    assert_eq!(world.alice().await, says("miss", "u-1"));
}

#[tokio::test(start_paused = true)]
async fn a_subject_whose_marked_id_went_to_nobody_is_asked_for_again() {
    let world = world(&[Line::Found("u-1"), Line::Found("u-2")]);
    tell(&world, &event(Kind::UserDeleted, Whom::Id("u-1".into()), 0));
    assert_eq!(world.alice().await, says("mark", "none"));
    pass(secs(6)).await;
    assert_eq!(world.alice().await, says("miss", "u-2"));
}

#[tokio::test(start_paused = true)]
async fn a_mark_whose_end_is_near_leaves_no_not_found_behind() {
    let mut config = config();
    config.cache.tombstone_for = secs(10);
    // No answer lives as long.
    (config.cache.fresh, config.cache.stale_if_error) = (secs(5), secs(0));
    config.timeout = millis(100);
    let world = configured(config, &[Line::Version("u-1", 6)]);
    let deleted = Event {
        version: Some(Version::Number(7)),
        ..event(Kind::UserDeleted, alice(), 0)
    };
    tell(&world, &deleted);
    for _ in 0..3 {
        pass(secs(3)).await;
        assert_eq!(world.alice().await, says("mark", "none"));
    }
    pass(secs(2)).await;
    // Nobody ever said that there is no such user.
    assert_eq!(world.alice().await, says("miss", "u-1"));
}

#[tokio::test(start_paused = true)]
async fn a_marked_user_costs_a_failing_directory_no_question_each_time() {
    let world = world(&[Line::Fails(Reason::UnexpectedStatus)]);
    let deleted = Event {
        version: Some(Version::Number(7)),
        ..event(Kind::UserDeleted, alice(), 0)
    };
    tell(&world, &deleted);
    for _ in 0..40 {
        pass(millis(100)).await;
        assert_eq!(world.alice().await, says("mark", "none"));
    }
    assert_eq!(world.script.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_not_found_from_before_changes_were_missed_is_asked_for_again() {
    let world = world(&[Line::NotFound, Line::Found("u-1")]);
    assert_eq!(world.alice().await, says("miss", "none"));
    pass(millis(1)).await;
    world.users.shared.learn(Change::Missed);
    assert_eq!(world.alice().await, says("miss", "u-1"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_under_way_when_changes_are_missed_is_not_believed() {
    for before in [
        Line::FoundAfter(millis(100)),
        Line::NotFoundAfter(millis(100)),
    ] {
        let world = world(&[before, Line::Found("after")]);
        let change = async {
            pass(millis(50)).await;
            world.users.shared.learn(Change::Missed);
        };
        let (answer, ()) = tokio::join!(world.alice(), change);
        assert_eq!(answer, says("miss", "after"), "{before:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reread_takes_its_room_until_it_ends_though_nobody_waits_any_more() {
    let narrow = Config {
        concurrency: 20,
        creation_grace: secs(30),
        ..config()
    };
    let world = configured(narrow, &[Line::NotFound]);
    let names: Vec<String> = (0..10).map(|number| format!("user-{number}")).collect();
    for name in &names {
        world.find_with(name, None).await.unwrap();
    }
    world.script.now_says(&[Line::FoundAfter(millis(900))]);
    for names in names.chunks(2) {
        let young = names
            .iter()
            .map(|name| world.find_with(name, Some(secs(1))));
        for outcome in join_all(young).await {
            assert_eq!(outcome.unwrap_err(), NotKnown::NotYetVisible);
        }
    }
    assert_eq!(world.script.0.most.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_record_keeps_the_validator_and_the_lifetime_that_it_came_with() {
    let lifetime = Lifetime {
        fresh: Some(secs(5)),
        ..Lifetime::default()
    };
    let first = Line::Lasting("u-1", lifetime, "\"v1\"");
    let world = configured(config(), &[first, Line::Unchanged]);
    for _ in 0..3 {
        assert_eq!(world.alice().await, says("miss", "u-1"));
        pass(secs(4)).await;
        assert_eq!(world.alice().await, says("hit", "u-1"));
        pass(secs(2)).await;
    }
    let asked = world.script.0.asked.lock().clone();
    let validator = Some("\"v1\"".to_owned());
    assert_eq!(
        asked,
        [
            (false, None),
            (false, validator.clone()),
            (false, validator)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn unchanged_is_no_answer_to_who_sent_no_validator() {
    let world = world(&[Line::Found("u-1"), Line::Unchanged]);
    world.alice().await;
    pass(secs(11)).await;
    assert_eq!(world.alice().await, says("stale", "u-1"));
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_record_that_was_dropped_meanwhile_does_not_come_back() {
    let first = Line::Lasting("u-1", Lifetime::default(), "\"v1\"");
    let world = world(&[first, Line::UnchangedAfter(millis(100)), Line::Found("u-2")]);
    world.alice().await;
    pass(secs(11)).await;
    let drop = async {
        pass(millis(50)).await;
        assert!(world.forget("alice"));
    };
    let (answer, ()) = tokio::join!(world.alice(), drop);
    assert_eq!(answer, says("miss", "u-2"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_spent_before_it_came_is_read_past_and_not_believed() {
    let old = |secs_old| Lifetime {
        age: secs(secs_old),
        ..Lifetime::default()
    };
    for (line, is_good, is_read_past) in [
        (Line::Lasting("u-1", old(9), "v"), true, false),
        (Line::Lasting("u-1", old(109), "v"), true, true),
        (Line::Lasting("u-1", old(111), "v"), false, true),
        (Line::NotFoundOfAge(secs(4)), true, false),
        (Line::NotFoundOfAge(secs(6)), false, true),
    ] {
        let world = world(&[line]);
        let outcome = world.find("alice").await;
        assert_eq!(outcome.is_ok(), is_good, "{line:?} {outcome:?}");
        let consistent = world.script.0.asked.lock().iter().any(|(is, _)| *is);
        assert_eq!(consistent, is_read_past, "{line:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_there_again_after_a_mark_is_young_though_it_was_marked_for_long() {
    let graceful = Config {
        creation_grace: secs(30),
        ..config()
    };
    let world = configured(graceful, &[Line::NotFound]);
    let deleted = Event {
        version: Some(Version::Number(7)),
        ..event(Kind::UserDeleted, alice(), 0)
    };
    tell(&world, &deleted);
    world.alice().await;
    pass(secs(60)).await;
    world.alice().await;
    pass(secs(1)).await;
    let created = Event {
        version: Some(Version::Number(8)),
        ..event(Kind::UserCreated, alice(), 60)
    };
    tell(&world, &created);
    pass(millis(1)).await;
    let outcome = world.find_with("alice", Some(secs(1))).await;
    assert_eq!(outcome.unwrap_err(), NotKnown::NotYetVisible);
}

#[tokio::test(start_paused = true)]
async fn nobody_listens_to_a_directory_that_is_no_longer_asked() {
    let script = Script::new(&[Line::Found("u-1")]);
    let listened = Arc::new(());
    let held = Arc::clone(&listened);
    *script.0.changes.lock() = Some(Box::pin(stream::poll_fn(move |_| {
        assert!(Arc::strong_count(&held) > 0);
        std::task::Poll::Pending
    })));
    let world = with(config(), script);
    pass(millis(1)).await;
    assert_eq!(Arc::strong_count(&listened), 2);
    drop(world);
    pass(millis(1)).await;
    assert_eq!(Arc::strong_count(&listened), 1);
}
