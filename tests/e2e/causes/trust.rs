//! Stores that are down, wrong, emptied or stale.

use super::{FLEETING, LASTING, PATIENT, is_counted, is_told};
use crate::parts::client::Answer;
use crate::parts::faulty::person;
use crate::parts::until;
use crate::scene::{Scene, event};
use crate::world::Expected;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// It was refused for want of a trustworthy answer, and told with its reason.
async fn is_unavailable(scene: &Scene, answer: &Answer, subject: &str, reason: &str) {
    is_refused_for(scene, answer, subject, reason).await;
    assert!(scene.unanswered(reason).await >= 1.0, "{reason}");
}

/// It was refused for this reason, whatever becomes of the look-up.
async fn is_refused_for(scene: &Scene, answer: &Answer, subject: &str, reason: &str) {
    answer.is_refused(503, "directory_unavailable");
    let retry = answer.header("retry-after").parse::<u32>();
    assert!(retry.is_ok_and(|seconds| seconds > 0), "{answer:?}");
    is_counted(scene, "directory_unavailable").await;
    scene
        .decided(json!({"code": "directory_unavailable", "subject": subject, "reason": reason}))
        .await;
}

#[tokio::test]
async fn row_15_with_the_store_down_known_users_pass_and_nobody_is_said_not_to_exist() {
    let users = format!("{PATIENT}{FLEETING}retries: 0\n");
    let mut scene = Scene::with(vec![person("acme", "alice")], &users).await;
    scene.ask("alice").await.is_allowed();
    scene.service.kill();
    let known = scene.ask("alice").await;
    known.is_allowed();
    assert_eq!(known.seen("x-user-id"), ["u-alice"]);
    scene
        .decided(json!({"code": "allow", "cache": "stale", "reason": "connect"}))
        .await;
    let stranger = scene.ask("dave").await;
    is_unavailable(&scene, &stranger, "dave", "connect").await;

    scene.service.restart().await;
    until("dave is nobody, since the store says so", async || {
        scene.ask("dave").await.code() == "user_not_found"
    })
    .await;
}

#[tokio::test]
async fn row_15_with_a_slow_store_known_users_pass_and_nobody_is_said_not_to_exist() {
    let users = format!("timeout: 10s\nwait: 200ms\n{FLEETING}retries: 0\n");
    let mut scene = Scene::with(vec![person("acme", "alice")], &users).await;
    until("alice is known", async || {
        scene.ask("alice").await.status == 200
    })
    .await;
    scene.service.slow(Duration::from_secs(1));
    let known = scene.ask("alice").await;
    known.is_allowed();
    assert_eq!(known.seen("x-user-id"), ["u-alice"]);
    scene
        .decided(json!({"code": "allow", "cache": "stale", "reason": "timeout"}))
        .await;
    let stranger = scene.ask("dave").await;
    is_refused_for(&scene, &stranger, "dave", "timeout").await;

    scene.service.slow(Duration::ZERO);
    until("dave is nobody, since the store says so", async || {
        let answer = scene.ask("dave").await;
        answer.code() == "user_not_found"
    })
    .await;
}

#[tokio::test]
async fn row_16_an_answer_that_is_not_recognized_is_never_a_not_found() {
    let users = format!("{PATIENT}{FLEETING}retries: 0\n");
    let known = |number| format!("known-{number}");
    let people = (0..6).map(|number| person("acme", &known(number)));
    let mut scene = Scene::with(people.collect(), &users).await;
    for number in 0..6 {
        scene.ask(&known(number)).await.is_allowed();
    }
    for (number, (mood, reason)) in [
        ("html_not_found", "unrecognized_not_found"),
        ("other_not_found", "unrecognized_not_found"),
        ("status 403", "unauthorized"),
        ("status 418", "unexpected_status"),
        ("other_user", "other_subject"),
        ("other_tenant", "other_tenant"),
    ]
    .into_iter()
    .enumerate()
    {
        scene.service.mood(mood);
        let subject = format!("user-{number}");
        let answer = scene.ask(&subject).await;
        is_unavailable(&scene, &answer, &subject, reason).await;
        is_served_as_last_known(&scene, &known(number), reason).await;
        scene.service.mood("well");
        scene.ask(&subject).await.is_refused(403, "user_not_found");
    }
}

/// Somebody passes as before, for this reason.
async fn is_served_as_last_known(scene: &Scene, subject: &str, reason: &str) {
    let answer = scene.ask(subject).await;
    answer.is_allowed();
    assert_eq!(answer.seen("x-user-id"), [format!("u-{subject}")]);
    scene
        .decided(json!({"code": "allow", "subject": subject, "cache": "stale", "reason": reason}))
        .await;
}

