//! Stores that lost users, and replicas that lag.

use super::{Fault, LONG, SHORT, beyond, people};
use crate::parts::client::Answer;
use crate::parts::faulty::{Faulty, person};
use crate::parts::until;
use crate::scene::{CONSISTENT, Scene, event};
use crate::world::Expected;
use serde_json::{Value, json};
use tokio::time::Instant;

const CANARY: &str = "canary: [{issuer: acme, tenant: acme, subject: canary}]\n";
const GUARD: &str = "vanish_guard: {share: 0.2, window: 60s, min: 3}\n";

#[tokio::test]
async fn an_emptied_store_where_a_canary_stands_by() {
    let fault = Fault::begin(&format!("{SHORT}{CANARY}"), |service| {
        service.people(Vec::new());
    })
    .await;
    let fault = fault.lasts("canary_missing").await;
    fault
        .ends(async |service: &mut Faulty| {
            let mut people = people();
            people.push(person("acme", "canary"));
            service.people(people);
        })
        .await;
}

/// So many users of a tenant, all of them known.
async fn known(scene: &Scene, tenant: &str, count: usize) {
    for number in 0..count {
        ask(scene, tenant, number).await.is_allowed();
    }
}

/// The same where a first answer may come too late.
async fn are_known(scene: &Scene, tenant: &str, count: usize) {
    for number in 0..count {
        until("a user is known", async || {
            ask(scene, tenant, number).await.status == 200
        })
        .await;
    }
}

async fn ask(scene: &Scene, tenant: &str, number: usize) -> Answer {
    let token = scene.issuer.token().claim("tenant", tenant);
    scene.show(token.subject(&format!("user-{number}"))).await
}

fn tenant(name: &str, count: usize) -> Vec<Value> {
    let users = (0..count).map(|number| person(name, &format!("user-{number}")));
    users.collect()
}

/// Waits until a user is asked for again, and is held or gone.
async fn lost(scene: &Scene, tenant: &str, number: usize) -> u16 {
    let place = format!("{tenant}-user-{number}");
    until(&format!("{place} is asked for again"), async || {
        let answer = ask(scene, tenant, number).await;
        if answer.status == 200 {
            // Within `fresh` it was not asked for yet.
            scene.guard().await["groups"]
                .as_array()
                .is_some_and(|groups| {
                    groups.iter().any(|group| {
                        group["tenant"] == tenant
                            && group["vanished"].as_u64() > Some(number as u64)
                    })
                })
        } else {
            answer.is_refused(403, "user_not_found");
            true
        }
    })
    .await;
    ask(scene, tenant, number).await.status
}

#[tokio::test]
async fn an_emptied_store_without_a_canary() {
    let mut scene = Scene::with(tenant("acme", 12), &format!("{LONG}{GUARD}")).await;
    known(&scene, "acme", 12).await;
    scene.service.people(Vec::new());
    let mut gone = 0;
    for number in 0..12 {
        gone += usize::from(lost(&scene, "acme", number).await != 200);
    }
    assert_eq!(gone, 2, "fewer than `min` are believed, and no more");
    scene
        .decided(json!({"code": "allow", "reason": "vanish_guard"}))
        .await;
    assert!(scene.unanswered("vanish_guard").await >= 1.0);
    ask(&scene, "acme", 11).await.is_allowed();
}

#[tokio::test]
async fn one_tenants_users_are_gone() {
    let mut everybody = tenant("acme", 6);
    everybody.extend(tenant("globex", 6));
    let mut scene = Scene::with(everybody, &format!("{LONG}{GUARD}")).await;
    known(&scene, "acme", 6).await;
    known(&scene, "globex", 6).await;

    scene.service.people(tenant("acme", 5));
    let mut gone = 0;
    for number in 0..6 {
        gone += usize::from(lost(&scene, "globex", number).await != 200);
    }
    assert_eq!(gone, 2, "fewer than `min` are believed, and no more");
    let guard = scene.guard().await;
    assert_eq!(guard["all_held"], false);
    let held = guard["groups"].as_array().expect("groups").iter();
    let held: Vec<&Value> = held.filter(|group| group["held"] == true).collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0]["tenant"], "globex");

    known(&scene, "acme", 5).await;
    until(
        "the one of acme who is gone is believed to be",
        async || ask(&scene, "acme", 5).await.code() == "user_not_found",
    )
    .await;
}

