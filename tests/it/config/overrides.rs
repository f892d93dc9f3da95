use super::{SMALLEST, folder};
use std::time::Duration;
use subgate::config::{self, Loaded};
use subgate::yaml::Mistakes;

fn parse_with(variables: &[(&str, &str)]) -> Result<Loaded, Mistakes> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    config::parse("subgate.yaml", folder().path(), SMALLEST, variables)
}

#[test]
fn variables_override_scalars() {
    let loaded = parse_with(&[
        ("SUBGATE__USERS__TIMEOUT", "700ms"),
        ("SUBGATE__USERS__CONCURRENCY", "7"),
        ("SUBGATE__USERS__RETRIES", "0"),
        ("SUBGATE__USERS__CACHE__TOMBSTONE_FOR", "48h"),
        ("SUBGATE__USERS__VANISH_GUARD__SHARE", "0.5"),
        ("SUBGATE__USERS__AUDIT__SAMPLE", "0"),
        ("SUBGATE__USERS__CANARY__0__ISSUER", "123"),
        ("SUBGATE__USERS__CANARY__0__SUBJECT", "canary"),
        ("SUBGATE__USERS__SNAPSHOT__FILE", "users.snapshot"),
        ("SUBGATE__USERS__SNAPSHOT__KEY_FILE", "secret"),
        ("SUBGATE__ISSUERS__0__NAME", "123"),
        ("SUBGATE__ISSUERS__0__AUDIENCES__0", "other"),
        ("SUBGATE__POLICIES__DEFAULT__REQUIRE_USER", "false"),
        ("SUBGATE__TELEMETRY__LOG__DECISIONS", "all"),
        ("PATH", "/bin"),
        ("SUBGATE_SERVICE_HOST", "10.0.0.1"),
    ])
    .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(loaded.config.users.timeout, Duration::from_millis(700));
    assert_eq!(loaded.config.users.concurrency, 7);
    assert_eq!(loaded.config.users.retries, 0);
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    assert_eq!(loaded.config.users.cache.tombstone_for, hours(48));
    assert!((loaded.config.users.vanish_guard.share - 0.5).abs() < f64::EPSILON);
    assert_eq!(loaded.config.users.audit.sample, 0);
    assert_eq!(&*loaded.config.users.canaries[0].subject, "canary");
    let snapshot = loaded.config.users.snapshot.expect("a snapshot");
    assert_eq!(snapshot.max, 100_000);
    assert_eq!(&*loaded.config.issuers[0].name, "123");
    assert!(!loaded.config.policies.policies[0].require_user);
}

#[test]
fn a_list_grows_by_the_index_after_its_last() {
    let loaded = parse_with(&[
        ("SUBGATE__ISSUERS__1__AUDIENCES", "any"),
        ("SUBGATE__ISSUERS__1__ISSUER", "https://b.example.com"),
        ("SUBGATE__ISSUERS__1__REALM", "people"),
        ("SUBGATE__ISSUERS__0__REALM", "people"),
    ])
    .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(&*loaded.config.issuers[1].issuer, "https://b.example.com");
}

#[test]
fn wrong_variables_are_mistakes_under_their_names() {
    let mistakes = parse_with(&[
        ("SUBGATE__USERS__TIMEOT", "1s"),
        ("SUBGATE__USERS__WAIT", "soon"),
        ("SUBGATE__USERS__CACHE", "60s"),
        ("SUBGATE__ISSUERS__0", "x"),
        ("SUBGATE__ISSUERS__5__NAME", "x"),
        ("SUBGATE__ISSUERS__0__ISSUER__URL", "x"),
        ("SUBGATE__LIMITS__WAITING", "0"),
        ("SUBGATE__", "x"),
    ])
    .expect_err("mistakes");
    insta::assert_snapshot!(mistakes);
}
