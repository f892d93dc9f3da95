//! Every way in which a user service fails: nobody becomes not-found by it, known users pass for as
//! long as they may and no longer, and the reason is told.

mod lies;
mod losses;
mod outages;
mod throttle;

use crate::parts::client::Answer;
use crate::parts::faulty::{Faulty, person};
use crate::parts::until;
use crate::scene::Scene;
use crate::world::Expected;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FRESH: Duration = Duration::from_millis(100);
const STALE_IF_ERROR: Duration = Duration::from_secs(2);

/// Windows short enough to see their ends, and one attempt a look-up.
const SHORT: &str =
    "cache: {fresh: 100ms, stale_while_revalidate: 0s, stale_if_error: 2s, not_found_for: 100ms}
timeout: 400ms
wait: 200ms
retries: 0
";

/// The same where known users may outlive everything.
const LONG: &str =
    "cache: {fresh: 100ms, stale_while_revalidate: 0s, stale_if_error: 15m, not_found_for: 100ms}
timeout: 2s
wait: 2s
retries: 0
";

/// `alice` and `erin` are well, `bob` is disabled; `dave` is nobody.
fn people() -> Vec<Value> {
    let mut bob = person("acme", "bob");
    bob["status"] = json!("disabled");
    vec![person("acme", "alice"), person("acme", "erin"), bob]
}

/// A fault, from its begin to its end.
struct Fault {
    scene: Scene,
    /// When nobody was known yet: no trustworthy answer is older.
    started: Instant,
    /// When it was there: no trustworthy answer is younger.
    began: Instant,
}

impl Fault {
    /// `alice` and `bob` are known when it begins, `dave` and `erin` are not.
    async fn begin(users: &str, begin: impl FnOnce(&mut Faulty)) -> Self {
        let mut scene = Scene::with(people(), users).await;
        let started = Instant::now();
        until("alice is known", async || {
            scene.ask("alice").await.status == 200
        })
        .await;
        until("bob is known", async || {
            scene.ask("bob").await.code() == "user_disabled"
        })
        .await;
        begin(&mut scene.service);
        Self {
            scene,
            started,
            began: Instant::now(),
        }
    }

    /// Lasts until nothing that is known may be served any more, and is told with its reason.
    async fn lasts(self, reason: &str) -> Self {
        let Self {
            scene,
            started,
            began,
        } = &self;
        // A sixteenth is the most that jitter takes from `fresh`.
        let promised = *started + FRESH / 16 * 15 + STALE_IF_ERROR;
        let end = *began + FRESH + STALE_IF_ERROR;
        let (mut was_asked, mut was_stale) = (false, false);
        loop {
            let sent = Instant::now();
            for (known, as_ever) in [("alice", ""), ("bob", "user_disabled")] {
                let answer = scene.ask(known).await;
                let kept = if as_ever.is_empty() {
                    answer.status == 200 && answer.seen("x-user-id") == ["u-alice"]
                } else {
                    answer.code() == as_ever
                };
                if Instant::now() < promised {
                    assert!(kept, "{known} is known, came {answer:?}");
                }
                if sent > end {
                    assert!(!kept, "{known} passed beyond the last trustworthy answer");
                }
                if !kept {
                    answer.is_refused(503, "directory_unavailable");
                }
                let is_between = sent > *began + FRESH;
                was_asked |= is_between && Instant::now() < promised;
                was_stale |= kept && is_between;
            }
            for stranger in ["dave", "erin"] {
                let answer = scene.ask(stranger).await;
                answer.is_refused(503, "directory_unavailable");
                let retry = answer.header("retry-after").parse::<u32>();
                assert!(retry.is_ok_and(|seconds| seconds > 0), "{answer:?}");
            }
            if sent > end {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        let refused = json!({"code": "directory_unavailable", "subject": "dave", "reason": reason});
        assert_eq!(scene.decided(refused).await["level"], "WARN");
        // A machine that stood still all that time has nobody to show.
        if was_asked {
            assert!(
                was_stale,
                "who was asked for between fresh and spent was stale"
            );
            scene
                .decided(json!({"cache": "stale", "reason": reason}))
                .await;
        }
        assert!(scene.unanswered(reason).await >= 1.0, "{reason}");
        self
    }

    /// Ends, and everybody is who they are.
    async fn ends(mut self, end: impl AsyncFnOnce(&mut Faulty)) {
        end(&mut self.scene.service).await;
        let scene = &self.scene;
        until("alice and erin pass", async || {
            let passes = async |subject| scene.ask(subject).await.status == 200;
            passes("alice").await && passes("erin").await
        })
        .await;
        until("bob is disabled and dave nobody", async || {
            scene.ask("bob").await.code() == "user_disabled"
                && scene.ask("dave").await.code() == "user_not_found"
        })
        .await;
    }
}

/// Asks for so many people on and on, from the begin of a fault until none of them may be served any
/// more; returns what each was answered then. Nobody passed.
async fn beyond(
    began: Instant,
    count: usize,
    mut ask: impl AsyncFnMut(usize) -> Answer,
) -> Vec<Answer> {
    let end = began + FRESH + STALE_IF_ERROR;
    loop {
        let sent = Instant::now();
        let mut answers = Vec::new();
        for number in 0..count {
            answers.push(ask(number).await);
        }
        if sent > end {
            let passed = answers.iter().find(|answer| answer.status == 200);
            assert!(
                passed.is_none(),
                "beyond the last trustworthy answer: {passed:?}"
            );
            return answers;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// A service in this mood, for as long as it takes, and well again.
async fn lies(mood: &str, reason: &str) {
    let fault = Fault::begin(SHORT, |service| service.mood(mood)).await;
    let fault = fault.lasts(reason).await;
    fault.ends(async |service| service.mood("well")).await;
}
