use super::wire::Io;
use super::*;
use std::io::Write as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

const OPTIONS: Options = Options {
    response_timeout: Duration::from_secs(5),
    pushes: None,
};

/// A node that answers each command with what is written for it.
struct Fake {
    address: Address,
    _serving: AbortOnDropHandle<()>,
}

impl Fake {
    async fn start(answer: impl Fn(&[String]) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(answer);
        let serving = tokio::spawn(async move {
            let mut clients = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                clients.spawn(serve(client, Arc::clone(&answer)));
            }
        });
        let host = "127.0.0.1".to_owned();
        Self {
            address: Address { host, port },
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    /// A primary at a Unix socket.
    fn at_socket(path: &std::path::Path) -> AbortOnDropHandle<()> {
        let listener = tokio::net::UnixListener::bind(path).unwrap();
        AbortOnDropHandle::new(tokio::spawn(async move {
            let (client, _) = listener.accept().await.unwrap();
            serve(client, Arc::new(|_: &[String]| hello("master"))).await;
        }))
    }

    /// A server of this role.
    async fn server(role: &'static str) -> Self {
        Self::start(move |_| hello(role)).await
    }

    /// A Sentinel that names a primary.
    async fn sentinel(named: &Address) -> Self {
        let named = named.clone();
        Self::start(move |command| match command {
            [sentinel, _, name] if sentinel == "SENTINEL" && name == "main" => {
                array(&[&named.host, &named.port.to_string()])
            }
            [sentinel, ..] if sentinel == "SENTINEL" => "_\r\n".to_owned(),
            _ => hello(""),
        })
        .await
    }

    /// A node of a Cluster who says that all slots are another's.
    async fn node(role: &'static str, holder: Option<Address>) -> Self {
        Self::start(move |command| match (command, &holder) {
            ([cluster, ..], Some(Address { host, port })) if cluster == "CLUSTER" => {
                let host = array(&[host]);
                let host = host.strip_prefix("*1\r\n").unwrap();
                format!("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n{host}:{port}\r\n")
            }
            ([cluster, ..], None) if cluster == "CLUSTER" => "*0\r\n".to_owned(),
            _ => hello(role),
        })
        .await
    }
}

async fn serve<S: Io>(client: S, answer: Arc<impl Fn(&[String]) -> String>) {
    let mut client = BufReader::new(client);
    let number = async |client: &mut BufReader<S>| {
        let mut line = String::new();
        client.read_line(&mut line).await.ok()?;
        line.trim_start_matches(['*', '$'])
            .trim()
            .parse::<usize>()
            .ok()
    };
    while let Some(count) = number(&mut client).await {
        let mut command = Vec::new();
        for _ in 0..count {
            let mut word = vec![0; number(&mut client).await.unwrap() + 2];
            client.read_exact(&mut word).await.unwrap();
            command.push(String::from_utf8(word).unwrap().trim_end().to_owned());
        }
        if client.write_all(answer(&command).as_bytes()).await.is_err() {
            return;
        }
    }
}

fn array(texts: &[&str]) -> String {
    let items = texts
        .iter()
        .map(|text| format!("${}\r\n{text}\r\n", text.len()));
    format!("*{}\r\n{}", texts.len(), items.collect::<String>())
}

fn hello(role: &str) -> String {
    let role = match role {
        "" => "+mode\r\n+sentinel".to_owned(),
        role => format!("+role\r\n+{role}"),
    };
    format!("%3\r\n+server\r\n+redis\r\n+version\r\n+7.0.15\r\n{role}\r\n")
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

fn single(address: &Address) -> Config {
    config(Topology::Single {
        node: Node::Tcp(address.clone()),
        database: 0,
    })
}

fn sentinels(nodes: &[&Fake]) -> Config {
    config(Topology::Sentinel {
        nodes: nodes.iter().map(|fake| fake.address.clone()).collect(),
        master: "main".to_owned(),
        database: 0,
    })
}

async fn primary(config: &Config) -> Result<Connection, RedisError> {
    let redis = Redis::new(config, &config.login).unwrap();
    redis.primary(b"key", OPTIONS).await
}

async fn reason(config: &Config) -> Reason {
    primary(config).await.unwrap_err().reason
}

#[tokio::test]
async fn a_server_is_believed_to_be_a_primary_only_by_its_own_word() {
    let server = Fake::server("master").await;
    let connection = primary(&single(&server.address)).await.unwrap();
    assert_eq!(connection.node(), &Node::Tcp(server.address.clone()));
    assert_eq!(connection.server().version, "7.0.15");
    let replica = Fake::server("replica").await;
    assert_eq!(reason(&single(&replica.address)).await, Reason::NoPrimary);
    let sentinel = Fake::server("").await;
    assert_eq!(reason(&single(&sentinel.address)).await, Reason::NoPrimary);
    let other = Fake::server("observer").await;
    assert_eq!(reason(&single(&other.address)).await, Reason::Protocol);
}

#[tokio::test]
async fn a_server_is_reached_at_its_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redis.sock");
    let _serving = Fake::at_socket(&path);
    let config = config(Topology::Single {
        node: Node::Unix(path.clone()),
        database: 0,
    });
    let connection = primary(&config).await.unwrap();
    assert_eq!(connection.node(), &Node::Unix(path));
}

#[tokio::test]
async fn a_sentinel_that_names_a_replica_is_not_believed_and_the_next_is_asked() {
    let server = Fake::server("master").await;
    let replica = Fake::server("replica").await;
    let late = Fake::sentinel(&replica.address).await;
    let good = Fake::sentinel(&server.address).await;
    let connection = primary(&sentinels(&[&late, &good])).await.unwrap();
    assert_eq!(connection.node(), &Node::Tcp(server.address.clone()));
    assert_eq!(reason(&sentinels(&[&late])).await, Reason::NoPrimary);
}

#[tokio::test]
async fn the_name_that_no_sentinel_knows_has_no_primary() {
    let server = Fake::server("master").await;
    let sentinel = Fake::sentinel(&server.address).await;
    let mut config = sentinels(&[&sentinel]);
    if let Topology::Sentinel { master, .. } = &mut config.topology {
        *master = "other".to_owned();
    }
    let error = primary(&config).await.unwrap_err();
    assert_eq!(error.reason, Reason::NoPrimary);
    assert_eq!(error.node(), sentinel.address.to_string());
}

#[tokio::test]
async fn a_cluster_is_asked_node_by_node_for_the_holder_of_the_slot() {
    let holder = Fake::server("master").await;
    let replica = Fake::node("replica", Some(holder.address.clone())).await;
    let ignorant = Fake::node("master", None).await;
    let stale = Fake::node("master", Some(replica.address.clone())).await;
    let of = |nodes: &[&Fake]| {
        let nodes = nodes.iter().map(|fake| fake.address.clone());
        config(Topology::Cluster(nodes.collect()))
    };
    let connection = primary(&of(&[&ignorant, &stale, &replica])).await.unwrap();
    assert_eq!(connection.node(), &Node::Tcp(holder.address.clone()));
    assert_eq!(reason(&of(&[&ignorant])).await, Reason::NoPrimary);
    assert_eq!(reason(&of(&[&stale])).await, Reason::NoPrimary);
}

#[tokio::test]
async fn plain_text_goes_to_no_announced_address_beyond_this_machine() {
    let far = Address {
        host: "192.0.2.1".to_owned(),
        port: 6379,
    };
    let sentinel = Fake::sentinel(&far).await;
    assert_eq!(reason(&sentinels(&[&sentinel])).await, Reason::Plaintext);
    let seed = Fake::node("master", Some(far)).await;
    let cluster = config(Topology::Cluster(vec![seed.address.clone()]));
    assert_eq!(reason(&cluster).await, Reason::Plaintext);
}

#[tokio::test]
async fn a_password_that_a_server_repeats_is_not_repeated_by_us() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"hunter2\n").unwrap();
    let server = Fake::start(|command| {
        format!("-ERR unknown command, with args beginning with: {command:?}\r\n")
    })
    .await;
    let mut config = single(&server.address);
    config.login = Login {
        username: Some("reader".to_owned()),
        password_file: Some(file.path().to_owned()),
    };
    let error = primary(&config).await.unwrap_err();
    assert_eq!(error.reason, Reason::Protocol);
    let redis = Redis::new(&config, &config.login).unwrap();
    for text in [
        format!("{error} {error:?}"),
        format!("{config:?} {redis:?}"),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_password_file_is_read_again_for_each_connection() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "old\n").unwrap();
    let server = Fake::start(|command| match command {
        [_, _, auth, _, password] if auth == "AUTH" && password != "new" => {
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n".to_owned()
        }
        _ => hello("master"),
    })
    .await;
    let config = single(&server.address);
    let login = Login {
        username: None,
        password_file: Some(file.path().to_owned()),
    };
    let redis = Redis::new(&config, &login).unwrap();
    let error = redis.primary(b"", OPTIONS).await.unwrap_err();
    assert_eq!(error.reason, Reason::Auth);
    std::fs::write(file.path(), "new\n").unwrap();
    redis.primary(b"", OPTIONS).await.unwrap();
    // One that cannot be read leaves the last.
    file.close().unwrap();
    redis.primary(b"", OPTIONS).await.unwrap();
}

