//! A client that can say anything: HTTP/1.1 written by hand, and gRPC.

use bytes::Bytes;
use serde_json::Value;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Calls one address, each time on a new connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    address: SocketAddr,
}

/// A request as it will be written.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    target: String,
    host: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// An HTTP answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: String,
}

/// What a gRPC caller sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrpcAnswer {
    /// `grpc-status`.
    pub(crate) status: u16,
    /// `grpc-message`, decoded.
    pub(crate) message: String,
}

/// A GET.
pub(crate) fn get(target: &str) -> Request {
    request("GET", target)
}

/// A request with any method and target, written as given.
pub(crate) fn request(method: &str, target: &str) -> Request {
    Request {
        method: method.to_owned(),
        target: target.to_owned(),
        host: "shop.example.com".to_owned(),
        headers: Vec::new(),
        body: String::new(),
    }
}

impl Request {
    /// With a body of this type.
    pub(crate) fn body(mut self, kind: &str, text: &str) -> Self {
        text.clone_into(&mut self.body);
        self.header("content-type", kind)
            .header("content-length", &text.len().to_string())
    }

    /// With one more header, name and value written as given.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a bearer token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// To another host.
    pub(crate) fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    fn http1(&self) -> String {
        let Self {
            method,
            target,
            host,
            headers,
            body,
        } = self;
        let lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let mut text = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n") + &lines.concat();
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("connection"))
        {
            text += "connection: close\r\n";
        }
        text + "\r\n" + body
    }
}

impl Answer {
    /// The first value under a name; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        headers
            .find(|(one, _)| one.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("expected a JSON body, came {self:?}"))
    }

    /// The code of a denial; empty where the body names none.
    pub(crate) fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The values under a header's name that the service behind saw, out of its answer.
    pub(crate) fn seen(&self, name: &str) -> Vec<String> {
        let body = self.json();
        let headers = body["headers"]
            .as_array()
            .expect("the service's own answer");
        let same = headers.iter().filter(|pair| {
            pair[0]
                .as_str()
                .is_some_and(|one| one.eq_ignore_ascii_case(name))
        });
        same.map(|pair| pair[1].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

impl Client {
    /// A client for an address.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Gets a page.
    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.send(&get(target)).await
    }

    /// Gets a page, if somebody is there.
    pub(crate) async fn try_get(&self, target: &str) -> io::Result<Answer> {
        self.try_send(&get(target)).await
    }

    /// Sends a request.
    ///
    /// # Panics
    /// If no HTTP answer comes.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        self.try_send(request).await.expect("an HTTP answer")
    }

    /// Sends a request, if somebody is there.
    pub(crate) async fn try_send(&self, request: &Request) -> io::Result<Answer> {
        timeout(super::PATIENCE, self.exchange(request)).await?
    }

    async fn exchange(&self, request: &Request) -> io::Result<Answer> {
        exchange(TcpStream::connect(self.address).await?, request).await
    }

    /// Calls a gRPC method with an empty message.
    ///
    /// # Panics
    /// If what comes is not gRPC.
    pub(crate) async fn grpc(&self, path: &str, headers: &[(&str, &str)]) -> GrpcAnswer {
        timeout(super::PATIENCE, self.call(path, headers))
            .await
            .expect("an answer in time")
            .expect("an HTTP/2 answer")
    }

    async fn call(&self, path: &str, headers: &[(&str, &str)]) -> Result<GrpcAnswer, h2::Error> {
        let stream = TcpStream::connect(self.address)
            .await
            .map_err(|_| h2::Reason::CONNECT_ERROR)?;
        let (client, connection) = h2::client::handshake(stream).await?;
        let driver = tokio::spawn(connection);
        let mut call = http::Request::post(format!("http://shop.example.com{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        let mut client = client.ready().await?;
        let call = call.body(()).expect("a request");
        let (answer, mut sending) = client.send_request(call, false)?;
        sending.send_data(Bytes::from_static(&[0; 5]), true)?;
        let (head, mut body) = answer.await?.into_parts();
        while let Some(data) = body.data().await {
            let length = data?.len();
            body.flow_control().release_capacity(length)?;
        }
        // A denial is one HEADERS frame: status and message are in the head.
        let trailers = body.trailers().await?.unwrap_or(head.headers);
        driver.abort();
        let text = |name| {
            let value = trailers
                .get(name)
                .map(http::HeaderValue::as_bytes)
                .unwrap_or_default();
            percent_encoding::percent_decode(value)
                .decode_utf8_lossy()
                .into_owned()
        };
        let status = text("grpc-status").parse().expect("a grpc-status");
        Ok(GrpcAnswer {
            status,
            message: text("grpc-message"),
        })
    }
}

/// Sends a request over a connection that is there, if somebody answers.
pub(crate) async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &Request,
) -> io::Result<Answer> {
    stream.write_all(request.http1().as_bytes()).await?;
    let mut bytes = Vec::new();
    loop {
        let read = stream.read_buf(&mut bytes).await?;
        if let Some(answer) = whole(&bytes, read == 0) {
            return Ok(answer);
        }
        if read == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "answer was cut off",
            ));
        }
    }
}

/// The answer in these bytes, if it is all there.
fn whole(bytes: &[u8], ended: bool) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut answer = Answer {
        status,
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
        body: String::new(),
    };
    let body = &bytes[end + 4..];
    let body = if answer.header("transfer-encoding") == "chunked" {
        dechunk(body)?
    } else if let Ok(length) = answer.header("content-length").parse::<usize>() {
        body.get(..length)?.to_vec()
    } else {
        ended.then(|| body.to_vec())?
    };
    answer.body = String::from_utf8_lossy(&body).into_owned();
    Some(answer)
}

/// A chunked body (RFC 9112 7.1), if its last chunk is there.
fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(rest.get(..line)?).ok()?, 16).ok()?;
        let chunk = rest.get(line + 2..line + 2 + size)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunk);
        rest = rest.get(line + 2 + size + 2..)?;
    }
}
