//! What Envoy's own types say to us and read from us, with the whole decision in between.

use crate::world::{Told, World, http, question};
use bytes::Bytes;
use envoy_types::pb::envoy::config::core::v3::{HeaderMap, HeaderValue};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use subgate::clock::{Clock, Timestamp};

#[tokio::test]
async fn a_known_user_passes_with_its_identity_and_the_metadata_says_who_and_why() {
    let world = World::start().await;
    let told = world.bearer(&world.issuer.token().sign()).await;
    assert_eq!((told.grpc, told.code()), (0, "allow"));
    for (name, value) in [
        ("x-user-id", "u-alice"),
        ("x-tenant-id", "acme"),
        ("x-user-roles", "reader"),
    ] {
        assert_eq!(told.set[name], value, "{told:?}");
    }
    assert_eq!(told.set["x-user-issuer"], world.issuer.url());
    for (name, value) in [
        ("policy", "default"),
        ("issuer", "acme"),
        ("tenant", "acme"),
        ("cache", "miss"),
        ("subject", "alice"),
        ("user_id", "u-alice"),
    ] {
        assert_eq!(
            told.metadata.get(name).map(String::as_str),
            Some(value),
            "{told:?}"
        );
    }
    let again = world.bearer(&world.issuer.token().sign()).await;
    assert_eq!(again.metadata["cache"], "hit");
}

/// ENV-05: both forms of headers say the same.
#[tokio::test]
async fn env_05_the_same_question_in_both_forms_has_the_same_answer() {
    let world = World::start().await;
    let token = world.issuer.token().sign();
    for (headers, expected) in [
        (vec![("authorization", format!("Bearer {token}"))], "allow"),
        (
            vec![("authorization", "Bearer a.b".to_owned())],
            "token_malformed",
        ),
        (
            vec![("authorization", format!("Bearer {token},Bearer {token}"))],
            "token_malformed",
        ),
        (
            vec![
                ("authorization", format!("Bearer {token}")),
                ("x-tenant-id", "globex".to_owned()),
            ],
            "tenant_mismatch",
        ),
        (
            vec![
                ("authorization", format!("Bearer {token}")),
                ("x-tenant-id", "acme,acme".to_owned()),
            ],
            "tenant_mismatch",
        ),
        (vec![("accept", "*/*".to_owned())], "token_missing"),
    ] {
        let pairs: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(world.ask(&pairs).await.code(), expected, "{pairs:?}");
        assert_eq!(
            world.ask_about(raw(&pairs), &[]).await.code(),
            expected,
            "{pairs:?}"
        );
    }
    let bearer = format!("Bearer {token}");
    let twice = raw(&[
        ("authorization", &bearer),
        ("x-tenant-id", "acme"),
        ("x-tenant-id", "acme"),
    ]);
    assert_eq!(world.ask_about(twice, &[]).await.code(), "tenant_mismatch");
    let two = raw(&[("authorization", &bearer), ("authorization", &bearer)]);
    assert_eq!(world.ask_about(two, &[]).await.code(), "token_malformed");
}

/// Headers as `encode_raw_headers` sends them.
fn raw(headers: &[(&str, &str)]) -> HttpRequest {
    let headers = headers.iter().map(|(name, value)| HeaderValue {
        key: (*name).to_owned(),
        raw_value: value.as_bytes().to_vec(),
        ..HeaderValue::default()
    });
    HttpRequest {
        headers: HashMap::new(),
        header_map: Some(HeaderMap {
            headers: headers.collect(),
        }),
        ..http(&[])
    }
}

/// ENV-03, ENV-06: whatever is missing, the answer is a denial and never a gRPC error.
#[tokio::test]
async fn env_06_a_question_without_its_parts_is_denied() {
    let world = World::start().await;
    for (message, expected) in [
        (Bytes::new(), "internal"),
        (question(None, &[]), "internal"),
        (question(Some(HttpRequest::default()), &[]), "internal"),
        (Bytes::from_static(&[0xff; 40]), "internal"),
        (Bytes::from_static(b"\x0a\xff\xff\xff\xff\x0f"), "internal"),
    ] {
        let told = world.ask_bytes(message).await;
        assert_eq!((told.status, told.code()), (503, expected));
    }
    let unknown = world.ask_about(http(&[]), &[("policy", "pulbic")]).await;
    assert_eq!((unknown.status, unknown.code()), (503, "policy_unknown"));
}

