//! Why a subject may not exist: a test for each row of the table of causes, under its number.

mod followed;
mod identity;
mod lifecycle;
mod renamed;
mod trust;

use crate::parts::client::Answer;
use crate::scene::Scene;
use serde_json::json;

/// Long enough for a slow machine, where slowness is not what is shown.
const PATIENT: &str = "timeout: 10s\nwait: 10s\n";

/// What is remembered stays fresh for longer than a test lasts.
const LASTING: &str = "cache: {fresh: 1h, not_found_for: 1h}\n";

/// What is remembered is asked for again at once.
const FLEETING: &str =
    "cache: {fresh: 1ms, stale_while_revalidate: 0s, stale_if_error: 15m, not_found_for: 1ms}\n";

/// The refusal is counted and logged under its code.
async fn is_told(scene: &Scene, answer: &Answer, subject: &str) {
    let code = answer.code();
    scene
        .decided(json!({"code": code, "subject": subject, "tenant": "acme", "issuer": "acme"}))
        .await;
    is_counted(scene, &code).await;
}

/// The refusal is counted under its code.
async fn is_counted(scene: &Scene, code: &str) {
    let metric = format!("subgate_decisions_total{{code=\"{code}\"");
    assert!(scene.sidecar.metric(&metric).await >= 1.0, "{code}");
}
