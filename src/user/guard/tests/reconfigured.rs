//! Another rule in the midst of a hold.

use super::*;

impl Scene {
    fn reconfigure(&self, config: &VanishGuard) {
        self.guard.reconfigure(config, self.now);
    }

    fn held(&self) -> Vec<(u64, u64)> {
        let status = self.status();
        let held = status.groups.iter().filter(|group| group.held);
        held.map(|group| (group.known, group.vanished)).collect()
    }
}

fn others() -> [VanishGuard; 5] {
    [
        VanishGuard {
            share: 0.5,
            ..config()
        },
        VanishGuard {
            share: 0.01,
            ..config()
        },
        VanishGuard { min: 5, ..config() },
        VanishGuard {
            window: WINDOW / 6,
            ..config()
        },
        VanishGuard {
            window: WINDOW * 10,
            ..config()
        },
    ]
}

#[tokio::test(start_paused = true)]
async fn a_tenant_stays_held_whichever_setting_changes_meanwhile() {
    for other in others() {
        let mut scene = Scene::new();
        scene.confirm("acme", 0..50);
        scene.confirm("well", 0..100);
        scene.vanish("acme", 0..40);
        assert_eq!(scene.held(), [(50, 40)]);
        scene.now += WINDOW / 3;
        scene.reconfigure(&other);
        assert_eq!(scene.held(), [(50, 40)], "{other:?}");
        assert_eq!(scene.vanish("acme", 0..1), 1, "{other:?}");
        assert_eq!(scene.vanish("well", 0..1), 0, "{other:?}");
        assert_eq!(scene.guard.held_answers(), 22, "{other:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_stay_held_whichever_setting_changes_meanwhile() {
    for other in others() {
        let scene = Scene::new();
        for tenant in 0..12 {
            scene.vanish(&format!("t{tenant}"), 0..5);
        }
        assert!(scene.status().all_held);
        scene.reconfigure(&other);
        assert!(scene.status().all_held, "{other:?}");
        assert_eq!(scene.vanish("unheard of", 0..1), 1, "{other:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_not_passed_frees_and_the_evidence_stays_for_the_next() {
    let scene = Scene::new();
    scene.vanish("acme", 0..30);
    let lax = VanishGuard {
        min: 50,
        ..config()
    };
    scene.reconfigure(&lax);
    assert_eq!(scene.held(), []);
    assert_eq!(scene.vanish("acme", 0..30), 0);
    scene.reconfigure(&config());
    assert_eq!(scene.held(), [(30, 30)]);
}

#[tokio::test(start_paused = true)]
async fn an_operators_word_outlives_another_rule_that_would_hold() {
    let scene = Scene::new();
    scene.vanish("acme", 0..30);
    scene.release(Some("acme"));
    for other in others() {
        scene.reconfigure(&other);
        assert_eq!(scene.vanish("acme", 0..30), 0, "{other:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn evidence_ages_by_the_windows_of_the_new_rule() {
    let mut scene = Scene::new();
    scene.vanish("acme", 0..30);
    let brief = VanishGuard {
        window: WINDOW / 6,
        ..config()
    };
    scene.reconfigure(&brief);
    scene.now += WINDOW / 6;
    assert_eq!(scene.held(), [(30, 30)]);
    scene.now += WINDOW / 6;
    assert_eq!(scene.held(), []);
}
