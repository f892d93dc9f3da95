//! Identity headers: the service sees what was proven, and nothing that a client wrote.

use crate::parts::client::{Request, get, request};
use crate::world::{Expected, World};
use std::collections::BTreeSet;

const NAMES: [&str; 8] = [
    "x-user-id",
    "x-tenant-id",
    "x-user-roles",
    "x-user-issuer",
    "x-user-email",
    "x-user-scope",
    "x-client-id",
    "x-forwarded-user",
];

/// Every spelling that some framework or other takes for the same name.
fn spellings(name: &str) -> BTreeSet<String> {
    let hyphens: Vec<usize> = name.match_indices('-').map(|(at, _)| at).collect();
    let mut spellings = BTreeSet::new();
    for choice in 0..1_usize << hyphens.len() {
        let mut spelt = name.to_owned();
        for (bit, &at) in hyphens.iter().enumerate() {
            if choice >> bit & 1 == 1 {
                spelt.replace_range(at..=at, "_");
            }
        }
        spellings.insert(spelt.to_uppercase());
        spellings.insert(spelt);
    }
    spellings
}

fn spoofed(mut request: Request) -> Request {
    for name in NAMES {
        // The one name that may be a source: a client that names its own tenant is no spoofer.
        for spelling in spellings(name)
            .iter()
            .filter(|one| !one.eq_ignore_ascii_case("x-tenant-id"))
        {
            request = request.header(spelling, "admin");
        }
    }
    request
}

async fn world() -> World {
    World::configured(|same| {
        same.and_sections(
            "identity:\n  headers: {x-user-email: attributes.email, x-user-scope: claims.scope}\n  \
             strip: [x-forwarded-user]\n",
        )
    })
    .await
}

#[tokio::test]
async fn no_spelling_of_an_identity_header_survives_on_any_route() {
    let world = world().await;
    let token = world
        .issuer
        .token()
        .claim("scope", "orders:read orders:write")
        .sign();
    let preflight = request("OPTIONS", "/cors")
        .header("origin", "https://shop.example.com")
        .header("access-control-request-method", "POST");
    for (what, asked) in [
        ("the default policy", get("/").bearer(&token)),
        ("a policy with scopes", get("/writers").bearer(&token)),
        ("an anonymous pass", get("/public")),
        (
            "an anonymous policy with a token",
            get("/public").bearer(&token),
        ),
        ("a policy without the user", get("/logout").bearer(&token)),
        ("a preflight", preflight),
    ] {
        let answer = world.send(&spoofed(asked)).await;
        answer.is_allowed();
        for name in NAMES {
            for spelling in spellings(name) {
                let seen = answer.seen(&spelling);
                assert!(
                    !seen.iter().any(|value| value.contains("admin")),
                    "{spelling} on {what}"
                );
                assert!(seen.len() <= 1, "{spelling} twice on {what}");
            }
        }
    }
}

#[tokio::test]
async fn the_service_sees_what_was_proven() {
    let world = world().await;
    let token = world.issuer.token().claim("scope", "orders:read").sign();
    let answer = world.send(&spoofed(get("/").bearer(&token))).await;
    assert_eq!(answer.seen("x-user-id"), ["u-alice"]);
    assert_eq!(answer.seen("x-tenant-id"), ["acme"]);
    assert_eq!(answer.seen("x-user-roles"), ["reader"]);
    assert_eq!(answer.seen("x-user-issuer"), [world.issuer.url()]);
    assert_eq!(answer.seen("x-user-email"), ["alice@example.com"]);
    assert_eq!(answer.seen("x-user-scope"), ["orders:read"]);
    assert_eq!(answer.seen("authorization"), [format!("Bearer {token}")]);
}

#[tokio::test]
async fn an_anonymous_pass_carries_no_identity_and_a_bad_token_is_no_anonymous_pass() {
    let world = world().await;
    let answer = world
        .send(&get("/public").header("x-tenant-id", "acme"))
        .await;
    answer.is_allowed();
    for name in NAMES {
        assert!(answer.seen(name).is_empty(), "{name}");
    }
    let expired = world.issuer.token().issued_ago(600).expires_in(-300).sign();
    world
        .send(&get("/public").bearer(&expired))
        .await
        .is_refused(401, "token_expired");
}

#[tokio::test]
async fn a_pass_without_the_user_proves_tenant_and_issuer_but_no_user() {
    let world = world().await;
    let token = world.issuer.token().subject("dave").sign();
    let answer = world.send(&get("/logout").bearer(&token)).await;
    answer.is_allowed();
    assert!(answer.seen("x-user-id").is_empty());
    assert!(answer.seen("x-user-roles").is_empty());
    assert_eq!(answer.seen("x-tenant-id"), ["acme"]);
    assert_eq!(world.users.calls("dave"), 0);
}

#[tokio::test]
async fn the_credential_is_kept_from_the_service_where_configured() {
    let world =
        World::configured(|same| same.and_sections("identity: {forward_authorization: false}\n"))
            .await;
    let answer = world
        .send(&get("/").bearer(&world.issuer.token().sign()))
        .await;
    answer.is_allowed();
    assert!(answer.seen("authorization").is_empty());
}
