use super::*;
use crate::net::http::Client;
use crate::net::listen::{Address, bind};
use crate::net::serve::incoming;
use crate::net::tls::{Acceptor, ClientTls, Identity, ServerTls};
use axum::http::HeaderMap;
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Streaming};
use tonic_health::pb::health_check_response::ServingStatus::{NotServing, Serving};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// A server on a port of its own, stopped as the process stops it.
struct Probed {
    phase: watch::Sender<Phase>,
    client: HealthClient<Channel>,
    soft: CancellationToken,
    server: JoinHandle<()>,
}

impl Probed {
    async fn new() -> Self {
        let phase = watch::Sender::new(Phase::Starting);
        let soft = CancellationToken::new();
        let (server, address) = serve(&phase, None, &soft).await;
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self {
            phase,
            client: HealthClient::new(endpoint.connect().await.unwrap()),
            soft,
            server,
        }
    }

    async fn watch(&mut self, name: &str) -> Streaming<HealthCheckResponse> {
        let watch = self.client.watch(asks(name)).await.unwrap();
        watch.into_inner()
    }
}

async fn serve(
    phase: &watch::Sender<Phase>,
    acceptor: Option<Acceptor>,
    soft: &CancellationToken,
) -> (JoinHandle<()>, Address) {
    let (health, follow) = health(phase.subscribe()).await;
    tokio::spawn(follow);
    let listener = bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr();
    let incoming = incoming(vec![(listener, acceptor)], soft);
    let server = tokio::spawn(async move {
        let server = Server::builder().add_service(health);
        let never = std::future::pending();
        server
            .serve_with_incoming_shutdown(incoming, never)
            .await
            .unwrap();
    });
    (server, address)
}

fn asks(name: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: name.to_owned(),
    }
}

async fn says(watch: &mut Streaming<HealthCheckResponse>) -> i32 {
    watch.next().await.unwrap().unwrap().status
}

#[tokio::test]
async fn both_names_follow_the_process_through_its_life() {
    for name in NAMES {
        let mut probed = Probed::new().await;
        let mut watch = probed.watch(name).await;
        assert_eq!(says(&mut watch).await, NotServing as i32);
        let mut checked = Vec::new();
        for (phase, status) in [(Phase::Serving, Serving), (Phase::Draining, NotServing)] {
            probed.phase.send_replace(phase);
            assert_eq!(says(&mut watch).await, status as i32);
            let check = probed.client.check(asks(name)).await.unwrap();
            checked.push(check.into_inner().status);
        }
        assert_eq!(checked, [Serving as i32, NotServing as i32]);
    }
}

#[tokio::test]
async fn other_names_are_unknown() {
    let mut probed = Probed::new().await;
    for name in ["envoy.service.auth.v2.Authorization", "subgate"] {
        let error = probed.client.check(asks(name)).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
    }
}

#[tokio::test]
async fn an_open_watch_does_not_hold_up_the_stop() {
    let mut probed = Probed::new().await;
    probed.phase.send_replace(Phase::Serving);
    let mut watch = probed.watch("").await;
    while says(&mut watch).await != Serving as i32 {}
    probed.phase.send_replace(Phase::Stopping);
    probed.soft.cancel();
    assert_eq!(says(&mut watch).await, NotServing as i32);
    assert!(watch.next().await.is_none_or(|end| end.is_err()));
    probed.server.await.unwrap();
}

/// TLS, ALPN, HTTP/2 and both our ends at once: gRPC's answer to a method that it does not know.
#[tokio::test]
async fn it_is_reached_over_mutual_tls_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let identity = Identity {
        cert_file: dir.path().join("tls.crt"),
        key_file: dir.path().join("tls.key"),
    };
    std::fs::write(&identity.cert_file, made.cert.pem()).unwrap();
    std::fs::write(&identity.key_file, made.signing_key.serialize_pem()).unwrap();
    let own = Some(identity.cert_file.clone());
    let acceptor = Acceptor::new(&ServerTls {
        identity: identity.clone(),
        client_ca_file: own.clone(),
    });
    let (_server, address) = serve(
        &watch::Sender::new(Phase::Serving),
        Some(acceptor.unwrap()),
        &CancellationToken::new(),
    )
    .await;
    let get = async |identity| {
        let tls = ClientTls {
            ca_file: own.clone(),
            identity,
        };
        let client = Client::new(&tls, Duration::from_secs(30)).unwrap();
        let url = format!("https://{address}/unknown");
        client.get(&url, HeaderMap::new(), 1024).await
    };
    let answer = get(Some(identity)).await.unwrap();
    assert_eq!(answer.content_type.as_deref(), Some("application/grpc"));
    assert_eq!(answer.headers["grpc-status"], "12");
    get(None).await.unwrap_err();
}
