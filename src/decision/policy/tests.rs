use super::*;
use crate::request::Entry;
use crate::token::claims::Claims;
use crate::user::User;
use serde_json::json;

fn policy(name: &str) -> Policy {
    Policy {
        name: name.into(),
        credentials: vec![credential::Source::Bearer("authorization".to_owned())],
        anonymous: false,
        preflight: false,
        audiences: None,
        scopes: Vec::new(),
        roles: Vec::new(),
        require_user: true,
    }
}

fn route(host: Option<&str>, path: Option<&str>, methods: &[&str], policy: &str) -> Route {
    Route {
        host: host.map(str::to_owned),
        path: path.map(str::to_owned),
        methods: methods.iter().map(|&method| method.to_owned()).collect(),
        policy: policy.into(),
    }
}

fn policies(routes: Vec<Route>) -> Policies {
    let named = ["default", "public", "strict", "admin"];
    let config = Config {
        policies: named.map(policy).to_vec(),
        routes,
    };
    Policies::new(&config).unwrap()
}

fn request(method: &'static str, host: &'static str, target: &'static str) -> Request<'static> {
    Request {
        method: method.into(),
        host: host.into(),
        target: target.into(),
        ..Request::default()
    }
}

fn named(names: &[&'static str]) -> Request<'static> {
    let entry = |&name: &&'static str| Entry {
        name: "policy".into(),
        value: name.into(),
    };
    Request {
        context: names.iter().map(entry).collect(),
        ..request("GET", "shop.example.com", "/public/x")
    }
}

fn picked<'p>(policies: &'p Policies, request: &Request<'_>) -> Option<&'p str> {
    policies.pick(request).map(|policy| &*policy.name)
}

#[test]
fn what_envoys_route_names_comes_before_the_routes_here() {
    let policies = policies(vec![route(None, Some("/public/"), &[], "public")]);
    assert_eq!(picked(&policies, &named(&["strict"])), Some("strict"));
    assert_eq!(picked(&policies, &named(&["default"])), Some("default"));
    assert_eq!(picked(&policies, &named(&[])), Some("public"));
}

#[test]
fn a_name_that_is_unknown_empty_repeated_or_no_text_is_no_policy_and_never_the_default() {
    let policies = policies(vec![route(None, None, &[], "public")]);
    for names in [
        &["pulbic"][..],
        &[""],
        &["Strict"],
        &["strict", "strict"],
        &["strict", "public"],
    ] {
        assert_eq!(picked(&policies, &named(names)), None, "{names:?}");
    }
    let mut bytes = named(&["strict"]);
    bytes.context[0].value = b"\xff"[..].into();
    assert_eq!(picked(&policies, &bytes), None);
}

#[test]
fn the_first_route_whose_every_condition_holds_rules_and_else_the_default() {
    let policies = policies(vec![
        route(Some("admin.example.com"), None, &[], "admin"),
        route(None, Some("/health"), &["GET", "HEAD"], "public"),
        route(Some("shop.example.com"), Some("/public/"), &[], "public"),
        route(None, Some("/public/secret/"), &[], "strict"),
        route(None, Some("/secret/"), &["POST"], "strict"),
    ]);
    for (method, host, target, expected) in [
        ("GET", "admin.example.com", "/health", "admin"),
        ("GET", "ADMIN.example.com.:8443", "/", "admin"),
        ("GET", "admin.example.com.evil.com", "/", "default"),
        ("HEAD", "shop.example.com", "/health", "public"),
        ("GET", "shop.example.com", "/health?deep=1", "public"),
        ("get", "shop.example.com", "/health", "default"),
        ("POST", "shop.example.com", "/health", "default"),
        ("GET", "shop.example.com", "/healthy", "default"),
        ("GET", "shop.example.com", "/health/", "default"),
        ("GET", "shop.example.com", "/public/", "public"),
        ("GET", "shop.example.com", "/public/secret/x", "public"),
        ("GET", "other.example.com", "/public/secret/x", "strict"),
        ("GET", "shop.example.com", "/public", "default"),
        ("GET", "shop.example.com", "/Public/", "default"),
        ("POST", "shop.example.com", "/secret/1", "strict"),
        ("GET", "shop.example.com", "/secret/1", "default"),
        ("GET", "shop.example.com", "/x?next=/public/", "default"),
    ] {
        let came = picked(&policies, &request(method, host, target));
        assert_eq!(came, Some(expected), "{method} {host}{target}");
    }
}

/// ENV-07, by decision.md: such a path "matches no route".
#[test]
fn env_07_a_path_that_servers_read_differently_matches_no_route_where_any_route_reads_paths() {
    let reading = policies(vec![
        route(None, Some("/public/"), &[], "public"),
        route(Some("shop.example.com"), None, &[], "admin"),
    ]);
    let blind = policies(vec![route(Some("shop.example.com"), None, &[], "admin")]);
    for target in [
        "/public/../admin",
        "/public//x",
        "/public/./x",
        "/public/;x",
        "/public/\\x",
        "/public/%2fx",
        "/public/%5Cx",
        "/public/%2e%2e/admin",
        "/public/%252e",
        "/public/%00",
        "/public/\u{e9}",
        "",
        "*",
        "public/",
        "http://shop.example.com/public/",
    ] {
        let asked = request("GET", "shop.example.com", target);
        assert_eq!(picked(&reading, &asked), Some("default"), "{target}");
        assert_eq!(picked(&blind, &asked), Some("admin"), "{target}");
    }
}

/// ENV-08: what a client says of the host or the path is not what Envoy says.
#[test]
fn env_08_forwarded_and_original_headers_of_a_client_pick_nothing() {
    let policies = policies(vec![
        route(Some("admin.example.com"), None, &[], "admin"),
        route(None, Some("/public/"), &[], "public"),
    ]);
    let mut asked = request("GET", "shop.example.com", "/orders");
    for (name, value) in [
        ("x-forwarded-host", "admin.example.com"),
        ("x-original-url", "/public/"),
        ("x-envoy-original-path", "/public/"),
        ("x-forwarded-uri", "/public/"),
        ("x-rewrite-url", "/public/"),
        ("policy", "public"),
        ("x-http-method-override", "POST"),
    ] {
        asked.headers.push(Entry {
            name: name.into(),
            value: value.into(),
        });
    }
    assert_eq!(picked(&policies, &asked), Some("default"));
}

#[test]
fn a_configuration_without_a_default_or_with_a_route_to_nowhere_is_none() {
    let config = |names: &[&str], routes| Config {
        policies: names.iter().map(|name| policy(name)).collect(),
        routes,
    };
    assert!(Policies::new(&config(&["public"], Vec::new())).is_none());
    let nowhere = vec![route(None, None, &[], "public")];
    assert!(Policies::new(&config(&["default"], nowhere)).is_none());
}

fn claims(more: &serde_json::Value) -> Claims {
    let mut all = json!({"iss": "https://id.example.com", "exp": 4_000_000_000_u64});
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    Claims::parse(all.to_string().as_bytes()).unwrap()
}

#[test]
fn all_scopes_are_asked_for_one_audience_and_one_role() {
    let mut strict = policy("strict");
    strict.scopes = vec!["a".to_owned(), "b".to_owned()];
    strict.audiences = Some(vec!["x".to_owned(), "y".to_owned()]);
    strict.roles = vec!["admin".to_owned(), "owner".to_owned()];
    for (scope, grants) in [("a b c", true), ("b", false), ("ab", false), ("", false)] {
        let admitted = strict.admits_scopes(&claims(&json!({ "scope": scope })));
        assert_eq!(admitted.is_ok(), grants, "{scope}");
        if let Err(refusal) = admitted {
            assert_eq!(refusal, Refusal::Scopes("a b".into()));
        }
    }
    for (audience, admitted) in [
        (json!("y"), true),
        (json!(["z", "x"]), true),
        (json!("z"), false),
    ] {
        let claims = claims(&json!({ "aud": audience }));
        assert_eq!(strict.admits_audience(&claims).is_ok(), admitted);
    }
    let with = |roles: &[&str]| {
        Found::sample(User {
            roles: roles.iter().map(|&role| role.into()).collect(),
            ..User::default()
        })
    };
    assert!(strict.admits_roles(&with(&["reader", "owner"])).is_ok());
    assert_eq!(strict.admits_roles(&with(&["Admin"])), Err(Refusal::Roles));
    assert_eq!(strict.admits_roles(&with(&[])), Err(Refusal::Roles));
    let lax = policy("default");
    assert!(lax.admits_roles(&with(&[])).is_ok());
    assert!(lax.admits_scopes(&claims(&json!({}))).is_ok());
    assert!(lax.admits_audience(&claims(&json!({}))).is_ok());
}
