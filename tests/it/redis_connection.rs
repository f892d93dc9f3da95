//! Connections to a real Redis: alone, over TLS, with users, behind Sentinels, in a Cluster.

use crate::parts::redis::Redis as Server;
use crate::parts::redis::cluster::Cluster;
use crate::parts::redis::sentinel::{self, Sentinel};
use crate::parts::{PATIENCE, until};
use redis::{PushKind, RedisResult};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use subgate::net::redis::{
    Address, Config, Connection, Login, Node, Options, Reason, Redis, RedisError, Topology,
    is_moved,
};
use subgate::net::tls::ClientTls;
use tempfile::TempDir;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;

const KEY: &str = "{subgate}:sample";

/// All that a reader needs who looks for one key.
const READER: &str = "user reader on >reader-password -@all +exists ~{subgate}:*\n";

fn options() -> Options {
    Options {
        response_timeout: Duration::from_secs(5),
        pushes: None,
    }
}

fn address(of: SocketAddr) -> Address {
    Address {
        host: of.ip().to_string(),
        port: of.port(),
    }
}

fn config(topology: Topology) -> Config {
    Config {
        topology,
        login: Login::default(),
        sentinel: Login::default(),
        tls: None,
        allow_plaintext: false,
    }
}

fn single(server: &Server) -> Config {
    config(Topology::Single {
        node: Node::Tcp(address(server.address())),
        database: 0,
    })
}

fn redis(config: &Config) -> Redis {
    Redis::new(config, &config.login).expect("files that load")
}

async fn primary(config: &Config) -> Result<Connection, RedisError> {
    find(&redis(config), KEY).await
}

/// A machine that stands still is no answer: what took too long is tried again.
async fn find(redis: &Redis, key: &str) -> Result<Connection, RedisError> {
    let began = Instant::now();
    loop {
        match redis.primary(key.as_bytes(), options()).await {
            Err(error) if error.reason == Reason::Timeout && began.elapsed() < PATIENCE => {}
            found => return found,
        }
    }
}

async fn reason(config: &Config) -> Reason {
    primary(config).await.expect_err("no primary").reason
}

/// Names of our connections, as the server sees them.
fn clients(server: &Server) -> usize {
    server
        .cli(&["client", "list"])
        .matches(" name=subgate ")
        .count()
}

/// A file with a password.
pub(crate) struct Password {
    _folder: TempDir,
    file: PathBuf,
}

impl Password {
    pub(crate) fn new(password: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("password");
        fs::write(&file, password).expect("a file");
        Self {
            _folder: folder,
            file,
        }
    }

    pub(crate) fn login(&self, username: &str) -> Login {
        Login {
            username: Some(username.to_owned()),
            password_file: Some(self.file.clone()),
        }
    }
}

async fn exists(connection: &mut Connection, key: &str) -> RedisResult<bool> {
    redis::cmd("EXISTS").arg(key).query_async(connection).await
}

#[tokio::test]
async fn a_connection_leads_to_the_database_that_the_url_names_and_ends_when_it_is_dropped() {
    let server = Server::start().await;
    server.cli(&["-n", "3", "set", KEY, "1"]);
    for (database, is_there) in [(0, false), (3, true)] {
        let config = config(Topology::Single {
            node: Node::Tcp(address(server.address())),
            database,
        });
        let mut connection = primary(&config).await.expect("a primary");
        assert_eq!(exists(&mut connection, KEY).await, Ok(is_there));
        assert_eq!(clients(&server), 1);
        drop(connection);
        until("the connection is closed", async || clients(&server) == 0).await;
    }
}

