//! KEY-07 and KEY-08, and what the decision says of keys: kept, refreshed, unknown, unavailable.

mod strangers;

use super::*;
use crate::load::Load;
use crate::token::issuer::KeySource;
use crate::token::testing::{Provider, SECRET, Signer, jwks, settings};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use std::fs;
use std::sync::atomic::Ordering;
use tokio::task::JoinHandle;

const ES256: Algorithm = Algorithm::ES256;
const SECOND: Duration = Duration::from_secs(1);

fn ring(source: &KeySource, settings: Settings) -> Arc<Keyring> {
    let issuer = "https://issuer.example".into();
    let source = Source::new(&issuer, source, &[Algorithm::HS256], settings.timeout).unwrap();
    Arc::new(Keyring::new("acme".into(), source, settings))
}

/// A keyring that has fetched the keys of a provider, and when.
async fn filled(keys: &[&Signer]) -> (Provider, Arc<Keyring>, Instant) {
    let provider = Provider::start().await;
    provider.publishes(keys);
    let ring = ring(&provider.keys(), settings());
    assert_eq!(ring.refresh().await, Fetched::Replaced);
    (provider, ring, Instant::now())
}

fn place(load: &Load) -> Place {
    load.admit(Instant::now() + 60 * SECOND).unwrap()
}

async fn find(ring: &Arc<Keyring>, id: &str, now: Instant) -> Result<Arc<Key>, NoKey> {
    let place = place(&Load::new(10, 10));
    ring.find(Some(id), ES256, now, &place).await
}

fn keep(ring: &Arc<Keyring>) -> JoinHandle<()> {
    let watch = ring.file().map(|path| Watch::new(vec![path.clone()]));
    tokio::spawn(Arc::clone(ring).keep_fresh(watch))
}

async fn until(mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(30 * SECOND, waiting).await.unwrap();
}

#[tokio::test]
async fn known_keys_are_found_without_asking() {
    let key = Signer::new("k", ES256);
    let (provider, ring, now) = filled(&[&key]).await;
    assert_eq!(
        find(&ring, "k", now).await.unwrap().id().unwrap().as_ref(),
        "k"
    );
    let nameless = ring.find(None, ES256, now, &place(&Load::new(1, 1))).await;
    assert!(nameless.is_ok());
    assert_eq!(provider.asked("/jwks"), 1);
    assert_eq!(ring.held(now + SECOND).map(|(keys, _)| keys), Some(1));
}

#[tokio::test]
async fn keys_that_never_came_are_unavailable_and_not_asked_for_in_a_rush() {
    let provider = Provider::start().await;
    let ring = ring(&provider.keys(), settings());
    let now = Instant::now();
    for after in [0, 1, 9] {
        let nothing = find(&ring, "k", now + after * SECOND).await.err();
        assert!(
            matches!(nothing, Some(NoKey::Unavailable { .. })),
            "{nothing:?}"
        );
        assert_eq!(provider.asked("/jwks"), 1);
    }
    provider.publishes(&[&Signer::new("k", ES256)]);
    assert!(find(&ring, "k", now + 10 * SECOND).await.is_ok());
    assert!(ring.is_usable(Instant::now()));
}

