//! How a user service is asked: with which headers, and over which TLS.

use super::{REALM, ask, open};
use crate::parts::authority::Authority;
use crate::parts::http::{Answer as Said, Request, Server};
use crate::parts::until;
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::json;
use std::fs;
use std::sync::Arc;
use subgate::net::listen::{Address, Listener, bind};
use subgate::net::tls::{Acceptor, ServerTls};
use subgate::user::directory::{Answer, Reason};

fn alice() -> String {
    json!({"id": "u-1", "subject": "alice", "tenant": "acme"}).to_string()
}

#[tokio::test]
async fn every_request_bears_the_configured_headers_and_the_token_as_the_file_has_it_now() {
    let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
    let server = Server::start({
        let seen = Arc::clone(&seen);
        move |request| {
            seen.lock().push(request.clone());
            Said::new(200, "application/json", alice())
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    fs::write(&token, "first-token\n").expect("a file");
    let users = format!(
        "  http:\n    url: http://{}/{{tenant}}/{{subject}}?i={{issuer}}\n    \
         not_found: {{code: user_not_found}}\n    token_file: token\n    \
         headers: {{x-api: v2, accept: application/vnd.example+json}}\n",
        server.address()
    );
    let directory = open(folder.path(), &users);
    let asked = async || {
        let answer = ask(&*directory, REALM, Some("acme"), "alice").await;
        assert!(matches!(answer, Ok(Answer::Found(_))), "{answer:?}");
        seen.lock().pop().expect("a request")
    };
    let first = asked().await;
    assert_eq!(
        (first.method.as_str(), first.target.as_str()),
        ("GET", "/acme/alice?i=https%3A%2F%2Fid.example.com")
    );
    assert_eq!(first.values("authorization"), ["Bearer first-token"]);
    assert_eq!(first.values("x-api"), ["v2"]);
    assert_eq!(first.values("accept"), ["application/vnd.example+json"]);
    assert!(first.values("cookie").is_empty());

    fs::write(&token, "second-token").expect("a file");
    until("the new token is sent", async || {
        asked().await.values("authorization") == ["Bearer second-token"]
    })
    .await;
    // What is no token changes nothing.
    fs::write(&token, "").expect("a file");
    for _ in 0..3 {
        assert_eq!(
            asked().await.values("authorization"),
            ["Bearer second-token"]
        );
    }
    assert!(!format!("{directory:?}").contains("second-token"));
}

/// Serves `alice` over TLS and HTTP/2 until the test ends.
async fn serve(listener: Listener, acceptor: Acceptor) {
    loop {
        let stream = listener.accept().await;
        let Ok(stream) = acceptor.accept(stream).await else {
            continue;
        };
        tokio::spawn(async move {
            let mut connection = h2::server::handshake(stream).await?;
            while let Some(asked) = connection.accept().await {
                let (_, mut respond) = asked?;
                let mut body = respond.send_response(http::Response::new(()), false)?;
                body.send_data(Bytes::from(alice()), true)?;
            }
            Ok::<_, h2::Error>(())
        });
    }
}

#[tokio::test]
async fn a_service_proves_itself_by_a_private_authority_and_we_by_a_certificate_where_it_asks() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(folder.path(), "ca");
    let _stranger = Authority::new(folder.path(), "other-ca");
    let server = authority.signs(folder.path(), "server");
    authority.signs(folder.path(), "client");
    let known = "ca_file: ca.crt, cert_file: client.crt, key_file: client.key";
    let refused: &[Reason] = &[Reason::Tls];
    // A server tells that it wants a certificate after its own handshake (RFC 8446 4.4.2.4).
    let shown_out: &[Reason] = &[Reason::Tls, Reason::Truncated];
    for (asks_back, tls, expected) in [
        (false, "ca_file: ca.crt", None),
        (false, "ca_file: other-ca.crt", Some(refused)),
        (true, known, None),
        (true, "ca_file: ca.crt", Some(shown_out)),
    ] {
        let settings = ServerTls {
            identity: server.clone(),
            client_ca_file: asks_back.then(|| folder.path().join("ca.crt")),
        };
        let listener = bind(&"127.0.0.1:0".parse().expect("an address"))
            .await
            .expect("a port");
        let Address::Tcp(address) = listener.local_addr() else {
            panic!("expected TCP");
        };
        let serving = tokio::spawn(serve(listener, Acceptor::new(&settings).expect("TLS")));
        let users = format!(
            "  http:\n    url: https://{address}/{{tenant}}/{{subject}}?r={{realm}}\n    \
             not_found: {{code: user_not_found}}\n    tls: {{{tls}}}\n"
        );
        let directory = open(folder.path(), &users);
        match (
            ask(&*directory, REALM, Some("acme"), "alice").await,
            expected,
        ) {
            (Ok(Answer::Found(_)), None) => {}
            (Err(unanswered), Some(reasons)) => {
                assert!(reasons.contains(&unanswered.reason), "{unanswered:?}");
            }
            (other, _) => panic!("{tls}: {other:?}"),
        }
        serving.abort();
    }
}
