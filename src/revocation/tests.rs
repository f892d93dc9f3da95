use super::*;
use crate::event::TenantForm;
use crate::subject::{Normalization, Rewrite};
use crate::token::issuer::Config as Issuer;
use crate::token::sample;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

const ACME: &str = "https://id.acme.example";
const GLOBEX: &str = "https://id.globex.example";

/// 2026-01-02T00:00:00Z, in seconds.
const NOON: u64 = 1_767_312_000;

fn tenants() -> tenant::Config {
    tenant::Config {
        required: false,
        from: Vec::new(),
        normalize: vec![Normalization::Trim, Normalization::Lowercase],
        format: regex::Regex::new("^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,63})$").unwrap(),
        known: tenant::Known::Any,
    }
}

fn issuers() -> Vec<Issuer> {
    vec![sample::config(ACME), sample::config(GLOBEX)]
}

/// What a file revokes, by the rules of these issuers.
fn revoked_by(text: &str, issuers: &[Issuer]) -> Result<Copy, Mistakes> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revocations.yaml");
    fs::write(&path, text).unwrap();
    file::read(&path, issuers, &tenants())
}

fn started(config: &Config) -> Revocations {
    let hour = Duration::from_secs(3600);
    let settings = crate::event::Settings {
        fence_for: hour,
        tombstone_for: hour,
        alias_for: hour,
    };
    let beside = Beside {
        issuers: &issuers(),
        tenants: &tenants(),
        ledger: Ledger::new(settings, TenantForm::as_written()),
        clock: Arc::new(crate::clock::SystemClock),
        kept: None,
    };
    Revocations::start(config, beside).unwrap()
}