#[tokio::test]
async fn each_way_to_refuse_us_has_its_reason() {
    let rows = [
        (
            "NOAUTH HELLO must be called with the client already authenticated",
            Reason::Auth,
        ),
        ("ERR max number of clients reached", Reason::Crowded),
        ("DENIED Redis is running in protected mode", Reason::Denied),
        (
            "LOADING Redis is loading the dataset in memory",
            Reason::Unready,
        ),
        ("NOPROTO unsupported protocol version", Reason::Protocol),
        ("ERR unknown command `HELLO`", Reason::Protocol),
    ];
    for (said, expected) in rows {
        let server = Fake::start(move |_| format!("-{said}\r\n")).await;
        assert_eq!(reason(&single(&server.address)).await, expected, "{said}");
    }
    let garbage = Fake::start(|_| "HTTP/1.1 400 Bad Request\r\n\r\n".to_owned()).await;
    assert_eq!(reason(&single(&garbage.address)).await, Reason::Protocol);
    // A port on which nobody may listen.
    let gone = Address {
        host: "127.0.0.1".to_owned(),
        port: 1,
    };
    assert_eq!(reason(&single(&gone)).await, Reason::Connect);
    let nowhere = Node::Unix("/nowhere/redis.sock".into());
    let nowhere = config(Topology::Single {
        node: nowhere,
        database: 0,
    });
    assert_eq!(reason(&nowhere).await, Reason::Connect);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_says_nothing_is_left_after_a_second() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = Address {
        host: "127.0.0.1".to_owned(),
        port: silent.local_addr().unwrap().port(),
    };
    let begun = tokio::time::Instant::now();
    let error = primary(&single(&silent)).await.unwrap_err();
    assert!(
        matches!(error.reason, Reason::Timeout | Reason::Connect),
        "{error}"
    );
    assert!(begun.elapsed() <= NODE_WITHIN * 2);
}

