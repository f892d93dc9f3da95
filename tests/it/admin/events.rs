//! Lifecycle events that an operator tells.

use super::{Office, given, problem};
use serde_json::json;

#[tokio::test]
async fn an_event_is_answered_as_it_was_applied() {
    let office = Office::open().await;
    let realm = office.world.issuer.url();
    let event = json!({
        "type": "user.deleted", "issuer": "acme", "tenant": "ACME", "subject": " alice ",
        "time": "2026-01-31T13:00:00+01:00", "version": 7,
    });
    let expected = json!({
        "type": "user.deleted", "realm": realm, "tenant": "acme", "subject": "alice",
        "time": "2026-01-31T12:00:00Z", "version": "7",
    });
    assert_eq!(given(&office.post("/v1/events", &event).await), expected);

    for (event, member, expected) in [
        (
            json!({"type": "user.created", "subject": "a"}),
            "subject",
            json!("a"),
        ),
        (
            json!({"type": "user.updated", "user_id": "u-1"}),
            "user_id",
            json!("u-1"),
        ),
        (
            json!({"type": "user.disabled", "subject": "a", "version": "8"}),
            "version",
            json!("8"),
        ),
        (
            json!({"type": "user.enabled", "subject": "a", "version": "2026-01-31T12:00:00Z"}),
            "version",
            json!("2026-01-31T12:00:00Z"),
        ),
        (
            json!({"type": "user.id_changed", "subject": "a", "new_subject": " b "}),
            "new_subject",
            json!("b"),
        ),
        (
            json!({"type": "user.id_changed", "subject": "a", "new_subject": "c", "all_tokens": true}),
            "all_tokens",
            json!(true),
        ),
        (
            json!({"type": "tenant.suspended", "tenant": "globex"}),
            "tenant",
            json!("globex"),
        ),
        (
            json!({"type": "tenant.resumed", "tenant": "globex"}),
            "tenant",
            json!("globex"),
        ),
    ] {
        for (name, value) in [("issuer", "acme"), ("issuer", &*realm), ("realm", &*realm)] {
            let mut event = event.clone();
            event[name] = value.into();
            let body = given(&office.post("/v1/events", &event).await);
            assert_eq!(body["type"], event["type"]);
            assert_eq!(body["realm"], realm);
            assert_eq!(body[member], expected, "{event}");
            assert!(body["time"].is_string(), "now, where none was told");
        }
    }
}

#[tokio::test]
async fn an_event_that_is_none_is_told_why() {
    let office = Office::open().await;
    let rows = [
        (json!({"type": "user.gone", "subject": "a"}), "type"),
        (
            json!({"type": "user.deleted", "subject": "a", "time": "yesterday"}),
            "time",
        ),
        (
            json!({"type": "user.deleted", "subject": "a", "time": "2999-01-01T00:00:00Z"}),
            "time",
        ),
        (json!({"type": "user.deleted"}), "subject"),
        (
            json!({"type": "user.deleted", "subject": "null"}),
            "subject",
        ),
        (
            json!({"type": "user.deleted", "subject": "a", "user_id": "u"}),
            "user_id",
        ),
        (json!({"type": "user.deleted", "user_id": ""}), "user_id"),
        (
            json!({"type": "user.deleted", "user_id": "a\u{0}"}),
            "user_id",
        ),
        (
            json!({"type": "user.deleted", "subject": "a", "tenant": "a b"}),
            "tenant",
        ),
        (
            json!({"type": "user.deleted", "subject": "a", "version": "v1"}),
            "version",
        ),
        (
            json!({"type": "user.deleted", "subject": "a", "new_subject": "b"}),
            "new_subject",
        ),
        (
            json!({"type": "user.deleted", "subject": "a", "all_tokens": false}),
            "all_tokens",
        ),
        (
            json!({"type": "user.id_changed", "subject": "a"}),
            "new_subject",
        ),
        (
            json!({"type": "user.id_changed", "user_id": "u", "new_subject": "b"}),
            "user_id",
        ),
        (json!({"type": "tenant.suspended"}), "tenant"),
        (
            json!({"type": "tenant.suspended", "tenant": "acme", "subject": "a"}),
            "subject",
        ),
        (
            json!({"type": "tenant.resumed", "tenant": "acme", "user_id": "u"}),
            "user_id",
        ),
        (
            json!({"type": "user.deleted", "subject": "a", "realm": "r"}),
            "realm",
        ),
    ];
    for (mut event, field) in rows {
        if event.get("realm").is_none() {
            event["issuer"] = "acme".into();
        }
        let answer = office.post("/v1/events", &event).await;
        let told = problem(&answer, 400);
        assert_eq!(told, ("invalid".to_owned(), field.to_owned()), "{event}");
    }
    let nowhere = json!({"type": "user.deleted", "subject": "a"});
    assert_eq!(
        problem(&office.post("/v1/events", &nowhere).await, 400).1,
        "issuer"
    );
    let both = json!({"type": "user.deleted", "subject": "a", "issuer": "acme", "realm": "r"});
    assert_eq!(
        problem(&office.post("/v1/events", &both).await, 400).1,
        "realm"
    );
    for other in [
        json!({}),
        json!([]),
        json!({"type": "user.deleted", "sub": "a"}),
    ] {
        assert_eq!(
            problem(&office.post("/v1/events", &other).await, 400).0,
            "body"
        );
    }
    let round =
        json!({"type": "user.id_changed", "issuer": "acme", "subject": "a", "new_subject": "a"});
    assert_eq!(
        problem(&office.post("/v1/events", &round).await, 409).0,
        "conflict"
    );
}

#[tokio::test]
async fn an_event_ahead_of_its_time_is_told_once_what_was_expected() {
    let office = Office::open().await;
    let ahead = json!({
        "type": "user.deleted", "issuer": "acme", "subject": "a", "time": "2999-01-01T00:00:00Z",
    });
    assert_eq!(
        office.post("/v1/events", &ahead).await.json()["detail"],
        "time: expected one at most 5 minutes ahead, came 2999-01-01T00:00:00Z"
    );
}
