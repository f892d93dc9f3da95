//! The admin API of the real process: over TCP, a Unix socket and TLS.

use crate::parts::client::{Answer, Client, exchange, get, request};
use crate::parts::configuration::Configuration;
use crate::parts::issuer::Issuer;
use crate::parts::sidecar::Sidecar;
use crate::parts::{free_address, until};
use crate::transport::Certificates;
use crate::world::{people, program};
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use subgate::net::tls::{ClientTls, Identity};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

const TOKEN: &str = "an-operators-token";

/// A process with these members of `listen`; `{folder}` is where its files are.
async fn sidecar(listen: &str, files: &[(&'static str, &str)]) -> Sidecar {
    let (issuer, users) = (Issuer::start(), people());
    let configuration = Configuration::new(&issuer, &users)
        .listen(&format!("{listen}\nadmin_token_file: admin-token\n"))
        .file("admin-token", TOKEN);
    let configuration = files
        .iter()
        .fold(configuration, |same, (name, text)| same.file(name, text));
    Sidecar::start(program(), |place| configuration.install(place)).await
}

#[tokio::test]
async fn a_new_token_in_the_file_takes_the_old_ones_place_and_none_is_in_the_log() {
    let address = free_address();
    let sidecar = sidecar(&format!("admin: {address}"), &[]).await;
    let client = Client::new(address);
    let event =
        r#"{"type": "user.deleted", "issuer": "acme", "tenant": "acme", "subject": "alice"}"#;
    let tell = async |token: &str| {
        let asked = request("POST", "/v1/events").bearer(token);
        let asked = asked.body("application/json", event);
        client.send(&asked).await.status
    };
    assert_eq!(tell("a-guess-of-somebody").await, 401);
    assert_eq!(tell(TOKEN).await, 200);
    let line = sidecar
        .logged("the event is in the log", |line| {
            line["event"] == "user.deleted"
        })
        .await;
    assert_eq!(
        (line["tenant"].as_str(), line["subject"].as_str()),
        (Some("acme"), Some("alice"))
    );

    let next = "the-next-operators-token";
    sidecar.place().write("admin-token", "too short");
    sidecar
        .logged("the short token is refused", |line| {
            line["what"] == "listen.admin_token_file" && line["level"] == "ERROR"
        })
        .await;
    assert_eq!(tell(TOKEN).await, 200);
    sidecar.place().write("admin-token", &format!("{next}\n"));
    until("the next token opens", async || tell(next).await == 200).await;
    assert_eq!(tell(TOKEN).await, 401);

    let log = sidecar.log().join("\n");
    for secret in [TOKEN, next, "too short", "a-guess-of-somebody"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn a_unix_socket_has_its_mode_and_the_token_is_asked_for_all_the_same() {
    let sidecar = sidecar("admin: 'unix:{folder}/admin.sock?mode=0600'", &[]).await;
    let path = sidecar.place().path("admin.sock");
    let mode = std::fs::metadata(&path)
        .expect("a socket")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let ask = async |asked| {
        let stream = UnixStream::connect(&path).await.expect("a connection");
        exchange(stream, &asked).await.expect("an answer").status
    };
    assert_eq!(ask(get("/v1/guard")).await, 401);
    assert_eq!(ask(get("/v1/guard").bearer(TOKEN)).await, 200);
}

/// Asks over TLS as a client that would rather speak HTTP/2.
async fn ask(address: SocketAddr, tls: &ClientTls) -> io::Result<Answer> {
    let config = tls.load(&[b"h2", b"http/1.1"]).map_err(io::Error::other)?;
    let name = ServerName::try_from("subgate.test").map_err(io::Error::other)?;
    let stream = TcpStream::connect(address).await?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    exchange(stream, &get("/v1/guard").bearer(TOKEN)).await
}

#[tokio::test]
async fn over_tls_the_client_shows_a_certificate_and_the_token_and_new_files_are_taken() {
    let address = free_address();
    let first = Certificates::make();
    let listen = format!(
        "admin: {address}\n\
         admin_tls: {{cert_file: server.pem, key_file: server.key, client_ca_file: ca.pem}}"
    );
    let files = [
        ("ca.pem", first.authority.as_str()),
        ("server.pem", &first.server.0),
        ("server.key", &first.server.1),
        ("client.pem", &first.client.0),
        ("client.key", &first.client.1),
    ];
    let sidecar = sidecar(&listen, &files).await;
    let place = sidecar.place();
    let tls = |identity| ClientTls {
        ca_file: Some(place.path("ca.pem")),
        identity,
    };
    let identity = || Identity {
        cert_file: place.path("client.pem"),
        key_file: place.path("client.key"),
    };
    let answer = ask(address, &tls(Some(identity())))
        .await
        .expect("an answer");
    assert_eq!(answer.status, 200);
    assert!(
        ask(address, &tls(None)).await.is_err(),
        "no certificate, no answer"
    );
    assert!(
        Client::new(address).try_get("/v1/guard").await.is_err(),
        "no TLS, no answer"
    );

    let second = Certificates::make();
    for (name, text) in [
        ("server.key", &second.server.1),
        ("server.pem", &second.server.0),
        ("ca.pem", &second.authority),
        ("client.pem", &second.client.0),
        ("client.key", &second.client.1),
    ] {
        place.write(name, text);
    }
    until("the second authority is believed", async || {
        let answer = ask(address, &tls(Some(identity()))).await;
        answer.is_ok_and(|answer| answer.status == 200)
    })
    .await;
}

#[tokio::test]
async fn clients_that_never_finish_their_request_lock_nobody_out() {
    let address = free_address();
    let _sidecar = sidecar(&format!("admin: {address}"), &[]).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream
            .write_all(b"GET /v1/guard HT")
            .await
            .expect("half a head");
        slow.push(stream);
    }
    // They hold all 64 places, and are let go after ten seconds.
    let answer = Client::new(address).get("/v1/guard").await;
    assert_eq!(answer.status, 401);
    drop(slow);
}
