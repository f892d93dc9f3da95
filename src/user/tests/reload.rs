//! Another configuration: what is remembered stays.

use super::script::*;
use super::world::*;
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::event::{self, Event, Kind, Whom};
use crate::user::directory::{Change, Lifetime};
use crate::user::*;
use futures_util::stream;
use std::time::Duration;

impl World {
    fn reload(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = self.users.config().clone();
        change(&mut config);
        self.users = self.users.reconfigured(&config);
        self.users.take_over();
        self.ledger.reconfigure(settings(&config), None);
    }

    /// The directory is reached in another way from now on, and says this.
    fn reconnect(&mut self, script: Script) {
        let directory = Box::new(script.clone());
        self.users = self.users.reconnected(self.users.config(), directory);
        self.users.take_over();
        self.script = script;
    }

    /// Waits until the memory has the size that was wanted.
    async fn is_resized(&self) {
        let work = self.users.shared.remembered.resize();
        if let Some(work) = work {
            tokio::task::spawn_blocking(work).await.unwrap();
        }
    }
}

fn deletion(subject: &str) -> Event {
    Event {
        kind: Kind::UserDeleted,
        time: Timestamp::from_secs(1_700_000_000),
        realm: "realm".into(),
        tenant: Some("acme".into()),
        whom: Some(Whom::Subject(subject.into())),
        version: None,
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_turns_nobody_away_who_was_held_whichever_setting_changes() {
    let changes: [fn(&mut Config); 9] = [
        |config| config.cache.fresh = secs(5),
        |config| config.cache.stale_while_revalidate = secs(1),
        |config| config.cache.stale_if_error = secs(200),
        |config| config.cache.not_found_for = secs(1),
        |config| config.cache.max_memory = 1 << 19,
        |config| config.cache.max_memory = 1 << 22,
        |config| config.cache.tombstone_for = secs(100_000),
        |config| config.vanish_guard.min = 7,
        |config| config.timeout = millis(500),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut world = world(&[Line::Found("u-1"), Line::Fails(Reason::Connect)]);
        world.alice().await;
        pass(secs(11)).await;
        world.reload(change);
        assert_eq!(world.alice().await, says("stale", "u-1"), "{at}");
        world.is_resized().await;
        assert_eq!(world.alice().await, says("stale", "u-1"), "{at}");
        // Nothing began anew: the windows are those of the answer.
        pass(secs(200)).await;
        assert_eq!(world.alice().await.0, "unknown", "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_good_for_as_long_as_the_new_settings_say() {
    let mut world = world(&[Line::Found("u-1"), Line::Found("u-2"), Line::Found("u-3")]);
    world.alice().await;
    pass(secs(11)).await;
    world.reload(|config| config.cache.fresh = secs(60));
    assert_eq!(world.alice().await, says("hit", "u-1"));
    world.reload(|config| config.cache.fresh = secs(5));
    assert_eq!(world.alice().await, says("miss", "u-2"));
    pass(secs(6)).await;
    assert_eq!(world.alice().await, says("miss", "u-3"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_never_good_for_longer_than_it_said_itself() {
    let brief = Lifetime {
        fresh: Some(secs(5)),
        ..Lifetime::default()
    };
    let never = Lifetime {
        revalidate: true,
        ..Lifetime::default()
    };
    for (lifetime, until) in [(brief, 4), (never, 0)] {
        let lines = [Line::Lasting("u-1", lifetime, "e"), Line::Found("u-2")];
        let mut world = world(&lines);
        world.alice().await;
        world.reload(|config| config.cache.fresh = secs(3600));
        pass(secs(until)).await;
        if until > 0 {
            assert_eq!(world.alice().await, says("hit", "u-1"));
        }
        pass(secs(2)).await;
        assert_eq!(world.alice().await, says("miss", "u-2"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_not_found_is_good_for_as_long_as_the_new_settings_say() {
    let mut world = world(&[Line::NotFound, Line::Found("u-1")]);
    world.alice().await;
    world.reload(|config| config.cache.not_found_for = secs(60));
    pass(secs(30)).await;
    assert_eq!(world.alice().await, says("negative", "none"));
    world.reload(|config| config.cache.not_found_for = secs(1));
    assert_eq!(world.alice().await, says("miss", "u-1"));
}

#[tokio::test(start_paused = true)]
async fn more_memory_loses_nobody_and_less_keeps_as_many_as_there_is_room_for() {
    let mut world = world(&[Line::Found("u-1")]);
    for number in 0..100 {
        world.find(&format!("user-{number}")).await.unwrap();
    }
    world.reload(|config| config.cache.max_memory = 1 << 22);
    world.is_resized().await;
    assert_eq!(world.users.size().0, 100);
    assert_eq!(world.script.calls(), 100);
    world.reload(|config| config.cache.max_memory = 16 << 10);
    world.is_resized().await;
    let (found, bytes, _) = world.users.size();
    assert!((10..60).contains(&found), "{found}");
    assert!(bytes <= 16 << 10, "{bytes}");
}

#[tokio::test(start_paused = true)]
async fn a_look_up_under_way_is_joined_and_its_answer_kept_through_reloads() {
    let mut world = world(&[Line::FoundAfter(millis(300))]);
    assert_eq!(world.alice().await.0, "unknown");
    world.reload(|config| config.cache.max_memory = 1 << 21);
    world.is_resized().await;
    world.reload(|config| config.cache.fresh = secs(20));
    assert_eq!(world.alice().await, says("miss", "late"));
    assert_eq!(world.script.calls(), 1);
    pass(secs(15)).await;
    assert_eq!(world.alice().await, says("hit", "late"));
}

#[tokio::test(start_paused = true)]
async fn a_directory_reached_in_another_way_is_asked_from_then_on_and_nobody_forgotten() {
    let mut world = world(&[Line::Found("u-1"), Line::FoundAfter(millis(300))]);
    world.alice().await;
    assert!(world.find("bob").await.is_err(), "it is under way");
    world.reconnect(Script::new(&[Line::Fails(Reason::Connect)]));
    assert_eq!(world.alice().await, says("hit", "u-1"));
    // What was asked in the old way is answered, and is an answer of the same directory.
    pass(millis(300)).await;
    assert_eq!(world.find("bob").await.unwrap().cached, Cached::Hit);
    assert_eq!(world.script.calls(), 0);
    pass(secs(11)).await;
    assert_eq!(world.alice().await, says("stale", "u-1"));
    assert_eq!(world.script.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_directory_reached_in_another_way_is_followed_for_changes() {
    let mut world = world(&[Line::Found("u-1")]);
    world.alice().await;
    let script = Script::new(&[Line::Found("u-2")]);
    let told = [Change::Missed, Change::Event(deletion("bob"))];
    *script.0.changes.lock() = Some(Box::pin(stream::iter(told)));
    pass(secs(1)).await;
    world.reconnect(script);
    pass(millis(1)).await;
    // What was told in between nobody heard.
    assert_eq!(world.alice().await, says("miss", "u-2"));
    assert_eq!(world.find("bob").await.unwrap().cached, Cached::Mark);
}

#[tokio::test(start_paused = true)]
async fn changes_are_followed_through_reloads() {
    let script = Script::new(&[Line::Found("u-1")]);
    let told = async {
        pass(secs(5)).await;
        Change::Event(deletion("alice"))
    };
    *script.0.changes.lock() = Some(Box::pin(stream::once(told)));
    let mut world = with(config(), script);
    world.alice().await;
    for fresh in [20, 30] {
        world.reload(|config| config.cache.fresh = secs(fresh));
        pass(secs(1)).await;
    }
    assert_eq!(world.alice().await, says("hit", "u-1"));
    pass(secs(4)).await;
    assert_eq!(world.alice().await, says("mark", "none"));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_after_a_reload_is_asked_again() {
    let mut world = world(&[Line::Found("u-1"), Line::Found("u-2")]);
    world.alice().await;
    world.reload(|config| config.cache.fresh = secs(60));
    tokio::task::yield_now().await;
    world.script.0.versions.send_modify(|version| *version += 1);
    pass(millis(1)).await;
    assert_eq!(world.alice().await, says("miss", "u-2"));
}

#[tokio::test(start_paused = true)]
async fn an_event_is_heard_by_those_of_all_configurations() {
    let mut world = world(&[Line::Found("u-1")]);
    world.alice().await;
    let old = world.users.clone();
    world.reload(|config| config.cache.max_memory = 1 << 21);
    world.is_resized().await;
    event::apply(&deletion("alice"), &world.ledger, SystemClock.now()).unwrap();
    assert_eq!(world.alice().await, says("mark", "none"));
    world.users = old;
    assert_eq!(world.alice().await, says("mark", "none"));
}

#[tokio::test(start_paused = true)]
async fn known_users_of_an_emptied_directory_stay_held_through_a_reload_of_the_guard() {
    let mut guarded = config();
    guarded.vanish_guard.share = 0.2;
    let mut world = configured(guarded, &[Line::Found("u-1")]);
    let names: Vec<String> = (0..40).map(|number| format!("user-{number}")).collect();
    for name in &names {
        world.find(name).await.unwrap();
    }
    pass(secs(11)).await;
    world.script.now_says(&[Line::NotFound]);
    for name in &names {
        let _believed_or_held = world.find(name).await;
    }
    world.reload(|config| {
        config.vanish_guard = VanishGuard {
            share: 0.3,
            window: Duration::from_secs(90),
            min: 10,
        };
    });
    let known = world.find("user-39").await.unwrap();
    assert_eq!(known.cached, Cached::Stale);
    pass(secs(2)).await;
    let known = world.find("user-39").await.unwrap();
    assert_eq!(known.reason, Some(Reason::VanishGuard));
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_keeps_longer_brings_nothing_back_that_an_event_made_old() {
    let mut world = world(&[Line::Found("u-1"), Line::Found("u-2")]);
    assert_eq!(world.alice().await, says("miss", "u-1"));
    pass(secs(1)).await;
    let updated = Event {
        kind: Kind::UserUpdated,
        ..deletion("alice")
    };
    event::apply(&updated, &world.ledger, SystemClock.now()).unwrap();
    // Long enough for the event to be forgotten: nothing that is older was to be served any more.
    pass(settings(world.users.config()).fence_for + secs(1)).await;
    world.reload(|config| config.cache.fresh = secs(10_000));
    assert_eq!(world.alice().await, says("miss", "u-2"));
}
