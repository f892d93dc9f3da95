//! OpenID Connect Discovery 1.0, against a provider that lies in every way.
//!
//! DSC-05 and DSC-06's switch are the configuration's; TLS is tested with `net::http`. Of DSC-04 `x5c` does
//! not apply, since no key is taken from one. KEY-15's cache headers do not apply: "keys.refresh" rules.

use super::*;
use crate::net::tls::ClientTls;
use crate::token::testing::{Provider, Signer, jwks, with_raw};
use serde_json::json;

const DOCUMENT: &str = "/.well-known/openid-configuration";
const JSON: &str = "application/json";

fn source(issuer: &str, timeout: Duration) -> Source {
    let tls = ClientTls::default();
    let source = KeySource::Discovery { tls };
    Source::new(&issuer.into(), &source, &[Algorithm::ES256], timeout).unwrap()
}

async fn fetch(issuer: &str) -> Result<KeySet, FetchError> {
    source(issuer, Duration::from_secs(30)).fetch().await
}

/// A provider whose document is right.
async fn provider() -> Provider {
    let provider = Provider::start().await;
    provider.publishes(&[&Signer::new("k", Algorithm::ES256)]);
    provider.says(DOCUMENT, 200, JSON, document(&provider.url("")));
    provider
}

fn document(issuer: &str) -> String {
    members(issuer).to_string()
}

fn members(issuer: &str) -> Value {
    json!({"issuer": issuer, "jwks_uri": format!("{issuer}/jwks")})
}

#[test]
fn dsc_01_one_terminating_slash_is_removed_and_paths_are_kept() {
    let suffix = ".well-known/openid-configuration";
    assert_eq!(well_known("https://a"), format!("https://a/{suffix}"));
    assert_eq!(well_known("https://a/"), format!("https://a/{suffix}"));
    assert_eq!(
        well_known("https://a/realms/b"),
        format!("https://a/realms/b/{suffix}")
    );
    assert_eq!(well_known("https://a/b/"), format!("https://a/b/{suffix}"));
}

#[tokio::test]
async fn the_keys_of_an_honest_provider_are_found() {
    let provider = provider().await;
    let set = fetch(&provider.url("")).await.unwrap();
    assert_eq!(set.keys().len(), 1);
    assert_eq!((provider.asked(DOCUMENT), provider.asked("/jwks")), (1, 1));
}

#[tokio::test]
async fn dsc_01_an_issuer_with_a_path_and_a_slash_is_found_there() {
    let provider = provider().await;
    let issuer = provider.url("/realms/acme/");
    let document = json!({"issuer": issuer, "jwks_uri": provider.url("/jwks")});
    let path = format!("/realms/acme{DOCUMENT}");
    provider.says(
        &path,
        200,
        "application/json; charset=utf-8",
        document.to_string(),
    );
    assert_eq!(fetch(&issuer).await.unwrap().keys().len(), 1);
}

#[tokio::test]
async fn dsc_02_a_document_of_another_issuer_gives_nothing() {
    let provider = provider().await;
    let ours = provider.url("");
    for other in [
        format!("{ours}/"),
        ours.to_uppercase(),
        String::new(),
        "https://evil.example".into(),
    ] {
        let lie = json!({"issuer": other, "jwks_uri": format!("{ours}/jwks")});
        provider.says(DOCUMENT, 200, JSON, lie.to_string());
        let refused = fetch(&ours).await;
        assert!(
            matches!(refused, Err(FetchError::OtherIssuer { .. })),
            "{other}"
        );
    }
    assert_eq!(provider.asked("/jwks"), 0);
}

#[tokio::test]
async fn dsc_03_success_is_200_and_a_json_object() {
    let provider = provider().await;
    let ours = provider.url("");
    for status in [201, 203, 204, 400, 401, 404, 429, 500, 503] {
        provider.says(DOCUMENT, status, JSON, document(&ours));
        let refused = fetch(&ours).await;
        let told =
            matches!(refused, Err(FetchError::Status { status: came, .. }) if came == status);
        assert!(told, "{status}");
    }
    for other in [
        "text/html",
        "text/plain",
        "application/jwk-set+json",
        "application/jsonp",
        "",
    ] {
        provider.says(DOCUMENT, 200, other, document(&ours));
        let refused = fetch(&ours).await;
        assert!(
            matches!(refused, Err(FetchError::ContentType { .. })),
            "{other}"
        );
    }
    let twice = with_raw("\"issuer\":\"x\"", &members(&ours));
    for body in [
        "",
        "[]",
        "null",
        "{",
        "<html>",
        "{}",
        "{\"issuer\":5}",
        &twice,
    ] {
        provider.says(DOCUMENT, 200, JSON, body);
        let refused = fetch(&ours).await;
        assert!(
            matches!(refused, Err(FetchError::Document("issuer"))),
            "{body}"
        );
    }
    assert_eq!(provider.asked("/jwks"), 0);
}

