use super::*;
use crate::decision::Permit;
use crate::envoy::encode;
use crate::token::sample;
use crate::user::{Found, User};
use envoy_types::ext_authz::v3::pb::{HttpResponse, OkHttpResponse};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const ISSUER: &str = "https://id.example.com";

fn config() -> Config {
    let name = |name: &str| Some(name.to_owned());
    Config {
        user_id: name("x-user-id"),
        subject: None,
        tenant: name("x-tenant-id"),
        roles: name("x-user-roles"),
        issuer: name("x-user-issuer"),
        client_id: "x-client-id".to_owned(),
        headers: Vec::new(),
        strip: vec!["x-forwarded-user".to_owned()],
        max_bytes: 8192,
        forward_authorization: true,
    }
}

/// What a service behind is told: the headers that are set, and the names that are taken away.
#[derive(Debug)]
struct Told {
    set: BTreeMap<String, String>,
    removed: BTreeSet<String>,
}

fn try_told(config: Config, permit: &Permit) -> Result<Told, Refusal> {
    let identity = Identity::new(config, &["authorization".to_owned(), "x-token".to_owned()]);
    let answer = encode::tests::allowed(permit, &identity)?;
    let Some(HttpResponse::OkResponse(ok)) = answer.http_response else {
        panic!("expected leave to pass");
    };
    let OkHttpResponse {
        headers,
        headers_to_remove,
        ..
    } = ok;
    let removed: BTreeSet<String> = headers_to_remove.iter().cloned().collect();
    assert_eq!(
        removed.len(),
        headers_to_remove.len(),
        "each name is removed once"
    );
    let count = headers.len();
    let set: BTreeMap<_, _> = headers
        .into_iter()
        .map(|option| {
            let header = option.header.unwrap();
            (header.key, header.value)
        })
        .collect();
    assert_eq!(set.len(), count, "each name is set once");
    assert!(
        set.keys().all(|name| !removed.contains(name)),
        "no name is set and removed"
    );
    Ok(Told { set, removed })
}

fn told(config: Config, permit: &Permit) -> Told {
    try_told(config, permit).unwrap()
}

fn token(claims: &Json) -> Arc<VerifiedToken> {
    sample::token(sample::config(ISSUER), claims)
}

fn user_permit(user: User, tenant: Option<&str>) -> Permit {
    let caller = Caller::User {
        token: token(&json!({})),
        user: Found::sample(user),
        subject: "alice".into(),
    };
    Permit::sample(caller, tenant)
}

fn found(id: &str, roles: &[&str]) -> User {
    User {
        id: Some(id.into()),
        roles: roles.iter().map(|&role| role.into()).collect(),
        ..User::default()
    }
}

