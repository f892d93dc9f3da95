//! Subjects that are written otherwise than the store has them.

use super::{LASTING, PATIENT, is_counted, is_told};
use crate::parts::client::get;
use crate::parts::faulty::person;
use crate::parts::issuer::Issuer;
use crate::parts::token::Token;
use crate::scene::{Scene, event};
use crate::world::Expected;
use serde_json::{Value, json};
use std::time::Duration;
use subgate::clock::{Clock, SystemClock};

/// A record with another id than its subject suggests.
fn person_with_id(subject: &str, id: &str) -> Value {
    let mut person = person("acme", subject);
    person["id"] = json!(id);
    person
}

/// A scene whose issuer has these rules for subjects.
async fn with_rules(people: Vec<Value>, rules: &str) -> Scene {
    Scene::configured(people, |issuer, same| {
        same.issuer(&issuer.url(), &format!("subject: {rules}\n"))
            .users(&format!("{PATIENT}{LASTING}"))
    })
    .await
}

fn minutes_ago(issuer: &Issuer, minutes: i64) -> Token {
    issuer.token().issued_ago(minutes * 60).expires_in(600)
}

#[tokio::test]
async fn row_03_an_old_subject_leads_to_the_new_one_for_tokens_from_before_the_change() {
    let people = vec![person_with_id("a-0001", "u-7")];
    let users = format!("{PATIENT}{LASTING}");
    let scene = Scene::with(people, &users).await;
    let mut changed = event("user.id_changed", "alice");
    changed["new_subject"] = json!("a-0001");
    let five_minutes = Duration::from_secs(300);
    changed["time"] = SystemClock.now().minus(five_minutes).to_string().into();
    scene.tell(changed).await;

    let old = scene.show(minutes_ago(&scene.issuer, 10)).await;
    old.is_allowed();
    assert_eq!(old.seen("x-user-id"), ["u-7"]);
    let line = scene.decided(json!({"code": "allow"})).await;
    assert_eq!(
        (&line["subject"], &line["newest_subject"]),
        (&json!("alice"), &json!("a-0001"))
    );
    let led = async || scene.sidecar.metric("subgate_alias_uses_total").await;
    assert!((led().await - 1.0).abs() < 0.1);

    // Who is called so since then is somebody else.
    let new = scene.show(minutes_ago(&scene.issuer, 2)).await;
    new.is_refused(403, "user_not_found");
    assert!((led().await - 1.0).abs() < 0.1);
}

#[tokio::test]
async fn row_03_a_rewrite_rule_leads_from_old_ids_to_new_ones() {
    let rules = r"{rewrite: [{match: '^auth0\|(.+)$', to: '$1'}]}";
    let scene = with_rules(vec![person("acme", "alice")], rules).await;
    let answer = scene.ask("auth0|alice").await;
    answer.is_allowed();
    assert_eq!(answer.seen("x-user-id"), ["u-alice"]);
    let line = scene.decided(json!({"code": "allow"})).await;
    assert_eq!(line["raw_subject"], "auth0|alice");
    // What no rule knows is no subject here.
    scene.ask("alice").await.is_refused(401, "subject_invalid");
}

#[tokio::test]
async fn row_05_another_kind_of_id_than_was_declared_is_invalid_and_asks_nobody() {
    let scene = with_rules(vec![person("acme", "alice")], "{format: uuid}").await;
    let answer = scene.ask("alice").await;
    answer.is_refused(401, "subject_invalid");
    is_counted(&scene, "subject_invalid").await;
    let line = scene.decided(json!({"code": "subject_invalid"})).await;
    let detail = line["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("format"), "{line}");
    assert_eq!(scene.service.calls("alice").await, 0);
}

#[tokio::test]
async fn row_06_declared_normalization_finds_the_user_and_each_kind_is_counted() {
    let uuid = "550e8400-e29b-41d4-a716-446655440000";
    let people = vec![person("acme", "zo\u{eb}"), person("acme", uuid)];
    let scene = with_rules(people, "{normalize: [trim, lowercase, nfc, uuid]}").await;
    for (written, id) in [
        (" zo\u{eb} ", "u-zo%C3%AB"),
        ("ZO\u{eb}", "u-zo%C3%AB"),
        ("zoe\u{308}", "u-zo%C3%AB"),
        (
            "550E8400E29B41D4A716446655440000",
            "u-550e8400-e29b-41d4-a716-446655440000",
        ),
    ] {
        let answer = scene.ask(written).await;
        answer.is_allowed();
        assert_eq!(answer.seen("x-user-id"), [id], "{written:?}");
    }
    assert_eq!(scene.service.all_calls().await.0, 2, "one look-up a user");
    for kind in ["trim", "lowercase", "nfc", "uuid"] {
        let metric = format!("subgate_normalizations_total{{kind=\"{kind}\"}}");
        assert!(scene.sidecar.metric(&metric).await >= 1.0, "{kind}");
    }
}

#[tokio::test]
async fn row_07_an_encoded_subject_is_looked_up_as_it_stands_and_no_guess_is() {
    let people = vec![
        person("acme", "alice@example.com"),
        person("acme", "zo\u{eb}"),
    ];
    let users = format!("{PATIENT}{LASTING}");
    let scene = Scene::with(people, &users).await;
    for subject in [
        "alice%40example.com",
        "alice&#64;example.com",
        // UTF-8 that was read as Latin-1.
        "zo\u{c3}\u{ab}",
        // Latin-1 that was read as UTF-8.
        "zo\u{fffd}",
    ] {
        let answer = scene.ask(subject).await;
        answer.is_refused(403, "user_not_found");
        is_told(&scene, &answer, subject).await;
        assert_eq!(scene.service.calls(subject).await, 1);
    }
    for subject in ["alice@example.com", "zo\u{eb}"] {
        assert_eq!(scene.service.calls(subject).await, 0);
        scene.ask(subject).await.is_allowed();
    }
}

#[tokio::test]
async fn row_08_the_directorys_id_is_injected_and_a_new_mapping_obeys_the_event() {
    let subject = "google-oauth2|1234567890";
    let users = format!("{PATIENT}{LASTING}");
    let mut scene = Scene::with(vec![person_with_id(subject, "internal-7")], &users).await;
    let id = async |scene: &Scene| {
        let answer = scene.ask(subject).await;
        answer.is_allowed();
        answer.seen("x-user-id")
    };
    assert_eq!(id(&scene).await, ["internal-7"]);

    scene
        .service
        .people(vec![person_with_id(subject, "internal-8")]);
    assert_eq!(id(&scene).await, ["internal-7"], "nothing was told");
    scene.tell(event("user.updated", subject)).await;
    assert_eq!(id(&scene).await, ["internal-8"]);

    let deleted = json!({"type": "user.deleted", "tenant": "acme", "user_id": "internal-8"});
    scene.tell(deleted).await;
    let token = scene.issuer.token().subject(subject).sign();
    let answer = scene.send(&get("/").bearer(&token)).await;
    answer.is_refused(403, "user_not_found");
    is_told(&scene, &answer, subject).await;
}