#[tokio::test]
async fn a_call_begins_with_the_node_that_answered_last() {
    let asked = Arc::new(AtomicUsize::new(0));
    let replica = Fake::server("replica").await;
    let count = Arc::clone(&asked);
    let named = replica.address.clone();
    let late = Fake::start(move |command| match command {
        [sentinel, ..] if sentinel == "SENTINEL" => {
            count.fetch_add(1, Relaxed);
            array(&[&named.host, &named.port.to_string()])
        }
        _ => hello(""),
    })
    .await;
    let server = Fake::server("master").await;
    let good = Fake::sentinel(&server.address).await;
    let config = sentinels(&[&late, &good]);
    let redis = Redis::new(&config, &config.login).unwrap();
    for _ in 0..3 {
        redis.primary(b"key", OPTIONS).await.unwrap();
    }
    assert_eq!(asked.load(Relaxed), 1);
}

#[test]
fn what_tells_that_a_node_is_the_primary_no_more_is_moved() {
    let error = |code: &str| {
        let detail = Some("3999 127.0.0.1:6381".to_owned());
        ::redis::make_extension_error(code.to_owned(), detail)
    };
    assert!(is_moved(&error("UNBLOCKED")));
    assert!(!is_moved(&error("WRONGPASS")));
    let moved = ::redis::RedisError::from((::redis::ServerErrorKind::Moved.into(), "moved"));
    assert!(is_moved(&moved));
}