/// ENV-03: no bytes make an allow, an empty message or a panic.
#[test]
fn env_03_no_bytes_at_all_pass() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::start());
    let mut runner = TestRunner::new(Config::with_cases(300));
    let anything = (
        vec(any::<u8>(), 0..300),
        vec(("[a-z-]{1,16}", "\\PC{0,40}"), 0..4),
        "\\PC{0,60}",
        0_usize..400,
        any::<u8>(),
    );
    runner
        .run(&anything, |(bytes, headers, credential, at, byte)| {
            let mut all: Vec<(&str, &str)> = headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let bearer = format!("Bearer {credential}");
            all.push(("authorization", &bearer));
            let whole = question(Some(http(&all)), &[]);
            let mut damaged = whole.to_vec();
            if let Some(one) = damaged.get_mut(at) {
                *one = byte;
            }
            for message in [Bytes::from(bytes), whole, damaged.into()] {
                let told = runtime.block_on(world.ask_bytes(message));
                prop_assert!(told.grpc != 0 && told.status >= 400, "{:?}", told);
            }
            Ok(())
        })
        .expect("every answer is a denial");
}

/// ENV-02, ENV-09: what a client sends under our names never decides what is removed.
#[tokio::test]
async fn env_09_spoofed_names_are_overwritten_or_removed_with_every_spelling() {
    let world =
        World::configured(|same| same.and_sections("policies: {default: {anonymous: allow}}\n"))
            .await;
    let token = world.issuer.token().sign();
    let bearer = format!("Bearer {token}");
    let spoofed = [
        ("x-user-id", "root"),
        ("x_user_id", "root"),
        ("x-user_roles", "admin"),
    ];
    for credential in [None, Some(("authorization", bearer.as_str()))] {
        let headers: Vec<_> = spoofed.iter().copied().chain(credential).collect();
        let told = world.ask(&headers).await;
        assert_eq!(told.code(), "allow");
        for name in [
            "x_user_id",
            "x-user_id",
            "x_user-id",
            "x_user_roles",
            "x-user_roles",
            "x_tenant_id",
            "x-forwarded-user",
        ] {
            assert!(
                told.removed.iter().any(|one| one == name),
                "{name}: {told:?}"
            );
        }
        match credential {
            Some(_) => assert_eq!(told.set["x-user-id"], "u-alice"),
            None => {
                assert!(told.set.is_empty() && told.removed.iter().any(|one| one == "x-user-id"));
            }
        }
        assert!(told.removed.iter().all(|name| !told.set.contains_key(name)));
    }
}

/// BRR-01: the scheme in any case, one space or more, one token; BRR-07 by the table of refusals:
/// `token_malformed` is 401 where RFC 6750 says 400.
#[tokio::test]
async fn brr_01_what_is_no_bearer_credential_is_malformed_or_none() {
    let world = World::start().await;
    let token = world.issuer.token().sign();
    for (value, expected) in [
        (format!("Bearer {token}"), "allow"),
        (format!("bearer {token}"), "allow"),
        (format!("BEARER   {token}"), "allow"),
        ("Bearer".to_owned(), "token_malformed"),
        ("Bearer  ".to_owned(), "token_malformed"),
        (format!("Bearer {token} {token}"), "token_malformed"),
        (format!("Bearer {token},{token}"), "token_malformed"),
        (format!("Bearer\t{token}"), "token_malformed"),
        ("Basic YTpi".to_owned(), "token_missing"),
    ] {
        let told = world.ask(&[("authorization", &value)]).await;
        assert_eq!(told.code(), expected, "{value}");
        assert_eq!(told.status, if expected == "allow" { 200 } else { 401 });
    }
}

/// BRR-03: a token in the query or a form is no credential.
#[tokio::test]
async fn brr_03_an_access_token_in_the_query_is_ignored() {
    let world = World::start().await;
    let token = world.issuer.token().sign();
    let asked = HttpRequest {
        path: format!("/orders?access_token={token}"),
        body: format!("access_token={token}"),
        ..http(&[("content-type", "application/x-www-form-urlencoded")])
    };
    let told = world.ask_about(asked, &[]).await;
    assert_eq!(told.code(), "token_missing");
    assert!(!format!("{told:?}").contains(&token));
}

