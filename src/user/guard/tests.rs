use super::*;
use crate::user::directory::Query;
use proptest::prelude::*;
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
async fn a_guard_keeps_its_evidence_unless_its_rule_changes() {
    let scene = Scene::new();
    scene.vanish("acme", 0..30);
    let same = scene.guard.reconfigured(&config(), scene.now);
    assert_eq!(same.status(scene.now), scene.status());
    let config = VanishGuard {
        min: 50,
        ..config()
    };
    let other = scene.guard.reconfigured(&config, scene.now);
    assert_eq!(other.status(scene.now).groups, []);
    assert_eq!(other.held_answers(), 11, "a counter never falls");
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

/// One answer about a known user.
#[derive(Clone, Debug)]
struct Answer {
    /// Seconds since the one before.
    after: u64,
    /// Whose user; `None`: the adversary's.
    tenant: Option<usize>,
    user: usize,
    vanished: bool,
}

/// Histories in which the adversary does as much as all the others, and whole tenants come and go.
fn answers() -> impl Strategy<Value = Vec<Answer>> {
    let tenant = prop_oneof![Just(None), (0..5_usize).prop_map(Some)];
    let run = (tenant, 0..25_usize, 1..25_usize, any::<bool>(), 0..40_u64);
    let runs = proptest::collection::vec(run, 1..40);
    runs.prop_map(|runs| {
        let run = |(tenant, begin, length, vanished, after)| {
            (begin..begin + length).map(move |user| Answer {
                after: if user == begin { after } else { 0 },
                tenant,
                user,
                vanished,
            })
        };
        runs.into_iter().flat_map(run).collect()
    })
}

/// Whether groups on their own pass the rule over all, and whether they do so by far, whichever of
/// them is left out: with a margin of `share` × `min` users.
fn pass(counts: &[(Group, u64, u64)]) -> (bool, bool) {
    let passes = |left_out: Option<usize>, by: f64| {
        let rest = counts.iter().enumerate();
        let rest = rest.filter(|(index, (_, known, _))| left_out != Some(*index) && *known > 0);
        let (mut spoken_for, mut lost) = (0.0, 0.0);
        for (_, (_, known, vanished)) in rest {
            let [known, vanished] =
                [known, vanished].map(|n| f64::from(u32::try_from(*n).unwrap()));
            spoken_for += known.min(20.0);
            lost += vanished * known.min(20.0) / known;
        }
        lost > 19.999 && lost - 0.2 * spoken_for > by
    };
    let by_far = (0..counts.len()).all(|left_out| passes(Some(left_out), 4.001));
    (passes(None, -0.001), by_far && !counts.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_history_of_one_tenant_holds_or_frees_the_users_of_another(answers in answers()) {
        let start = Instant::now();
        let scene = || Scene { guard: Guard::new(&config(), start), now: start };
        let (mut with, mut without) = (scene(), scene());
        for Answer { after, tenant, user, vanished } in answers {
            with.now += Duration::from_secs(after);
            without.now = with.now;
            let told = |scene: &Scene, tenant: &str| asked(tenant, user, |query| {
                if vanished {
                    return scene.guard.vanished(query, scene.now);
                }
                scene.guard.confirmed(query, scene.now);
                Verdict::Believed
            });
            let Some(tenant) = tenant.map(|tenant| format!("t{tenant}")) else {
                let _his_own = told(&with, "adversary");
                continue;
            };
            let verdicts = (told(&with, &tenant), told(&without, &tenant));
            let others = |scene: &Scene| {
                let mut groups = scene.status().groups;
                groups.retain(|status| status.group != group("adversary"));
                groups
            };
            prop_assert_eq!(others(&with), others(&without), "each on its own account");
            let (pass, by_far) = pass(&without.counts());
            let all_held = (with.status().all_held, without.status().all_held);
            if !pass {
                prop_assert_eq!(all_held, (false, false), "the others do not pass the share");
            }
            if by_far {
                prop_assert_eq!(all_held, (true, true), "the others pass it by far");
            }
            if !pass || by_far {
                prop_assert_eq!(verdicts.0, verdicts.1);
            }
        }
    }
}
