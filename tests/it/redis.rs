//! That the real Redis of tests does what tests ask of it.

use crate::parts::redis::cluster::Cluster;
use crate::parts::redis::sentinel::{NAME, Sentinel};
use crate::parts::redis::{Redis, USERS};
use crate::parts::swallow::Swallow;
use crate::parts::{PATIENCE, until};
use ::redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use ::redis::cluster::ClusterClient;
use ::redis::sentinel::{SentinelClient, SentinelServerType};
use ::redis::{AsyncCommands as _, AsyncConnectionConfig, Client, RedisResult, TlsCertificates};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

/// A connection that waits for its answers as long as tests wait.
async fn connect(address: SocketAddr) -> MultiplexedConnection {
    let client = Client::open(format!("redis://{address}")).expect("a URL");
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    connection.await.expect("a connection")
}

/// Whether nothing comes of a command for a moment.
async fn silent<T>(command: impl Future<Output = RedisResult<T>>) -> bool {
    tokio::time::timeout(Duration::from_millis(100), command)
        .await
        .is_err()
}

#[tokio::test]
async fn what_is_on_disk_survives_a_kill_and_an_empty_start_has_nothing() {
    let mut redis = Redis::options().append_only().start().await;
    assert_eq!(redis.cli(&["set", "a", "1"]), "OK");
    redis.kill();
    assert_eq!(redis.cli(&["get", "a"]), "");
    redis.restart_with_data().await;
    assert_eq!(redis.cli(&["get", "a"]), "1");
    redis.restart_empty().await;
    assert_eq!(redis.cli(&["dbsize"]), "0");
}

#[tokio::test]
async fn each_user_may_do_what_its_rules_say() {
    let redis = Redis::options().users(USERS).start().await;
    let open = async |user: &str| -> RedisResult<MultiplexedConnection> {
        let url = format!("redis://{user}{}", redis.address());
        Client::open(url)?.get_multiplexed_async_connection().await
    };
    let mut writer = open("writer:writer-password@").await.expect("a connection");
    writer.set::<_, _, ()>("a", 1).await.expect("may write");
    let mut reader = open("reader:reader-password@").await.expect("a connection");
    assert_eq!(reader.get::<_, u8>("a").await.expect("may read"), 1);
    let refused = reader.set::<_, _, ()>("a", 2).await.expect_err("may not");
    assert_eq!(refused.code(), Some("NOPERM"), "{refused}");
    let nobody = async {
        let mut nobody = open("").await?;
        nobody.get::<_, Option<u8>>("a").await
    };
    let refused = nobody.await.expect_err("may nothing");
    assert_eq!(refused.code(), Some("NOAUTH"), "{refused}");
    assert_eq!(redis.cli(&["get", "a"]), "1");
}

#[tokio::test]
async fn over_tls_only_its_own_authority_vouches_for_it() {
    let redis = Redis::options().tls().start().await;
    let get = async |authority: Option<Vec<u8>>| -> RedisResult<Option<u8>> {
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: authority,
        };
        let client = Client::build_with_tls(redis.url(), certificates)?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        connection.get("a").await
    };
    redis.cli(&["set", "a", "1"]);
    let authority = std::fs::read(redis.authority()).expect("a file");
    assert_eq!(get(Some(authority)).await.expect("a connection"), Some(1));
    get(None).await.expect_err("a stranger");
}

#[tokio::test]
async fn a_replica_has_what_its_primary_has() {
    let primary = Redis::start().await;
    let replica = Redis::options().replica_of(primary.address()).start().await;
    primary.cli(&["set", "a", "1"]);
    until("it is replicated", async || {
        replica.cli(&["get", "a"]) == "1"
    })
    .await;
    until("the primary counts it", async || {
        primary.cli(&["wait", "1", "10"]) == "1"
    })
    .await;
}

#[tokio::test]
async fn a_paused_server_answers_when_it_goes_on() {
    let redis = Redis::start().await;
    let mut connection = connect(redis.address()).await;
    redis.pause();
    assert!(silent(connection.set::<_, _, ()>("a", 1)).await);
    redis.resume();
    assert_eq!(connection.get::<_, u8>("a").await.expect("an answer"), 1);
}

