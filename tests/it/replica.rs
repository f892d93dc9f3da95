//! A copy that follows a real Redis: what the writer acknowledged is in it, whatever happens to Redis.

use crate::parts::redis::Redis as Server;
use crate::parts::{PATIENCE, until};
use crate::redis_connection::Password;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use subgate::clock::{Clock as _, SystemClock, Timestamp};
use subgate::event::ledger::{Judgement, Person};
use subgate::event::{Event, Kind as EventKind, Ledger, Settings, TenantForm, Whom};
use subgate::net::redis::{Address, Config, Login, Node, Reason, Redis, Topology};
use subgate::revocation::replica::Counts;
use subgate::revocation::store::{Key, Keys, StoreError, Writer, Written, WrittenStrike};
use subgate::revocation::{self, Kind, Mode, Name, Named, OnStale, Replica};
use tokio::time::Instant;

const ACME: &str = "https://id.acme.example";

const ALICE: Person<'_> = Person {
    realm: ACME,
    tenant: Some("acme"),
    subject: "alice",
    id: None,
};

pub(crate) fn config(server: &Server) -> revocation::Redis {
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

pub(crate) fn writer(config: &revocation::Redis) -> Writer {
    let redis = Redis::new(&config.connection, &config.connection.login).expect("files that load");
    Writer::new(redis, Keys::new("subgate"), 0, Arc::new(SystemClock))
}

pub(crate) async fn following(config: &revocation::Redis) -> Replica {
    let replica = Replica::start(config, ledger(), Arc::new(SystemClock)).expect("files that load");
    tokio::time::timeout(Duration::from_secs(20), replica.caught_up())
        .await
        .expect("it catches up");
    replica
}

pub(crate) fn token(jti: &str) -> Named {
    Name::of_issuer(Kind::Token, ACME, jti).to_owned()
}

pub(crate) fn strike() -> WrittenStrike {
    let now = SystemClock.now();
    WrittenStrike {
        source: "cli".into(),
        at: now.as_millis(),
        until: Some(now.plus(Duration::from_secs(3600)).as_millis()),
        ..WrittenStrike::default()
    }
}

pub(crate) fn later() -> Timestamp {
    SystemClock.now().plus(Duration::from_secs(3600))
}

async fn revoke(writer: &Writer, jti: &str) -> Written {
    written(writer, &token(jti), &strike())
        .await
        .expect("it is written")
}

/// A machine that stands still is no answer: what took too long is tried again.
pub(crate) async fn written(
    writer: &Writer,
    named: &Named,
    strike: &WrittenStrike,
) -> Result<Written, StoreError> {
    let began = Instant::now();
    loop {
        match writer.revoke(named, strike).await {
            Err(StoreError::Redis(error))
                if error.reason == Reason::Timeout && began.elapsed() < PATIENCE => {}
            written => return written,
        }
    }
}

pub(crate) fn tokens(replica: &Replica) -> usize {
    let copy = replica.copy();
    let mut held = copy.held();
    held.find(|(kind, _)| *kind == Kind::Token)
        .expect("all kinds")
        .1
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
    let longer = WrittenStrike {
        until: None,
        ..strike()
    };
    for expected in [Written::New, Written::Known] {
        assert_eq!(writer.revoke(&token("c"), &longer).await, Ok(expected));
    }
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
    let redelivered = writer.revoke(&token("a"), &old).await;
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
        store.revoke(&token("b"), &strike()).await.is_ok()
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
async fn a_log_that_was_trimmed_while_the_reader_was_away_loses_nothing() {
    // What the document gives them is enough.
    let rules = include_str!("../../docs/redis.md");
    let rules = rules
        .lines()
        .filter(|line| line.starts_with("user subgate-"));
    let rules: String = rules.flat_map(|line| [line, "\n"]).collect();
    let rules = rules.replace(">PASSWORD", ">hunter2");
    let server = Server::options().users(&rules).start().await;
    let password = Password::new("hunter2");
    let mut config = config(&server);
    config.connection.login = password.login("subgate-writer");
    let store = writer(&config);
    config.connection.login = password.login("subgate-reader");
    revoke(&store, "a").await;
    let ledger = ledger();
    let replica = Replica::start(&config, ledger.clone(), Arc::new(SystemClock)).unwrap();
    replica.caught_up().await;
    let stands = Judgement::Stands { revoked: None };
    assert_eq!(ledger.judge_not_found(ALICE, Instant::now()), stands);
    server.cli(&["acl", "setuser", "subgate-reader", "off"]);
    server.cli(&["client", "kill", "user", "subgate-reader"]);
    for jti in ["b", "c", "d"] {
        assert_eq!(revoke(&store, jti).await, Written::New);
    }
    server.cli(&["xtrim", "{subgate}:log", "maxlen", "=", "1"]);
    let sent = Instant::now();
    server.cli(&["acl", "setuser", "subgate-reader", "on"]);
    holds(&replica, 4).await;
    assert!(!replica.has_diverged());
    let missed = async || ledger.judge_not_found(ALICE, sent) == Judgement::Outdated;
    until("nothing older than what was missed is believed", missed).await;
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

#[tokio::test]
async fn with_heartbeats_a_copy_is_as_old_as_the_last_of_them() {
    let server = Server::start().await;
    let mut config = config(&server);
    config.heartbeat = true;
    let store = writer(&config);
    revoke(&store, "a").await;
    let replica = Replica::start(&config, ledger(), Arc::new(SystemClock)).unwrap();
    holds(&replica, 1).await;
    assert_eq!(replica.staleness(Instant::now()), None);
    for _ in 0..2 {
        until("it is young", async || {
            store.beat().await.is_ok() && !replica.is_stale(Instant::now())
        })
        .await;
        until("it is too old", async || replica.is_stale(Instant::now())).await;
    }
}

#[tokio::test]
async fn what_cannot_be_read_of_a_name_revokes_it() {
    let server = Server::start().await;
    let config = config(&server);
    let store = writer(&config);
    revoke(&store, "a").await;
    let name = Key::Revoked(token("b")).to_string();
    server.cli(&["hset", "{subgate}:state", &name, "garbage"]);
    let replica = following(&config).await;
    assert_eq!(tokens(&replica), 2);
    assert_eq!(replica.counts().unreadable.load(Ordering::Relaxed), 1);
}
