use super::*;
use crate::request::Entry;
use crate::token::sample;
use serde_json::json;
use std::fs;
use std::time::Duration;

fn template(before: &str, after: &str) -> Template {
    Template {
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

/// Every kind of source, as an operator would write them.
fn sources() -> Vec<Source> {
    vec![
        Source::Claim("tenant".to_owned()),
        Source::Header("x-tenant-id".to_owned()),
        Source::Host(template("", ".shop.example.com")),
        Source::Path(template("/t/", "/")),
        Source::Context("tenant".to_owned()),
    ]
}

fn config(from: Vec<Source>) -> Config {
    Config {
        required: false,
        from,
        normalize: vec![Normalization::Trim, Normalization::Lowercase],
        format: Regex::new("^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,63})$").unwrap(),
        known: Known::Any,
    }
}

fn settled(config: Config, request: &Request<'_>) -> Result<Tenancy, TenantError> {
    Tenants::start(config).unwrap().settle(request, None)
}

fn entry(name: &'static str, value: &'static str) -> Entry<'static> {
    Entry {
        name: name.into(),
        value: value.into(),
    }
}

fn request() -> Request<'static> {
    Request {
        host: "www.example.com".into(),
        target: "/".into(),
        ..Request::default()
    }
}

/// A request that names a tenant in one source, and the claims beside it.
fn naming(source: usize, tenant: &'static str) -> (Request<'static>, Value) {
    let (mut request, mut claims) = (request(), json!({}));
    match source {
        0 => claims = json!({ "tenant": tenant }),
        1 => request.headers.push(entry("x-tenant-id", tenant)),
        2 => {
            request.host = format!("{tenant}.shop.example.com")
                .leak()
                .as_bytes()
                .into();
        }
        3 => request.target = format!("/t/{tenant}/orders?x=1").leak().as_bytes().into(),
        _ => request.context.push(entry("tenant", tenant)),
    }
    (request, claims)
}

/// What the tenancy is, and whether it is proven.
fn told(tenancy: &Tenancy) -> (Option<&str>, bool) {
    (
        tenancy.tenant().map(|tenant| &**tenant),
        tenancy.proven().is_some(),
    )
}

#[tokio::test]
async fn each_source_names_a_tenant_and_the_claim_alone_proves_it() {
    let tenants = Tenants::start(config(sources())).unwrap();
    for source in 0..5 {
        let (request, claims) = naming(source, "acme");
        let token = sample::token(sample::config("https://id.example.com"), &claims);
        let tenancy = tenants.settle(&request, Some(&token)).unwrap();
        assert_eq!(told(&tenancy), (Some("acme"), source == 0), "{source}");
    }
}

#[tokio::test]
async fn any_two_sources_that_differ_are_a_mismatch_and_agreeing_ones_are_one() {
    let tenants = Tenants::start(config(sources())).unwrap();
    for one in 0..5 {
        for two in one + 1..5 {
            for (other, expected) in [("acme", true), ("globex", false)] {
                let (first, claims) = naming(one, "acme");
                let (second, _) = naming(two, other);
                let both = Request {
                    host: if one == 2 { first.host } else { second.host },
                    target: if one == 3 {
                        first.target
                    } else {
                        second.target
                    },
                    headers: [first.headers, second.headers].concat(),
                    context: [first.context, second.context].concat(),
                    ..Request::default()
                };
                let token = sample::token(sample::config("https://id.example.com"), &claims);
                let tenancy = tenants.settle(&both, Some(&token));
                if expected {
                    let tenancy = tenancy.unwrap();
                    assert_eq!(told(&tenancy).0, Some("acme"));
                } else {
                    assert_eq!(tenancy, Err(TenantError::Sources), "{one} {two}");
                }
            }
        }
    }
}

#[test]
fn spellings_that_normalize_to_one_tenant_agree() {
    let mut asked = request();
    asked.headers.push(entry("x-tenant-id", " ACME "));
    asked.context.push(entry("tenant", "acme"));
    let tenancy = settled(config(sources()), &asked).unwrap();
    assert_eq!(told(&tenancy), (Some("acme"), false));
}

/// ENV-05: two headers arrive apart with `encode_raw_headers`, and joined without it.
#[test]
fn env_05_a_source_given_twice_is_a_mismatch_apart_and_joined_even_where_both_agree() {
    for values in [
        &["acme", "acme"][..],
        &["acme", "globex"],
        &["acme,acme"],
        &["acme, globex"],
    ] {
        let mut headers = request();
        headers.headers = values
            .iter()
            .map(|value| entry("x-tenant-id", value))
            .collect();
        assert_eq!(
            settled(config(sources()), &headers),
            Err(TenantError::Sources),
            "{values:?}"
        );
        let mut context = request();
        context.context = values.iter().map(|value| entry("tenant", value)).collect();
        assert_eq!(
            settled(config(sources()), &context),
            Err(TenantError::Sources),
            "{values:?}"
        );
    }
}

