//! Following a gRPC directory: every change is told, or that one may have been missed.

use super::{House, REALM};
use crate::parts::{PATIENCE, until};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::sync::atomic::Ordering::Relaxed;
use subgate::clock::Timestamp;
use subgate::event::{Event, Kind, Version, Whom};
use subgate::user::directory::{Change, Changes};

const TIME: &str = "2026-11-23T11:30:00.250Z";

/// A house that is followed, from its first message on.
async fn followed() -> (House, Changes) {
    let house = House::open("");
    let mut changes = house.directory.changes().expect("changes");
    assert_eq!(next(&mut changes).await, Change::Missed);
    (house, changes)
}

async fn next(changes: &mut Changes) -> Change {
    let change = tokio::time::timeout(PATIENCE, changes.next()).await;
    change.expect("a change in time").expect("no end")
}

fn deleted(subject: &str) -> Value {
    json!({
        "type": "user.deleted", "time": TIME, "realm": REALM, "tenant": "acme", "subject": subject,
    })
}

fn is_deleted(change: &Change, subject: &str) -> bool {
    let Change::Event(event) = change else {
        return false;
    };
    event.kind == Kind::UserDeleted && event.whom == Some(Whom::Subject(subject.into()))
}

impl House {
    fn tell(&mut self, event: &Value) {
        self.service.order("tell", &json!({ "event": event }));
    }

    fn lost(&self) -> u64 {
        let counts = self.directory.watch_counts().expect("counts");
        counts.lost.load(Relaxed)
    }
}

#[tokio::test]
async fn every_kind_of_event_arrives_as_it_was_told() {
    let (mut house, mut changes) = followed().await;
    let subject = || Some(Whom::Subject("alice".into()));
    for (name, kind) in [
        ("user.created", Kind::UserCreated),
        ("user.updated", Kind::UserUpdated),
        ("user.disabled", Kind::UserDisabled),
        ("user.enabled", Kind::UserEnabled),
        ("user.deleted", Kind::UserDeleted),
        (
            "user.id_changed",
            Kind::UserIdChanged {
                to: "alice2".into(),
                all_tokens: true,
            },
        ),
        ("tenant.suspended", Kind::TenantSuspended),
        ("tenant.resumed", Kind::TenantResumed),
    ] {
        let mut told = json!({
            "id": "e-1", "type": name, "time": TIME, "realm": REALM, "tenant": "acme", "version": "7",
        });
        if name.starts_with("user.") {
            told["subject"] = json!("alice");
        }
        if name == "user.id_changed" {
            told["new_subject"] = json!("alice2");
            told["all_tokens"] = json!(true);
        }
        house.tell(&told);
        let expected = Event {
            time: Timestamp::parse_rfc3339(TIME).expect("a time"),
            realm: REALM.into(),
            tenant: Some("acme".into()),
            whom: name.starts_with("user.").then(subject).flatten(),
            version: Some(Version::Number(7)),
            kind,
        };
        assert_eq!(next(&mut changes).await, Change::Event(expected), "{name}");
    }
    house.tell(&json!({"type": "user.deleted", "time": TIME, "realm": REALM, "user_id": "u-1"}));
    let Change::Event(event) = next(&mut changes).await else {
        panic!("expected an event");
    };
    assert_eq!(
        (event.tenant, event.whom),
        (None, Some(Whom::Id("u-1".into())))
    );
}

#[tokio::test]
async fn a_stream_that_breaks_goes_on_where_it_was_and_nothing_is_missed() {
    let (mut house, mut changes) = followed().await;
    house.tell(&deleted("a"));
    assert!(is_deleted(&next(&mut changes).await, "a"));
    for status in [
        "UNAVAILABLE",
        "INTERNAL",
        "UNAUTHENTICATED",
        "UNIMPLEMENTED",
    ] {
        house.service.order("hang_up", &json!({ "status": status }));
        house.tell(&deleted(status));
        assert!(is_deleted(&next(&mut changes).await, status), "{status}");
    }
    house.service.order("down", &json!({}));
    house.tell(&deleted("b"));
    house.tell(&deleted("c"));
    let lost = house.lost();
    let reconnecting = async {
        until("a connection was refused", async || house.lost() > lost + 1).await;
        house.service.order("up", &json!({}));
    };
    let told = async { [next(&mut changes).await, next(&mut changes).await] };
    let ((), [b, c]) = tokio::join!(reconnecting, told);
    assert!(is_deleted(&b, "b") && is_deleted(&c, "c"), "{b:?} {c:?}");
}

