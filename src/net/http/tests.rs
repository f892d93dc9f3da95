use super::*;
use crate::net::listen::{Address, Listener, bind};
use crate::net::tls::{Acceptor, Identity, ServerTls};
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const PATIENT: Duration = Duration::from_secs(30);
const LIMIT: usize = 64;

fn client() -> Client {
    Client::new(&ClientTls::default(), PATIENT).unwrap()
}

async fn listener() -> (Listener, String) {
    let listener = bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let Address::Tcp(address) = listener.local_addr() else {
        panic!("bound to TCP");
    };
    (listener, format!("http://{address}/users/1?q=1"))
}

/// Reads a request's head and answers with these bytes, connection by connection.
async fn say(listener: &Listener, answer: &[u8]) -> ! {
    loop {
        let mut stream = listener.accept().await;
        let _request = head(&mut stream).await;
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
    }
}

async fn head(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// What the client makes of a server that says this.
async fn told(answer: &[u8]) -> Result<Answer, HttpError> {
    let (listener, url) = listener().await;
    let client = client();
    tokio::select! {
        got = client.get(&url, HeaderMap::new(), LIMIT) => got,
        never = say(&listener, answer) => never,
    }
}

#[tokio::test]
async fn an_answer_is_its_status_type_headers_and_body() {
    let answer = told(
        b"HTTP/1.1 404 Not Found\r\ncontent-type: Application/JSON; charset=utf-8\r\n\
          age: 3\r\ncontent-length: 2\r\n\r\n{}",
    );
    let answer = answer.await.unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(answer.content_type.as_deref(), Some("application/json"));
    assert_eq!(answer.headers["age"], "3");
    assert_eq!(answer.body, "{}");
}

#[tokio::test]
async fn a_content_type_given_twice_is_none() {
    let answer = told(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-type: text/html\r\n\
          content-length: 0\r\n\r\n",
    );
    assert_eq!(answer.await.unwrap().content_type, None);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let answer = told(
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/login\r\ncontent-length: 0\r\n\r\n",
    );
    let answer = answer.await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers["location"], "http://127.0.0.1:1/login");
}

