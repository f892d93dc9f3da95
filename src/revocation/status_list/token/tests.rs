use super::super::packed::tests::lst;
use super::super::tests::{claims as good, config, header, sign};
use super::*;
use crate::clock::{Clock, SystemClock};
use proptest::prelude::*;
use serde_json::json;

const URI: &str = "https://id.example.com/lists/1";

fn answer(status: u16, content_type: Option<&str>, body: &str) -> Answer {
    Answer {
        status,
        headers: http::HeaderMap::new(),
        content_type: content_type.map(str::to_owned),
        body: body.to_owned().into(),
    }
}

async fn issuer() -> (Arc<Issuer>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let issuer = Issuer::start(config(&folder)).unwrap();
    issuer.keyring().arrived().await;
    (issuer, folder)
}

/// What becomes of a token.
async fn judged(issuer: &Issuer, header: &Value, claims: &Value) -> Result<Signed, ListError> {
    let answer = answer(200, Some(MEDIA_TYPE), &sign(header, claims));
    read(answer, URI, issuer, SystemClock.now()).await
}

fn with(mut object: Value, name: &str, value: &Value) -> Value {
    if value.is_null() {
        object.as_object_mut().unwrap().remove(name);
    } else {
        object[name] = value.clone();
    }
    object
}

#[tokio::test]
async fn tsl_03_a_list_is_signed_by_its_issuer_for_its_own_url_and_its_own_time() {
    let (issuer, _folder) = issuer().await;
    let signed = judged(&issuer, &header(), &good(URI)).await.unwrap();
    assert_eq!(signed.list.get(2), Some(2));
    assert_eq!(signed.ttl, Some(Duration::from_secs(600)));
    let now = SystemClock.now().as_millis() / 1000;
    for (name, value) in [
        ("iss", json!("https://id.example.com")),
        ("exp", json!(null)),
        ("ttl", json!(null)),
        ("ttl", json!(0.5)),
        ("ttl", json!(1e300)),
        ("exp", json!(now + 60)),
        ("aud", json!("anybody")),
    ] {
        let judged = judged(&issuer, &header(), &with(good(URI), name, &value)).await;
        assert!(judged.is_ok(), "{name} {value}: {judged:?}");
    }
    for (name, value) in [
        ("sub", json!(null)),
        ("sub", json!("https://id.example.com/lists/2")),
        ("sub", json!("https://id.example.com/lists/1/")),
        ("sub", json!([URI])),
        ("iss", json!("https://evil.example")),
        ("iss", json!(5)),
        ("iat", json!(null)),
        ("iat", json!("now")),
        ("iat", json!(now + 3600)),
        ("nbf", json!(now + 3600)),
        ("exp", json!(now - 1)),
        ("exp", json!(now)),
        ("exp", json!("never")),
        ("ttl", json!(0)),
        ("ttl", json!(-1)),
        ("ttl", json!("600")),
        ("status_list", json!(null)),
        ("status_list", json!([])),
        ("status_list", json!({"bits": 1})),
        ("status_list", json!({"lst": lst(&[0])})),
        ("status_list", json!({"bits": "1", "lst": lst(&[0])})),
        ("status_list", json!({"bits": 3, "lst": lst(&[0])})),
        ("status_list", json!({"bits": 1, "lst": "AAAA"})),
    ] {
        let judged = judged(&issuer, &header(), &with(good(URI), name, &value)).await;
        assert!(
            judged.is_err_and(|error| error.is_refusal()),
            "{name} {value}"
        );
    }
}

#[tokio::test]
async fn tsl_03_another_type_another_key_and_another_algorithm_are_refused() {
    let (issuer, _folder) = issuer().await;
    let full = with(header(), "typ", &json!("application/statuslist+jwt"));
    assert!(judged(&issuer, &full, &good(URI)).await.is_ok());
    for (name, value) in [
        ("typ", json!(null)),
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("crit", json!(["exp"])),
    ] {
        let judged = judged(&issuer, &with(header(), name, &value), &good(URI)).await;
        assert!(
            judged.is_err_and(|error| error.is_refusal()),
            "{name} {value}"
        );
    }
    let stranger = with(header(), "kid", &json!("another"));
    let judged = judged(&issuer, &stranger, &good(URI)).await;
    assert!(matches!(judged, Err(ListError::Token(TokenError::Key(_)))));
    let text = sign(&header(), &good(URI));
    let (signed, signature) = text.rsplit_once('.').unwrap();
    let forged = format!(
        "{signed}.{}{}",
        signature.split_at(1).1,
        signature.split_at(1).0
    );
    let came = answer(200, Some(MEDIA_TYPE), &forged);
    let judged = read(came, URI, &issuer, SystemClock.now()).await;
    assert!(matches!(
        judged,
        Err(ListError::Token(
            TokenError::SignatureInvalid | TokenError::Malformed(_)
        ))
    ));
}

#[tokio::test]
async fn tsl_03_another_status_and_another_media_type_are_no_answer() {
    let (issuer, _folder) = issuer().await;
    let text = sign(&header(), &good(URI));
    for status in [301, 302, 304, 400, 404, 500, 503] {
        let came = answer(status, Some(MEDIA_TYPE), &text);
        let judged = read(came, URI, &issuer, SystemClock.now()).await;
        assert!(matches!(judged, Err(ListError::Status(_))), "{status}");
    }
    for media_type in [
        None,
        Some("application/jwt"),
        Some("application/statuslist+cwt"),
    ] {
        let came = answer(200, media_type, &text);
        let judged = read(came, URI, &issuer, SystemClock.now()).await;
        assert!(
            matches!(judged, Err(ListError::ContentType(_))),
            "{media_type:?}"
        );
    }
}

#[test]
fn tsl_03_no_payload_makes_a_list_but_one_with_all_its_claims() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (issuer, _folder) = runtime.block_on(issuer());
    proptest!(|(body in prop::collection::vec(any::<u8>(), 0..400))| {
        let whole = Answer { body: body.clone().into(), ..answer(200, Some(MEDIA_TYPE), "") };
        let judged = runtime.block_on(read(whole, URI, &issuer, SystemClock.now()));
        prop_assert!(judged.is_err());
        let key = Key::from_jwk(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#).unwrap();
        let judged = claims(&body, Arc::new(key), URI, "x", Duration::ZERO, SystemClock.now());
        prop_assert!(judged.is_err());
    });
}
