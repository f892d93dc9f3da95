use super::*;
use crate::net::listen::{bind, connect};
use crate::telemetry::log::Dropped;
use crate::telemetry::registry::registry;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

struct Served {
    listener: Listener,
    phase: watch::Sender<Phase>,
    health: Health,
}

impl Served {
    async fn new(phase: Phase) -> Self {
        let phase = watch::Sender::new(phase);
        Self {
            listener: bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap(),
            health: Health {
                phase: phase.subscribe(),
                readiness: Readiness::new(),
                registry: Arc::new(registry(Dropped::none())),
            },
            phase,
        }
    }

    /// What a request is answered with, as it stands on the wire.
    async fn said(self, request: &str) -> String {
        let address = self.listener.local_addr();
        let asking = async {
            let mut stream = connect(&address).await.unwrap();
            let request = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut said = String::new();
            stream.read_to_string(&mut said).await.unwrap();
            said
        };
        tokio::select! {
            said = asking => said,
            () = serve(self.listener, self.health) => panic!("it serves for ever"),
        }
    }
}

fn is(said: &str, status: u16, body: &str) -> bool {
    said.starts_with(&format!("HTTP/1.1 {status} ")) && said.ends_with(&format!("\r\n\r\n{body}"))
}

#[tokio::test]
async fn it_is_alive_in_every_phase() {
    for phase in [Phase::Starting, Phase::Serving, Phase::Draining] {
        let said = Served::new(phase).await.said("GET /livez").await;
        assert!(is(&said, 200, "ok\n"), "{said}");
    }
}

#[tokio::test]
async fn it_is_ready_only_while_it_serves() {
    for (phase, status, body) in [
        (Phase::Starting, 503, "starting\n"),
        (Phase::Serving, 200, "serving\n"),
        (Phase::Draining, 503, "draining\n"),
        (Phase::Stopping, 503, "stopping\n"),
        (Phase::Stopped, 503, "stopped\n"),
    ] {
        let said = Served::new(phase).await.said("GET /readyz").await;
        assert!(is(&said, status, body), "{said}");
    }
}

#[tokio::test]
async fn readiness_follows_the_phase() {
    let served = Served::new(Phase::Starting).await;
    served.phase.send_replace(Phase::Serving);
    let said = served.said("GET /readyz").await;
    assert!(is(&said, 200, "serving\n"), "{said}");
}

#[tokio::test]
async fn verbose_names_what_is_waited_for() {
    for query in ["verbose", "verbose=true", "x=y&verbose"] {
        let served = Served::new(Phase::Starting).await;
        let _keys = served.health.readiness.gate("keys: acme");
        let _revocations = served.health.readiness.gate("revocations");
        let said = served.said(&format!("GET /readyz?{query}")).await;
        let body = "starting\nwaiting for keys: acme\nwaiting for revocations\n";
        assert!(is(&said, 503, body), "{said}");
    }
}

#[tokio::test]
async fn metrics_are_openmetrics() {
    let said = Served::new(Phase::Serving).await.said("GET /metrics").await;
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    assert!(said.contains(kind), "{said}");
    assert!(
        said.contains("subgate_build_info{") && said.ends_with("# EOF\n"),
        "{said}"
    );
}

#[tokio::test]
async fn there_is_nothing_else() {
    for path in ["/", "/v1", "/livez/", "/readyz/x", "/debug"] {
        let said = Served::new(Phase::Serving)
            .await
            .said(&format!("GET {path}"))
            .await;
        assert!(is(&said, 404, ""), "{said}");
    }
    let said = Served::new(Phase::Serving).await.said("POST /readyz").await;
    assert!(is(&said, 405, ""), "{said}");
}

/// Time is paused: ten seconds pass as soon as nothing else can happen.
#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_its_request_is_left() {
    let served = Served::new(Phase::Serving).await;
    let address = served.listener.local_addr();
    let asking = async {
        let mut stream = connect(&address).await.unwrap();
        stream.write_all(b"GET /livez HT").await.unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
    };
    tokio::select! {
        () = asking => {}
        () = serve(served.listener, served.health) => panic!("it serves for ever"),
    }
}

/// Time is paused: a minute passes as soon as nothing else can happen.
#[tokio::test(start_paused = true)]
async fn a_client_that_asks_and_never_reads_is_left_after_a_minute() {
    let served = Served::new(Phase::Serving).await;
    let address = served.listener.local_addr().to_string().parse().unwrap();
    let asking = async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let questions = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
        // It ends when the server has closed the connection.
        while stream.write_all(questions.as_bytes()).await.is_ok() {}
    };
    let began = tokio::time::Instant::now();
    tokio::select! {
        () = asking => {}
        () = serve(served.listener, served.health) => panic!("it serves for ever"),
        () = tokio::time::sleep(Duration::from_secs(3600)) => panic!("it is kept for ever"),
    }
    assert_eq!(began.elapsed().as_secs(), 60);
}
