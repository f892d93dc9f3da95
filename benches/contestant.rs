//! The servers that Envoy could ask: subgate, and the bare server it is measured against.

use crate::Result;
use crate::checks::Answers;
use crate::load::Target;
use crate::population::{AUDIENCE, ISSUER, Population};
use crate::process::{Core, Process};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

const READY_WITHIN: Duration = Duration::from_secs(20);

/// The sockets that every contestant listens on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Socket {
    Unix,
    Tcp,
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unix => "Unix socket",
            Self::Tcp => "TCP",
        })
    }
}

/// A running server of `Check`.
#[derive(Debug)]
pub(crate) struct Contestant {
    pub(crate) answers: Answers,
    pub(crate) process: Process,
    tcp: SocketAddr,
    unix: PathBuf,
    /// Where subgate tells its metrics.
    health: Option<SocketAddr>,
}

impl Contestant {
    /// Starts subgate on its defaults with the one issuer and the user service given.
    pub(crate) async fn subgate(
        core: Core,
        population: &Population,
        directory: SocketAddr,
        dir: &Path,
    ) -> Result<Self> {
        let sections = format!(
            "\
tenant:
  required: true
  from: [{{claim: tenant}}]
users:
  http:
    url: 'http://{directory}/v1/tenants/{{tenant}}/users/{{subject}}'
    not_found: {{code: user_not_found}}
  cache: {{fresh: 1h}}
"
        );
        Self::configured(core, &population.key_set()?, &sections, dir).await
    }

    /// Starts subgate with these keys of the one issuer, and these sections.
    pub(crate) async fn configured(
        core: Core,
        key_set: &str,
        sections: &str,
        dir: &Path,
    ) -> Result<Self> {
        let (tcp, health) = (free_port()?, free_port()?);
        let unix = dir.join("subgate.sock");
        let keys = dir.join("keys.json");
        fs::write(&keys, key_set)?;
        let file = dir.join("subgate.yaml");
        let head = head(tcp, &unix, health, &keys);
        fs::write(&file, format!("{head}{sections}"))?;
        let program = Path::new(env!("CARGO_BIN_EXE_subgate"));
        let arguments = ["serve", "--config", &file.to_string_lossy()];
        let mut process = Process::start("subgate", core, program, &arguments, dir)?;
        wait_for(&mut process, health, is_ready).await?;
        Ok(Self {
            answers: Answers::EachUser,
            process,
            tcp,
            unix,
            health: Some(health),
        })
    }

    /// Starts this very program as the bare server; `name` tells several apart.
    pub(crate) async fn noop(core: Core, name: &str, dir: &Path) -> Result<Self> {
        let tcp = free_port()?;
        let unix = dir.join(format!("{name}.sock"));
        let program = std::env::current_exe()?;
        let arguments = ["noop", &tcp.to_string(), &unix.to_string_lossy()];
        let mut process = Process::start(name, core, &program, &arguments, dir)?;
        wait_for(&mut process, tcp, accepts).await?;
        Ok(Self {
            answers: Answers::OneForAll,
            process,
            tcp,
            unix,
            health: None,
        })
    }

    /// Where to reach it.
    pub(crate) fn at(&self, socket: Socket) -> Target {
        match socket {
            Socket::Unix => Target::Unix(self.unix.clone()),
            Socket::Tcp => Target::Tcp(self.tcp),
        }
    }

    pub(crate) fn unix(&self) -> &Path {
        &self.unix
    }

    /// The sample of subgate's metrics that is written so.
    pub(crate) async fn metric(&self, sample: &str) -> Result<f64> {
        let health = self.health.ok_or("only subgate has metrics")?;
        let text = get(health, "/metrics").await?;
        let line = text.lines().find_map(|line| line.strip_prefix(sample));
        let value = line.ok_or_else(|| format!("no metric {sample} in {text}"))?;
        Ok(value.trim().parse()?)
    }
}

/// What every configuration begins with; all that it does not say is subgate's default, log, metrics
/// and metadata included.
fn head(tcp: SocketAddr, unix: &Path, health: SocketAddr, keys: &Path) -> String {
    format!(
        "\
listen:
  check: ['{tcp}', 'unix:{unix}']
  health: {health}
issuers:
- issuer: {ISSUER}
  keys: {{jwks_file: '{keys}'}}
  audiences: [{AUDIENCE}]
",
        unix = unix.display(),
        keys = keys.display(),
    )
}

/// A port of 127.0.0.1 that nothing listens on.
pub(crate) fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Waits until `ready` says so of what the process opens at `address`.
pub(crate) async fn wait_for(
    process: &mut Process,
    address: SocketAddr,
    ready: impl AsyncFn(SocketAddr) -> std::io::Result<bool>,
) -> Result {
    let give_up = Instant::now() + READY_WITHIN;
    while !ready(address).await.unwrap_or(false) {
        process.expect_alive()?;
        if Instant::now() > give_up {
            return Err(format!("{process:?} was not ready within {READY_WITHIN:?}").into());
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Whether anything listens.
pub(crate) async fn accepts(address: SocketAddr) -> std::io::Result<bool> {
    TcpStream::connect(address).await.map(|_| true)
}

/// Whether `/readyz` says 200.
async fn is_ready(address: SocketAddr) -> std::io::Result<bool> {
    Ok(get(address, "/readyz").await?.starts_with("HTTP/1.1 200"))
}

/// The whole answer to a GET, head included.
async fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let ask = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