#[tokio::test]
async fn a_request_carries_our_name_and_the_given_headers() {
    let (listener, url) = listener().await;
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer t".parse().unwrap());
    let server = async {
        let mut stream = listener.accept().await;
        let request = head(&mut stream).await;
        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        request
    };
    let client = client();
    let (request, answer) = tokio::join!(server, client.get(&url, headers, LIMIT));
    assert_eq!(answer.unwrap().status, 204);
    assert!(
        request.starts_with("GET /users/1?q=1 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("\r\nauthorization: Bearer t\r\n"),
        "{request}"
    );
    let name = concat!(
        "\r\nuser-agent: subgate/",
        env!("CARGO_PKG_VERSION"),
        "\r\n"
    );
    assert!(request.contains(name), "{request}");
    assert!(!request.contains("accept-encoding"), "{request}");
}

#[tokio::test]
async fn connections_are_kept_and_used_again() {
    let (listener, url) = listener().await;
    let server = async {
        let mut stream = listener.accept().await;
        for _ in 0..3 {
            let _request = head(&mut stream).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
        }
    };
    let client = client();
    let asking = async {
        for _ in 0..3 {
            let answer = client.get(&url, HeaderMap::new(), LIMIT).await.unwrap();
            assert_eq!(answer.body, "ok");
        }
    };
    tokio::join!(server, asking);
}

#[tokio::test]
async fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
    let answer = |length: usize| {
        let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        answer.push_str(&"x".repeat(length));
        answer.into_bytes()
    };
    assert_eq!(told(&answer(LIMIT)).await.unwrap().body.len(), LIMIT);
    let error = told(&answer(LIMIT + 1)).await.unwrap_err();
    assert!(
        matches!(error, HttpError::TooLarge { limit: LIMIT }),
        "{error}"
    );
    let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..=LIMIT {
        chunked.extend_from_slice(b"1\r\nx\r\n");
    }
    let error = told(&chunked).await.unwrap_err();
    assert!(
        matches!(error, HttpError::TooLarge { limit: LIMIT }),
        "{error}"
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_and_never_a_part() {
    for cut in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"id\":"[..],
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n{\"id\":",
    ] {
        let error = told(cut).await.unwrap_err();
        assert!(matches!(error, HttpError::Body(_)), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_an_error() {
    for garbage in [&b"\x15\x03\x03\x00\x02\x02\x46"[..], b"SSH-2.0-x\r\n", b""] {
        let error = told(garbage).await.unwrap_err();
        assert!(matches!(error, HttpError::Protocol(_)), "{error:?}");
    }
}

#[tokio::test]
async fn time_runs_out_before_and_inside_the_body() {
    for said in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx"] {
        let (listener, url) = listener().await;
        let server = async {
            let mut stream = listener.accept().await;
            let _request = head(&mut stream).await;
            stream.write_all(said).await.unwrap();
            std::future::pending().await
        };
        let client = Client::new(&ClientTls::default(), Duration::from_millis(300)).unwrap();
        let error = tokio::select! {
            got = client.get(&url, HeaderMap::new(), LIMIT) => got.unwrap_err(),
            never = server => never,
        };
        assert!(matches!(error, HttpError::Timeout), "{error:?}");
    }
}

#[tokio::test]
async fn a_closed_port_is_a_failed_connection_whose_cause_is_told_without_the_url() {
    let (listener, url) = listener().await;
    drop(listener);
    let url = url.replace("http://", "http://admin:hunter2@");
    let error = client()
        .get(&url, HeaderMap::new(), LIMIT)
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::Connect(_)), "{error:?}");
    let said = format!("{error} {error:?}");
    assert!(said.contains("refused"), "{said}");
    for secret in ["hunter2", "admin", "users"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[tokio::test]
async fn what_is_no_http_url_is_refused_before_anything_is_sent() {
    for url in [
        "",
        "users/1",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "http://",
    ] {
        let error = client()
            .get(url, HeaderMap::new(), LIMIT)
            .await
            .unwrap_err();
        assert!(matches!(error, HttpError::Url(_)), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_prove_itself_is_a_tls_failure() {
    async fn refuse(stream: &mut (impl AsyncWrite + Unpin)) {
        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, hosts: &[&str]| {
        let hosts: Vec<_> = hosts.iter().map(|&host| host.to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(hosts).unwrap();
        let identity = Identity {
            cert_file: dir.path().join(format!("{name}.crt")),
            key_file: dir.path().join(format!("{name}.key")),
        };
        std::fs::write(&identity.cert_file, made.cert.pem()).unwrap();
        std::fs::write(&identity.key_file, made.signing_key.serialize_pem()).unwrap();
        identity
    };
    let good = write("good", &["127.0.0.1"]);
    let other = write("other", &["127.0.0.1"]);
    let elsewhere = write("elsewhere", &["users.internal"]);
    let rows = [
        (&good, &good, true),
        (&good, &other, false),
        (&elsewhere, &elsewhere, false),
    ];
    for (shown, trusted, passes) in rows {
        let settings = ServerTls {
            identity: shown.clone(),
            client_ca_file: None,
        };
        let acceptor = Acceptor::new(&settings).unwrap();
        let tls = ClientTls {
            ca_file: Some(trusted.cert_file.clone()),
            identity: None,
        };
        let client = Client::new(&tls, PATIENT).unwrap();
        let (listener, url) = listener().await;
        let url = url.replace("http:", "https:");
        let server = async {
            // ALPN agrees on HTTP/2 here, so the answer is not HTTP: only TLS is looked at.
            if let Ok(mut stream) = acceptor.accept(listener.accept().await).await {
                refuse(&mut stream).await;
            }
        };
        let asked = client.get(&url, HeaderMap::new(), LIMIT);
        let ((), got) = tokio::join!(server, asked);
        let failed = matches!(got, Err(HttpError::Tls(_)));
        assert_eq!(failed, !passes, "{got:?}");
    }
}