#[tokio::test]
async fn row_16_a_wrong_path_is_never_a_not_found() {
    let users = format!("{PATIENT}{FLEETING}retries: 0\n");
    let people = vec![person("acme", "alice")];
    let scene = Scene::configured(people, |_, same| same.users(&users)).await;
    scene.ask("alice").await.is_allowed();
    let right = scene.sidecar.place().read("config.yaml");
    let reloads = async || {
        let taken = "subgate_config_reloads_total{result=\"taken\"}";
        scene.sidecar.metric(taken).await
    };
    scene
        .sidecar
        .reload(&right.replace("/v1/realms/", "/v2/realms/"));
    until("the wrong path is taken", async || reloads().await > 0.5).await;
    let stranger = scene.ask("dave").await;
    is_unavailable(&scene, &stranger, "dave", "unrecognized_not_found").await;
    // What another place told of her is not held against this one.
    let known = scene.ask("alice").await;
    is_unavailable(&scene, &known, "alice", "unrecognized_not_found").await;

    scene.sidecar.reload(&right);
    until("the right path is taken", async || reloads().await > 1.5).await;
    scene.ask("alice").await.is_allowed();
    scene.ask("dave").await.is_refused(403, "user_not_found");
}

#[tokio::test]
async fn row_17_where_a_canary_is_gone_too_nobody_is_believed_to_be() {
    let canary = "canary: [{issuer: acme, tenant: acme, subject: canary}]\n";
    let users = format!("{PATIENT}{FLEETING}{canary}");
    let well = || vec![person("acme", "alice"), person("acme", "canary")];
    let mut scene = Scene::with(well(), &users).await;
    scene.ask("alice").await.is_allowed();
    scene.service.people(Vec::new());
    scene.ask("alice").await.is_allowed();
    scene
        .decided(json!({"code": "allow", "cache": "stale", "reason": "canary_missing"}))
        .await;
    let stranger = scene.ask("dave").await;
    is_unavailable(&scene, &stranger, "dave", "canary_missing").await;
    let realm = scene.issuer.url();
    let missing = format!("subgate_canary{{realm=\"{realm}\",state=\"missing\"}}");
    assert!(scene.sidecar.metric(&missing).await > 0.5);

    scene.service.people(well());
    until("dave is nobody, since the canary says so", async || {
        scene.ask("dave").await.code() == "user_not_found"
    })
    .await;
    scene.ask("alice").await.is_allowed();
}

/// How many of them pass; whoever does not is not found.
async fn passing(scene: &Scene, count: usize) -> usize {
    let mut passing = 0;
    for number in 0..count {
        let answer = scene.ask(&format!("user-{number}")).await;
        if answer.status == 200 {
            passing += 1;
        } else {
            answer.is_refused(403, "user_not_found");
        }
    }
    passing
}

#[tokio::test]
async fn row_17_a_surge_of_vanished_users_is_held_until_an_operator_says_it_is_true() {
    let guard = "vanish_guard: {share: 0.2, window: 10m, min: 3}\n";
    let users = format!("{PATIENT}{FLEETING}{guard}");
    let people = (0..12).map(|number| person("acme", &format!("user-{number}")));
    let mut scene = Scene::with(people.collect(), &users).await;
    assert_eq!(passing(&scene, 12).await, 12);

    scene.service.people(Vec::new());
    assert_eq!(
        passing(&scene, 12).await,
        10,
        "fewer than `min` are believed"
    );
    scene
        .decided(json!({"code": "allow", "cache": "stale", "reason": "vanish_guard"}))
        .await;
    assert!(scene.unanswered("vanish_guard").await >= 1.0);
    let told = scene
        .sidecar
        .logged("an operator is told", |line| {
            line["level"] == "WARN" && line.to_string().contains("vanished at once")
        })
        .await;
    assert_eq!(told["tenant"], "acme");
    let view = scene.guard().await;
    assert_eq!(view["groups"][0]["tenant"], "acme");
    assert_eq!(view["groups"][0]["held"], true);
    let held = async || {
        scene
            .sidecar
            .metric("subgate_vanish_guard_held_groups")
            .await
    };
    assert!(held().await > 0.5);

    let release = json!({"issuer": "acme", "tenant": "acme"});
    let released = scene.operate("POST", "/v1/guard/release", &release).await;
    assert_eq!(released["released"], 1);
    assert_eq!(released["guard"]["groups"][0]["held"], false);
    assert!(held().await < 0.5);
    until("they are believed to be gone", async || {
        passing(&scene, 12).await == 0
    })
    .await;
    let answer = scene.ask("user-11").await;
    is_told(&scene, &answer, "user-11").await;
}