#[tokio::test]
async fn it_counts_the_commands_of_others_alone_and_tells_what_it_costs() {
    let redis = Redis::start().await;
    let mut connection = connect(redis.address()).await;
    let before = redis.command_count();
    for _ in 0..3 {
        connection.set::<_, _, ()>("a", 1).await.expect("an answer");
    }
    assert_eq!(redis.command_count() - before, 3);
    assert_eq!(redis.commands()["set"], 3);
    assert_eq!(redis.command_count() - before, 3);

    let (memory, cpu) = (redis.memory(), redis.cpu());
    let big = "x".repeat(4_000_000);
    connection
        .set::<_, _, ()>("b", big)
        .await
        .expect("an answer");
    assert!(redis.memory() > memory + 3_000_000);
    assert!(redis.cpu() > cpu);
}

#[tokio::test]
async fn a_proxy_passes_swallows_cuts_and_refuses() {
    let redis = Redis::start().await;
    let proxy = Swallow::start(redis.address()).await;
    let mut connection = connect(proxy.address()).await;
    connection.set::<_, _, ()>("a", 1).await.expect("passes");

    proxy.swallow().await;
    assert!(silent(connection.set::<_, _, ()>("a", 2)).await);
    proxy.pass().await;
    // What was swallowed is lost; another connection passes as if nothing had been.
    let mut other = connect(proxy.address()).await;
    assert_eq!(other.get::<_, u8>("a").await.expect("passes"), 1);

    proxy.cut().await;
    connection.get::<_, u8>("a").await.expect_err("cut");
    other.get::<_, u8>("a").await.expect_err("cut too");
    connect(proxy.address()).await;

    proxy.refuse().await;
    // A process that another test starts holds the closed socket until it runs its program.
    until("it refuses", async || {
        let refused = std::net::TcpStream::connect(proxy.address());
        refused.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    })
    .await;
    proxy.pass().await;
    connect(proxy.address()).await;
}

#[tokio::test]
async fn a_managed_connection_comes_back_after_a_restart() {
    let mut redis = Redis::options().append_only().start().await;
    let client = Client::open(redis.url()).expect("a URL");
    let mut manager = ConnectionManager::new_with_config(client, ConnectionManagerConfig::new())
        .await
        .expect("a connection");
    manager.set::<_, _, ()>("a", 1).await.expect("an answer");
    redis.restart_with_data().await;
    until("it is connected again", async || {
        manager
            .get::<_, u8>("a")
            .await
            .is_ok_and(|value| value == 1)
    })
    .await;
}

#[tokio::test]
async fn sentinels_put_a_replica_in_the_place_of_a_killed_primary() {
    let mut sentinel = Sentinel::start().await;
    let first = sentinel.primary_now();
    sentinel.primary().cli(&["set", "a", "1"]);
    assert_eq!(sentinel.primary().cli(&["wait", "2", "10000"]), "2");

    let second = sentinel.kill_primary().await;
    assert_ne!(first, second);
    let urls = sentinel
        .addresses()
        .into_iter()
        .map(|at| format!("redis://{at}"));
    let kind = SentinelServerType::Master;
    let client = SentinelClient::build(urls.collect(), NAME, None, kind);
    let mut client = client.expect("a client");
    let mut connection = client.get_async_connection().await.expect("a connection");
    assert_eq!(connection.get::<_, u8>("a").await.expect("an answer"), 1);
    connection.set::<_, _, ()>("a", 2).await.expect("may write");
    assert_eq!(sentinel.primary().cli(&["get", "a"]), "2");
    assert_eq!(sentinel.primary_now(), second);
}

#[tokio::test]
async fn in_a_cluster_a_replica_takes_the_place_of_a_killed_node() {
    let mut cluster = Cluster::start().await;
    let urls = cluster
        .addresses()
        .into_iter()
        .map(|at| format!("redis://{at}"));
    let client = ClusterClient::new(urls.collect::<Vec<_>>()).expect("a client");
    let mut connection = client.get_async_connection().await.expect("a connection");
    for key in ["a", "b", "c", "d"] {
        connection.set::<_, _, ()>(key, 1).await.expect("an answer");
    }
    let node = cluster.node_of("a").expect("a node");
    assert_eq!(node.cli(&["wait", "1", "10000"]), "1");
    let old = node.address();

    let new = cluster.kill_node_of("a").await;
    assert_ne!(old, new);
    assert_eq!(cluster.node_of("a").expect("a node").address(), new);
    until("the client finds it", async || {
        let value = connection.get::<_, u8>("a").await;
        value.is_ok_and(|value| value == 1)
    })
    .await;
}
