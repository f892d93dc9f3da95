//! KEY-07: what an unknown key id may cost, and what it is told.

use super::*;

#[tokio::test]
async fn key_07_an_unknown_kid_asks_once_per_interval() {
    let (provider, ring, start) = filled(&[&Signer::new("k", ES256)]).await;
    let later = start + 11 * SECOND;
    assert_eq!(
        find(&ring, "stranger", later).await.err(),
        Some(NoKey::Unknown)
    );
    assert_eq!(provider.asked("/jwks"), 2);
    // Its absence is known: the set was fetched after it was first seen.
    for after in 0..9 {
        let again = find(&ring, "stranger", later + after * SECOND).await;
        assert_eq!(again.err(), Some(NoKey::Unknown));
    }
    // Of another nothing is known until the interval is over.
    for number in 0..20 {
        let other = find(&ring, &format!("other-{number}"), later + 4 * SECOND).await;
        let retry_after = 6 * SECOND;
        assert_eq!(other.err(), Some(NoKey::Unavailable { retry_after }));
    }
    assert_eq!(provider.asked("/jwks"), 2);
    let other = find(&ring, "other-0", later + 10 * SECOND).await;
    assert_eq!(other.err(), Some(NoKey::Unknown));
    assert_eq!(provider.asked("/jwks"), 3);
}

#[tokio::test]
async fn key_07_a_key_that_signs_before_it_is_published_is_found_afterwards() {
    let (old, new) = (Signer::new("old", ES256), Signer::new("new", ES256));
    let (provider, ring, start) = filled(&[&old]).await;
    let first = start + 11 * SECOND;
    assert_eq!(find(&ring, "new", first).await.err(), Some(NoKey::Unknown));
    provider.publishes(&[&old, &new]);
    assert_eq!(
        find(&ring, "new", first + SECOND).await.err(),
        Some(NoKey::Unknown)
    );
    assert!(find(&ring, "new", first + 10 * SECOND).await.is_ok());
    assert_eq!(provider.asked("/jwks"), 3);
}

#[tokio::test]
async fn a_hundred_strangers_share_one_fetch_and_hold_up_nobody_who_is_known() {
    let (provider, ring, start) = filled(&[&Signer::new("k", ES256)]).await;
    provider.hold();
    let load = Load::new(256, 256);
    let now = start + 11 * SECOND;
    let strangers = (0..100).map(|number| {
        let (ring, place) = (Arc::clone(&ring), place(&load));
        // Half of them come after the fetch has begun.
        let now = if number < 50 { now } else { now + SECOND };
        tokio::spawn(async move {
            let id = format!("stranger-{number}");
            ring.find(Some(&id), ES256, now, &place).await.err()
        })
    });
    let strangers: Vec<_> = strangers.collect();
    until(|| load.now() == (0, 100)).await;
    for _ in 0..100 {
        assert!(find(&ring, "k", now).await.is_ok());
    }
    assert_eq!(load.now(), (0, 100));
    provider.open();
    let ends: Vec<_> = join_all(strangers).await;
    for (number, end) in ends.into_iter().enumerate() {
        let end = end.unwrap().unwrap();
        if number < 50 {
            assert_eq!(end, NoKey::Unknown, "{number}");
        } else {
            assert!(matches!(end, NoKey::Unavailable { .. }), "{number}");
        }
    }
    assert_eq!(provider.asked("/jwks"), 2);
}

#[tokio::test]
async fn a_stranger_once_absent_stays_unknown_while_the_provider_is_down() {
    let (provider, ring, start) = filled(&[&Signer::new("k", ES256)]).await;
    let first = start + 11 * SECOND;
    assert_eq!(
        find(&ring, "stranger", first).await.err(),
        Some(NoKey::Unknown)
    );
    provider.says("/jwks", 500, "application/json", "");
    let again = find(&ring, "stranger", first + 11 * SECOND).await;
    assert_eq!(again.err(), Some(NoKey::Unknown));
    assert_eq!(provider.asked("/jwks"), 3);
}

#[tokio::test]
async fn a_key_of_another_algorithm_and_an_ambiguous_kid_ask_for_nothing() {
    let (one, two) = (Signer::new("twice", ES256), Signer::new("twice", ES256));
    let (provider, ring, start) = filled(&[&one, &two, &Signer::new("ed", Algorithm::EdDSA)]).await;
    let now = start + 11 * SECOND;
    assert_eq!(
        find(&ring, "ed", now).await.err(),
        Some(NoKey::OtherAlgorithm)
    );
    assert_eq!(find(&ring, "twice", now).await.err(), Some(NoKey::Unknown));
    assert_eq!(provider.asked("/jwks"), 1);
}

#[tokio::test]
async fn where_no_more_may_wait_a_stranger_is_turned_away() {
    let (_provider, ring, start) = filled(&[&Signer::new("k", ES256)]).await;
    let place = place(&Load::new(1, 0));
    let now = start + 11 * SECOND;
    let stranger = ring.find(Some("stranger"), ES256, now, &place).await;
    assert_eq!(stranger.err(), Some(NoKey::Crowded));
    assert!(ring.find(Some("k"), ES256, now, &place).await.is_ok());
}

#[tokio::test]
async fn strangers_take_bounded_memory() {
    let (provider, ring, start) = filled(&[&Signer::new("k", ES256)]).await;
    for number in 0..2 * MAX_STRANGERS {
        let stranger = find(&ring, &number.to_string(), start).await;
        assert!(stranger.is_err());
    }
    assert!(ring.asking.lock().strangers.len() <= MAX_STRANGERS);
    assert_eq!(provider.asked("/jwks"), 1);
}