#[test]
fn a_tenant_of_another_form_is_unknown() {
    let long: &'static str = "a".repeat(65).leak();
    for bad in [
        "",
        ".",
        "..",
        "-acme",
        "a/b",
        "a b",
        "acme\u{e9}",
        "a\u{0}b",
        "a%2fb",
        "..%2f",
        long,
    ] {
        let mut asked = request();
        asked.headers.push(entry("x-tenant-id", bad));
        assert_eq!(
            settled(config(sources()), &asked),
            Err(TenantError::Form),
            "{bad:?}"
        );
    }
    let mut bytes = request();
    bytes.headers.push(Entry {
        name: "x-tenant-id".into(),
        value: b"\xff\xfe"[..].into(),
    });
    assert_eq!(settled(config(sources()), &bytes), Err(TenantError::Form));
    for good in ["a", "A.b_c-9", "a".repeat(64).leak()] {
        let mut asked = request();
        asked.headers.push(entry("x-tenant-id", good));
        assert!(settled(config(sources()), &asked).is_ok(), "{good:?}");
    }
}

#[test]
fn whatever_the_declared_format_a_tenant_is_one_visible_path_segment() {
    let mut lax = config(sources());
    lax.format = Regex::new("^(?s:.*)$").unwrap();
    lax.normalize = Vec::new();
    for bad in ["", ".", "..", "a\nb"] {
        let mut asked = request();
        asked.headers.push(entry("x-tenant-id", bad));
        assert_eq!(
            settled(lax.clone(), &asked),
            Err(TenantError::Form),
            "{bad:?}"
        );
    }
}

#[tokio::test]
async fn a_claim_that_is_no_text_is_of_another_form_and_null_is_no_claim() {
    let tenants = Tenants::start(config(sources())).unwrap();
    for (claim, expected) in [
        (json!(7), Err(TenantError::Form)),
        (json!(["acme"]), Err(TenantError::Form)),
        (json!({"id": "acme"}), Err(TenantError::Form)),
        (json!(true), Err(TenantError::Form)),
        (json!(null), Ok((None, false))),
    ] {
        let token = sample::token(
            sample::config("https://id.example.com"),
            &json!({"tenant": claim}),
        );
        let tenancy = tenants.settle(&request(), Some(&token));
        assert_eq!(tenancy.as_ref().map(told).map_err(Clone::clone), expected);
    }
}

#[test]
fn env_07_a_path_that_servers_read_differently_names_no_tenant_where_a_path_source_is_configured() {
    for path in [
        "/t/acme/../globex/",
        "/t//acme/",
        "/t/./acme/",
        "/t/acme;x/",
        "/t/acme\\x/",
        "/t/acme%2Fx/",
        "/t/acme%5cx/",
        "/t/%2e%2E/",
        "/t/acme%2500/",
        "/t/acme%00/",
        "//t/acme/",
        "",
    ] {
        let mut asked = request();
        asked.target = path.into();
        assert_eq!(
            settled(config(sources()), &asked),
            Err(TenantError::Path),
            "{path}"
        );
        // Without a path source the path is nobody's business.
        let headers = config(vec![Source::Header("x-tenant-id".to_owned())]);
        assert!(settled(headers, &asked).is_ok(), "{path}");
    }
}

#[test]
fn a_path_template_takes_one_whole_segment_where_the_path_starts_with_it() {
    for (path, expected) in [
        ("/t/acme/", Some("acme")),
        ("/t/acme/orders/7", Some("acme")),
        ("/t/acme", None),
        ("/t//", None),
        ("/x/t/acme/", None),
        ("/tt/acme/", None),
        ("/", None),
    ] {
        let mut asked = request();
        asked.target = path.into();
        match settled(config(vec![Source::Path(template("/t/", "/"))]), &asked) {
            Ok(tenancy) => assert_eq!(told(&tenancy).0, expected, "{path}"),
            Err(error) => assert_eq!((error, path), (TenantError::Path, "/t//")),
        }
    }
    let mut encoded = request();
    encoded.target = "/t/%61cme/".into();
    assert_eq!(
        settled(config(sources()), &encoded),
        Err(TenantError::Form),
        "a segment is never decoded"
    );
}

#[test]
fn a_host_template_takes_one_label_of_any_case_without_port_and_trailing_dot() {
    for (host, expected) in [
        ("acme.shop.example.com", Some("acme")),
        ("ACME.Shop.Example.Com:8443", Some("acme")),
        ("acme.shop.example.com.", Some("acme")),
        ("acme.shop.example.com.:443", Some("acme")),
        ("a.b.shop.example.com", None),
        (".shop.example.com", None),
        ("shop.example.com", None),
        ("acmeshop.example.com", None),
        ("acme.shop.example.com.evil.com", None),
        ("[::1]:80", None),
        ("", None),
    ] {
        let mut asked = request();
        asked.host = host.into();
        let tenancy = settled(config(sources()), &asked).unwrap();
        assert_eq!(told(&tenancy), (expected, false), "{host}");
    }
    let mut odd = request();
    odd.host = "acm\u{e9}.shop.example.com".into();
    assert_eq!(settled(config(sources()), &odd), Err(TenantError::Form));
}