/// BRR-09: nothing of a credential is repeated, not even of one that is refused.
#[tokio::test]
async fn brr_09_nothing_of_a_token_or_its_subject_is_repeated_to_the_client() {
    let world = World::start().await;
    let token = |subject: &str| world.issuer.token().subject(subject);
    for token in [
        token("dave-7f3a"),
        token("dave-7f3a").expires_in(-600),
        token("dave-7f3a").kid("kid-7f3a"),
        token("dave-7f3a").audience("aud-7f3a"),
        token("dave-7f3a").claim("iss", "https://iss-7f3a.example.com"),
        token("dave-7f3a\n"),
        token("dave-7f3a").claim("tenant", "tenant-7f3a"),
    ] {
        let signed = token.sign();
        let told = world.bearer(&signed).await;
        assert_ne!(told.grpc, 0);
        let to_the_client = format!("{}{:?}", told.body, told.set);
        assert!(!to_the_client.contains("7f3a"), "{told:?}");
        for part in signed.split('.') {
            assert!(!to_the_client.contains(part), "{told:?}");
        }
        assert_eq!(told.set["cache-control"], "no-store");
    }
}

/// ENV-10: a signed subject that cannot be a header's value is ours to refuse.
#[tokio::test]
async fn env_10_a_subject_with_control_characters_is_refused_with_401() {
    let world = World::start().await;
    for subject in ["alice\r\nx-user-id: root", "alice\0", "ali\u{1b}ce"] {
        let told = world
            .bearer(&world.issuer.token().subject(subject).sign())
            .await;
        assert_eq!((told.status, told.code()), (401, "subject_invalid"));
    }
}

/// ENV-03: the answer comes before Envoy gives up.
#[tokio::test]
async fn env_03_a_deadline_is_kept_with_a_denial() {
    let world = World::start().await;
    // The keys come first, so that it is the look-up that is late.
    world.bearer(&world.issuer.token().sign()).await;
    world.users.slow(Duration::from_millis(700));
    let bearer = format!("Bearer {}", world.issuer.token().subject("dave").sign());
    let message = question(Some(http(&[("authorization", &bearer)])), &[]);
    let patience = Duration::from_millis(100);
    let asked = tokio::time::Instant::now();
    let answer = world.authorization.check(message, Some(patience)).await;
    assert!(
        asked.elapsed() < Duration::from_millis(600),
        "{:?}",
        asked.elapsed()
    );
    let told = Told::read(answer.as_bytes());
    assert_eq!((told.status, told.code()), (503, "directory_unavailable"));
    assert_eq!(told.set["retry-after"], "1");
}

/// A subject that is the id needs no answer of the directory to be told as one.
#[tokio::test]
async fn the_metadata_has_the_users_id_also_where_the_subject_is_the_id() {
    let world = World::configured(|same| {
        same.users("  fields: {id: none}\n")
            .and_sections("policies: {default: {}, logout: {require_user: false}}\n")
    });
    let world = world.await;
    let bearer = format!("Bearer {}", world.issuer.token().subject(" alice").sign());
    for policy in ["default", "logout"] {
        let asked = http(&[("authorization", &bearer)]);
        let told = world.ask_about(asked, &[("policy", policy)]).await;
        assert_eq!(told.code(), "allow");
        assert_eq!(told.set["x-user-id"], "alice", "{policy}");
        let shown = told.metadata.get("user_id").map(String::as_str);
        assert_eq!(shown, Some("alice"), "{policy}: {told:?}");
    }
}

/// A clock that is broken.
#[derive(Debug)]
struct Broken;

impl Clock for Broken {
    fn now(&self) -> Timestamp {
        panic!("as a test wants it")
    }
}

#[tokio::test]
async fn a_panic_inside_a_decision_is_a_denial_and_the_next_one_is_too() {
    let world = World::at(Arc::new(Broken), |same| same).await;
    let token = world.issuer.token().sign();
    for _ in 0..2 {
        let told = world.bearer(&token).await;
        assert_eq!((told.status, told.code()), (503, "internal"));
    }
}
