//! A copy that follows a real Redis: what the writer acknowledged is in it, whatever happens to Redis.

use crate::parts::redis::Redis as Server;
use crate::parts::until;
use std::sync::Arc;
use std::time::Duration;
use subgate::clock::{Clock as _, SystemClock, Timestamp};
use subgate::event::{Event, Kind as EventKind, Ledger, Settings, TenantForm, Whom};
use subgate::net::redis::{Address, Config, Login, Node, Redis, Topology};
use subgate::revocation::replica::Counts;
use subgate::revocation::store::{Keys, Writer, Written, WrittenStrike};
use subgate::revocation::{self, Kind, Mode, Name, Named, OnStale, Replica};
use tokio::time::Instant;

const ACME: &str = "https://id.acme.example";

fn config(server: &Server) -> revocation::Redis {
    let address = server.address();
    revocation::Redis {
        connection: Config {
            topology: Topology::Single {
                node: Node::Tcp(Address {
                    host: address.ip().to_string(),
                    port: address.port(),
                }),
                database: 0,
            },
            login: Login::default(),
            sentinel: Login::default(),
            tls: None,
            allow_plaintext: false,
        },
        writer: Some(Login::default()),
        key_prefix: "subgate".to_owned(),
        mode: Mode::Replica,
        keys: Vec::new(),
        max_staleness: Duration::from_secs(2),
        on_stale: OnStale::Deny,
        heartbeat: false,
        min_replicas: 0,
    }
}

fn ledger() -> Ledger {
    let hour = Duration::from_secs(3600);
    let settings = Settings {
        fence_for: hour,
        tombstone_for: hour,
        alias_for: hour,
    };
    Ledger::new(settings, TenantForm::as_written())
}

fn writer(config: &revocation::Redis) -> Writer {
    let redis = Redis::new(&config.connection, &config.connection.login).unwrap();
    Writer::new(redis, Keys::new("subgate"), 0, Arc::new(SystemClock))
}

async fn following(config: &revocation::Redis) -> Replica {
    let replica = Replica::start(config, ledger(), Arc::new(SystemClock)).unwrap();
    tokio::time::timeout(Duration::from_secs(20), replica.caught_up())
        .await
        .expect("it catches up");
    replica
}

fn token(jti: &str) -> Named {
    Name::of_issuer(Kind::Token, ACME, jti).to_owned()
}

fn strike() -> WrittenStrike {
    let now = SystemClock.now();
    WrittenStrike {
        source: "cli".into(),
        at: now.as_millis(),
        until: Some(now.plus(Duration::from_secs(3600)).as_millis()),
        ..WrittenStrike::default()
    }
}

fn later() -> Timestamp {
    SystemClock.now().plus(Duration::from_secs(3600))
}

async fn revoke(writer: &Writer, jti: &str) -> Written {
    writer
        .revoke(&token(jti), &strike(), Some(later()))
        .await
        .unwrap()
}

fn tokens(replica: &Replica) -> usize {
    let copy = replica.copy();
    let mut held = copy.held();
    held.find(|(kind, _)| *kind == Kind::Token).unwrap().1
}

async fn holds(replica: &Replica, count: usize) {
    until("the copy has heard of it", async || {
        tokens(replica) == count
    })
    .await;
}

#[tokio::test]
async fn what_was_written_before_and_after_is_in_the_copy() {
    let server = Server::start().await;
    let config = config(&server);
    let writer = writer(&config);
    for jti in ["a", "b"] {
        assert_eq!(revoke(&writer, jti).await, Written::New);
    }
    let replica = following(&config).await;
    assert_eq!(tokens(&replica), 2);
    revoke(&writer, "c").await;
    holds(&replica, 3).await;
    assert_eq!(
        revoke(&writer, "c").await,
        Written::New,
        "later instants are new"
    );
    assert!(!replica.has_diverged());
}

