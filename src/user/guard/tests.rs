mod adversary;
mod reconfigured;

use super::*;
use crate::user::directory::Query;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(60);

fn config() -> VanishGuard {
    VanishGuard {
        share: 0.2,
        window: WINDOW,
        min: 20,
    }
}

/// A guard, and the time.
struct Scene {
    guard: Guard,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            guard: Guard::new(&config(), now),
            now,
        }
    }

    fn confirm(&self, tenant: &str, users: std::ops::Range<usize>) {
        for user in users {
            asked(tenant, user, |query| {
                self.guard.confirmed(query, self.now);
            });
        }
    }

    /// Makes users vanish; how many of these answers were held.
    fn vanish(&self, tenant: &str, users: std::ops::Range<usize>) -> usize {
        users
            .filter(|user| {
                let verdict = asked(tenant, *user, |query| self.guard.vanished(query, self.now));
                verdict == Verdict::Held
            })
            .count()
    }

    fn pass(&mut self, windows: u32) {
        self.now += WINDOW * windows;
    }

    fn status(&self) -> Status {
        self.guard.status(self.now)
    }

    fn release(&self, tenant: Option<&str>) -> usize {
        let group = tenant.map(group);
        self.guard.release(group.as_ref(), self.now)
    }

    /// All groups, with those that lost nobody.
    fn counts(&self) -> Vec<(Group, u64, u64)> {
        let books = self.guard.shared.books.lock();
        let counts = books.groups.iter().map(|(group, member)| {
            let (known, vanished) = member.evidence.counts();
            (group.clone(), known, vanished)
        });
        counts.collect()
    }
}

