//! What is remembered of a verified token, and what ends that.

use super::*;

#[tokio::test]
async fn a_token_is_verified_once_and_remembered() {
    let key = Signer::new("k", ES256);
    let world = World::new(&key).await;
    let token = key.token(&claims());
    let (first, seen) = world.verify(&token).await.unwrap();
    assert_eq!((seen, first.key().name().as_ref()), (Seen::Now, "k"));
    assert_eq!(first.issuer().config().issuer.as_ref(), ISSUER);
    assert_eq!(
        first.subject().as_ref().unwrap().normalized().as_ref(),
        "alice"
    );
    let (second, seen) = world.verify(&token).await.unwrap();
    assert_eq!(seen, Seen::Before);
    assert!(Arc::ptr_eq(&first, &second));
    assert!(!format!("{first:?}").contains("alice"));
}

#[tokio::test]
async fn tokens_that_differ_in_their_signature_alone_share_nothing() {
    let key = Signer::new("k", ES256);
    let world = World::new(&key).await;
    let token = key.token(&claims());
    assert_eq!(world.seen(&token).await, Seen::Now);
    let (input, _) = token.rsplit_once('.').unwrap();
    for signature in [base64([1; 64]), base64([0; 64]), "AA".to_owned()] {
        let forged = format!("{input}.{signature}");
        assert_eq!(world.error(&forged).await, TokenError::SignatureInvalid);
    }
    let again = format!("{input}.{}", base64(key.sign(input.as_bytes())));
    assert_eq!(world.seen(&again).await, Seen::Now);
    assert_eq!(world.seen(&token).await, Seen::Before);
}

#[tokio::test]
async fn a_remembered_tokens_time_is_checked_at_each_use() {
    let key = Signer::new("k", ES256);
    let world = World::new(&key).await;
    let token = key.token(&claims());
    assert_eq!(world.seen(&token).await, Seen::Now);
    for (at, passes) in [
        (NOW + 299, true),
        (NOW + 300, false),
        (NOW - 11, false),
        (NOW, true),
    ] {
        let verdict = world.verify_at(&token, Timestamp::from_secs(at)).await;
        assert_eq!(verdict.is_ok(), passes, "{at}");
    }
}

#[tokio::test]
async fn key_08_a_remembered_token_dies_with_its_key() {
    let (key, other) = (Signer::new("k", ES256), Signer::new("other", ES256));
    let world = World::new(&key).await;
    let token = key.token(&claims());
    for without in [&[&other][..], &[]] {
        world.publish(&[&key, &other]).await;
        assert!(world.verify(&token).await.is_ok());
        world.publish(without).await;
        let dead = world.error(&token).await;
        assert!(matches!(dead, TokenError::Key(_)), "{dead:?}");
    }
    world.publish(&[&key]).await;
    assert_eq!(world.seen(&token).await, Seen::Now);
    world.publish(&[&Signer::new("k", ES256)]).await;
    assert_eq!(world.error(&token).await, TokenError::SignatureInvalid);
}

#[tokio::test]
async fn a_remembered_token_waits_for_keys_that_are_recent_enough() {
    let provider = Provider::start().await;
    let key = Signer::new("k", ES256);
    provider.publishes(&[&key]);
    let world = World::with(&[(&key, &|config| config.keys = provider.keys())]).await;
    let token = key.token(&claims());
    assert_eq!(world.seen(&token).await, Seen::Now);
    let mut claimed = Claimed::default();
    let later = Instant::now() + Duration::from_secs(3601);
    let stale = world
        .ask(&token, now(), later, &mut claimed)
        .await
        .unwrap_err();
    assert!(matches!(stale, TokenError::Key(NoKey::Unavailable { .. })));
    assert!(stale.retry_after().is_some());
    assert_eq!(world.seen(&token).await, Seen::Before);
}

#[tokio::test]
async fn a_remembered_token_dies_with_its_issuers_configuration_and_not_otherwise() {
    let key = Signer::new("k", ES256);
    let mut world = World::new(&key).await;
    let token = key.token(&claims());
    assert_eq!(world.seen(&token).await, Seen::Now);
    world.swap();
    assert_eq!(world.seen(&token).await, Seen::Before);
    world
        .reload(|config| config.leeway = Duration::from_secs(1))
        .await;
    assert_eq!(world.seen(&token).await, Seen::Now);
    world
        .reload(|config| config.audiences = Audiences::Of(vec!["other".into()]))
        .await;
    assert_eq!(
        world.error(&token).await,
        TokenError::Claims(ClaimsError::Audience)
    );
    world.issuers[0].retire();
    world.issuers.clear();
    world.swap();
    assert_eq!(world.error(&token).await, TokenError::IssuerUnknown);
}

