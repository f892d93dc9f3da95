//! What events tell goes before every answer that is older.

use super::script::*;
use super::world::*;
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::event::{self, Event, Kind, TenantForm, Version, Whom};
use crate::user::*;
use futures_util::StreamExt as _;

/// Alice, so many seconds after a certain time.
fn event(kind: Kind, after: u64) -> Event {
    Event {
        kind,
        time: Timestamp::from_secs(1_700_000_000 + after),
        realm: "realm".into(),
        tenant: Some("acme".into()),
        whom: Some(Whom::Subject("alice".into())),
        version: None,
    }
}

fn of_version(kind: Kind, after: u64, version: u64) -> Event {
    Event {
        version: Some(Version::Number(version)),
        ..event(kind, after)
    }
}

fn tell(world: &World, event: &Event) {
    event::apply(event, &world.ledger, SystemClock.now()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deleted_user_is_gone_at_once_and_a_lagging_replica_does_not_bring_it_back() {
    let world = world(&[Line::Version("u-1", 6)]);
    assert_eq!(world.alice().await, says("miss", "u-1"));
    tell(&world, &of_version(Kind::UserDeleted, 0, 7));
    assert_eq!(world.alice().await, says("mark", "none"));
    for _ in 0..20 {
        pass(secs(1)).await;
        assert_eq!(world.alice().await, says("mark", "none"));
    }
    // It was asked for in the background every five seconds, since a greater version would lift it.
    assert!(
        (4..=12).contains(&world.script.calls()),
        "{}",
        world.script.calls()
    );
    world.script.now_says(&[Line::Version("u-9", 8)]);
    pass(secs(6)).await;
    world.alice().await;
    pass(millis(1)).await;
    let known = world.find("alice").await.unwrap();
    assert_eq!(id_of(&known), "u-9");
    let Existence::There { revoked, .. } = known.existence else {
        panic!("{known:?}")
    };
    assert_eq!(revoked, Some(Timestamp::from_secs(1_700_000_000)));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_without_a_version_asks_nobody_until_an_event_lifts_it() {
    let world = world(&[Line::Found("u-1")]);
    tell(&world, &event(Kind::UserDeleted, 0));
    for _ in 0..10 {
        assert_eq!(world.alice().await, says("mark", "none"));
        pass(secs(10)).await;
    }
    assert_eq!(world.script.calls(), 0);
    tell(&world, &event(Kind::UserCreated, 1));
    assert_eq!(world.alice().await, says("miss", "u-1"));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_names_the_id_alone_is_seen_by_whoever_is_remembered_and_by_whoever_comes()
{
    for is_remembered in [true, false] {
        let world = world(&[Line::Found("u-1")]);
        if is_remembered {
            world.alice().await;
        }
        let told = Event {
            whom: Some(Whom::Id("u-1".into())),
            tenant: None,
            ..event(Kind::UserDeleted, 0)
        };
        tell(&world, &told);
        assert_eq!(world.alice().await, says("mark", "none"), "{is_remembered}");
        assert_eq!(world.alice().await.1, "none");
    }
}

#[tokio::test(start_paused = true)]
async fn a_disabled_user_is_disabled_until_enabled() {
    let world = world(&[Line::Found("u-1")]);
    world.alice().await;
    tell(&world, &event(Kind::UserDisabled, 0));
    assert_eq!(world.alice().await, says("mark", "disabled"));
    tell(&world, &event(Kind::UserEnabled, 1));
    assert_eq!(world.alice().await, says("miss", "u-1"));
}

#[tokio::test(start_paused = true)]
async fn an_update_makes_what_is_remembered_stale_and_an_outage_serves_it_still() {
    let world = world(&[Line::Found("u-1"), Line::Found("u-2")]);
    world.alice().await;
    pass(millis(1)).await;
    tell(&world, &event(Kind::UserUpdated, 0));
    pass(millis(1)).await;
    assert_eq!(world.alice().await, says("miss", "u-2"));
    assert_eq!(world.alice().await, says("hit", "u-2"));
    world
        .script
        .now_says(&[Line::Fails(Reason::UnexpectedStatus)]);
    pass(millis(1)).await;
    tell(&world, &event(Kind::UserUpdated, 1));
    assert_eq!(world.alice().await, says("stale", "u-2"));
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_lags_behind_an_update_is_read_past_and_not_believed() {
    let world = world(&[Line::Version("old", 6)]);
    world.alice().await;
    tell(&world, &of_version(Kind::UserUpdated, 0, 7));
    assert_eq!(world.alice().await, says("stale", "old"));
    world.script.now_says(&[Line::Version("new", 7)]);
    pass(secs(2)).await;
    assert_eq!(world.alice().await, says("miss", "new"));
}

#[tokio::test(start_paused = true)]
async fn a_created_user_is_asked_for_though_it_was_not_found_a_moment_ago() {
    let world = world(&[Line::NotFound, Line::Found("u-1")]);
    assert_eq!(world.alice().await, says("miss", "none"));
    pass(millis(1)).await;
    tell(&world, &event(Kind::UserCreated, 0));
    pass(millis(1)).await;
    assert_eq!(world.alice().await, says("miss", "u-1"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_under_way_when_the_event_comes_is_not_believed() {
    let world = world(&[Line::FoundAfter(millis(100)), Line::Found("after")]);
    let change = async {
        pass(millis(50)).await;
        tell(&world, &event(Kind::UserUpdated, 0));
    };
    let (answer, ()) = tokio::join!(world.alice(), change);
    assert_eq!(answer, says("miss", "after"));
    assert_eq!(world.script.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_under_way_is_seen_by_those_who_wait() {
    let world = world(&[Line::FoundAfter(millis(100))]);
    let change = async {
        pass(millis(50)).await;
        tell(&world, &event(Kind::UserDeleted, 0));
    };
    let (answer, ()) = tokio::join!(world.alice(), change);
    assert_eq!(answer, says("mark", "none"));
}

#[tokio::test(start_paused = true)]
async fn events_of_others_cost_no_question() {
    let world = world(&[Line::Found("u-1")]);
    world.alice().await;
    for number in 0..100 {
        let other = Event {
            whom: Some(Whom::Subject(format!("user-{number}").into())),
            ..event(Kind::UserDeleted, number)
        };
        tell(&world, &other);
        assert_eq!(world.alice().await, says("hit", "u-1"));
    }
    assert_eq!(world.script.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_was_found_past_a_deletion_in_all_tenants_is_not_gone_when_no_longer_remembered() {
    let world = world(&[Line::Version("u-1", 9)]);
    let everywhere = Event {
        tenant: None,
        ..of_version(Kind::UserDeleted, 0, 7)
    };
    tell(&world, &everywhere);
    assert_eq!(world.alice().await, says("mark", "none"));
    pass(millis(1)).await;
    assert_eq!(world.alice().await, says("hit", "u-1"));
    // As if there had been no room for her.
    assert!(world.forget("alice"));
    assert_eq!(world.alice().await, says("miss", "u-1"));
    let globex = world
        .find_at("realm", Some("globex"), "alice", secs(60))
        .await;
    assert_eq!(globex.unwrap().cached, Cached::Mark);
}

#[tokio::test(start_paused = true)]
async fn the_tenant_that_a_directory_tells_is_read_as_that_of_a_token() {
    let script = Script::new(&[Line::Found("u-1")]);
    let told = |tenant: &str, subject: &str| {
        directory::Change::Event(Event {
            tenant: Some(tenant.into()),
            whom: Some(Whom::Subject(subject.into())),
            ..event(Kind::UserDeleted, 0)
        })
    };
    let changes = [told("ACME", "alice"), told("no tenant", "bob")];
    let changes = futures_util::stream::iter(changes).chain(futures_util::stream::pending());
    *script.0.changes.lock() = Some(Box::pin(changes));
    let world = with(config(), script);
    let form =
        TenantForm::new(|written| (!written.contains(' ')).then(|| written.to_ascii_lowercase()));
    world.ledger.reconfigure(settings(&config()), Some(form));
    pass(millis(1)).await;
    assert_eq!(world.alice().await, says("mark", "none"));
    assert_eq!(world.ledger.size().marks, 1);
}
