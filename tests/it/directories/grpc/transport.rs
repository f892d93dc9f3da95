//! How a gRPC directory is reached, and what becomes of calls whose connection is bad.

use super::{House, Service, look_up, open, record};
use crate::parts::authority::Authority;
use crate::parts::http::{Answer as Said, Server};
use crate::parts::until;
use serde_json::json;
use std::fs;
use std::time::Duration;
use subgate::user::directory::{Directory, Reason};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

async fn reason(directory: &dyn Directory) -> Reason {
    let answered = look_up(directory, Some("acme"), false).await;
    answered.expect_err("no answer").reason
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_a_call_that_is_given_up_harms_no_other() {
    let mut house = House::open("");
    house.says(&json!({"user": record()}));
    house.found().await;
    house.service.order("down", &json!({}));
    until("the port is closed", async || {
        house.reason().await == Reason::Connect
    })
    .await;
    house.service.order("up", &json!({}));
    until("it is reached again", async || {
        look_up(&*house.directory, Some("acme"), false)
            .await
            .is_ok()
    })
    .await;

    house.service.order("answer", &json!({"after": 60}));
    let asking = look_up(&*house.directory, Some("acme"), false);
    let given_up = tokio::time::timeout(Duration::from_millis(100), asking).await;
    assert!(given_up.is_err(), "{given_up:?}");
    house.says(&json!({"user": record()}));
    house.found().await;

    house.service.replace();
    house.says(&json!({"user": record()}));
    until("another process is reached", async || {
        look_up(&*house.directory, Some("acme"), false)
            .await
            .is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_service_on_a_unix_socket_is_reached() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut service = Service::start_on_socket(&folder.path().join("users.sock"));
    service.order("answer", &json!({"message": {"user": record()}}));
    let users = format!("  grpc: {{endpoint: '{}'}}\n", service.address());
    let directory = open(folder.path(), &users);
    let answered = look_up(&*directory, Some("acme"), false).await;
    assert!(answered.is_ok(), "{answered:?}");
    drop(service);
    until("the socket is seen to be closed", async || {
        reason(&*directory).await == Reason::Connect
    })
    .await;
}

/// Carries connections on to a server; what it carries is lost in it once it is a hole, but for
/// connections that are made after that.
async fn carry(from: TcpListener, to: String, hole: watch::Sender<bool>) {
    loop {
        let (mut client, _) = from.accept().await.expect("a connection");
        let to = to.clone();
        let mut hole = hole.subscribe();
        hole.mark_unchanged();
        tokio::spawn(async move {
            let mut server = TcpStream::connect(to).await.expect("the server");
            tokio::select! {
                _ended = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                _swallowed = hole.changed() => std::future::pending().await,
            }
        });
    }
}

#[tokio::test]
async fn a_peer_that_vanishes_without_a_word_is_given_up_after_three_calls() {
    let mut service = Service::start();
    service.order("answer", &json!({"message": {"user": record()}}));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let hole = watch::Sender::new(false);
    let carrying = tokio::spawn(carry(listener, service.address().to_owned(), hole.clone()));
    let folder = tempfile::tempdir().expect("a folder");
    let users = format!("  grpc: {{endpoint: 'http://{address}', watch: false}}\n");
    let directory = open(folder.path(), &users);
    let answered = async || {
        let asking = look_up(&*directory, Some("acme"), false);
        let answer = tokio::time::timeout(Duration::from_secs(1), asking).await;
        answer.is_ok_and(|answer| answer.is_ok())
    };
    assert!(answered().await);
    hole.send_replace(true);
    for _ in 0..3 {
        assert!(!answered().await);
    }
    until("a new connection is made", answered).await;
    carrying.abort();
}

#[tokio::test]
async fn what_is_no_grpc_server_says_nothing_of_users() {
    let grpc = |status: &str| Said::new(200, "application/grpc", "").header("grpc-status", status);
    for (name, said, expected) in [
        (
            "an ingress's 404",
            Said::new(404, "text/html", "<h1>404</h1>"),
            Reason::UnexpectedStatus,
        ),
        (
            "an ingress's 503",
            Said::new(503, "text/html", "<h1>503</h1>"),
            Reason::ServerError,
        ),
        (
            "an ingress's 403",
            Said::new(403, "text/html", "<h1>403</h1>"),
            Reason::Unauthorized,
        ),
        (
            "an ingress's 200",
            Said::new(200, "text/html", "<h1>welcome</h1>"),
            Reason::ServerError,
        ),
        ("OK and no message", grpc("0"), Reason::ServerError),
        ("a status of no number", grpc("fine"), Reason::ServerError),
        (
            "details that are no Base64",
            grpc("5").header("grpc-status-details-bin", "*/{}"),
            Reason::UnrecognizedNotFound,
        ),
    ] {
        let server = Server::start(move |_| said.clone());
        let folder = tempfile::tempdir().expect("a folder");
        let users = format!("  grpc: {{endpoint: 'http://{}'}}\n", server.address());
        assert_eq!(
            reason(&*open(folder.path(), &users)).await,
            expected,
            "{name}"
        );
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let folder = tempfile::tempdir().expect("a folder");
    let users = format!("  grpc: {{endpoint: 'http://{address}'}}\n");
    let directory = open(folder.path(), &users);
    let hangs_up = tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    let reason = reason(&*directory).await;
    assert!(
        [Reason::Truncated, Reason::Connect].contains(&reason),
        "{reason:?}"
    );
    hangs_up.abort();
}

#[tokio::test]
async fn every_call_bears_the_token_as_the_file_has_it_now() {
    let mut service = Service::start();
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    fs::write(&token, "first-token\n").expect("a file");
    let users = format!(
        "  grpc: {{endpoint: 'http://{}', token_file: token, watch: false}}\n",
        service.address()
    );
    let directory = open(folder.path(), &users);
    let mut sent = async || {
        let _not_found = look_up(&*directory, Some("acme"), false).await;
        service.order("called", &json!({}))[0]["authorization"].clone()
    };
    assert_eq!(sent().await, "Bearer first-token");
    fs::write(&token, "second-token").expect("a file");
    until("the new token is sent", async || {
        sent().await == "Bearer second-token"
    })
    .await;
    assert!(!format!("{directory:?}").contains("second-token"));
    assert!(directory.changes().is_none() && directory.watch_counts().is_none());
}

#[tokio::test]
async fn a_service_proves_itself_by_a_private_authority_and_we_by_a_certificate_taken_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(folder.path(), "ca");
    let stranger = Authority::new(folder.path(), "other-ca");
    authority.signs(folder.path(), "server");
    authority.signs(folder.path(), "known");
    stranger.signs(folder.path(), "client");
    let service = Service::start_with_tls(folder.path());
    let endpoint = |scheme: &str, tls: &str| {
        let address = service.address();
        let users = format!("  grpc: {{endpoint: '{scheme}://{address}', tls: {{{tls}}}}}\n");
        open(folder.path(), &users)
    };
    let strange_server = endpoint("https", "ca_file: other-ca.crt");
    assert_eq!(reason(&*strange_server).await, Reason::Tls);
    // A server refuses a client after the client's handshake (RFC 8446 4.4.2.4).
    let refused = [Reason::Tls, Reason::Truncated];
    let unknown = endpoint("https", "ca_file: ca.crt");
    assert!(refused.contains(&reason(&*unknown).await));
    let plain = endpoint("http", "");
    assert!(matches!(
        reason(&*plain).await,
        Reason::Truncated | Reason::Connect
    ));

    let client = "ca_file: ca.crt, cert_file: client.crt, key_file: client.key";
    let directory = endpoint("https", client);
    assert!(refused.contains(&reason(&*directory).await));
    for end in ["key", "crt"] {
        let [from, to] =
            ["known", "client"].map(|name| folder.path().join(format!("{name}.{end}")));
        fs::copy(from, to).expect("a file");
    }
    until("the new certificate is shown", async || {
        look_up(&*directory, Some("acme"), false).await.is_ok()
    })
    .await;
}