#[tokio::test]
async fn a_canary_that_vanishes() {
    let well = || {
        let mut people = people();
        people.extend([person("acme", "canary"), person("acme", "frank")]);
        people
    };
    let mut scene = Scene::with(well(), &format!("{LONG}{CANARY}")).await;
    scene.ask("alice").await.is_allowed();
    scene.ask("frank").await.is_allowed();

    scene.service.people(people());
    until("frank is asked for again", async || {
        scene.ask("frank").await.is_allowed();
        scene.unanswered("canary_missing").await > 0.0
    })
    .await;
    let dave = scene.ask("dave").await;
    dave.is_refused(503, "directory_unavailable");
    scene
        .decided(json!({"subject": "dave", "reason": "canary_missing"}))
        .await;
    scene.ask("alice").await.is_allowed();
    assert_eq!(scene.guard().await["canaries"][0]["state"], "missing");

    let mut back = people();
    back.push(person("acme", "canary"));
    scene.service.people(back);
    until("frank is gone, since the canary is back", async || {
        scene.ask("frank").await.code() == "user_not_found"
    })
    .await;
    assert_eq!(scene.guard().await["canaries"][0]["state"], "found");
}

#[tokio::test]
async fn a_lagging_replica_that_brings_a_deleted_user_back() {
    let mut scene = Scene::with(people(), &format!("{CONSISTENT}{LONG}")).await;
    scene.ask("alice").await.is_allowed();
    scene.service.people(Vec::new());
    scene
        .service
        .replica("acme", "alice", person("acme", "alice"));
    let mut deleted = event("user.deleted", "alice");
    deleted["version"] = json!(2);
    scene.tell(deleted).await;

    let asked = scene.service.calls("alice").await;
    until("the replica says again that she is there", async || {
        scene.ask("alice").await.is_refused(403, "user_not_found");
        scene.service.calls("alice").await > asked + 1
    })
    .await;
    scene.forget("alice").await;
    scene.ask("alice").await.is_refused(403, "user_not_found");
    scene
        .decided(json!({"code": "user_not_found", "cache": "mark"}))
        .await;
}

#[tokio::test]
async fn a_lagging_replica_that_goes_back_to_an_older_version() {
    let mut scene = Scene::with(people(), &format!("{CONSISTENT}{LONG}")).await;
    let mut disabled = person("acme", "alice");
    disabled["status"] = json!("disabled");
    disabled["version"] = json!(2);
    scene.service.people(vec![disabled]);
    scene.ask("alice").await.is_refused(403, "user_disabled");

    scene
        .service
        .replica("acme", "alice", person("acme", "alice"));
    let asked = scene.service.calls("alice").await;
    until("the replica says again that she is well", async || {
        scene.ask("alice").await.is_refused(403, "user_disabled");
        scene.service.calls("alice").await > asked + 3
    })
    .await;
    // Where nobody knows better, what is known stays.
    scene.service.people(vec![person("acme", "alice")]);
    until("nothing newer is to be had", async || {
        scene.ask("alice").await.is_refused(403, "user_disabled");
        scene.unanswered("outdated").await > 0.0
    })
    .await;
}

#[tokio::test]
async fn a_lagging_replica_that_does_not_have_a_new_user_yet() {
    let mut everybody = people();
    everybody.push(person("acme", "nina"));
    let mut scene = Scene::with(everybody, &format!("{CONSISTENT}{LONG}")).await;
    scene.service.replica("acme", "nina", Value::Null);
    let new = || scene.issuer.token().issued_ago(1);
    scene.show(new().subject("nina")).await.is_allowed();

    // Nor does anybody else know of her: she is asked to come again, and never told that she is nobody.
    let answer = scene.show(new().subject("olga")).await;
    answer.is_refused(503, "user_not_yet_visible");
    assert_eq!(answer.header("retry-after"), "1");
}