#[tokio::test]
async fn where_a_stream_cannot_go_on_from_its_token_something_may_have_been_missed() {
    let (mut house, mut changes) = followed().await;
    for how in ["reset", "OUT_OF_RANGE", "FAILED_PRECONDITION"] {
        house.tell(&deleted("a"));
        assert!(is_deleted(&next(&mut changes).await, "a"));
        house.service.order("forget", &json!({ "how": how }));
        house
            .service
            .order("hang_up", &json!({"status": "UNAVAILABLE"}));
        assert_eq!(next(&mut changes).await, Change::Missed, "{how}");
    }
    house.service.replace();
    assert_eq!(next(&mut changes).await, Change::Missed, "another process");
    house.tell(&deleted("b"));
    assert!(is_deleted(&next(&mut changes).await, "b"));

    house.service.order("give_tokens", &json!({"on": false}));
    house.service.order("forget", &json!({"how": "reset"}));
    house
        .service
        .order("hang_up", &json!({"status": "UNAVAILABLE"}));
    assert_eq!(
        next(&mut changes).await,
        Change::Missed,
        "reset without a token"
    );
    for _ in 0..2 {
        house
            .service
            .order("hang_up", &json!({"status": "UNAVAILABLE"}));
        assert_eq!(next(&mut changes).await, Change::Missed, "no token");
    }
    let missed = house
        .directory
        .watch_counts()
        .expect("counts")
        .missed
        .load(Relaxed);
    assert_eq!(missed, 8);
}

#[tokio::test]
async fn what_is_no_event_is_skipped_and_the_next_one_arrives() {
    let (mut house, mut changes) = followed().await;
    let but = |name: &str, value: Value| {
        let mut event = deleted("a");
        event[name] = value;
        event
    };
    let long = "x".repeat(256);
    let renamed = |new: &str| {
        let mut event = but("type", json!("user.id_changed"));
        event["new_subject"] = json!(new);
        event
    };
    let nobody = json!({"type": "user.deleted", "time": TIME, "realm": REALM});
    let bad = [
        json!({}),
        but("type", json!("user.promoted")),
        but("type", json!("User.Deleted")),
        but("time", Value::Null),
        but("time", json!("1960-01-01T00:00:00Z")),
        but("realm", json!("https://elsewhere.example")),
        but("tenant", json!("")),
        but("tenant", json!(long)),
        but("subject", json!("")),
        but("subject", json!(long)),
        but("type", json!("tenant.suspended")),
        json!({"type": "tenant.suspended", "time": TIME, "realm": REALM}),
        nobody,
        renamed(""),
        renamed("a"),
        renamed(&long),
        json!({"type": "user.id_changed", "time": TIME, "realm": REALM, "user_id": "u", "new_subject": "b"}),
    ];
    for event in &bad {
        house.tell(event);
    }
    // No message, one without news, one of another time to come; a token that is too long.
    let raw = ["0aff", "", "f03f01"];
    for hex in raw {
        house.service.order("tell_bytes", &json!({ "hex": hex }));
    }
    house.tell(&deleted("b"));
    assert!(is_deleted(&next(&mut changes).await, "b"));
    let counts = house.directory.watch_counts().expect("counts");
    let skipped = u64::try_from(bad.len() + raw.len()).expect("a number");
    assert_eq!(counts.skipped.load(Relaxed), skipped);
    assert_eq!((counts.events.load(Relaxed), house.lost()), (1, 0));
}

#[tokio::test]
async fn a_message_beyond_the_bound_is_missed_once_and_not_for_ever() {
    let (mut house, mut changes) = followed().await;
    house.tell(&deleted(&"x".repeat(70_000)));
    assert_eq!(next(&mut changes).await, Change::Missed);
    house.tell(&deleted("b"));
    assert!(is_deleted(&next(&mut changes).await, "b"));
}

#[tokio::test]
async fn a_process_that_stands_still_is_noticed_and_followed_again_when_it_goes_on() {
    let (mut house, mut changes) = followed().await;
    house.service.freeze();
    let noticing = async {
        until("the silence is noticed", async || house.lost() > 0).await;
        house.service.thaw();
        house.tell(&deleted("a"));
    };
    let ((), change) = tokio::join!(noticing, changes.next());
    assert!(change.is_some_and(|change| is_deleted(&change, "a")));
}