fn revoked(text: &str) -> Copy {
    revoked_by(text, &issuers()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn token(url: &str, claims: &Value) -> Arc<VerifiedToken> {
    sample::token(sample::config(url), claims)
}

/// The kind of the hit on a token in the tenant `acme`, now being `NOON`.
fn hit(revoked: &Copy, token: &VerifiedToken) -> Option<Kind> {
    let now = Timestamp::from_secs(NOON);
    revoked
        .check(token, Some("acme"), now)
        .err()
        .map(|hit| hit.kind)
}

#[tokio::test]
async fn each_kind_strikes_by_its_own_name_and_nothing_else() {
    let claims = json!({"jti": "t1", "sid": "s1", "iat": NOON - 60});
    let token = token(ACME, &claims);
    for (entry, expected) in [
        ("tokens: [{issuer: ISSUER, jti: t1}]", Some(Kind::Token)),
        ("tokens: [{issuer: ISSUER, jti: s1}]", None),
        ("sessions: [{issuer: ISSUER, sid: s1}]", Some(Kind::Session)),
        ("sessions: [{issuer: ISSUER, sid: t1}]", None),
        ("keys: [{issuer: ISSUER, kid: key-1}]", Some(Kind::Key)),
        ("keys: [{issuer: ISSUER, kid: key-2}]", None),
        ("issuers: [{issuer: ISSUER}]", Some(Kind::Issuer)),
        (
            "subjects: [{issuer: ISSUER, subject: alice}]",
            Some(Kind::Subject),
        ),
        ("subjects: [{issuer: ISSUER, subject: bob}]", None),
        (
            "subjects: [{issuer: ISSUER, subject: alice, tenant: acme}]",
            Some(Kind::Subject),
        ),
        (
            "subjects: [{issuer: ISSUER, subject: alice, tenant: globex}]",
            None,
        ),
        ("users: [{issuer: ISSUER, id: alice}]", None),
        ("tenants: [{tenant: acme}]", Some(Kind::Tenant)),
        ("tenants: [{tenant: globex}]", None),
        ("{}", None),
    ] {
        for name in [ACME, "id.acme.example"] {
            let revoked = revoked(&entry.replace("ISSUER", name));
            assert_eq!(hit(&revoked, &token), expected, "{entry}");
        }
        // Equal names of another issuer are others' names.
        let elsewhere = revoked(&entry.replace("ISSUER", GLOBEX));
        let kept = expected.filter(|kind| *kind == Kind::Tenant);
        assert_eq!(hit(&elsewhere, &token), kept, "{entry}");
    }
}

#[tokio::test]
async fn a_token_without_the_claim_is_not_hit_by_its_absence() {
    let bare = token(ACME, &json!({"iat": NOON}));
    let revoked = revoked(&format!(
        "tokens: [{{issuer: {ACME}, jti: ''}}]\nsessions: [{{issuer: {ACME}, sid: ''}}]\n"
    ));
    assert_eq!(hit(&revoked, &bare), None);
}

#[tokio::test]
async fn an_instant_strikes_what_was_issued_at_or_before_it_and_what_does_not_say() {
    for (list, kind) in [
        (
            format!("subjects: [{{issuer: {ACME}, subject: alice, BEFORE}}]"),
            Kind::Subject,
        ),
        ("tenants: [{tenant: acme, BEFORE}]".to_owned(), Kind::Tenant),
        (
            format!("issuers: [{{issuer: {ACME}, BEFORE}}]"),
            Kind::Issuer,
        ),
    ] {
        let revoked = revoked(&list.replace("BEFORE", "before: 2026-01-02T00:00:00Z"));
        for (claims, expected) in [
            (json!({"iat": NOON - 1}), Some(kind)),
            (json!({"iat": NOON}), Some(kind)),
            (json!({"iat": NOON + 1}), None),
            (json!({}), Some(kind)),
        ] {
            assert_eq!(
                hit(&revoked, &token(ACME, &claims)),
                expected,
                "{list} {claims}"
            );
        }
    }
}

#[tokio::test]
async fn an_issuer_whose_clock_runs_ahead_has_its_instants_moved() {
    let mut ahead = sample::config(ACME);
    ahead.clock_ahead = Duration::from_secs(30);
    let text = format!("issuers: [{{issuer: {ACME}, before: 2026-01-02T00:00:00Z}}]");
    let revoked = revoked(&text);
    for (issued, expected) in [(30, Some(Kind::Issuer)), (31, None)] {
        let token = sample::token(ahead.clone(), &json!({"iat": NOON + issued}));
        assert_eq!(hit(&revoked, &token), expected, "{issued}");
    }
}

#[tokio::test]
async fn an_entry_ends_with_its_until() {
    let token = token(ACME, &json!({"jti": "t1", "iat": NOON}));
    let text = format!("tokens: [{{issuer: {ACME}, jti: t1, until: 2026-01-02T00:00:00Z}}]");
    let revoked = revoked(&text);
    let at = |now| {
        revoked
            .check(&token, None, Timestamp::from_secs(now))
            .is_err()
    };
    assert!(at(NOON - 1) && !at(NOON) && !at(NOON + 1));
}

#[tokio::test]
async fn of_several_entries_under_one_name_each_counts() {
    let token = token(ACME, &json!({"jti": "t1", "sid": "s1", "iat": NOON}));
    let ended = "until: 2020-01-01T00:00:00Z";
    for (list, name) in [
        ("tokens", "jti: t1"),
        ("sessions", "sid: s1"),
        ("keys", "kid: key-1"),
    ] {
        let lasting = format!("{{issuer: {ACME}, {name}}}");
        let over = format!("{{issuer: {ACME}, {name}, {ended}}}");
        for text in [
            format!("{list}: [{lasting}, {over}]"),
            format!("{list}: [{over}, {lasting}]"),
        ] {
            assert!(hit(&revoked(&text), &token).is_some(), "{text}");
        }
    }
}

#[tokio::test]
async fn a_subject_is_written_in_any_spelling_that_the_issuers_rules_bring_together() {
    let mut rules = sample::config(ACME);
    rules.subject.normalize = vec![Normalization::Trim, Normalization::Lowercase];
    rules.subject.rewrite = vec![Rewrite {
        matches: regex::Regex::new("^legacy\\|(.+)$").unwrap(),
        to: "$1".to_owned(),
    }];
    rules.subject.unmatched = crate::subject::Unmatched::Pass;
    let token = sample::token(rules.clone(), &json!({"sub": "legacy|Alice", "iat": NOON}));
    for spelling in ["alice", "' ALICE '", "legacy|alice", "legacy|Alice"] {
        let text = format!("subjects: [{{issuer: {ACME}, subject: {spelling}}}]");
        let revoked = revoked_by(&text, &[rules.clone()]).unwrap();
        assert_eq!(hit(&revoked, &token), Some(Kind::Subject), "{spelling}");
    }
}

#[tokio::test]
async fn subjects_and_users_are_revoked_in_their_realm_for_all_its_issuers() {
    let mut shared = issuers();
    for issuer in &mut shared {
        issuer.realm = "people".into();
    }
    let text = format!(
        "subjects: [{{issuer: {ACME}, subject: alice}}]\nusers: [{{issuer: {ACME}, id: u-1}}]\n"
    );
    let now = Timestamp::from_secs(NOON);
    for (issuers, together) in [(issuers(), false), (shared, true)] {
        let revoked = revoked_by(&text, &issuers).unwrap();
        let token = sample::token(issuers[1].clone(), &json!({"iat": NOON}));
        assert_eq!(hit(&revoked, &token).is_some(), together);
        assert_eq!(
            revoked
                .check_person(Kind::User, &token, None, "u-1", now)
                .is_err(),
            together
        );
    }
}

#[tokio::test]
async fn a_user_is_revoked_by_the_directorys_id_in_one_tenant_or_in_all() {
    let token = token(ACME, &json!({"iat": NOON}));
    let now = Timestamp::from_secs(NOON);
    let text = format!(
        "users:\n- {{issuer: {ACME}, id: u-1, before: 2026-01-02T00:00:00Z, at: 2026-01-02T00:00:01Z, reason: left}}\n\
         - {{issuer: {ACME}, id: u-2, tenant: acme}}\n"
    );
    let revoked = revoked(&text);
    let hit = revoked
        .check_person(Kind::User, &token, Some("globex"), "u-1", now)
        .unwrap_err();
    let expected = Hit {
        kind: Kind::User,
        at: Timestamp::parse_rfc3339("2026-01-02T00:00:01Z"),
        reason: Some("left".into()),
    };
    assert_eq!(hit, expected);
    let in_tenant = |tenant| {
        revoked
            .check_person(Kind::User, &token, tenant, "u-2", now)
            .is_err()
    };
    assert!(in_tenant(Some("acme")) && !in_tenant(Some("globex")) && !in_tenant(None));
    assert!(
        revoked
            .check_person(Kind::User, &token, None, "u-3", now)
            .is_ok()
    );
}

#[test]
fn each_mistake_of_a_file_has_its_place_and_a_remedy() {
    let text = format!(
        "tokens:\n\
         - {{issuer: https://nobody.example, jti: t1}}\n\
         - {{issuer: {ACME}, jid: t1}}\n\
         subjects:\n\
         - {{issuer: {ACME}, subject: \"\"}}\n\
         issuers:\n\
         - {{issuer: {ACME}, before: yesterday}}\n\
         keys: {{}}\n"
    );
    // A file whose form is wrong is not looked into further: form first, then names.
    let mistakes = revoked_by(&text, &issuers()).unwrap_err().to_string();
    for place in [":3:", ":7:", ":8:"] {
        assert!(
            mistakes.contains(&format!("revocations.yaml{place}")),
            "{place}: {mistakes}"
        );
    }
    let formed = "tokens:\n- {issuer: https://nobody.example, jti: t1}\nsubjects:\n\
                  - {issuer: id.acme.example, subject: \"\"}\n";
    let mistakes = revoked_by(formed, &issuers()).unwrap_err().to_string();
    assert!(mistakes.contains("revocations.yaml:2:"), "{mistakes}");
    assert!(
        mistakes.contains("id.acme.example, id.globex.example"),
        "{mistakes}"
    );
    assert!(mistakes.contains("revocations.yaml:4:"), "{mistakes}");
}

#[tokio::test]
async fn a_changed_file_is_read_again_and_a_bad_version_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revocations.yaml");
    let striking = |jti: &str| format!("tokens: [{{issuer: {ACME}, jti: {jti}}}]\n");
    fs::write(&path, striking("t1")).unwrap();
    let revocations = started(&Config::File(path.clone()));
    let Source::File(file) = &revocations.source else {
        panic!("a file is its source");
    };
    let mut versions = file.versions();
    let now = Timestamp::from_secs(NOON);
    let [one, two] = ["t1", "t2"].map(|jti| token(ACME, &json!({ "jti": jti, "iat": NOON })));
    let struck = || [&one, &two].map(|token| revocations.check(token, None, now).is_err());
    assert_eq!(struck(), [true, false]);

    fs::write(&path, striking("t2")).unwrap();
    changed(&mut versions).await;
    assert_eq!(struck(), [false, true]);

    fs::write(
        &path,
        "tokens: [{issuer: https://nobody.example, jti: t1}]\n",
    )
    .unwrap();
    assert!(file::read(&path, &issuers(), &tenants()).is_err());
    assert_eq!(struck(), [false, true]);
    fs::write(&path, striking("t1")).unwrap();
    changed(&mut versions).await;
    assert_eq!(struck(), [true, false]);
}

async fn changed(versions: &mut tokio::sync::watch::Receiver<u64>) {
    let told = tokio::time::timeout(Duration::from_secs(20), versions.changed());
    told.await.expect("the change is picked up").unwrap();
}

#[tokio::test]
async fn without_a_file_nothing_is_revoked() {
    let revocations = started(&Config::Memory);
    let token = token(ACME, &json!({"jti": "t1"}));
    let now = Timestamp::from_secs(NOON);
    assert!(revocations.check(&token, Some("acme"), now).is_ok());
    assert!(revocations.check_user(&token, None, "u-1", now).is_ok());
}