#[tokio::test]
async fn a_connection_that_waits_for_news_ends_too_when_it_is_dropped() {
    let server = Server::start().await;
    let mut connection = primary(&single(&server)).await.expect("a primary");
    let waiting = tokio::spawn(async move {
        let mut wait = redis::cmd("BLPOP");
        wait.arg("nothing")
            .arg(0)
            .query_async::<()>(&mut connection)
            .await
    });
    until("it waits", async || {
        server.info("clients", "blocked_clients") == "1"
    })
    .await;
    waiting.abort();
    until("the connection is closed", async || clients(&server) == 0).await;
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_given_up() {
    let server = Server::start().await;
    let mut connection = primary(&single(&server)).await.expect("a primary");
    connection.set_response_timeout(Duration::from_millis(50));
    let mut wait = redis::cmd("BLPOP");
    let waited = wait
        .arg("nothing")
        .arg(0)
        .query_async::<()>(&mut connection)
        .await;
    let error = waited.expect_err("no answer");
    assert_eq!(connection.error(&error).reason, Reason::Timeout);
}

#[tokio::test]
async fn a_change_of_a_key_that_was_read_is_pushed() {
    let server = Server::start().await;
    let (sender, mut pushed) = unbounded_channel();
    let config = single(&server);
    let options = Options {
        pushes: Some(sender),
        ..options()
    };
    let connection = redis(&config).primary(KEY.as_bytes(), options).await;
    let mut connection = connection.expect("a primary");
    let mut track = redis::cmd("CLIENT");
    let tracked: RedisResult<()> = track
        .arg("TRACKING")
        .arg("ON")
        .query_async(&mut connection)
        .await;
    tracked.expect("it tracks");
    assert_eq!(exists(&mut connection, KEY).await, Ok(false));
    server.cli(&["set", KEY, "1"]);
    let push = pushed.recv().await.expect("a push");
    assert_eq!(push.kind, PushKind::Invalidate);
}

#[tokio::test]
async fn a_lost_connection_says_so_and_is_not_made_again() {
    let (sender, mut pushed) = unbounded_channel();
    let mut server = Server::start().await;
    let config = single(&server);
    let options = Options {
        pushes: Some(sender),
        ..options()
    };
    let connection = redis(&config).primary(KEY.as_bytes(), options).await;
    let mut connection = connection.expect("a primary");
    server.kill();
    let push = pushed.recv().await.expect("a push");
    assert_eq!(push.kind, PushKind::Disconnection);
    server.restart_empty().await;
    let error = exists(&mut connection, KEY)
        .await
        .expect_err("a lost connection");
    assert_eq!(connection.error(&error).reason, Reason::Lost);
    primary(&config).await.expect("a new connection");
}

#[tokio::test]
async fn a_primary_that_becomes_a_replica_is_left() {
    let server = Server::start().await;
    let config = single(&server);
    let mut reading = primary(&config).await.expect("a primary");
    let mut other = primary(&config).await.expect("a primary");
    let waiting = tokio::spawn(async move {
        let mut wait = redis::cmd("BLPOP");
        wait.arg("nothing")
            .arg(0)
            .query_async::<()>(&mut reading)
            .await
    });
    until("it waits", async || {
        server.info("clients", "blocked_clients") == "1"
    })
    .await;
    server.cli(&["replicaof", "127.0.0.1", "1"]);
    let waited = waiting.await.expect("an answer").expect_err("an error");
    assert!(is_moved(&waited), "{waited}");
    let written: RedisResult<()> = redis::cmd("SET")
        .arg(KEY)
        .arg(1)
        .query_async(&mut other)
        .await;
    let error = written.expect_err("an error");
    assert!(is_moved(&error), "{error}");
    assert_eq!(reason(&config).await, Reason::NoPrimary);
}

#[tokio::test]
async fn over_tls_the_server_must_prove_itself_and_the_client_where_it_is_asked_to() {
    let server = Server::options().tls().start().await;
    let trusting = Config {
        tls: Some(ClientTls {
            ca_file: Some(server.authority()),
            identity: None,
        }),
        ..single(&server)
    };
    primary(&trusting).await.expect("a primary");
    let strict = Config {
        tls: Some(ClientTls::default()),
        ..single(&server)
    };
    assert_eq!(reason(&strict).await, Reason::Tls);
    assert_eq!(reason(&single(&server)).await, Reason::Lost);
    server.cli(&["config", "set", "tls-auth-clients", "yes"]);
    assert_eq!(reason(&trusting).await, Reason::Tls);
}

#[tokio::test]
async fn a_user_gets_in_with_the_right_password_and_reads_what_it_may() {
    let server = Server::options().users(READER).start().await;
    assert_eq!(reason(&single(&server)).await, Reason::Auth);
    let (right, wrong) = (Password::new("reader-password\n"), Password::new("hunter2"));
    let of = |login| Config {
        login,
        ..single(&server)
    };
    let error = primary(&of(wrong.login("reader")))
        .await
        .expect_err("no primary");
    assert_eq!(error.reason, Reason::Auth);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert_eq!(reason(&of(right.login("nobody"))).await, Reason::Auth);
    let mut connection = primary(&of(right.login("reader")))
        .await
        .expect("a primary");
    assert_eq!(exists(&mut connection, KEY).await, Ok(false));
    let error = exists(&mut connection, "other")
        .await
        .expect_err("no right");
    assert_eq!(connection.error(&error).reason, Reason::Denied);
    assert_eq!(server.cli(&["acl", "log"]).matches("other").count(), 1);
}

#[tokio::test]
async fn the_primary_that_the_sentinels_chose_after_the_old_one_died_is_found() {
    let mut all = Sentinel::start().await;
    let config = config(Topology::Sentinel {
        nodes: all.addresses().into_iter().map(address).collect(),
        master: sentinel::NAME.to_owned(),
        database: 0,
    });
    let redis = redis(&config);
    let node = |address_now| Node::Tcp(address(address_now));
    let connection = find(&redis, KEY).await.expect("a primary");
    assert_eq!(connection.node(), &node(all.primary_now()));
    let now = all.kill_primary().await;
    let found = find(&redis, KEY).await;
    assert_eq!(found.expect("a primary").node(), &node(now));
}

#[tokio::test]
async fn the_node_of_a_cluster_that_holds_the_slot_is_found_and_its_heir_after_it() {
    let mut cluster = Cluster::start().await;
    let nodes = cluster.addresses().into_iter().map(address).collect();
    let config = config(Topology::Cluster(nodes));
    let redis = redis(&config);
    let node = |address_now| Node::Tcp(address(address_now));
    for key in ["{subgate}:log", "a", "b", "c", "d"] {
        let connection = find(&redis, key).await;
        let mut connection = connection.expect("a primary");
        let holder = cluster.node_of(key).expect("a node").address();
        assert_eq!(connection.node(), &node(holder), "{key}");
        assert_eq!(exists(&mut connection, key).await, Ok(false));
    }
    let connection = find(&redis, "a").await;
    let error = exists(&mut connection.expect("a primary"), "b").await;
    assert!(is_moved(&error.expect_err("another's slot")));
    let heir = cluster.kill_node_of("a").await;
    let connection = find(&redis, "a").await;
    assert_eq!(connection.expect("a primary").node(), &node(heir));
}

#[tokio::test]
async fn check_connect_asks_redis_with_every_login() {
    let server = Server::options()
        .users(
            "user reader on >reader-password -@all +exists ~{subgate}:* ~deny:*\n\
                user writer on >writer-password -@all ~{subgate}:*\n",
        )
        .start()
        .await;
    let check = |reader: &str, keys: &str, form: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "issuers: [{{issuer: https://id.example.com, name: acme, audiences: any, \
             algorithms: [HS256], keys: {{secret_file: secret}}}}]\n\
             users: {{file: {{path: users.yaml}}}}\n\
             revocation:\n  redis:\n    url: {}\n    username: reader\n    password_file: reader\n    \
             writer: {{username: writer, password_file: writer}}\n    mode: both\n    keys: ['{keys}']\n",
            server.url()
        );
        for (name, content) in [
            ("subgate.yaml", text.as_str()),
            ("users.yaml", "users: []\n"),
            ("secret", "0123456789abcdef0123456789abcdef"),
            ("reader", reader),
            ("writer", "writer-password\n"),
        ] {
            fs::write(folder.path().join(name), content).expect("a file");
        }
        let began = Instant::now();
        loop {
            let output = Command::new(env!("CARGO_BIN_EXE_subgate"))
                .args(["check", "--connect", "--output", form, "--config"])
                .arg(folder.path().join("subgate.yaml"))
                .output()
                .expect("the command runs");
            let said = String::from_utf8(output.stdout).expect("text");
            if !said.contains(": timeout: ") || began.elapsed() > PATIENCE {
                return (output.status.code(), said);
            }
        }
    };
    let at = server.address();
    let (code, said) = check("reader-password", "deny:{jti}", "text");
    assert_eq!(code, Some(0), "{said}");
    for right in ["read", "write"] {
        assert!(
            said.contains(&format!("redis, to {right}: primary {at}, ")),
            "{said}"
        );
    }
    let (code, said) = check("hunter2", "deny:{jti}", "text");
    assert_eq!(code, Some(2), "{said}");
    let told = format!("redis, to read: {at}: auth: user or password is wrong");
    assert!(
        said.contains(&told) && said.contains("; correct `username`"),
        "{said}"
    );
    assert!(
        said.contains("redis, to write: primary") && !said.contains("hunter2"),
        "{said}"
    );
    let (code, said) = check("reader-password", "other:{jti}", "json");
    assert_eq!(code, Some(2), "{said}");
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let redis = &said["redis"];
    let error = redis[0]["error"].as_str().expect("an error");
    assert!(
        redis[0]["right"] == "read" && error.contains(": denied: "),
        "{redis}"
    );
    assert!(
        redis[1]["right"] == "write" && redis[1]["server"].is_string(),
        "{redis}"
    );
}
