//! From one process to the next.

use super::alias::{newest, renamed};
use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_written_down_says_the_same_to_the_next_process() {
    let old = ledger();
    let told = Event {
        version: version(7),
        ..event(Kind::UserDeleted, 0)
    };
    take(&old, &told);
    take(&old, &renamed("bob", "b1", 3, true));
    let suspended = Event {
        whom: None,
        ..event(Kind::TenantSuspended, 1)
    };
    take(&old, &suspended);
    let text = serde_json::to_string(&old.entries()).unwrap();
    let new = ledger();
    let hour = Duration::from_secs(600);
    new.restore(serde_json::from_str::<Vec<Entry>>(&text).unwrap(), hour);
    let later = Instant::now() + Duration::from_secs(1);
    let marked = |version| is_marked(new.judge_found(ALICE, version, later));
    assert_eq!(marked(version(7)), Some(MarkKind::Deleted));
    assert_eq!(marked(version(8)), None);
    let bob = Person {
        subject: "bob",
        ..ALICE
    };
    assert_eq!(newest(&new, bob, None).as_deref(), Some("b1"));
    assert!(new.is_suspended("realm", "acme"));
    assert_eq!(new.size(), old.size());
    // What ended in the meantime is not taken up.
    let late = ledger();
    late.restore(
        serde_json::from_str::<Vec<Entry>>(&text).unwrap(),
        Duration::from_secs(3600),
    );
    assert_eq!(late.size().aliases, 0);
    assert_eq!(late.size().marks, 1);
}