/// How many of them were answered so.
fn count(answers: &[Answer], status: u16, code: &str) -> usize {
    let same = |answer: &&Answer| answer.status == status && answer.code() == code;
    answers.iter().filter(same).count()
}

#[tokio::test]
async fn nobody_of_an_emptied_store_passes_beyond_the_last_trustworthy_answer() {
    let mut scene = Scene::with(tenant("acme", 12), &format!("{SHORT}{GUARD}")).await;
    are_known(&scene, "acme", 12).await;
    scene.service.people(Vec::new());
    let answers = beyond(Instant::now(), 12, async |number| {
        ask(&scene, "acme", number).await
    })
    .await;
    assert_eq!(count(&answers, 403, "user_not_found"), 2, "{answers:?}");
    assert_eq!(count(&answers, 503, "directory_unavailable"), 10);
    scene
        .decided(json!({"code": "directory_unavailable", "reason": "vanish_guard"}))
        .await;
}

#[tokio::test]
async fn nobody_of_a_lost_tenant_passes_beyond_the_last_trustworthy_answer() {
    let mut everybody = tenant("acme", 6);
    everybody.extend(tenant("globex", 6));
    let mut scene = Scene::with(everybody, &format!("{SHORT}{GUARD}")).await;
    are_known(&scene, "acme", 6).await;
    are_known(&scene, "globex", 6).await;
    scene.service.people(tenant("acme", 6));
    let answers = beyond(Instant::now(), 6, async |number| {
        ask(&scene, "globex", number).await
    })
    .await;
    assert_eq!(count(&answers, 403, "user_not_found"), 2, "{answers:?}");
    assert_eq!(count(&answers, 503, "directory_unavailable"), 4);
    scene
        .decided(json!({"code": "directory_unavailable", "reason": "vanish_guard"}))
        .await;
    are_known(&scene, "acme", 6).await;
}

#[tokio::test]
async fn a_lost_user_beside_a_lost_canary_passes_no_longer_than_the_last_trustworthy_answer() {
    let mut well = people();
    well.extend([person("acme", "canary"), person("acme", "frank")]);
    let mut scene = Scene::with(well, &format!("{SHORT}{CANARY}")).await;
    until("frank is known", async || {
        scene.ask("frank").await.status == 200
    })
    .await;
    scene.service.people(people());
    let answers = beyond(Instant::now(), 1, async |_| scene.ask("frank").await).await;
    answers[0].is_refused(503, "directory_unavailable");
    scene
        .decided(json!({"code": "directory_unavailable", "reason": "canary_missing"}))
        .await;
    // Whoever the service still has is found, canary or not.
    until("alice passes", async || {
        scene.ask("alice").await.status == 200
    })
    .await;
}

#[tokio::test]
async fn a_deleted_user_whom_a_replica_still_has_never_passes() {
    let mut scene = Scene::with(people(), &format!("{CONSISTENT}{SHORT}")).await;
    until("alice is known", async || {
        scene.ask("alice").await.status == 200
    })
    .await;
    scene.service.people(Vec::new());
    let replica = person("acme", "alice");
    scene.service.replica("acme", "alice", replica);
    let mut deleted = event("user.deleted", "alice");
    deleted["version"] = json!(2);
    scene.tell(deleted).await;
    beyond(Instant::now(), 1, async |_| {
        let answer = scene.ask("alice").await;
        answer.is_refused(403, "user_not_found");
        answer
    })
    .await;
}

#[tokio::test]
async fn a_disabled_user_whom_every_replica_has_as_she_was_never_passes() {
    let scene = Scene::with(people(), &format!("{CONSISTENT}{SHORT}")).await;
    until("alice is known", async || {
        scene.ask("alice").await.status == 200
    })
    .await;
    let mut disabled = event("user.disabled", "alice");
    disabled["version"] = json!(2);
    scene.tell(disabled).await;
    beyond(Instant::now(), 1, async |_| {
        let answer = scene.ask("alice").await;
        answer.is_refused(403, "user_disabled");
        answer
    })
    .await;
}
