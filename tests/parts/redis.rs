//! A real Redis as a process, alone; [`sentinel`] and [`cluster`] put several together.
//!
//! `SUBGATE_REDIS` names the folder of parts that has the server; `redis-8.2` where it is not set. Only
//! `redis-7.0` was built with TLS: a server with TLS is always that one.

pub(crate) mod cluster;
pub(crate) mod sentinel;

use super::authority::Authority;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Users beside `default`, who is off, as a file of `ACL` has them. The operator is [`Redis::cli`].
pub(crate) const USERS: &str = "user writer on >writer-password ~* &* +@all -@admin -@dangerous\n\
     user reader on >reader-password ~* &* -@all +@read +@connection\n";

/// How long servers may take to agree on something: an election that came to nothing is held again
/// after seconds, on a busy machine more than once.
const AGREEMENT: Duration = Duration::from_secs(90);

const OPERATOR: [&str; 5] = [
    "--user",
    "operator",
    "--pass",
    "operator-password",
    "--no-auth-warning",
];

/// How a server is to be started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    address: Option<SocketAddr>,
    tls: bool,
    users: Option<String>,
    append_only: bool,
    sentinel: Option<String>,
    more: Vec<String>,
}

impl Options {
    /// At this address, not one of the moment.
    pub(crate) fn at(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// With TLS alone, by [`Redis::authority`]; a client may show a certificate.
    pub(crate) fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// With users by these rules, and nobody without a name.
    pub(crate) fn users(mut self, rules: &str) -> Self {
        self.users = Some(rules.to_owned());
        self
    }

    /// What is written is on disk before it is acknowledged.
    pub(crate) fn append_only(mut self) -> Self {
        self.append_only = true;
        self
    }

    /// As a replica of another.
    pub(crate) fn replica_of(self, primary: SocketAddr) -> Self {
        let (host, port) = (primary.ip().to_string(), primary.port().to_string());
        self.with(&["--replicaof", &host, &port])
    }

    /// As a Sentinel, with these lines in its file.
    fn sentinel(mut self, lines: String) -> Self {
        self.sentinel = Some(lines);
        self
    }

    /// With more arguments, as the program takes them.
    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.more
            .extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Starts, and waits until it answers.
    pub(crate) async fn start(self) -> Redis {
        let mut redis = self.launch();
        redis.ready().await;
        redis
    }

    /// Starts, without waiting.
    fn launch(self) -> Redis {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("data")).expect("a folder");
        if self.tls {
            Authority::new(folder.path(), "ca").signs(folder.path(), "server");
        }
        if let Some(users) = &self.users {
            let users = format!(
                "user default off\nuser operator on >operator-password ~* &* +@all\n{users}"
            );
            fs::write(folder.path().join("users.acl"), users).expect("a file");
        }
        let address = self.address.unwrap_or_else(super::free_address);
        let process = spawn(&self, address, &folder);
        Redis {
            options: self,
            address,
            folder,
            process,
        }
    }
}

/// A running server; it is killed when it is dropped.
pub(crate) struct Redis {
    options: Options,
    address: SocketAddr,
    folder: TempDir,
    process: Child,
}

impl Redis {
    /// Starts one that everybody may use, in plain text, and that keeps nothing on disk.
    pub(crate) async fn start() -> Self {
        Self::options().start().await
    }