#[tokio::test]
async fn a_user_is_told_by_id_tenant_roles_and_issuer_and_no_client_is_named() {
    let told = told(
        config(),
        &user_permit(found("u-1", &["reader", "admin"]), Some("acme")),
    );
    let expected = [
        ("x-tenant-id", "acme"),
        ("x-user-id", "u-1"),
        ("x-user-issuer", ISSUER),
        ("x-user-roles", "reader,admin"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(told.set, BTreeMap::from(expected));
    assert!(told.removed.contains("x-client-id") && told.removed.contains("x-forwarded-user"));
    assert!(!told.removed.contains("authorization"));
}

/// ENV-02, ENV-09: whatever is not set is removed, in each spelling that a service could confuse.
#[tokio::test]
async fn env_09_every_spelling_of_every_name_is_removed_whoever_calls() {
    let many = Config {
        headers: vec![(
            "x-user-plan".to_owned(),
            Value::Attribute("plan".to_owned()),
        )],
        strip: vec!["remote-user".to_owned()],
        ..config()
    };
    let machine = Caller::Client(token(&json!({"sub": "app", "client_id": "app"})));
    let unasked = Caller::Unasked {
        token: token(&json!({})),
        id: None,
    };
    for permit in [
        Permit::sample(Caller::Nobody, None),
        Permit::sample(machine, Some("acme")),
        Permit::sample(unasked, None),
        user_permit(found("u-1", &[]), Some("acme")),
    ] {
        let told = told(many.clone(), &permit);
        for name in [
            "x_user_id",
            "x-user_id",
            "x_user-id",
            "x_tenant_id",
            "x_user_roles",
            "x-user_roles",
            "x_user_issuer",
            "x_client_id",
            "x-client_id",
            "x_user_plan",
            "remote-user",
            "remote_user",
        ] {
            assert!(told.removed.contains(name), "{name}: {told:?}");
        }
        for name in many.names() {
            assert!(
                told.set.contains_key(name) != told.removed.contains(name),
                "{name}"
            );
        }
    }
}

/// ENV-09: a backend may take either separator for the other (RFC 3875 4.1.18).
#[tokio::test]
async fn env_09_a_name_written_with_underscores_is_removed_in_its_spellings_with_hyphens_too() {
    let underscored = Config {
        user_id: Some("x_user_id".to_owned()),
        headers: vec![("x_plan-b".to_owned(), Value::Attribute("plan".to_owned()))],
        strip: vec!["x_forwarded_user".to_owned()],
        ..config()
    };
    for permit in [
        Permit::sample(Caller::Nobody, None),
        user_permit(found("u-1", &[]), None),
    ] {
        let told = told(underscored.clone(), &permit);
        for name in [
            "x-user-id",
            "x-user_id",
            "x_user-id",
            "x-plan-b",
            "x-plan_b",
            "x_plan_b",
            "x-forwarded-user",
            "x-forwarded_user",
            "x_forwarded-user",
            "x_forwarded_user",
        ] {
            assert!(told.removed.contains(name), "{name}: {told:?}");
        }
    }
}

#[test]
fn a_name_has_every_spelling_of_its_hyphens_but_its_own() {
    let mut all = spellings("a-b-c");
    all.sort();
    assert_eq!(all, ["a-b_c", "a_b-c", "a_b_c"]);
    assert_eq!(spellings("user"), Vec::<String>::new());
    assert_eq!(spellings("a-b-c-d-e-f").len(), 31);
}

#[tokio::test]
async fn nobody_has_every_identity_header_removed_and_none_set() {
    let told = told(config(), &Permit::sample(Caller::Nobody, None));
    assert!(told.set.is_empty());
    for name in [
        "x-user-id",
        "x-tenant-id",
        "x-user-roles",
        "x-user-issuer",
        "x-client-id",
    ] {
        assert!(told.removed.contains(name), "{name}");
    }
}

#[tokio::test]
async fn a_machine_is_a_client_and_never_a_user() {
    for (claims, expected) in [
        (json!({"sub": "app", "client_id": "app-1"}), "app-1"),
        (json!({"sub": "app", "azp": "app-2"}), "app-2"),
        (json!({"sub": "app-3"}), "app-3"),
    ] {
        let permit = Permit::sample(Caller::Client(token(&claims)), Some("acme"));
        let named = Config {
            subject: Some("x-user-subject".to_owned()),
            ..config()
        };
        let told = told(named, &permit);
        assert_eq!(told.set["x-client-id"], expected);
        assert_eq!(told.set["x-tenant-id"], "acme");
        for name in ["x-user-id", "x-user-roles", "x-user-subject"] {
            assert!(told.removed.contains(name), "{name}");
        }
    }
}

#[tokio::test]
async fn a_user_who_was_not_asked_for_has_no_id_but_where_the_subject_is_the_id() {
    let unasked = |id: Option<&str>| Caller::Unasked {
        token: token(&json!({"sub": " alice "})),
        id: id.map(Arc::from),
    };
    let without = told(config(), &Permit::sample(unasked(None), None));
    assert!(without.removed.contains("x-user-id") && without.removed.contains("x-user-roles"));
    assert_eq!(without.set["x-user-issuer"], ISSUER);
    let with = told(config(), &Permit::sample(unasked(Some("alice")), None));
    assert_eq!(with.set["x-user-id"], "alice");
    assert!(with.removed.contains("x-user-roles"));
}

#[tokio::test]
async fn a_found_user_without_an_id_of_its_own_bears_the_normalized_subject() {
    let told = told(config(), &user_permit(User::default(), None));
    assert_eq!(told.set["x-user-id"], "alice");
}

#[tokio::test]
async fn a_tenant_that_is_not_proven_is_removed() {
    let told = told(config(), &user_permit(found("u-1", &[]), None));
    assert!(told.removed.contains("x-tenant-id"));
}

/// ENV-10: visible ASCII alone, never truncated, never a line end.
#[tokio::test]
async fn env_10_values_are_percent_encoded_and_commas_only_inside_lists() {
    for (id, expected) in [
        ("a,b", "a,b"),
        ("100%", "100%25"),
        ("a b", "a%20b"),
        ("a\r\nx-user-roles: admin", "a%0D%0Ax-user-roles:%20admin"),
        ("\0", "%00"),
        ("\u{7f}", "%7F"),
        ("Zo\u{eb}", "Zo%C3%AB"),
        ("\u{1f600}", "%F0%9F%98%80"),
        ("%2C", "%252C"),
    ] {
        let told = told(config(), &user_permit(found(id, &["x", id]), None));
        assert_eq!(told.set["x-user-id"], expected);
        let in_list = format!("x,{}", expected.replace(',', "%2C"));
        assert_eq!(told.set["x-user-roles"], in_list);
    }
}

#[tokio::test]
async fn further_headers_hold_attributes_and_claims_of_their_types_or_are_removed() {
    let attribute = |name: &str| Value::Attribute(name.to_owned());
    let claim = |name: &str| Value::Claim(name.to_owned());
    let further = Config {
        headers: vec![
            ("x-plan".to_owned(), attribute("plan")),
            ("x-teams".to_owned(), attribute("teams")),
            ("x-none".to_owned(), attribute("none")),
            ("x-name".to_owned(), claim("name")),
            ("x-age".to_owned(), claim("age")),
            ("x-vip".to_owned(), claim("vip")),
            ("x-groups".to_owned(), claim("groups")),
            ("x-mixed".to_owned(), claim("mixed")),
            ("x-object".to_owned(), claim("object")),
            ("x-null".to_owned(), claim("null")),
        ],
        ..config()
    };
    let user = User {
        id: Some("u-1".into()),
        attributes: [
            ("plan".into(), ["gold, old".into()].into()),
            ("teams".into(), ["a".into(), "b,c".into()].into()),
        ]
        .into(),
        ..User::default()
    };
    let claims = json!({
        "name": "Ann, B", "age": 7, "vip": true, "groups": ["x", "y,z"], "mixed": ["x", 1],
        "object": {"a": 1}, "null": null,
    });
    let caller = Caller::User {
        token: token(&claims),
        user: Found::sample(user),
        subject: "alice".into(),
    };
    let told = told(further, &Permit::sample(caller, None));
    for (name, expected) in [
        ("x-plan", "gold,%20old"),
        ("x-teams", "a,b%2Cc"),
        ("x-name", "Ann,%20B"),
        ("x-age", "7"),
        ("x-vip", "true"),
        ("x-groups", "x,y%2Cz"),
    ] {
        assert_eq!(told.set[name], expected, "{name}");
    }
    for name in ["x-none", "x-mixed", "x-object", "x-null"] {
        assert!(told.removed.contains(name), "{name}");
    }
}

#[tokio::test]
async fn values_beyond_their_sum_are_a_refusal_and_never_cut() {
    let tight = |max_bytes| Config {
        max_bytes,
        issuer: None,
        ..config()
    };
    let permit = user_permit(found("0123456789", &["abc", "def"]), Some("acme"));
    assert_eq!(told(tight(21), &permit).set.len(), 3);
    let refused = try_told(tight(20), &permit).unwrap_err();
    assert_eq!(refused, Refusal::IdentityTooLong { came: 21, most: 20 });
    assert_eq!(refused.code(), crate::decision::Code::Internal);
}

#[tokio::test]
async fn a_credential_that_is_not_forwarded_is_removed_from_each_of_its_headers() {
    let kept = Config {
        forward_authorization: false,
        ..config()
    };
    for permit in [
        Permit::sample(Caller::Nobody, None),
        user_permit(found("u-1", &[]), None),
    ] {
        let told = told(kept.clone(), &permit);
        assert!(told.removed.contains("authorization") && told.removed.contains("x-token"));
    }
}

#[tokio::test]
async fn what_is_turned_off_is_neither_set_nor_removed_and_what_is_stripped_is_removed() {
    let off = Config {
        user_id: None,
        tenant: None,
        roles: None,
        issuer: None,
        strip: vec!["x-user-id".to_owned()],
        ..config()
    };
    let told = told(off, &user_permit(found("u-1", &["r"]), Some("acme")));
    assert!(told.set.is_empty(), "{told:?}");
    assert!(told.removed.contains("x-user-id") && !told.removed.contains("x-tenant-id"));
}