#[test]
fn a_tenant_is_missing_only_where_one_is_required() {
    let none = settled(config(sources()), &request()).unwrap();
    assert_eq!(told(&none), (None, false));
    let mut required = config(sources());
    required.required = true;
    assert_eq!(settled(required, &request()), Err(TenantError::Missing));
}

#[tokio::test]
async fn an_issuer_bound_to_one_tenant_proves_it_named_or_not() {
    let tenants = Tenants::start(config(sources())).unwrap();
    let mut bound = sample::config("https://id.example.com");
    bound.tenants = Spoken::Of(["acme".to_owned()].into());
    let token = sample::token(bound, &json!({}));
    let silent = tenants.settle(&request(), Some(&token)).unwrap();
    assert_eq!(told(&silent), (Some("acme"), true));
    let (named, _) = naming(1, "acme");
    assert_eq!(
        told(&tenants.settle(&named, Some(&token)).unwrap()),
        (Some("acme"), true)
    );
    let (other, _) = naming(1, "globex");
    assert_eq!(
        tenants.settle(&other, Some(&token)),
        Err(TenantError::Issuer)
    );
}

#[tokio::test]
async fn an_issuer_bound_to_several_tenants_proves_none_and_speaks_for_no_other() {
    let tenants = Tenants::start(config(sources())).unwrap();
    let mut bound = sample::config("https://id.example.com");
    bound.tenants = Spoken::Of(["acme".to_owned(), "globex".to_owned()].into());
    let token = sample::token(bound.clone(), &json!({}));
    assert_eq!(
        told(&tenants.settle(&request(), Some(&token)).unwrap()),
        (None, false)
    );
    let (named, _) = naming(1, "globex");
    assert_eq!(
        told(&tenants.settle(&named, Some(&token)).unwrap()),
        (Some("globex"), false)
    );
    let foreign = sample::token(bound, &json!({"tenant": "initech"}));
    assert_eq!(
        tenants.settle(&request(), Some(&foreign)),
        Err(TenantError::Issuer)
    );
}

#[tokio::test]
async fn what_is_not_in_the_list_is_unknown_also_where_an_issuer_is_bound_to_it() {
    let mut listed = config(sources());
    listed.known = Known::List(["acme".to_owned()].into());
    let tenants = Tenants::start(listed).unwrap();
    let (known, _) = naming(1, "Acme");
    assert_eq!(told(&tenants.settle(&known, None).unwrap()).0, Some("acme"));
    let (stranger, _) = naming(1, "globex");
    assert_eq!(tenants.settle(&stranger, None), Err(TenantError::Unknown));
    let mut bound = sample::config("https://id.example.com");
    bound.tenants = Spoken::Of(["globex".to_owned()].into());
    let token = sample::token(bound, &json!({}));
    assert_eq!(
        tenants.settle(&request(), Some(&token)),
        Err(TenantError::Unknown)
    );
}

#[tokio::test]
async fn a_file_of_tenants_is_read_again_and_a_bad_version_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenants.yaml");
    fs::write(&path, "tenants: [acme]\n").unwrap();
    let mut filed = config(sources());
    filed.known = Known::File(path.clone());
    let tenants = Tenants::start(filed).unwrap();
    let mut versions = tenants.file.as_ref().unwrap().versions();
    let (old, _) = naming(1, "acme");
    let (new, _) = naming(1, "globex");
    assert!(tenants.settle(&old, None).is_ok());
    assert_eq!(tenants.settle(&new, None), Err(TenantError::Unknown));

    fs::write(&path, "tenants: [globex]\n").unwrap();
    changed(&mut versions).await;
    assert_eq!(tenants.settle(&old, None), Err(TenantError::Unknown));
    assert!(tenants.settle(&new, None).is_ok());

    // A bad version is passed over; the good one after it is the next that is told of.
    fs::write(&path, "tenants: {acme: true}\n").unwrap();
    assert!(yaml::from_file::<Document>(&path).is_err());
    assert!(tenants.settle(&new, None).is_ok());
    fs::write(&path, "tenants: [acme, globex]\n").unwrap();
    changed(&mut versions).await;
    assert!(tenants.settle(&old, None).is_ok() && tenants.settle(&new, None).is_ok());
}

async fn changed(versions: &mut tokio::sync::watch::Receiver<u64>) {
    let told = tokio::time::timeout(Duration::from_secs(20), versions.changed());
    told.await.expect("the change is picked up").unwrap();
}

#[tokio::test]
async fn a_file_that_is_none_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenants.yaml");
    for (text, place) in [
        ("tenants: acme\n", ":1:"),
        ("tenants: [a]\nother: 1\n", ":2:1"),
    ] {
        fs::write(&path, text).unwrap();
        let mut filed = config(sources());
        filed.known = Known::File(path.clone());
        let mistakes = Tenants::start(filed).unwrap_err().to_string();
        assert!(
            mistakes.contains("tenants.yaml") && mistakes.contains(place),
            "{mistakes}"
        );
    }
}