    /// How it may be started otherwise.
    pub(crate) fn options() -> Options {
        Options::default()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without credentials.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.options.tls { "rediss" } else { "redis" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate of the authority that signed its own, where it has TLS.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// Kills it, and waits for its end.
    pub(crate) fn kill(&mut self) {
        let _already_gone = self.process.kill();
        self.process.wait().expect("it ends");
    }

    /// Kills it, where it lives, and starts it with what it has on disk.
    pub(crate) async fn restart_with_data(&mut self) {
        self.kill();
        self.process = spawn(&self.options, self.address, &self.folder);
        self.ready().await;
    }

    /// Kills it, where it lives, and starts it with nothing.
    pub(crate) async fn restart_empty(&mut self) {
        self.kill();
        let data = self.folder.path().join("data");
        fs::remove_dir_all(&data).expect("a folder");
        fs::create_dir(&data).expect("a folder");
        self.restart_with_data().await;
    }

    /// Stops it where it is: its connections stay, and nothing comes of them.
    pub(crate) fn pause(&self) {
        super::signal(self.process.id(), "STOP");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        super::signal(self.process.id(), "CONT");
    }

    /// What it answers to a command, as `redis-cli` prints it; an error is text too.
    pub(crate) fn cli(&self, command: &[&str]) -> String {
        let user: &[&str] = match self.options.users {
            Some(_) => &OPERATOR,
            None => &[],
        };
        let said = Command::new(super::part("bin/redis-cli"))
            .arg("-s")
            .arg(self.folder.path().join("redis.sock"))
            .args(user)
            .args(command)
            .output()
            .expect("`redis-cli` runs");
        String::from_utf8_lossy(&said.stdout).trim_end().to_owned()
    }

    /// How often which command was called; not those with which tests look at it.
    pub(crate) fn commands(&self) -> BTreeMap<String, u64> {
        let said = self.cli(&["info", "commandstats"]);
        let called = said.lines().filter_map(|line| {
            let (name, values) = line.strip_prefix("cmdstat_")?.split_once(':')?;
            let calls = values.strip_prefix("calls=")?.split(',').next()?;
            Some((name.to_owned(), calls.parse().ok()?))
        });
        called
            .filter(|(name, _)| !["info", "auth", "ping"].contains(&name.as_str()))
            .collect()
    }

    /// How many commands were called; not those with which tests look at it.
    pub(crate) fn command_count(&self) -> u64 {
        self.commands().values().sum()
    }

    /// The bytes that it has allocated.
    pub(crate) fn memory(&self) -> u64 {
        let used = self.info("memory", "used_memory");
        used.parse().expect("a number of bytes")
    }

    /// The time that it has spent on a processor.
    pub(crate) fn cpu(&self) -> Duration {
        let spent = ["used_cpu_user", "used_cpu_sys"].map(|field| {
            let seconds = self.info("cpu", field);
            Duration::from_secs_f64(seconds.parse().expect("seconds"))
        });
        spent.iter().sum()
    }

    /// A field of a section of `INFO`; empty where there is none.
    pub(crate) fn info(&self, section: &str, field: &str) -> String {
        let said = self.cli(&["info", section]);
        let mut fields = said.lines().filter_map(|line| line.trim().split_once(':'));
        let found = fields.find_map(|(name, value)| (name == field).then_some(value));
        found.unwrap_or_default().to_owned()
    }

    async fn ready(&mut self) {
        super::until("Redis is ready", async || {
            let ended = self.process.try_wait().expect("a process");
            assert!(ended.is_none(), "Redis ended: {ended:?}: {}", self.log());
            self.cli(&["ping"]) == "PONG"
        })
        .await;
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _already_gone = self.process.wait();
    }
}

fn spawn(options: &Options, address: SocketAddr, folder: &TempDir) -> Child {
    let port = address.port().to_string();
    let path = |name: &str| folder.path().join(name);
    let _not_there = fs::remove_file(path("redis.sock"));
    let mut command = Command::new(server(options.tls));
    if let Some(lines) = &options.sentinel {
        let file = path("data").join("sentinel.conf");
        if !file.exists() {
            fs::write(&file, lines).expect("a file");
        }
        command.arg(file).arg("--sentinel");
    } else {
        command.args(["--save", ""]);
    }
    command
        .args(["--bind", "127.0.0.1"])
        .arg("--unixsocket")
        .arg(path("redis.sock"))
        .arg("--logfile")
        .arg(path("log"))
        .arg("--dir")
        .arg(path("data"));
    if options.tls {
        command.args(["--port", "0", "--tls-port", &port]);
        command.args(["--tls-auth-clients", "optional"]);
        let files = [
            ("--tls-cert-file", "server.crt"),
            ("--tls-key-file", "server.key"),
            ("--tls-ca-cert-file", "ca.crt"),
        ];
        for (argument, file) in files {
            command.arg(argument).arg(path(file));
        }
    } else {
        command.args(["--port", &port]);
    }
    if options.users.is_some() {
        command.arg("--aclfile").arg(path("users.acl"));
    }
    if options.append_only {
        command.args(["--appendonly", "yes", "--appendfsync", "always"]);
    }
    command
        .args(&options.more)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} starts: {error}"))
}

/// The program of the version that is tested.
fn server(tls: bool) -> PathBuf {
    let version = if tls {
        "redis-7.0".to_owned()
    } else {
        version()
    };
    super::part(&format!("{version}/redis-server"))
}

fn version() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the Makefile says which version is tested"
    )]
    let told = std::env::var("SUBGATE_REDIS");
    told.unwrap_or_else(|_| "redis-8.2".to_owned())
}
