//! Whatever the users of one tenant do, the others are held and freed on their own account.

use super::*;
use proptest::prelude::*;

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
