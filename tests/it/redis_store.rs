//! The writer against a real Redis: what it acknowledges, and what it does not take.

use crate::parts::redis::Redis as Server;
use crate::parts::until;
use crate::replica::{config, following, later, strike, token, tokens, writer, written};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use subgate::clock::{Clock as _, SystemClock, Timestamp};
use subgate::net::redis::Redis;
use subgate::revocation::store::{Keys, StoreError, Writer, Written, WrittenStrike};

fn from(source: &str, at: Timestamp) -> WrittenStrike {
    WrittenStrike {
        source: source.into(),
        at: at.as_millis(),
        ..strike()
    }
}

#[tokio::test]
async fn a_source_that_is_taken_back_takes_nothing_from_others() {
    let server = Server::start().await;
    let store = writer(&config(&server));
    let now = SystemClock.now();
    let [early, late] = [60, 30].map(|ago| now.minus(Duration::from_secs(ago)));
    let shorter = WrittenStrike {
        until: Some(now.plus(Duration::from_secs(60)).as_millis()),
        ..from("feed", early)
    };
    for strike in [shorter, from("feed", late), from("cli", early)] {
        let written = written(&store, &token("a"), &strike).await;
        assert_eq!(written, Ok(Written::New), "{strike:?}");
    }
    let name = token("a");
    let restored = store.restore(&name, Some(("feed", late)), "alice", later());
    assert_eq!(restored.await, Ok(Written::New));
    let mut standing = Vec::new();
    let listed = store.list(|one| standing = one.value.strikes).await;
    assert_eq!(listed, Ok(0), "all of it can be read");
    let standing: Vec<_> = standing.iter().map(|one| (&*one.source, one.at)).collect();
    let early_millis = early.as_millis();
    assert_eq!(standing, [("feed", early_millis), ("cli", early_millis)]);
    // Told again, the one stays taken back; what another source tells late is new.
    for (source, expected) in [("feed", Written::Restored), ("relay", Written::New)] {
        let written = store.revoke(&token("a"), &from(source, late)).await;
        assert_eq!(written, Ok(expected), "{source}");
    }
}

#[tokio::test]
async fn a_name_that_was_restored_is_forgotten_though_it_was_revoked_for_ever() {
    let server = Server::start().await;
    let store = writer(&config(&server));
    let forever = WrittenStrike {
        until: None,
        ..strike()
    };
    store.revoke(&token("a"), &forever).await.unwrap();
    assert_eq!(server.cli(&["zcard", "{subgate}:ends"]), "0");
    let restored = store.restore(&token("a"), None, "alice", later()).await;
    assert_eq!(restored, Ok(Written::New));
    assert_eq!(server.cli(&["zcard", "{subgate}:ends"]), "1");
}

#[tokio::test]
async fn an_end_beyond_all_that_can_be_written_is_none() {
    let server = Server::start().await;
    let config = config(&server);
    let store = writer(&config);
    let year_9999 = WrittenStrike {
        until: Some(253_402_300_799_000),
        ..strike()
    };
    let written = store.revoke(&token("a"), &year_9999).await;
    assert_eq!(written, Ok(Written::New));
    let replica = following(&config).await;
    assert_eq!(tokens(&replica), 1);
    assert_eq!(replica.counts().unreadable.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_lies_more_than_five_minutes_ahead_is_not_written() {
    let server = Server::start().await;
    let store = writer(&config(&server));
    let ahead = SystemClock.now().plus(Duration::from_secs(600));
    let struck = WrittenStrike {
        before: Some(ahead.as_millis()),
        ..strike()
    };
    for strike in [from("cli", ahead), struck] {
        let written = store.revoke(&token("a"), &strike).await;
        assert_eq!(written, Err(StoreError::Ahead(ahead)));
    }
    assert_eq!(server.cli(&["dbsize"]), "0");
}

#[tokio::test]
async fn what_is_written_again_is_confirmed_by_replicas_that_have_it() {
    let primary = Server::start().await;
    let address = primary.address();
    let replica = Server::options().replica_of(address).start().await;
    until("the replica follows", async || {
        primary
            .info("replication", "slave0")
            .contains("state=online")
    })
    .await;
    let connection = config(&primary).connection;
    // Each a writer of its own, as the commands are.
    let write = async |strike: &WrittenStrike| {
        let redis = Redis::new(&connection, &connection.login).unwrap();
        let writer = Writer::new(redis, Keys::new("subgate"), 1, Arc::new(SystemClock));
        written(&writer, &token("a"), strike).await
    };
    let strike = strike();
    replica.pause();
    let unconfirmed = Err(StoreError::Unconfirmed {
        confirmed: 0,
        wanted: 1,
    });
    for _ in 0..2 {
        assert_eq!(write(&strike).await, unconfirmed);
    }
    replica.resume();
    until("the replica has it", async || {
        write(&strike).await == Ok(Written::Known)
    })
    .await;
}
