//! One connection: requests are read, and answered as whole or as broken as they are to be.

use super::{Answer, Form, Handler, Request};
use bytes::Bytes;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A peer that goes away ends its connection, which is all there is to do about it.
pub(super) async fn serve(stream: TcpStream, handler: Handler) {
    let mut first = [0; 3];
    let preface = stream
        .peek(&mut first)
        .await
        .is_ok_and(|_| &first == b"PRI");
    let _gone = if preface {
        serve_http2(stream, handler).await.is_err()
    } else {
        serve_http1(stream, handler).await.is_err()
    };
}

async fn serve_http1(mut stream: TcpStream, handler: Handler) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(request) = read_http1(&mut stream, &mut buffer).await? {
        let answer = handler(&request);
        tokio::time::sleep(answer.after).await;
        stream.write_all(&answer.http1()).await?;
        if answer.form != Form::Whole {
            break;
        }
    }
    Ok(())
}

async fn read_http1(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = buffer.split_off(end + 4);
            break std::mem::replace(buffer, rest);
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut lines = text.trim_end().split("\r\n");
    let mut start = lines
        .next()
        .unwrap_or_default()
        .split(' ')
        .map(str::to_owned);
    let request = Request {
        method: start.next().unwrap_or_default(),
        target: start.next().unwrap_or_default(),
        version: "HTTP/1.1",
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
    };
    let length = request
        .values("content-length")
        .first()
        .and_then(|text| text.parse().ok());
    let length: usize = length.unwrap_or(0);
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    buffer.drain(..length);
    Ok(Some(request))
}

async fn serve_http2(stream: TcpStream, handler: Handler) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(accepted) = connection.accept().await {
        let (asked, respond) = accepted?;
        let (head, _body) = asked.into_parts();
        let request = Request {
            method: head.method.to_string(),
            target: head
                .uri
                .path_and_query()
                .map(ToString::to_string)
                .unwrap_or_default(),
            version: "HTTP/2",
            headers: head
                .headers
                .iter()
                .map(|(name, value)| {
                    (
                        name.to_string(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect(),
        };
        tokio::spawn(answer_http2(handler(&request), respond));
    }
    Ok(())
}

async fn answer_http2(
    answer: Answer,
    mut respond: h2::server::SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    tokio::time::sleep(answer.after).await;
    let mut head = http::Response::builder().status(answer.status);
    let mut trailers = http::HeaderMap::new();
    for (&name, value) in &answer.headers {
        if name.starts_with("grpc-") {
            trailers.insert(name, value.parse().expect("a header's value"));
        } else {
            head = head.header(name, value);
        }
    }
    let mut stream = respond.send_response(head.body(()).expect("a head"), false)?;
    stream.send_data(answer.body, trailers.is_empty())?;
    if !trailers.is_empty() {
        stream.send_trailers(trailers)?;
    }
    Ok(())
}