#[tokio::test]
async fn a_failed_fetch_answers_no_stranger_and_loses_no_key() {
    let (provider, ring, start) = filled(&[&Signer::new("k", ES256)]).await;
    let bodies = [
        (500, "{}"),
        (200, "<html>"),
        (200, "[]"),
        (302, ""),
        (200, "{\"keys\":5}"),
    ];
    for (turn, (status, body)) in (1..).zip(bodies) {
        provider.says("/jwks", status, "application/json", body);
        let now = start + turn * 11 * SECOND;
        let nothing = find(&ring, "stranger", now).await.err();
        assert!(
            matches!(nothing, Some(NoKey::Unavailable { .. })),
            "{body}: {nothing:?}"
        );
        assert!(find(&ring, "k", now).await.is_ok());
    }
    let counts = ring.counts();
    assert_eq!(counts.failed.load(Ordering::Relaxed), 5);
    assert_eq!(counts.replaced.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn kept_keys_serve_through_an_outage_for_max_stale() {
    let (provider, ring, start) = filled(&[&Signer::new("k", ES256)]).await;
    provider.says("/jwks", 503, "application/json", "");
    assert_eq!(ring.refresh().await, Fetched::Failed);
    let within = start + 3590 * SECOND;
    assert!(find(&ring, "k", within).await.is_ok() && ring.is_usable(within));
    let after = start + 3601 * SECOND;
    for id in ["k", "stranger"] {
        let nothing = find(&ring, id, after).await.err();
        assert!(
            matches!(nothing, Some(NoKey::Unavailable { .. })),
            "{id} {nothing:?}"
        );
    }
    assert!(!ring.is_usable(after));
    provider.publishes(&[&Signer::new("k", ES256)]);
    assert_eq!(ring.refresh().await, Fetched::Replaced);
    assert!(find(&ring, "k", Instant::now()).await.is_ok());
}

#[tokio::test]
async fn key_08_a_key_that_left_or_changed_is_dead_at_the_next_fetch() {
    let (stays, leaves) = (Signer::new("stays", ES256), Signer::new("leaves", ES256));
    let changes = Signer::new("changes", ES256);
    let (provider, ring, start) = filled(&[&stays, &leaves, &changes]).await;
    let mut held = Vec::new();
    for id in ["stays", "leaves", "changes"] {
        held.push(find(&ring, id, start).await.unwrap());
    }
    provider.publishes(&[&stays, &Signer::new("changes", ES256)]);
    assert_eq!(ring.refresh().await, Fetched::Replaced);
    let alive: Vec<_> = held.iter().map(|key| key.is_alive()).collect();
    assert_eq!(alive, [true, false, false]);
    let now = Instant::now();
    assert!(Arc::ptr_eq(
        &find(&ring, "stays", now).await.unwrap(),
        &held[0]
    ));
    assert!(!Arc::ptr_eq(
        &find(&ring, "changes", now).await.unwrap(),
        &held[2]
    ));
    assert!(find(&ring, "leaves", now).await.is_err());
}

#[tokio::test]
async fn an_empty_set_is_an_answer_and_no_arrival_of_keys() {
    let (provider, ring, _) = filled(&[]).await;
    ring.asked().await;
    assert!(ring.arrived().now_or_never().is_none());
    provider.publishes(&[&Signer::new("k", ES256)]);
    assert_eq!(ring.refresh().await, Fetched::Replaced);
    assert!(ring.arrived().now_or_never().is_some());
}

#[tokio::test]
async fn whoever_waits_is_answered_at_his_deadline_and_the_fetch_goes_on() {
    let provider = Provider::start().await;
    provider.publishes(&[&Signer::new("k", ES256)]);
    provider.hold();
    let ring = ring(&provider.keys(), settings());
    let load = Load::new(1, 1);
    let hurried = load
        .admit(Instant::now() + Duration::from_millis(50))
        .unwrap();
    let nothing = ring.find(Some("k"), ES256, Instant::now(), &hurried).await;
    assert!(matches!(nothing, Err(NoKey::Unavailable { .. })));
    provider.open();
    ring.arrived().await;
    assert!(find(&ring, "k", Instant::now()).await.is_ok());
    assert_eq!(provider.asked("/jwks"), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_cancel_the_fetch() {
    let provider = Provider::start().await;
    provider.publishes(&[&Signer::new("k", ES256)]);
    provider.hold();
    let ring = ring(&provider.keys(), settings());
    let caller = tokio::spawn({
        let ring = Arc::clone(&ring);
        async move { find(&ring, "k", Instant::now()).await.map(drop) }
    });
    until(|| provider.asked("/jwks") == 1).await;
    caller.abort();
    provider.open();
    ring.arrived().await;
    assert_eq!(provider.asked("/jwks"), 1);
}

#[tokio::test]
async fn a_keeper_tries_again_after_failures_and_follows_rotations() {
    let provider = Provider::start().await;
    let often = Settings {
        refresh: Duration::from_millis(20),
        ..settings()
    };
    let ring = ring(&provider.keys(), often);
    let keeper = keep(&ring);
    ring.asked().await;
    until(|| ring.counts().failed.load(Ordering::Relaxed) >= 2).await;
    let old = Signer::new("k", ES256);
    provider.publishes(&[&old]);
    ring.arrived().await;
    let key = find(&ring, "k", Instant::now()).await.unwrap();
    provider.publishes(&[&Signer::new("k", ES256)]);
    until(|| !key.is_alive()).await;
    keeper.abort();
}

#[tokio::test]
async fn a_file_of_keys_is_read_again_when_it_changes_and_never_grows_stale() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let (one, two) = (Signer::new("one", ES256), Signer::new("two", ES256));
    fs::write(&path, jwks(&[one.jwk()])).unwrap();
    let ring = ring(&KeySource::File(path.clone()), settings());
    let keeper = keep(&ring);
    ring.arrived().await;
    let now = Instant::now();
    let first = find(&ring, "one", now + 100_000 * SECOND).await.unwrap();

    let count = |which: &AtomicU64| which.load(Ordering::Relaxed);
    fs::write(&path, "half a docu").unwrap();
    until(|| count(&ring.counts().failed) > 0).await;
    assert!(first.is_alive() && ring.is_usable(now));

    fs::write(folder.path().join("next"), jwks(&[two.jwk()])).unwrap();
    fs::rename(folder.path().join("next"), &path).unwrap();
    until(|| !first.is_alive()).await;
    assert!(find(&ring, "two", Instant::now()).await.is_ok());
    keeper.abort();
}

#[tokio::test]
async fn a_secret_is_read_again_when_its_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, SECRET).unwrap();
    let ring = ring(&KeySource::Secret(path.clone()), settings());
    let keeper = keep(&ring);
    ring.arrived().await;
    let place = place(&Load::new(1, 1));
    let now = Instant::now();
    let find = async |algorithm| ring.find(Some("any"), algorithm, now, &place).await;
    let key = find(Algorithm::HS256).await.unwrap();
    assert_eq!(find(ES256).await.err(), Some(NoKey::OtherAlgorithm));
    fs::write(&path, [9; 32]).unwrap();
    until(|| !key.is_alive()).await;
    assert!(find(Algorithm::HS256).await.unwrap().is_alive());
    keeper.abort();
}

#[tokio::test]
async fn every_keyring_pauses_in_its_own_rhythm() {
    let provider = Provider::start().await;
    let rhythm = || {
        let ring = ring(&provider.keys(), settings());
        ring.back_off().take(4).collect::<Vec<_>>()
    };
    let first = rhythm();
    assert!((0..8).any(|_| rhythm() != first));
}
