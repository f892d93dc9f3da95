//! The verification as a whole, and the memory of it.
//!
//! CLM-10 is the user step's, BRR the credential's and the response's. BCP-14's kinds of token are told apart by
//! `typ` and audience ("a `typ` not in `token_types`"); BCP-07 by the length of secrets, KEY-11.

mod memory;

use super::issuer::{Algorithm, Audiences, ClaimIs, Config, KeySource};
use super::testing::{NOW, Provider, Signer, base64, claims, claims_with, config, jwks, now};
use super::*;
use crate::load::Load;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

const ES256: Algorithm = Algorithm::ES256;
const ISSUER: &str = "https://issuer.example";

/// Issuers whose keys stand in files.
struct World {
    folder: TempDir,
    issuers: Vec<Arc<Issuer>>,
    tokens: Tokens,
    load: Load,
}

/// What is special about an issuer.
type Change<'c> = &'c dyn Fn(&mut Config);

type Verdict = Result<(Arc<VerifiedToken>, Seen), TokenError>;

impl World {
    /// One issuer of this key.
    async fn new(key: &Signer) -> Self {
        Self::with(&[(key, &|_| {})]).await
    }

    /// Issuers, each with a key and a configuration changed.
    async fn with(issuers: &[(&Signer, Change<'_>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut started = Vec::new();
        for (number, (key, change)) in issuers.iter().enumerate() {
            let path = folder.path().join(number.to_string());
            fs::write(&path, jwks(&[key.jwk()])).unwrap();
            let mut config = config(KeySource::File(path));
            change(&mut config);
            let issuer = Issuer::start(config).unwrap();
            issuer.keyring().asked().await;
            started.push(issuer);
        }
        Self {
            folder,
            tokens: Tokens::new(&started, Remembered::new(1 << 20), 8192),
            issuers: started,
            load: Load::new(10, 10),
        }
    }

    /// Takes the first issuer out and another configuration of it in, as a reload does.
    async fn reload(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = self.issuers[0].config().clone();
        change(&mut config);
        self.issuers[0].retire();
        self.issuers[0] = Issuer::start(config).unwrap();
        self.issuers[0].keyring().asked().await;
        self.swap();
    }

    fn swap(&mut self) {
        let remembered = self.tokens.remembered.clone();
        self.tokens = Tokens::new(&self.issuers, remembered, 8192);
    }

    /// Publishes other keys for the first issuer.
    async fn publish(&self, keys: &[&Signer]) {
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        fs::write(self.folder.path().join("0"), jwks(&keys)).unwrap();
        self.issuers[0].keyring().refresh().await;
    }

    async fn verify(&self, token: &str) -> Verdict {
        self.verify_at(token, now()).await
    }

    async fn verify_at(&self, token: &str, now: Timestamp) -> Verdict {
        self.ask(token, now, Instant::now(), &mut Claimed::default())
            .await
    }

    async fn ask(
        &self,
        token: &str,
        now: Timestamp,
        instant: Instant,
        claimed: &mut Claimed,
    ) -> Verdict {
        let place = self
            .load
            .admit(Instant::now() + Duration::from_secs(60))
            .unwrap();
        self.tokens
            .verify_text(token, now, instant, &place, claimed)
            .await
    }

    async fn seen(&self, token: &str) -> Seen {
        self.verify(token).await.unwrap().1
    }

    async fn error(&self, token: &str) -> TokenError {
        self.verify(token).await.unwrap_err()
    }
}

#[tokio::test]
async fn bcp_03_algorithms_are_declared_by_issuer() {
    let (es, ed) = (
        Signer::new("es", ES256),
        Signer::new("ed", Algorithm::EdDSA),
    );
    let world = World::with(&[
        (&es, &|_| {}),
        (&ed, &|config| {
            config.issuer = "https://two.example".into();
            config.algorithms = vec![Algorithm::EdDSA];
        }),
    ])
    .await;
    let two = claims_with(&json!({"iss": "https://two.example"}));
    assert!(world.verify(&es.token(&claims())).await.is_ok());
    assert!(world.verify(&ed.token(&two)).await.is_ok());
    for crossed in [ed.token(&claims()), es.token(&two)] {
        assert_eq!(world.error(&crossed).await, TokenError::AlgorithmNotAllowed);
    }
}

#[tokio::test]
async fn bcp_09_the_key_belongs_to_the_tokens_issuer() {
    let (one, two) = (Signer::new("k", ES256), Signer::new("k", ES256));
    let other = Signer::new("only-two", ES256);
    let second: Change<'_> = &|config| config.issuer = "https://two.example".into();
    let world = World::with(&[(&one, &|_| {}), (&two, second)]).await;
    let of_two = claims_with(&json!({"iss": "https://two.example"}));
    assert!(world.verify(&one.token(&claims())).await.is_ok());
    assert!(world.verify(&two.token(&of_two)).await.is_ok());
    assert_eq!(
        world.error(&one.token(&of_two)).await,
        TokenError::SignatureInvalid
    );
    assert_eq!(
        world.error(&two.token(&claims())).await,
        TokenError::SignatureInvalid
    );
    let stranger = world.error(&other.token(&claims())).await;
    assert!(matches!(stranger, TokenError::Key(_)));
    let nobody = claims_with(&json!({"iss": "https://three.example"}));
    assert_eq!(
        world.error(&one.token(&nobody)).await,
        TokenError::IssuerUnknown
    );
}

#[tokio::test]
async fn jwt_11_no_url_of_a_token_is_ever_asked() {
    let listener = Provider::start().await;
    let key = Signer::new("k", ES256);
    listener.publishes(&[&key]);
    let world = World::new(&Signer::new("k", ES256)).await;
    for kid in ["k", "unknown", &listener.url("/kid")] {
        let header = json!({
            "alg": "ES256", "kid": kid, "jku": listener.url("/jwks"), "x5u": listener.url("/x5u"),
            "jwk": key.jwk(), "x5c": ["MIIB"],
        });
        let iss = claims_with(&json!({"iss": listener.url("")}));
        for claims in [claims(), iss] {
            let token = key.jws(&header.to_string(), claims.to_string().as_bytes());
            assert!(world.verify(&token).await.is_err());
        }
    }
    let asked = ["/jwks", "/x5u", "/kid", "/.well-known/openid-configuration"];
    assert!(asked.iter().all(|path| listener.asked(path) == 0));
}

#[tokio::test]
async fn jwt_13_claims_in_the_header_are_not_used() {
    let key = Signer::new("k", ES256);
    let world = World::new(&key).await;
    let mut header = key.header();
    for (name, value) in claims().as_object().unwrap() {
        header[name] = value.clone();
    }
    for name in ["iss", "exp"] {
        let payload = claims_with(&json!({name: null})).to_string();
        let token = key.jws(&header.to_string(), payload.as_bytes());
        let missing = TokenError::Claims(ClaimsError::Missing(name.to_owned()));
        assert_eq!(world.error(&token).await, missing);
    }
}

#[tokio::test]
async fn jwt_15_a_token_that_is_too_large_is_not_read() {
    let key = Signer::new("k", ES256);
    let world = World::new(&key).await;
    let large = key.token(&claims_with(&json!({"fill": "x".repeat(8192)})));
    for token in [large, ".".repeat(1 << 20), "\u{0}".repeat(8193)] {
        let refused = world.error(&token).await;
        let came = token.len();
        assert_eq!(refused, TokenError::TooLarge { came, most: 8192 });
    }
}

#[tokio::test]
async fn a_token_that_is_expired_and_forged_is_forged() {
    let (key, forger) = (Signer::new("k", ES256), Signer::new("k", ES256));
    let world = World::new(&key).await;
    let wrong = claims_with(&json!({"exp": 1, "aud": "other", "sub": "admin"}));
    let mut claimed = Claimed::default();
    let token = forger.token(&wrong);
    let refused = world.ask(&token, now(), Instant::now(), &mut claimed).await;
    assert_eq!(refused.unwrap_err(), TokenError::SignatureInvalid);
    assert_eq!(claimed.key_id.as_deref(), Some("k"));
    assert!(
        claimed
            .issuer
            .is_some_and(|issuer| *issuer.config().issuer == *ISSUER)
    );
}

#[tokio::test]
async fn what_a_refused_token_says_of_itself_is_cut_short() {
    let key = Signer::new("k", ES256);
    let world = World::new(&key).await;
    let header = json!({"alg": "ES256", "kid": "é".repeat(500)}).to_string();
    let token = key.jws(&header, claims().to_string().as_bytes());
    let mut claimed = Claimed::default();
    let refused = world.ask(&token, now(), Instant::now(), &mut claimed).await;
    assert!(refused.is_err());
    assert_eq!(claimed.key_id.unwrap().chars().count(), 64);
}

#[tokio::test]
async fn bcp_13_and_bcp_14_another_kind_of_token_is_refused_by_its_typ() {
    let key = Signer::new("k", ES256);
    let world = World::new(&key).await;
    let typed = |typ: Value| {
        let mut header = key.header();
        header["typ"] = typ;
        key.jws(&header.to_string(), claims().to_string().as_bytes())
    };
    for typ in [
        "JWT",
        "jwt",
        "at+jwt",
        "application/at+jwt",
        "application/JWT",
    ] {
        assert!(world.verify(&typed(typ.into())).await.is_ok(), "{typ}");
    }
    for typ in [
        "logout+jwt",
        "secevent+jwt",
        "statuslist+jwt",
        "dpop+jwt",
        "id_token",
        "JOSE",
        "JWS",
        "",
        "client-authentication+jwt",
        "application/logout+jwt",
    ] {
        assert_eq!(
            world.error(&typed(typ.into())).await,
            TokenError::Type,
            "{typ}"
        );
    }
    let mistyped = world.error(&typed(json!(["JWT"]))).await;
    assert_eq!(mistyped, TokenError::Malformed(Malformed::HeaderType));
}

#[tokio::test]
async fn clm_11_machines_are_told_by_rule_or_by_their_subject() {
    let key = Signer::new("k", ES256);
    let rule = |config: &mut Config| {
        config.machines.when = vec![ClaimIs {
            claim: "gty".into(),
            is: "client-credentials".into(),
        }];
    };
    let world = World::with(&[(&key, &rule)]).await;
    for (changes, machine) in [
        (json!({}), false),
        (json!({"gty": "password"}), false),
        (json!({"gty": "client-credentials"}), true),
        (json!({"gty": ["x", "client-credentials"]}), true),
        (json!({"client_id": "alice"}), true),
    ] {
        let token = key.token(&claims_with(&changes));
        let (token, _) = world.verify(&token).await.unwrap();
        assert_eq!(token.is_machine(), machine, "{changes}");
    }
}

#[test]
fn no_text_verifies_and_none_panics() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let key = Signer::new("k", ES256);
    let world = runtime.block_on(World::new(&key));
    let payloads = (any::<Vec<u8>>(), "[a-z]{0,4}", any::<f64>(), any::<i64>());
    proptest!(ProptestConfig::with_cases(128), |(text in ".*", (bytes, name, float, int) in payloads)| {
        prop_assert!(runtime.block_on(world.verify(&text)).is_err());
        let raw = key.jws(&key.header().to_string(), &bytes);
        prop_assert!(runtime.block_on(world.verify(&raw)).is_err());
        let claims = claims_with(&json!({"iss": name, "exp": float, "nbf": int}));
        prop_assert!(runtime.block_on(world.verify(&key.token(&claims))).is_err());
    });
}
