//! `docs/metrics.md` and what a process really exports are the same.

use crate::parts::client::{Client, request};
use crate::parts::status_issuer::StatusIssuer;
use crate::parts::{PATIENCE, until};
use crate::world::World;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const OPERATOR: &str = "an-operators-token";

/// Name, type and labels of a metric; a counter's name ends in `_total`, an info's in `_info`.
type Metrics = BTreeMap<String, (String, BTreeSet<String>)>;

/// The table of the document.
fn documented() -> Metrics {
    let text = include_str!("../../docs/metrics.md");
    let rows = text.lines().filter(|line| line.starts_with("| `subgate_"));
    let metrics: Vec<_> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, kind, labels, meaning] = cells.as_slice() else {
                panic!("expected four cells: {row}");
            };
            assert!(meaning.len() > 10, "{row}");
            (bare(name), ((*kind).to_owned(), words(labels)))
        })
        .collect();
    let count = metrics.len();
    let metrics = Metrics::from_iter(metrics);
    assert_eq!(metrics.len(), count, "a metric is documented twice");
    metrics
}

fn bare(cell: &str) -> String {
    cell.trim_matches('`').to_owned()
}

/// The names between backticks.
fn words(cell: &str) -> BTreeSet<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// What an `OpenMetrics` text holds; every line of it must be one of the format's.
fn exported(text: &str) -> Metrics {
    let body = text
        .strip_suffix("# EOF\n")
        .expect("the text ends with `# EOF`");
    let mut families: BTreeMap<&str, &str> = BTreeMap::new();
    let mut metrics = Metrics::new();
    for line in body.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (keyword, family) = (
                words.next().expect("a keyword"),
                words.next().expect("a name"),
            );
            let rest = words.next().expect("something said of it");
            match keyword {
                "HELP" => assert!(rest.len() > 10, "{line}"),
                "TYPE" => assert!(families.insert(family, rest).is_none(), "{line}: twice"),
                "UNIT" => assert!(family.ends_with(&format!("_{rest}")), "{line}"),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        let (name, labels) = match sample.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').expect("a closing brace")),
            None => (sample, ""),
        };
        assert!(!sample.ends_with("{}"), "{line}: no labels are no braces");
        let (family, kind) =
            family(&families, name).unwrap_or_else(|| panic!("{line}: of no family"));
        let documented = match kind {
            "counter" | "info" => name.to_owned(),
            _ => family.to_owned(),
        };
        let labels = label_names(labels);
        let entry = metrics
            .entry(documented)
            .or_insert_with(|| (kind.to_owned(), BTreeSet::new()));
        entry
            .1
            .extend(labels.into_iter().filter(|label| label != "le"));
    }
    metrics
}

/// The family of a sample's name, and its type.
fn family<'f>(families: &BTreeMap<&'f str, &'f str>, name: &str) -> Option<(&'f str, &'f str)> {
    let with_suffix = |suffix: &str, kind: &str| {
        let family = name.strip_suffix(suffix)?;
        families
            .get_key_value(family)
            .filter(|(_, of)| **of == kind)
    };
    let found = families
        .get_key_value(name)
        .filter(|(_, kind)| **kind == "gauge")
        .or_else(|| with_suffix("_total", "counter"))
        .or_else(|| with_suffix("_info", "info"))
        .or_else(|| {
            ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| with_suffix(end, "histogram"))
        });
    found.map(|(family, kind)| (*family, *kind))
}

/// The names in `a="x",b="y"`.
fn label_names(labels: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = labels;
    while let Some((name, after)) = rest.split_once("=\"") {
        let end = after.find('"').expect("a closing quote");
        assert!(
            !after[..end].ends_with('\\'),
            "an escape, which this reader does not know"
        );
        names.push(name.to_owned());
        rest = after[end + 1..].trim_start_matches(',');
    }
    assert!(rest.is_empty(), "{labels}");
    names
}

/// The text of `/metrics` after a few decisions and events of every sort.
async fn scraped() -> String {
    let lists = StatusIssuer::start().await;
    lists.put(1, 1);
    let prefixes = format!("status_lists: ['{}/lists']\n", lists.url());
    let mut world = World::configured(|configuration| {
        configuration
            .and_issuer(&lists.url(), "lists", &prefixes)
            .users("canary: [{issuer: acme, tenant: acme, subject: alice}]")
            .listen("admin: '127.0.0.1:0'\nadmin_token_file: admin-token\n")
            .file("admin-token", OPERATOR)
    })
    .await;
    let (health, admin) = (Client::new(world.health()), Client::new(world.admin()));
    for subject in ["alice", "alice", " alice", "bob", "nobody"] {
        world
            .bearer(&world.issuer.token().subject(subject).sign())
            .await;
    }
    world.bearer("a.b.c").await;
    let revoked = world.bearer(&lists.token(1, "1")).await;
    assert_eq!(revoked.code(), "token_revoked");
    let _running = world.serve();
    until("the health listener answers", async || {
        health.try_get("/livez").await.is_ok()
    })
    .await;
    for event in [
        json!({"type": "user.deleted", "issuer": "acme", "tenant": "acme", "subject": "erin"}),
        json!({"type": "user.updated", "issuer": "acme", "tenant": "acme", "subject": "bob"}),
        json!({"type": "user.id_changed", "issuer": "acme", "tenant": "acme", "subject": "al", "new_subject": "alice"}),
        json!({"type": "tenant.suspended", "issuer": "acme", "tenant": "globex"}),
    ] {
        let told = request("POST", "/v1/events").bearer(OPERATOR);
        let told = told.body("application/json", &event.to_string());
        assert_eq!(admin.send(&told).await.status, 200, "{event}");
    }
    for subject in ["erin", "al"] {
        let token = world.issuer.token().subject(subject);
        world.bearer(&token.sign()).await;
    }
    let answer = tokio::time::timeout(PATIENCE, health.get("/metrics"))
        .await
        .expect("an answer");
    let media_type = answer.header("content-type");
    assert!(
        media_type.starts_with("application/openmetrics-text"),
        "{media_type}"
    );
    assert!(
        media_type.contains("version=1.0.0") && media_type.contains("charset=utf-8"),
        "{media_type}"
    );
    answer.body
}

