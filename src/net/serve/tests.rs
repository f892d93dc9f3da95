use super::*;
use crate::net::listen::{Address, bind, connect};
use crate::net::tls::{ClientTls, Identity, ServerTls};
use rustls::pki_types::ServerName;
use std::path::Path;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_stream::StreamExt as _;

async fn on(address: &str) -> (Listener, Address) {
    let listener = bind(&address.parse().unwrap()).await.unwrap();
    let address = listener.local_addr();
    (listener, address)
}

/// A self-signed certificate for `localhost`, which is its own root.
fn tls() -> (TempDir, Acceptor, ClientTls) {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("tls.crt"), made.cert.pem()).unwrap();
    std::fs::write(path("tls.key"), made.signing_key.serialize_pem()).unwrap();
    let acceptor = Acceptor::new(&ServerTls {
        identity: Identity {
            cert_file: path("tls.crt"),
            key_file: path("tls.key"),
        },
        client_ca_file: None,
    });
    let client = ClientTls {
        ca_file: Some(path("tls.crt")),
        identity: None,
    };
    (dir, acceptor.unwrap(), client)
}

async fn shaken(address: &Address, tls: &ClientTls) -> io::Result<impl Send + use<>> {
    let connector = TlsConnector::from(Arc::new(tls.load(&[b"h2"]).unwrap()));
    let name = ServerName::try_from("localhost").unwrap();
    connector.connect(name, connect(address).await?).await
}

#[tokio::test]
async fn connections_of_all_listeners_come_out_of_one_stream() {
    let dir = tempfile::tempdir().unwrap();
    let (tcp, tcp_at) = on("127.0.0.1:0").await;
    let (unix, unix_at) = on(&format!("unix:{}", dir.path().join("s").display())).await;
    let mut incoming = incoming(vec![(tcp, None), (unix, None)], &CancellationToken::new());
    for address in [unix_at, tcp_at] {
        let mut client = connect(&address).await.unwrap();
        let mut server = incoming.next().await.unwrap().unwrap();
        assert!(matches!(server, Conn::Plain(_)));
        client.write_all(b"x").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'x');
    }
}

#[tokio::test]
async fn slow_and_broken_handshakes_hold_up_nobody() {
    let (_dir, acceptor, tls) = tls();
    let (listener, at) = on("127.0.0.1:0").await;
    let mut incoming = incoming(vec![(listener, Some(acceptor))], &CancellationToken::new());
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(connect(&at).await.unwrap());
    }
    let mut broken = connect(&at).await.unwrap();
    broken.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let (client, server) = tokio::join!(shaken(&at, &tls), incoming.next());
    client.unwrap();
    assert!(matches!(server, Some(Ok(Conn::Tls(_)))), "{server:?}");
}

#[tokio::test]
async fn after_the_stop_the_stream_ends_and_the_sockets_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let (listener, _) = on(&format!("unix:{}", path.display())).await;
    let stop = CancellationToken::new();
    let mut incoming = incoming(vec![(listener, None)], &stop);
    assert!(path.exists());
    stop.cancel();
    assert!(incoming.next().await.is_none());
    assert!(!path.exists());
}

#[tokio::test]
async fn a_connection_that_came_before_the_stop_is_still_served() {
    let (listener, at) = on("127.0.0.1:0").await;
    let stop = CancellationToken::new();
    let _queued = connect(&at).await.unwrap();
    stop.cancel();
    let mut incoming = incoming(vec![(listener, None)], &stop);
    assert!(matches!(incoming.next().await, Some(Ok(Conn::Plain(_)))));
    assert!(incoming.next().await.is_none());
}

async fn gone(path: &Path) {
    while path.exists() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn dropping_the_stream_closes_the_listeners() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let (listener, _) = on(&format!("unix:{}", path.display())).await;
    drop(incoming(vec![(listener, None)], &CancellationToken::new()));
    gone(&path).await;
}

/// Time is paused: whatever is waited for has passed at once, and how long it took is exact.
#[tokio::test(start_paused = true)]
async fn a_handshake_that_lags_holds_up_the_stop_for_a_second_at_most() {
    let (_dir, acceptor, _) = tls();
    let (listener, at) = on("127.0.0.1:0").await;
    let stop = CancellationToken::new();
    let _silent = connect(&at).await.unwrap();
    stop.cancel();
    let began = Instant::now();
    let mut incoming = incoming(vec![(listener, Some(acceptor))], &stop);
    assert!(incoming.next().await.is_none());
    assert!(
        began.elapsed() <= LAST_SHAKE + LINGER,
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_stop_with_nobody_left_to_serve_ends_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let (listener, _) = on(&format!("unix:{}", path.display())).await;
    let stop = CancellationToken::new();
    let incoming = incoming(vec![(listener, None)], &stop);
    stop.cancel();
    drop(incoming);
    gone(&path).await;
}
