//! What becomes of `revocation.redis`.

use super::{SMALLEST, folder, parse, parse_in};
use std::time::Duration;
use subgate::config::Loaded;
use subgate::net::redis::{Address, Login, Node, Topology};
use subgate::net::tls::ClientTls;
use subgate::revocation::{Config, Mode, OnStale, Part, Redis, Template, Value};

fn loaded(redis: &str) -> Loaded {
    let text = format!("{SMALLEST}revocation:\n  redis:\n    {redis}\n");
    parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn redis(loaded: Loaded) -> Redis {
    let Config::Redis(redis) = loaded.config.revocation else {
        panic!("expected Redis, got {:?}", loaded.config.revocation);
    };
    *redis
}

fn topology(url: &str) -> Topology {
    redis(loaded(&format!("url: {url}"))).connection.topology
}

fn address(host: &str, port: u16) -> Address {
    Address {
        host: host.to_owned(),
        port,
    }
}

#[test]
fn what_is_not_written_has_the_documented_defaults() {
    let loaded = loaded("url: redis://127.0.0.1:6379");
    assert_eq!(loaded.warnings, []);
    let redis = redis(loaded);
    insta::assert_debug_snapshot!(redis);
    let explicit = "{url: redis://localhost, allow_plaintext: false, sentinel: {}, tls: {}, \
                    key_prefix: subgate, mode: replica, keys: [], max_staleness: 30s, \
                    on_stale: deny, heartbeat: false, min_replicas: 0}";
    let text = format!("{SMALLEST}revocation: {{redis: {explicit}}}\n");
    let explicit = parse(&text.replace("localhost", "127.0.0.1:6379/0"));
    let explicit = explicit.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(self::redis(explicit), redis);
}

#[test]
fn every_key_comes_through() {
    let folder = folder();
    let text = format!(
        "{SMALLEST}revocation:
  redis:
    url: rediss+sentinel://s1.example.com,[2001:db8::1]:26380/main/3
    allow_plaintext: true
    username: reader
    password_file: token
    sentinel: {{username: watcher, password_file: token}}
    tls: {{ca_file: tls.crt, cert_file: tls.crt, key_file: tls.key}}
    writer: {{username: writer, password_file: token}}
    key_prefix: shop:subgate
    mode: both
    keys: ['blacklist:{{jti}}', '{{realm}}/{{subject}}']
    max_staleness: 10s
    on_stale: allow
    heartbeat: true
    min_replicas: 1
"
    );
    let loaded = parse_in(folder.path(), &text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let warnings: Vec<_> = loaded
        .warnings
        .iter()
        .map(|warning| &warning.setting)
        .collect();
    assert_eq!(
        warnings,
        [
            "revocation/redis/allow_plaintext: true",
            "revocation/redis/on_stale: allow"
        ]
    );
    let Redis {
        connection,
        writer,
        key_prefix,
        mode,
        keys,
        max_staleness,
        on_stale,
        heartbeat,
        min_replicas,
    } = redis(loaded);
    let login = |name: &str| Login {
        username: Some(name.to_owned()),
        password_file: Some(folder.path().join("token")),
    };
    let nodes = vec![
        address("s1.example.com", 26379),
        address("2001:db8::1", 26380),
    ];
    let sentinel = Topology::Sentinel {
        nodes,
        master: "main".to_owned(),
        database: 3,
    };
    assert_eq!(connection.topology, sentinel);
    assert_eq!(connection.login, login("reader"));
    assert_eq!(connection.sentinel, login("watcher"));
    let tls = connection.tls.expect("TLS");
    assert!(tls.ca_file.is_some() && tls.identity.is_some());
    assert!(connection.allow_plaintext);
    assert_eq!(writer, Some(login("writer")));
    assert_eq!(key_prefix, "shop:subgate");
    assert_eq!((mode, on_stale), (Mode::Both, OnStale::Allow));
    assert_eq!((heartbeat, min_replicas), (true, 1));
    assert_eq!(max_staleness, Duration::from_secs(10));
    let jti = vec![Part::Text("blacklist:".to_owned()), Part::Value(Value::Jti)];
    let subject = vec![
        Part::Value(Value::Realm),
        Part::Text("/".to_owned()),
        Part::Value(Value::Subject),
    ];
    let expected = [jti, subject].map(|parts| Template::new(parts).expect("a template"));
    assert_eq!(keys, expected);
}

#[test]
fn a_url_says_how_the_nodes_belong_together() {
    let single = |node, database| Topology::Single { node, database };
    let tcp = |host, port| Node::Tcp(address(host, port));
    for (url, expected) in [
        ("redis://localhost", single(tcp("localhost", 6379), 0)),
        ("redis://127.0.0.2:1/", single(tcp("127.0.0.2", 1), 0)),
        ("'redis://[::1]:6380/7'", single(tcp("::1", 6380), 7)),
        ("'redis://[::1]'", single(tcp("::1", 6379), 0)),
        (
            "rediss://Redis.example.com",
            single(tcp("redis.example.com", 6379), 0),
        ),
        (
            "unix:/run/r.sock",
            single(Node::Unix("/run/r.sock".into()), 0),
        ),
        (
            "unix:///run/r.sock",
            single(Node::Unix("/run/r.sock".into()), 0),
        ),
        (
            "redis+unix:///run/r.sock",
            single(Node::Unix("/run/r.sock".into()), 0),
        ),
        (
            "[redis://127.0.0.1:7000, redis://127.0.0.1:7001/]",
            Topology::Cluster(vec![address("127.0.0.1", 7000), address("127.0.0.1", 7001)]),
        ),
    ] {
        assert_eq!(topology(url), expected, "{url}");
    }
}

#[test]
fn tls_is_spoken_where_the_scheme_says_so() {
    let tls = |url: &str| redis(loaded(&format!("url: {url}"))).connection.tls;
    assert_eq!(tls("redis://127.0.0.1"), None);
    assert_eq!(tls("rediss://127.0.0.1"), Some(ClientTls::default()));
    assert_eq!(
        tls("rediss+sentinel://10.0.0.1/main"),
        Some(ClientTls::default())
    );
    assert_eq!(tls("[rediss://10.0.0.1]"), Some(ClientTls::default()));
}

#[test]
fn an_empty_writer_has_the_login_of_the_reader_and_without_one_nobody_writes() {
    let url = "url: redis://127.0.0.1\n    password_file: token";
    assert_eq!(redis(loaded(url)).writer, None);
    let both = redis(loaded(&format!("{url}\n    writer: {{}}")));
    assert!(both.connection.login.password_file.is_some());
    assert_eq!(both.writer, Some(both.connection.login));
}

#[test]
fn a_url_and_its_nodes_are_overridden_by_variables() {
    let text =
        format!("{SMALLEST}revocation: {{redis: {{url: [redis://127.0.0.1, redis://127.0.0.2]}}}}");
    let variables = [("SUBGATE__REVOCATION__REDIS__URL__1", "redis://127.0.0.3")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let folder = folder();
    let loaded = subgate::config::parse("subgate.yaml", folder.path(), &text, variables);
    let loaded = loaded.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let nodes = vec![address("127.0.0.1", 6379), address("127.0.0.3", 6379)];
    assert_eq!(redis(loaded).connection.topology, Topology::Cluster(nodes));
}