/// A record with these roles.
fn with_roles(roles: &[&str]) -> Vec<Value> {
    let mut alice = person("acme", "alice");
    alice["roles"] = json!(roles);
    vec![alice]
}

#[tokio::test]
async fn row_19_an_event_ends_what_is_stale_at_once() {
    let users = format!("{PATIENT}{LASTING}");
    let mut scene = Scene::with(with_roles(&["admin"]), &users).await;
    let roles = async |scene: &Scene| scene.ask("alice").await.seen("x-user-roles");
    assert_eq!(roles(&scene).await, ["admin"]);
    scene.service.people(with_roles(&["reader"]));
    assert_eq!(roles(&scene).await, ["admin"], "nothing was told");
    scene.tell(event("user.updated", "alice")).await;
    assert_eq!(roles(&scene).await, ["reader"]);
    assert_eq!(scene.service.calls("alice").await, 2);
}

#[tokio::test]
async fn row_19_a_change_that_nobody_told_is_seen_once_fresh_is_over() {
    let fresh = Duration::from_secs(1);
    let cache = "cache: {fresh: 1s, stale_while_revalidate: 0s}\n";
    let mut scene = Scene::with(with_roles(&["admin"]), &format!("{PATIENT}{cache}")).await;
    let roles = async |scene: &Scene| scene.ask("alice").await.seen("x-user-roles");
    assert_eq!(roles(&scene).await, ["admin"]);
    scene.service.people(with_roles(&["reader"]));
    sleep(fresh).await;
    assert_eq!(roles(&scene).await, ["reader"]);
}

#[tokio::test]
async fn row_19_an_audit_finds_what_no_event_told_and_repairs_it() {
    let users = format!("{PATIENT}{LASTING}audit: {{every: 1s, sample: 10}}\n");
    let mut scene = Scene::with(with_roles(&["admin"]), &users).await;
    let roles = async |scene: &Scene| scene.ask("alice").await.seen("x-user-roles");
    assert_eq!(roles(&scene).await, ["admin"]);
    scene.service.people(with_roles(&["reader"]));
    until("the audit repairs it", async || {
        roles(&scene).await == ["reader"]
    })
    .await;
    until("the audit counts it", async || {
        let drift = "subgate_audit_drift_total{kind=\"roles\"}";
        scene.sidecar.metric(drift).await > 0.5
    })
    .await;
}

#[tokio::test]
async fn row_20_a_corrupt_record_is_malformed_and_never_an_allow() {
    let changes: [fn(&mut Value); 6] = [
        |record| record["id"] = Value::Null,
        |record| record["id"] = json!({"value": "u-alice"}),
        |record| record["roles"] = json!("admin"),
        |record| record["roles"] = json!([{"name": "admin"}]),
        |record| record["status"] = json!(["active"]),
        |record| record["email"] = json!({"home": "alice@example.com"}),
    ];
    let subject = |number| format!("user-{number}");
    let well = |(number, _)| person("acme", &subject(number));
    let corrupt = |(number, change): (usize, &fn(&mut Value))| {
        let mut record = person("acme", &subject(number));
        change(&mut record);
        record
    };
    let people = changes.iter().enumerate().map(corrupt).collect();
    let mut scene = Scene::with(people, &format!("{PATIENT}{FLEETING}")).await;
    for number in 0..changes.len() {
        let answer = scene.ask(&subject(number)).await;
        assert_eq!(answer.code(), "directory_unavailable", "{number}");
        is_unavailable(&scene, &answer, &subject(number), "malformed_answer").await;
    }
    scene
        .service
        .people(changes.iter().enumerate().map(well).collect());
    for number in 0..changes.len() {
        scene.ask(&subject(number)).await.is_allowed();
    }
}

#[tokio::test]
async fn row_20_a_known_user_whose_record_gets_corrupt_is_served_as_last_known() {
    let users = format!("{PATIENT}{FLEETING}");
    let mut scene = Scene::with(with_roles(&["reader"]), &users).await;
    scene.ask("alice").await.is_allowed();
    let mut corrupt = person("acme", "alice");
    corrupt["roles"] = json!({"admin": true});
    scene.service.people(vec![corrupt]);
    let answer = scene.ask("alice").await;
    answer.is_allowed();
    assert_eq!(answer.seen("x-user-roles"), ["reader"]);
    scene
        .decided(json!({"code": "allow", "cache": "stale", "reason": "malformed_answer"}))
        .await;
}