#[tokio::test]
async fn every_metric_is_documented_and_every_documented_metric_is_exported() {
    let text = scraped().await;
    let (documented, exported) = (documented(), exported(&text));
    for (name, metric) in &exported {
        assert_eq!(
            documented.get(name),
            Some(metric),
            "docs/metrics.md and {name}"
        );
    }
    for name in documented.keys() {
        assert!(
            exported.contains_key(name),
            "{name} is documented and not exported:\n{text}"
        );
    }
}

#[tokio::test]
async fn decisions_are_counted_by_how_they_ended() {
    let text = scraped().await;
    for sample in [
        r#"subgate_decisions_total{code="allow",policy="default",issuer="acme"} 4"#,
        r#"subgate_decisions_total{code="user_disabled",policy="default",issuer="acme"} 1"#,
        r#"subgate_decisions_total{code="user_not_found",policy="default",issuer="acme"} 2"#,
        r#"subgate_decisions_total{code="token_malformed",policy="default",issuer="none"} 1"#,
        r#"subgate_user_cache_requests_total{result="hit"} 2"#,
        r#"subgate_user_cache_requests_total{result="miss"} 4"#,
        r#"subgate_normalizations_total{kind="trim"} 1"#,
        r#"subgate_user_cache_entries{kind="found"} 2.0"#,
        r#"subgate_user_cache_entries{kind="not_found"} 1.0"#,
        r#"subgate_user_cache_requests_total{result="mark"} 1"#,
        r#"subgate_directory_breaker{lane="known",state="closed"} 1.0"#,
        r#"subgate_directory_breaker{lane="stranger",state="open"} 0.0"#,
        r#"subgate_directory_attempts{state="under_way"} 0.0"#,
        "subgate_vanish_guard_all_held 0.0",
        "subgate_vanish_guard_held_answers_total 0.0",
        "subgate_audited_users_total 0.0",
        r#"subgate_audit_drift_total{kind="vanished"} 0.0"#,
        r#"subgate_events_total{type="user.deleted"} 1.0"#,
        r#"subgate_events_total{type="user.created"} 0.0"#,
        r#"subgate_ledger_entries{kind="fence"} 3.0"#,
        r#"subgate_ledger_entries{kind="mark"} 1.0"#,
        r#"subgate_ledger_entries{kind="alias"} 1.0"#,
        r#"subgate_ledger_entries{kind="suspension"} 1.0"#,
        r#"subgate_ledger_dropped_entries_total{kind="fence"} 0.0"#,
        r#"subgate_ledger_dropped_entries_total{kind="mark"} 0.0"#,
        "subgate_alias_uses_total 1.0",
        "subgate_decision_duration_seconds_count 9",
    ] {
        assert!(text.lines().any(|line| line == sample), "{sample}:\n{text}");
    }
    let canary = |state| {
        let labels = format!(r#",state="{state}"}} 1.0"#);
        let mut lines = text.lines();
        lines.any(|line| line.starts_with("subgate_canary{realm=") && line.ends_with(&labels))
    };
    assert!(canary("found") && !canary("missing"), "{text}");
    for name in ["alice", "nobody", "erin", "globex"] {
        assert!(!text.contains(name), "no label is a client's to choose");
    }
}

#[test]
fn the_reader_sees_what_is_wrong_with_a_text() {
    let right = "# HELP a_b Things of all sorts.\n# TYPE a_b counter\na_b_total{x=\"1\",y=\"2\"} 3\n# EOF\n";
    assert_eq!(
        exported(right)["a_b_total"],
        (
            "counter".to_owned(),
            BTreeSet::from(["x".to_owned(), "y".to_owned()])
        )
    );
    for wrong in [
        right.replace("# EOF\n", ""),
        right.replace("{x=\"1\",y=\"2\"}", "{}"),
        right.replace("a_b_total", "a_c_total"),
        right.replace(" 3", " three"),
        right.replace("a_b_total", "a_b"),
    ] {
        assert!(
            std::panic::catch_unwind(|| exported(&wrong)).is_err(),
            "{wrong}"
        );
    }
}