fn asked<T>(tenant: &str, user: usize, ask: impl FnOnce(&Query<'_>) -> T) -> T {
    let (realm, tenant, subject) = (
        Arc::from("r"),
        Arc::from(tenant),
        Arc::from(user.to_string()),
    );
    ask(&Query {
        realm: &realm,
        issuer: &realm,
        tenant: Some(&tenant),
        subject: &subject,
    })
}

fn group(tenant: &str) -> Group {
    Group {
        realm: Arc::from("r"),
        tenant: Some(Arc::from(tenant)),
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_over_its_share_is_held_alone_and_held_answers_count_once() {
    let scene = Scene::new();
    scene.confirm("acme", 0..90);
    scene.confirm("other", 0..90);
    assert_eq!(scene.vanish("acme", 0..19), 0, "below the fewest");
    assert_eq!(scene.vanish("acme", 0..19), 0, "the same users again");
    assert_eq!(scene.vanish("acme", 19..30), 11);
    assert_eq!(scene.vanish("acme", 19..30), 11, "held again");
    assert_eq!(scene.vanish("other", 0..2), 0);
    let Status {
        all_held, groups, ..
    } = scene.status();
    assert!(!all_held);
    let seen: Vec<_> = groups
        .iter()
        .map(|group| (group.known, group.vanished, group.held))
        .collect();
    assert_eq!(seen, [(90, 30, true), (90, 2, false)]);
    assert_eq!(scene.guard.held_answers(), 22);
}

#[tokio::test(start_paused = true)]
async fn users_of_a_large_tenant_may_leave_one_by_one() {
    let mut scene = Scene::new();
    scene.confirm("acme", 0..1000);
    for begin in (0..200).step_by(50) {
        assert_eq!(scene.vanish("acme", begin..begin + 50), 0);
    }
    assert_eq!(scene.vanish("acme", 200..201), 1, "beyond a fifth");
    scene.pass(2);
    assert_eq!(scene.vanish("acme", 300..310), 0, "in another window");
}

#[tokio::test(start_paused = true)]
async fn a_hold_stands_as_long_as_its_users_are_missed_and_ends_when_they_are_back() {
    let mut scene = Scene::new();
    scene.confirm("acme", 0..50);
    scene.vanish("acme", 0..50);
    for _ in 0..5 {
        scene.pass(1);
        assert_eq!(scene.vanish("acme", 25..50), 25);
    }
    scene.confirm("acme", 25..40);
    assert_eq!(scene.vanish("acme", 40..41), 0, "the share has fallen");
    let mut scene = Scene::new();
    scene.vanish("acme", 0..50);
    scene.pass(1);
    assert!(scene.status().groups.iter().any(|group| group.held));
    scene.pass(1);
    assert_eq!(scene.status().groups, [], "nobody asks for them any more");
    assert!(scene.guard.shared.books.lock().groups.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_emptied_store_holds_all_tenants_and_those_that_lose_their_first_user() {
    let mut scene = Scene::new();
    let tenants: Vec<_> = (0..12).map(|tenant| format!("t{tenant}")).collect();
    for tenant in &tenants {
        scene.confirm(tenant, 0..5);
    }
    scene.confirm("well", 0..100);
    let held: Vec<_> = tenants
        .iter()
        .map(|tenant| scene.vanish(tenant, 0..5))
        .collect();
    assert_eq!(held.iter().sum::<usize>(), 36, "{held:?}");
    assert_eq!(scene.vanish("well", 0..1), 1);
    assert_eq!(scene.vanish("unheard of", 0..1), 1);
    assert!(scene.status().all_held);
    // Back again, tenant by tenant.
    for tenant in &tenants {
        scene.confirm(tenant, 0..5);
    }
    assert!(!scene.status().all_held);
    assert_eq!(scene.vanish("t1", 0..1), 0);
    scene.pass(3);
    assert_eq!(scene.status().known, 0);
}

#[tokio::test(start_paused = true)]
async fn an_operators_word_stands_until_the_share_has_fallen() {
    let mut scene = Scene::new();
    scene.confirm("acme", 0..50);
    scene.vanish("acme", 0..50);
    assert_eq!(scene.release(Some("other")), 0);
    assert_eq!(scene.release(Some("acme")), 1);
    assert_eq!(scene.release(Some("acme")), 0, "it was");
    assert_eq!(scene.vanish("acme", 0..50), 0);
    scene.pass(1);
    assert_eq!(scene.vanish("acme", 0..50), 0);
    assert!(scene.status().groups.iter().all(|group| group.released));
    scene.confirm("acme", 0..50);
    assert!(scene.status().groups.iter().all(|group| !group.released));
    assert_eq!(scene.vanish("acme", 0..50), 31, "another time");
}

#[tokio::test(start_paused = true)]
async fn a_tenant_released_by_name_no_longer_holds_the_others_nor_is_held_with_them() {
    let scene = Scene::new();
    for tenant in ["a", "b", "c"] {
        scene.confirm(tenant, 0..30);
        scene.vanish(tenant, 0..30);
    }
    assert!(scene.status().all_held);
    assert_eq!(scene.release(Some("a")), 1);
    assert_eq!(scene.vanish("a", 0..30), 0);
    assert_eq!(scene.vanish("b", 0..30), 30);
    assert!(scene.status().all_held, "two are left");
    assert_eq!(scene.release(Some("b")), 1);
    assert!(!scene.status().all_held, "the last one speaks for itself");
    assert_eq!(scene.vanish("c", 0..30), 30);
    assert_eq!(scene.vanish("b", 0..30), 0);
}

#[tokio::test(start_paused = true)]
async fn all_released_are_believed_in_tenants_not_yet_missed_too() {
    let mut scene = Scene::new();
    for tenant in ["a", "b", "c"] {
        scene.vanish(tenant, 0..30);
    }
    assert_eq!(scene.release(None), 4);
    assert_eq!(scene.vanish("d", 0..30), 0);
    assert!(scene.status().all_released);
    assert_eq!(scene.release(None), 1, "the new one, held but for the word");
    scene.pass(2);
    assert!(!scene.status().all_released);
    assert_eq!(scene.vanish("d", 0..30), 11);
    assert_eq!(scene.release(None), 1);
    assert!(
        !scene.status().all_released,
        "the rule over all was not passed"
    );
}

#[tokio::test(start_paused = true)]
async fn tenants_beyond_the_bound_are_believed_unless_all_are_held() {
    let scene = Scene::new();
    for tenant in 0..MOST_GROUPS {
        scene.confirm(&format!("t{tenant}"), 0..1);
    }
    assert_eq!(scene.vanish("late", 0..30), 0);
    assert_eq!(scene.status().uncounted, 30);
    for tenant in 0..MOST_GROUPS / 2 {
        scene.vanish(&format!("t{tenant}"), 0..1);
    }
    assert_eq!(scene.vanish("late", 0..30), 30);
}

#[tokio::test(start_paused = true)]
async fn tenants_beyond_the_bound_end_no_hold_and_have_room_when_others_are_quiet() {
    let mut scene = Scene::new();
    scene.vanish("held", 0..30);
    for tenant in 1..MOST_GROUPS + 1000 {
        scene.confirm(&format!("t{tenant}"), 0..1);
    }
    assert_eq!(scene.vanish("late", 0..30), 0, "no room");
    assert_eq!(scene.vanish("held", 0..30), 30);
    let held = |scene: &Scene| scene.status().groups.iter().any(|one| one.held);
    assert!(held(&scene));
    // The others are not asked for again; he is.
    for _ in 0..2 {
        scene.pass(1);
        assert_eq!(scene.vanish("held", 0..30), 30);
    }
    assert_eq!(scene.vanish("late", 0..30), 11, "from the fewest on");
    assert!(held(&scene));
}