#[tokio::test]
async fn what_is_restored_is_forgotten_everywhere_and_an_older_word_changes_nothing() {
    let server = Server::start().await;
    let config = config(&server);
    let writer = writer(&config);
    let old = strike();
    revoke(&writer, "a").await;
    let replica = following(&config).await;
    let restored = writer.restore(&token("a"), None, "alice", later()).await;
    assert_eq!(restored, Ok(Written::New));
    let again = writer.restore(&token("a"), None, "alice", later()).await;
    assert_eq!(again, Ok(Written::Nothing));
    let redelivered = writer.revoke(&token("a"), &old, Some(later())).await;
    assert_eq!(redelivered, Ok(Written::Restored));
    let mut listed = Vec::new();
    writer.list(|one| listed.push(one)).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].value.strikes.is_empty() && listed[0].value.cleared.is_some());
    drop(replica);
}

#[tokio::test]
async fn an_emptied_store_takes_nothing_back() {
    let mut server = Server::start().await;
    let config = config(&server);
    let store = writer(&config);
    revoke(&store, "a").await;
    let replica = following(&config).await;
    server.cli(&["flushall"]);
    until("the loss is noticed", async || replica.has_diverged()).await;
    assert_eq!(tokens(&replica), 1);
    server.restart_empty().await;
    let store = writer(&config);
    until("it can be written again", async || {
        store
            .revoke(&token("b"), &strike(), Some(later()))
            .await
            .is_ok()
    })
    .await;
    holds(&replica, 2).await;
    store.accept("alice").await.unwrap();
    holds(&replica, 1).await;
    assert!(!replica.has_diverged());
}

#[tokio::test]
async fn a_copy_says_how_old_it_is_and_is_whole_again_after_an_outage() {
    let mut server = Server::options().append_only().start().await;
    let config = config(&server);
    let store = writer(&config);
    revoke(&store, "a").await;
    let replica = following(&config).await;
    server.kill();
    until("it is too old", async || replica.is_stale(Instant::now())).await;
    assert_eq!(tokens(&replica), 1);
    server.restart_with_data().await;
    until("it is whole again", async || {
        !replica.is_stale(Instant::now())
    })
    .await;
    let store = writer(&config);
    revoke(&store, "b").await;
    holds(&replica, 2).await;
    assert!(!replica.has_diverged());
}

#[tokio::test]
async fn a_log_that_was_trimmed_under_a_sleeping_reader_loses_nothing() {
    let server = Server::start().await;
    let config = config(&server);
    let store = writer(&config);
    revoke(&store, "a").await;
    let replica = following(&config).await;
    server.cli(&["client", "kill", "type", "normal"]);
    for jti in ["b", "c", "d"] {
        let written = async || {
            store
                .revoke(&token(jti), &strike(), Some(later()))
                .await
                .is_ok()
        };
        until("it can be written", written).await;
    }
    server.cli(&["xtrim", "{subgate}:log", "maxlen", "=", "1"]);
    holds(&replica, 4).await;
    assert!(!replica.has_diverged());
}

#[tokio::test]
async fn a_lifecycle_event_reaches_the_ledger_and_outlasts_a_restart_of_the_reader() {
    let server = Server::start().await;
    let config = config(&server);
    let store = writer(&config);
    let ledgers = [ledger(), ledger()];
    let [first, second] = &ledgers;
    let replica = Replica::start(&config, first.clone(), Arc::new(SystemClock)).unwrap();
    replica.caught_up().await;
    let deleted = Event {
        kind: EventKind::UserDeleted,
        time: SystemClock.now(),
        realm: ACME.into(),
        tenant: Some("acme".into()),
        whom: Some(Whom::Subject("alice".into())),
        version: None,
    };
    for expected in [Written::New, Written::Known] {
        let written = store.tell(&deleted, "cli", Some(later())).await;
        assert_eq!(written, Ok(expected));
    }
    until("it is told", async || first.size().marks == 1).await;
    let again = Replica::start(&config, second.clone(), Arc::new(SystemClock)).unwrap();
    again.caught_up().await;
    assert_eq!(second.size().marks, 1);
    let _counts: &Counts = again.counts();
}