#[tokio::test]
async fn what_a_policy_asks_is_not_remembered() {
    let key = Signer::new("k", ES256);
    let world = World::new(&key).await;
    let token = key.token(&claims_with(&json!({"scope": "read"})));
    for _ in 0..2 {
        let (token, _) = world.verify(&token).await.unwrap();
        assert!(token.claims().is_for(&["shop-api".to_owned()]));
        assert!(!token.claims().is_for(&["admin-api".to_owned()]));
        assert!(token.claims().grants("read") && !token.claims().grants("write"));
    }
}

#[tokio::test]
async fn memory_is_bounded_in_bytes_and_holds_nothing_that_was_refused() {
    let key = Signer::new("k", ES256);
    let mut world = World::new(&key).await;
    let room = 20_000;
    world.tokens = Tokens::new(&world.issuers, Remembered::new(room), 8192);
    let remembered = world.tokens.remembered.clone();
    let refused = [
        claims_with(&json!({"aud": "other"})),
        claims_with(&json!({"exp": 1})),
    ];
    for claims in refused {
        assert!(world.verify(&key.token(&claims)).await.is_err());
    }
    remembered.cache.run_pending_tasks();
    assert_eq!(remembered.size(), (0, 0));
    for number in 0..100 {
        let claims = claims_with(&json!({"jti": number.to_string(), "fill": "x".repeat(1000)}));
        assert_eq!(world.seen(&key.token(&claims)).await, Seen::Now);
    }
    remembered.cache.run_pending_tasks();
    let (count, bytes) = remembered.size();
    assert!(count > 0 && bytes <= room, "{count} tokens, {bytes} bytes");
}

#[tokio::test]
async fn an_expired_token_gives_up_its_place() {
    let key = Signer::new("k", ES256);
    let world = World::new(&key).await;
    let remembered = &world.tokens.remembered;
    let token = key.token(&claims());
    assert_eq!(world.seen(&token).await, Seen::Now);
    remembered.cache.run_pending_tasks();
    assert_eq!(remembered.size().0, 1);
    let later = Timestamp::from_secs(NOW + 300);
    assert!(world.verify_at(&token, later).await.is_err());
    remembered.cache.run_pending_tasks();
    assert_eq!(remembered.size(), (0, 0));
}

#[tokio::test]
async fn expired_tokens_that_nobody_asks_for_any_more_do_not_crowd_out_live_ones() {
    let key = Signer::new("k", ES256);
    let mut world = World::new(&key).await;
    world.tokens = Tokens::new(&world.issuers, Remembered::new(20_000), 8192);
    let made = |name: &str, expires: u64| {
        let tokens = (0..10).map(|number| {
            let jti = format!("{name}-{number}");
            key.token(&claims_with(&json!({"jti": jti, "exp": expires})))
        });
        tokens.collect::<Vec<_>>()
    };
    for token in [made("old", NOW + 10).as_slice()].repeat(20).concat() {
        assert!(world.verify(&token).await.is_ok());
    }
    let cache = &world.tokens.remembered.cache;
    cache.run_pending_tasks();
    let later = Timestamp::from_secs(NOW + 60);
    let live = made("live", NOW + 300);
    for token in &live {
        assert!(world.verify_at(token, later).await.is_ok());
        cache.run_pending_tasks();
    }
    for token in &live {
        let (_, seen) = world.verify_at(token, later).await.unwrap();
        assert_eq!(seen, Seen::Before);
    }
}

#[tokio::test]
async fn what_is_remembered_of_an_issuer_that_is_gone_holds_it_no_longer() {
    let key = Signer::new("k", ES256);
    let mut world = World::new(&key).await;
    assert_eq!(world.seen(&key.token(&claims())).await, Seen::Now);
    let old = Arc::downgrade(&world.issuers[0]);
    world
        .reload(|config| config.leeway = Duration::from_secs(1))
        .await;
    world.tokens.remembered.forget_dead();
    assert!(old.upgrade().is_none());
}
