//! The gRPC method itself: framed messages over a socket, in and out.

use crate::parts::{PATIENCE, until};
use crate::world::{Told, World, http, question};
use bytes::{BufMut, Bytes, BytesMut};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use http::{HeaderMap, Request};
use std::path::PathBuf;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// A sidecar that serves at a socket.
struct Served {
    world: World,
    socket: PathBuf,
    _running: AbortOnDropHandle<()>,
}

impl Served {
    async fn start() -> Self {
        let mut world = World::start().await;
        let socket = world.file.with_file_name("check.sock");
        let running = world.serve();
        until("the sidecar takes connections", async || {
            UnixStream::connect(&socket).await.is_ok()
        })
        .await;
        Self {
            world,
            socket,
            _running: running,
        }
    }

    /// Calls a method with one message; gives the message that came, if any, and `grpc-status`.
    async fn call(&self, path: &str, message: &[u8], patience: &str) -> (Option<Bytes>, String) {
        let call = self.exchange(path, message, patience);
        timeout(PATIENCE, call)
            .await
            .expect("an answer in time")
            .expect("an HTTP/2 answer")
    }

    async fn exchange(
        &self,
        path: &str,
        message: &[u8],
        patience: &str,
    ) -> Result<(Option<Bytes>, String), h2::Error> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .expect("a connection");
        let (client, connection) = h2::client::handshake(stream).await?;
        let driver = tokio::spawn(connection);
        let mut frame = BytesMut::new();
        frame.put_u8(0);
        frame.put_u32(u32::try_from(message.len()).expect("a length"));
        frame.extend_from_slice(message);
        let head = Request::post(format!("http://subgate{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-timeout", patience)
            .body(())
            .expect("a request");
        let (answer, mut sending) = client.ready().await?.send_request(head, false)?;
        sending.send_data(frame.freeze(), true)?;
        let (head, mut body) = answer.await?.into_parts();
        let mut bytes = BytesMut::new();
        while let Some(data) = body.data().await {
            let data = data?;
            body.flow_control().release_capacity(data.len())?;
            bytes.extend_from_slice(&data);
        }
        let trailers: HeaderMap = body.trailers().await?.unwrap_or(head.headers);
        driver.abort();
        let status = trailers["grpc-status"].to_str().expect("a text").to_owned();
        let message = (bytes.len() > 5).then(|| bytes.freeze().slice(5..));
        Ok((message, status))
    }
}

#[tokio::test]
async fn a_question_over_a_socket_has_its_answer_and_grpc_says_ok_to_both() {
    let served = Served::start().await;
    let bearer = format!("Bearer {}", served.world.issuer.token().sign());
    for (headers, expected) in [
        (vec![("authorization", bearer.as_str())], "allow"),
        (vec![("accept", "*/*")], "token_missing"),
    ] {
        let message = question(Some(http(&headers)), &[]);
        let (answer, status) = served.call(CHECK, &message, "5S").await;
        assert_eq!(status, "0");
        assert_eq!(Told::read(&answer.expect("a message")).code(), expected);
    }
}

/// ENV-03: to Envoy a gRPC error is no denial, so none is sent for what can be answered.
#[tokio::test]
async fn env_03_a_message_that_is_none_is_denied_with_grpc_ok() {
    let served = Served::start().await;
    for message in [&[0xff; 30][..], b"", b"\x0a\xff\xff\xff\xff\x0f"] {
        let (answer, status) = served.call(CHECK, message, "5S").await;
        assert_eq!(status, "0");
        let told = Told::read(&answer.expect("a message"));
        assert_eq!((told.status, told.code()), (503, "internal"));
    }
}

/// ENV-03: the deadline that Envoy writes is kept with a denial, before gRPC's own is over.
#[tokio::test]
async fn env_03_the_deadline_of_the_call_is_kept_with_a_denial() {
    let served = Served::start().await;
    // The keys come first, so that it is the look-up that is late.
    let known = format!("Bearer {}", served.world.issuer.token().sign());
    let message = question(Some(http(&[("authorization", &known)])), &[]);
    served.call(CHECK, &message, "5S").await;
    served.world.users.slow(PATIENCE);
    let stranger = served.world.issuer.token().subject("bob").sign();
    let stranger = format!("Bearer {stranger}");
    let message = question(Some(http(&[("authorization", &stranger)])), &[]);
    let (answer, status) = served.call(CHECK, &message, "1S").await;
    assert_eq!(status, "0");
    let told = Told::read(&answer.expect("a message"));
    assert_eq!((told.status, told.code()), (503, "directory_unavailable"));
}

#[tokio::test]
async fn another_method_is_unimplemented_and_a_message_beyond_16_mebibytes_is_refused() {
    let served = Served::start().await;
    let (answer, status) = served
        .call("/envoy.service.auth.v3.Authorization/Chek", b"", "5S")
        .await;
    assert_eq!((answer, status.as_str()), (None, "12"));
    let (answer, status) = served
        .call(CHECK, &vec![0; 16 * 1024 * 1024 + 1], "5S")
        .await;
    assert_eq!((answer, status.as_str()), (None, "11"));
}

/// ENV-03: with `with_request_body` a question is as long as its body, and nobody here reads that.
#[tokio::test]
async fn env_03_a_question_with_a_body_of_2_mebibytes_is_decided() {
    let served = Served::start().await;
    let bearer = format!("Bearer {}", served.world.issuer.token().sign());
    for (headers, expected) in [
        (vec![("authorization", bearer.as_str())], "allow"),
        (vec![("accept", "*/*")], "token_missing"),
    ] {
        let asked = HttpRequest {
            body: "x".repeat(2 * 1024 * 1024),
            ..http(&headers)
        };
        let message = question(Some(asked), &[]);
        let (answer, status) = served.call(CHECK, &message, "5S").await;
        assert_eq!(status, "0");
        assert_eq!(Told::read(&answer.expect("a message")).code(), expected);
    }
}
