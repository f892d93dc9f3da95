use super::*;
use crate::net::listen::{Stream, bind, connect};
use std::fs;
use tempfile::TempPath;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

const TOKEN: &str = "0123456789abcdef";

/// Knows nobody, and breaks down when it is asked for the guard.
#[derive(Debug)]
struct Nobody;

impl Administration for Nobody {
    fn user(&self, query: &UserQuery) -> Result<UserView, AdminError> {
        Err(AdminError::Invalid {
            field: "issuer",
            expected: "one".to_owned(),
            came: query.issuer.clone(),
        })
    }

    fn forget(&self, _: &UserQuery) -> Result<Forgotten, AdminError> {
        Err(AdminError::Conflict("it is so".to_owned()))
    }

    fn guard(&self) -> GuardView {
        panic!("the guard")
    }

    fn release(&self, _: &Release) -> Result<Released, AdminError> {
        Ok(Released {
            released: 3,
            guard: GuardView::default(),
        })
    }

    fn event(&self, _: &EventRequest) -> Result<EventView, AdminError> {
        Err(AdminError::Conflict("it is so".to_owned()))
    }
}

struct Served {
    listener: Listener,
    admin: Admin,
    _file: TempPath,
}

impl Served {
    async fn new() -> Self {
        let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        fs::write(&file, TOKEN).unwrap();
        Self {
            listener: bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap(),
            admin: Admin {
                administration: Arc::new(Nobody),
                token: Token::open(file.to_path_buf()).unwrap(),
            },
            _file: file,
        }
    }

    /// Does something with its address while it serves.
    async fn with<T>(self, does: impl AsyncFnOnce(Address) -> T) -> T {
        let address = self.listener.local_addr();
        tokio::select! {
            done = does(address) => done,
            () = serve(self.listener, None, self.admin) => panic!("it serves for ever"),
        }
    }

    /// What this head and body are answered with, as it stands on the wire.
    async fn said(self, first: &str, more: &str) -> String {
        let asked =
            format!("{first} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n{more}");
        self.with(async |address| said(connect(&address).await.unwrap(), &asked).await)
            .await
    }
}

async fn said(mut stream: Stream, asked: &str) -> String {
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    said
}

const LAST: &str = "connection: close\r\n\r\n";

#[tokio::test]
async fn a_panic_is_a_problem_and_the_next_request_is_another() {
    let twice = format!(
        "\r\nGET /v1/users?issuer=a&subject=b HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n{LAST}"
    );
    let said = Served::new().await.said("GET /v1/guard", &twice).await;
    assert!(said.starts_with("HTTP/1.1 500 "), "{said}");
    assert!(said.contains("urn:subgate:admin:internal"), "{said}");
    assert!(said.contains("HTTP/1.1 400 "), "{said}");
    assert!(said.contains("issuer: expected one, came a"), "{said}");
}

#[tokio::test]
async fn a_refusal_of_the_process_is_a_problem_with_its_status() {
    let said = Served::new()
        .await
        .said("DELETE /v1/users?issuer=a&subject=b", LAST)
        .await;
    assert!(
        said.starts_with("HTTP/1.1 409 ") && said.contains("it is so"),
        "{said}"
    );
    let said = Served::new()
        .await
        .said("POST /v1/guard/release", LAST)
        .await;
    assert!(
        said.starts_with("HTTP/1.1 200 ") && said.contains("\"released\":3"),
        "{said}"
    );
}

#[tokio::test]
async fn a_head_beyond_16_kibibytes_is_refused() {
    let long = format!("x-long: {}\r\n{LAST}", "a".repeat(17 * 1024));
    let said = Served::new().await.said("GET /v1/guard", &long).await;
    assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
}

/// Time is paused: ten seconds pass as soon as nothing else can happen.
#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_left_after_ten_seconds() {
    let began = Instant::now();
    let head = "content-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let said = Served::new().await.said("POST /v1/events", head).await;
    assert!(
        said.starts_with("HTTP/1.1 408 ") && said.contains("too_slow"),
        "{said}"
    );
    assert_eq!(began.elapsed().as_secs(), 10);
}

/// Does this while paused time stands still, as it does while a thread is busy. Should it hang, time
/// goes on after half a minute, and tells.
async fn in_no_time<T>(does: impl Future<Output = T>) -> T {
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let busy = tokio::task::spawn_blocking(move || wait.recv_timeout(Duration::from_secs(30)));
    let outcome = does.await;
    drop(done);
    let _disconnected = busy.await;
    outcome
}

fn asks(with: &str, last: &str) -> String {
    format!("GET /v1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {with}\r\n{last}\r\n")
}

#[tokio::test(start_paused = true)]
async fn an_operator_gets_in_at_once_however_many_connect_and_say_nothing() {
    let began = Instant::now();
    let flooded = async |address: Address| {
        let mut slow = Vec::new();
        for at in 0..2 * CONNECTIONS {
            let mut stream = connect(&address).await.unwrap();
            if at % 2 == 0 {
                stream.write_all(b"GET /v1 HT").await.unwrap();
            }
            slow.push(stream);
        }
        let asked = asks(TOKEN, "connection: close\r\n");
        said(connect(&address).await.unwrap(), &asked).await
    };
    let said = in_no_time(Served::new().await.with(flooded)).await;
    assert!(said.starts_with("HTTP/1.1 404 "), "{said}");
    assert_eq!(began.elapsed(), Duration::ZERO);
}

/// Time is paused: five seconds pass as soon as nothing else can happen.
#[tokio::test(start_paused = true)]
async fn who_does_not_show_the_token_is_left_after_five_seconds() {
    for asked in [
        String::new(),
        "GET /v1 HT".to_owned(),
        asks("not the token itself", ""),
    ] {
        let began = Instant::now();
        let serving = Served::new().await;
        let left = async |address: Address| said(connect(&address).await.unwrap(), &asked).await;
        let said = serving.with(left).await;
        assert_eq!(began.elapsed().as_secs(), 5, "{asked}");
        let expected = if asked.ends_with("\r\n\r\n") {
            "HTTP/1.1 401 "
        } else {
            ""
        };
        assert!(said.starts_with(expected), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_shown_the_token_stays_though_others_flood_in() {
    let kept = async |address: Address| {
        let mut operator = connect(&address).await.unwrap();
        let mut first = [0; 12];
        in_no_time(async {
            operator
                .write_all(asks(TOKEN, "").as_bytes())
                .await
                .unwrap();
            operator.read_exact(&mut first).await.unwrap();
        })
        .await;
        assert_eq!(&first, b"HTTP/1.1 404");
        tokio::time::sleep(Duration::from_secs(8)).await;
        in_no_time(async {
            let mut flood = Vec::new();
            for _ in 0..2 * CONNECTIONS {
                flood.push(connect(&address).await.unwrap());
            }
            said(
                operator,
                &asks("not the token itself", "connection: close\r\n"),
            )
            .await
        })
        .await
    };
    let said = Served::new().await.with(kept).await;
    assert!(said.contains("HTTP/1.1 401 "), "{said}");
}
