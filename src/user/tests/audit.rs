//! Remembered users are held against the directory.

use super::script::*;
use super::world::*;
use crate::user::*;
use std::sync::atomic::Ordering;

fn audited() -> Config {
    let mut config = config();
    config.audit = Audit {
        every: secs(5),
        sample: 10,
    };
    config.cache.fresh = secs(3600);
    config
}

/// How many users drifted, by kind.
fn drift(world: &World) -> Vec<(&'static str, u64)> {
    let counts = world.users.audits().drift.iter();
    let counts = Drift::ALL
        .iter()
        .zip(counts)
        .map(|(kind, count)| (kind.as_str(), count.load(Ordering::Relaxed)));
    counts.filter(|(_, count)| *count > 0).collect()
}

/// An audit walks in a thread, for which paused time does not wait.
async fn after_an_audit(world: &World) {
    let asked = || world.users.audits().asked.load(Ordering::Relaxed);
    let before = asked();
    while asked() == before {
        pass(secs(1)).await;
    }
    pass(millis(10)).await;
}

#[tokio::test(start_paused = true)]
async fn what_drifted_is_counted_by_kind_and_repaired() {
    let world = configured(audited(), &[Line::Found("u-1"), Line::Found("u-2")]);
    assert_eq!(world.alice().await, says("miss", "u-1"));
    after_an_audit(&world).await;
    assert_eq!(world.alice().await, says("hit", "u-2"));
    assert_eq!(drift(&world), [("id", 1)]);
    world.script.now_says(&[Line::NotFound]);
    after_an_audit(&world).await;
    assert_eq!(world.alice().await.1, "none");
    assert_eq!(drift(&world), [("vanished", 1), ("id", 1)]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_during_an_audit_costs_no_user() {
    let world = configured(audited(), &[Line::Found("u-1"), Line::Fails(Reason::Tls)]);
    world.alice().await;
    after_an_audit(&world).await;
    assert_eq!(world.alice().await, says("hit", "u-1"));
    assert_eq!(drift(&world), []);
    assert!(world.users.audits().unanswered.load(Ordering::Relaxed) > 0);
}
