//! `subgate healthcheck`: is the sidecar ready?

use super::Outcome;
use crate::config;
use crate::net::http::Client;
use crate::net::listen::{Address, connect};
use crate::net::tls::ClientTls;
use clap::Args;
use http::{HeaderMap, Uri};
use hyper_util::rt::TokioIo;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// How long an answer may take: a probe's own time-out is a second by default.
const TIMEOUT: Duration = Duration::from_millis(900);

/// The default of `listen.health`.
const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 19192);

/// What `healthcheck` is told.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  subgate healthcheck
  subgate healthcheck --config /etc/subgate/subgate.yaml
  subgate healthcheck --address unix:/run/subgate/check.sock

Asks /readyz of the health listener (the one in the configuration file, else 127.0.0.1:19192), or with --address the gRPC health service of a check listener.
Exits 0 if the sidecar is ready, 1 if it is not, 2 if there is no answer.")]
pub(super) struct Arguments {
    /// A check listener: HOST:PORT, unix:PATH or unix:@NAME.
    #[arg(long, value_name = "ADDR")]
    address: Option<Address>,
    /// The configuration file, for its `listen.health`.
    #[arg(long, value_name = "FILE", conflicts_with = "address")]
    config: Option<PathBuf>,
}

/// What came of a question.
enum Health {
    Ready,
    NotReady(String),
    NoAnswer(String),
}

pub(super) fn run(
    arguments: &Arguments,
    environment: impl IntoIterator<Item = (String, String)>,
    out: &mut impl Write,
) -> io::Result<Outcome> {
    let Arguments { address, config } = arguments;
    let http = match config.as_ref().map(|path| config::load(path, environment)) {
        None => DEFAULT,
        Some(Ok(loaded)) => loaded.config.listen.health,
        Some(Err(mistakes)) => {
            writeln!(out, "{mistakes}")?;
            return Ok(Outcome::Unknown);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (asked, health) = match address {
        Some(address) => (
            address.to_string(),
            runtime.block_on(over_grpc(address.clone())),
        ),
        None => (
            format!("http://{http}/readyz"),
            runtime.block_on(over_http(http)),
        ),
    };
    match health {
        Health::Ready => {
            writeln!(out, "{asked}: ready")?;
            Ok(Outcome::Done)
        }
        Health::NotReady(why) => {
            writeln!(out, "{asked}: not ready: {why}")?;
            Ok(Outcome::Refused)
        }
        Health::NoAnswer(why) => {
            writeln!(out, "{asked}: no answer: {why}")?;
            Ok(Outcome::Unknown)
        }
    }
}

async fn over_http(address: SocketAddr) -> Health {
    let url = format!("http://{address}/readyz?verbose");
    let asked = match Client::new(&ClientTls::default(), TIMEOUT) {
        Ok(client) => client.get(&url, HeaderMap::new(), 64 * 1024).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(answer) if answer.status == 200 => Health::Ready,
        Ok(answer) => Health::NotReady(
            String::from_utf8_lossy(&answer.body)
                .trim()
                .replace('\n', ", "),
        ),
        Err(error) => Health::NoAnswer(error.to_string()),
    }
}

async fn over_grpc(address: Address) -> Health {
    let asked = tokio::time::timeout(TIMEOUT, async {
        let mut client = HealthClient::new(channel(address).await?);
        client
            .check(HealthCheckRequest::default())
            .await
            .map_err(|status| status.message().to_owned())
    });
    match asked.await {
        Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving => Health::Ready,
        Ok(Ok(answer)) => Health::NotReady(answer.get_ref().status().as_str_name().to_owned()),
        Ok(Err(error)) => Health::NoAnswer(error),
        Err(_) => Health::NoAnswer(format!(
            "nothing within {}",
            humantime::format_duration(TIMEOUT)
        )),
    }
}

/// A channel to any kind of address; the URI is only the authority that HTTP/2 wants to see.
async fn channel(address: Address) -> Result<Channel, String> {
    let endpoint = Endpoint::from_static("http://subgate");
    let connector = tower::service_fn(move |_: Uri| {
        let address = address.clone();
        async move { connect(&address).await.map(TokioIo::new) }
    });
    endpoint
        .connect_with_connector(connector)
        .await
        .map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            cause.unwrap_or_else(|| error.to_string())
        })
}
