//! What somebody hostile, or bad luck, would bring about.

use super::script::*;
use super::world::*;
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::event::{self, Event, Kind, Whom};
use crate::user::directory::Lifetime;
use crate::user::*;
use std::fs;
use std::path::Path;

fn event(kind: Kind, whom: &str, after: u64) -> Event {
    Event {
        kind,
        time: Timestamp::from_secs(1_700_000_000 + after),
        realm: "realm".into(),
        tenant: Some("acme".into()),
        whom: Some(Whom::Subject(whom.into())),
        version: None,
    }
}
fn tell(world: &World, event: &Event) {
    event::apply(event, &world.ledger, SystemClock.now()).unwrap();
}

fn written(folder: &Path) -> Config {
    fs::write(folder.join("key"), [7; 32]).unwrap();
    let mut config = config();
    config.cache.fresh = secs(60);
    config.cache.stale_while_revalidate = secs(60);
    config.snapshot = Some(Snapshot {
        file: folder.join("users.snapshot"),
        key_file: folder.join("key"),
        max: 100,
    });
    config
}

#[tokio::test(start_paused = true)]
async fn whoever_gets_a_subject_anew_is_not_who_had_it_before() {
    let world = world(&[Line::Found("old-person"), Line::Found("new-person")]);
    assert_eq!(world.alice().await, says("miss", "old-person"));
    pass(millis(1)).await;
    tell(
        &world,
        &event(
            Kind::UserIdChanged {
                to: "alice2".into(),
                all_tokens: false,
            },
            "alice",
            0,
        ),
    );
    pass(millis(1)).await;
    // token issued after the rename: the subject was given to another person
    let known = world.find_with("alice", Some(secs(1))).await.unwrap();
    assert_eq!(id_of(&known), "new-person", "{:?}", known.cached);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_may_not_be_kept_is_asked_for_after_a_restart_too() {
    let folder = tempfile::tempdir().unwrap();
    let lifetime = Lifetime {
        age: secs(0),
        fresh: Some(secs(0)),
        revalidate: true,
    };
    let before = configured(
        written(folder.path()),
        &[Line::Lasting("u-1", lifetime, "\"e\"")],
    );
    before.alice().await;
    assert_eq!(before.alice().await, says("miss", "u-1")); // asked every time
    before.users.save().unwrap();
    let after = configured(written(folder.path()), &[Line::NotFound]);
    after.users.warm().unwrap();
    assert_eq!(after.alice().await, says("miss", "none"));
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_a_warm_start_brings_no_deleted_user_back() {
    let folder = tempfile::tempdir().unwrap();
    let first = configured(written(folder.path()), &[Line::Found("u-1")]);
    first.alice().await;
    first.users.save().unwrap();
    let second = configured(written(folder.path()), &[Line::NotFound]);
    second.users.warm().unwrap();
    tell(&second, &event(Kind::UserDeleted, "alice", 0));
    assert_eq!(second.alice().await, says("mark", "none"));
    drop(second); // SIGKILL: nothing is written
    let third = configured(written(folder.path()), &[Line::NotFound]);
    third.users.warm().ok();
    assert_eq!(third.alice().await.1, "none");
}

#[tokio::test(start_paused = true)]
async fn one_subject_in_many_tenants_does_not_shut_out_other_strangers() {
    let world = world(&[Line::Fails(Reason::Unauthorized)]);
    for n in 0..5 {
        let tenant = format!("none-{n}");
        world
            .find_at("realm", Some(&tenant), "mallory", secs(60))
            .await
            .unwrap_err();
    }
    world.script.now_says(&[Line::Found("bob-id")]);
    let bob = world.find_at("realm", Some("other"), "bob", secs(60)).await;
    assert!(bob.is_ok(), "{bob:?}");
}

#[tokio::test(start_paused = true)]
async fn a_canary_out_of_a_cache_on_the_way_vouches_for_nobody() {
    let mut config = config();
    config.canaries = vec![Canary {
        realm: "realm".into(),
        issuer: "https://id.example.com".into(),
        tenant: Some("acme".into()),
        subject: "canary".into(),
    }];
    let old = Lifetime {
        age: secs(100),
        fresh: Some(secs(300)),
        revalidate: false,
    };
    let world = configured(
        config,
        &[Line::NotFound, Line::Lasting("canary", old, "\"e\"")],
    );
    let alice = world.alice().await;
    assert_eq!(
        alice.0,
        "unknown",
        "{alice:?} consistent: {:?}",
        world.script.0.asked.lock()
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_longer_fresh_when_it_comes_is_read_past() {
    let old = Lifetime {
        age: secs(90),
        fresh: Some(secs(3600)),
        revalidate: false,
    };
    let world = world(&[Line::Lasting("old", old, "\"e\""), Line::NotFound]);
    let alice = world.alice().await;
    assert_eq!(alice.1, "none", "{alice:?}");
}

#[tokio::test(start_paused = true)]
async fn without_room_to_wait_a_stale_user_is_asked_for_all_the_same() {
    let mut world = world(&[Line::Found("u-1"), Line::NotFound]);
    world.alice().await;
    pass(secs(11)).await; // past fresh; the directory is well and says not-found
    world.load = crate::load::Load::new(100, 0); // one client keeps limits.waiting full
    let calls = world.script.calls();
    let mut seen = Vec::new();
    for _ in 0..9 {
        seen.push(world.alice().await);
        pass(secs(10)).await;
    }
    assert!(world.script.calls() > calls, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_makes_no_window_longer() {
    let folder = tempfile::tempdir().unwrap();
    // Fresh for a second, and a hundred more on error.
    let short = Lifetime {
        age: secs(99),
        fresh: Some(secs(1)),
        revalidate: false,
    };
    let before = configured(
        written(folder.path()),
        &[Line::Lasting("u-1", short, "\"e\"")],
    );
    before.alice().await;
    before.users.save().unwrap();
    let after = configured(
        written(folder.path()),
        &[Line::Fails(Reason::UnexpectedStatus)],
    );
    after.users.warm().unwrap();
    pass(secs(10)).await; // 109 s old
    assert_eq!(after.alice().await.0, "unknown");
}
