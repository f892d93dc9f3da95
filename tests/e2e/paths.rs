//! Paths that try to be two things at once, and preflights (ENV-06, ENV-07).

use crate::parts::client::{Request, get, request};
use crate::world::{Expected, World};

/// Prefixes under `/open/` that Envoy, unasked, passes on as they are.
const TRICKS: [&str; 14] = [
    "/open//orders",
    "/open/../orders",
    "/open/./orders",
    "/open/..",
    "/open/%2e%2e/orders",
    "/open/%2E%2E%2Forders",
    "/open/..%2forders",
    "/open/a%5cb",
    "/open/%252e%252e/orders",
    "/open/a;b/orders",
    "/open/..;/orders",
    "/open/\\orders",
    "//open/orders",
    "/open/a/.",
];

#[tokio::test]
async fn a_path_route_matches_plain_paths_alone() {
    let world = World::configured(|same| {
        same.and_sections(
            "routes:\n- {path: /open/, methods: [GET], policy: public}\n- {path: /exact, policy: public}\n",
        )
    })
    .await;
    for open in [
        "/open/",
        "/open/orders",
        "/open/orders?next=//a/../%2f",
        "/exact",
        "/exact?a=b",
    ] {
        world.send(&get(open)).await.is_allowed();
    }
    for closed in [
        "/open",
        "/opened/orders",
        "/Open/orders",
        "/exact/",
        "/exactly",
        "/",
    ] {
        world
            .send(&get(closed))
            .await
            .is_refused(401, "token_missing");
    }
    for trick in TRICKS {
        let answer = world.send(&get(trick)).await;
        assert_eq!(answer.code(), "token_missing", "{trick}");
    }
    world
        .send(&request("POST", "/open/orders"))
        .await
        .is_refused(401, "token_missing");
}

#[tokio::test]
async fn a_path_tenant_is_read_from_plain_paths_alone() {
    let world = World::configured(|same| {
        same.sections("tenant: {from: [{claim: tenant}, {path: '/t/{tenant}/'}]}\n")
            .and_sections(crate::world::POLICIES)
    })
    .await;
    let token = world.issuer.token().sign();
    let asked = |path: &str| -> Request { get(path).bearer(&token) };
    world.send(&asked("/t/acme/orders")).await.is_allowed();
    world
        .send(&asked("/t/Acme/orders?x=/../"))
        .await
        .is_allowed();
    world.send(&asked("/orders")).await.is_allowed();
    for elsewhere in [
        "/t/globex/orders",
        "/t/acme/../globex/orders",
        "/t/acme%2f..%2fglobex/",
    ] {
        world
            .send(&asked(elsewhere))
            .await
            .is_refused(403, "tenant_mismatch");
    }
    for trick in ["/t//acme/", "/t/./acme/", "/t/acme;x/", "/t/%61cme%00/"] {
        world
            .send(&asked(trick))
            .await
            .is_refused(403, "tenant_mismatch");
    }
}

#[tokio::test]
async fn a_host_tenant_is_one_label_in_any_case() {
    let world = World::configured(|same| {
        same.sections("tenant: {from: [{claim: tenant}, {host: '{tenant}.shop.example.com'}]}\n")
            .and_sections(crate::world::POLICIES)
    })
    .await;
    let token = world.issuer.token().sign();
    let asked = |host: &str| get("/").bearer(&token).host(host);
    for same in [
        "acme.shop.example.com",
        "ACME.Shop.Example.com:8443",
        "acme.shop.example.com.",
    ] {
        world.send(&asked(same)).await.is_allowed();
    }
    world
        .send(&asked("globex.shop.example.com"))
        .await
        .is_refused(403, "tenant_mismatch");
}

#[tokio::test]
async fn a_preflight_passes_only_where_the_policy_says_so_and_only_if_it_is_one() {
    let world = World::start().await;
    let options =
        |path: &str| request("OPTIONS", path).header("origin", "https://shop.example.com");
    let preflight = |path: &str| options(path).header("access-control-request-method", "POST");
    world.send(&preflight("/cors")).await.is_allowed();
    world
        .send(&preflight("/"))
        .await
        .is_refused(401, "token_missing");
    world
        .send(&options("/cors"))
        .await
        .is_refused(401, "token_missing");
    let get_with_both = get("/cors")
        .header("origin", "https://shop.example.com")
        .header("access-control-request-method", "POST");
    world
        .send(&get_with_both)
        .await
        .is_refused(401, "token_missing");
    world
        .send(&preflight("/cors").bearer("bad"))
        .await
        .is_refused(401, "token_malformed");
}