#[tokio::test]
async fn dsc_04_the_keys_of_an_https_issuer_are_behind_https() {
    let provider = provider().await;
    let client = Client::new(&ClientTls::default(), Duration::from_secs(30)).unwrap();
    let ours = provider.url("");
    let refused = discover(&client, &ours, false).await;
    assert!(matches!(refused, Err(FetchError::Document("jwks_uri"))));
    for uri in [
        "file:///etc/keys",
        "ftp://a/jwks",
        "/jwks",
        "jwks",
        "",
        "http://",
    ] {
        let document = json!({"issuer": ours, "jwks_uri": uri});
        provider.says(DOCUMENT, 200, JSON, document.to_string());
        let refused = discover(&client, &ours, true).await;
        assert!(
            matches!(refused, Err(FetchError::Document("jwks_uri"))),
            "{uri}"
        );
    }
    let document = json!({"issuer": ours, "jwks_uri": "https://127.0.0.1:1/jwks"});
    provider.says(DOCUMENT, 200, JSON, document.to_string());
    assert!(discover(&client, &ours, false).await.is_ok());
}

#[tokio::test]
async fn key_15_and_bcp_12_a_redirect_is_not_followed() {
    let provider = provider().await;
    provider.says("/elsewhere", 200, JSON, document(&provider.url("")));
    provider.redirects(DOCUMENT, "/elsewhere");
    let refused = fetch(&provider.url("")).await;
    assert!(matches!(
        refused,
        Err(FetchError::Status { status: 302, .. })
    ));
    assert_eq!(provider.asked("/elsewhere"), 0);

    provider.says(DOCUMENT, 200, JSON, document(&provider.url("")));
    provider.says("/elsewhere", 200, JSON, jwks(&[]));
    provider.redirects("/jwks", "/elsewhere");
    let refused = fetch(&provider.url("")).await;
    assert!(matches!(
        refused,
        Err(FetchError::Status { status: 302, .. })
    ));
    assert_eq!(provider.asked("/elsewhere"), 0);
}

#[tokio::test]
async fn key_15_a_key_set_is_200_of_its_type_and_of_bounded_size() {
    let provider = provider().await;
    let ours = provider.url("");
    let keys = jwks(&[Signer::new("k", Algorithm::ES256).jwk()]);
    provider.says("/jwks", 200, "application/jwk-set+json", &keys);
    assert_eq!(fetch(&ours).await.unwrap().keys().len(), 1);
    provider.says("/jwks", 200, "text/plain", &keys);
    assert!(matches!(
        fetch(&ours).await,
        Err(FetchError::ContentType { .. })
    ));
    provider.says("/jwks", 404, JSON, &keys);
    assert!(matches!(fetch(&ours).await, Err(FetchError::Status { .. })));
    provider.says("/jwks", 200, JSON, "{}");
    assert!(matches!(fetch(&ours).await, Err(FetchError::KeySet(_))));
    for path in ["/jwks", DOCUMENT] {
        provider.says(path, 200, JSON, " ".repeat(MAX_DOCUMENT + 1));
        let refused = fetch(&ours).await;
        assert!(matches!(
            refused,
            Err(FetchError::Http(HttpError::TooLarge { .. }))
        ));
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_in_time_is_an_error() {
    let provider = provider().await;
    provider.hold();
    let source = source(&provider.url(""), Duration::from_millis(100));
    let refused = source.fetch().await;
    assert!(matches!(refused, Err(FetchError::Http(HttpError::Timeout))));
    let nobody = fetch("http://127.0.0.1:1").await;
    assert!(matches!(
        nobody,
        Err(FetchError::Http(HttpError::Connect(_)))
    ));
}

#[tokio::test]
async fn a_file_of_keys_and_a_file_of_a_secret_are_read_as_they_are_now() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let open = |source| {
        let timeout = Duration::from_secs(1);
        Source::new(&"x".into(), &source, &[Algorithm::HS256], timeout).unwrap()
    };
    let keys = open(KeySource::File(path.clone()));
    assert!(matches!(keys.fetch().await, Err(FetchError::File { .. })));
    std::fs::write(&path, jwks(&[Signer::new("k", Algorithm::ES256).jwk()])).unwrap();
    assert_eq!(keys.fetch().await.unwrap().keys().len(), 1);

    let secret = open(KeySource::Secret(path.clone()));
    std::fs::write(&path, [7; 31]).unwrap();
    assert!(matches!(secret.fetch().await, Err(FetchError::Secret(_))));
    std::fs::write(&path, [7; 32]).unwrap();
    assert_eq!(secret.fetch().await.unwrap().keys().len(), 1);
}
