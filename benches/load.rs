//! A closed-loop HTTP/2 load generator that believes no answer before it has read it.

use crate::population::Draw;
use crate::{Error, Result};
use bytes::{Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderMap, Request, StatusCode};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Every so-manieth answer is read in full.
const THOROUGH_EVERY: u32 = 16;
/// Well beyond what is in flight, so that flow control never waits.
const WINDOW: u32 = 1 << 20;
/// How many are asked at a time where each is asked once.
const AT_ONCE: usize = 16;

/// Where the load goes.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// What is asked, and what counts as an answer.
pub(crate) trait Traffic: Send + Sync + 'static {
    /// How many different requests there are.
    fn count(&self) -> usize;

    /// The `nth` request, ready to send.
    fn ask(&self, nth: usize) -> Option<Ask>;

    /// Says what is wrong with the answer to the `nth` request, if anything is; looks at every byte
    /// if `thorough`.
    fn judge(&self, nth: usize, answer: &Answer, thorough: bool) -> Result;
}

/// A prepared request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) head: Request<()>,
    pub(crate) body: Option<Bytes>,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

/// How much at once, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    /// Requests under way on each connection.
    pub(crate) streams: usize,
    /// How long it runs before it counts.
    pub(crate) settle: Duration,
    /// How long it counts.
    pub(crate) count: Duration,
}

/// What came of a load.
#[derive(Debug, Default)]
pub(crate) struct Yield {
    /// How long each answer took that came while it counted.
    pub(crate) latencies: Vec<Duration>,
    /// All good answers, those while it settled too.
    pub(crate) answers: u32,
}

impl Load {
    /// Asks at random for as long as it says; the first bad answer ends it.
    pub(crate) async fn run(self, target: &Target, traffic: &Arc<impl Traffic>) -> Result<Yield> {
        let from = Instant::now() + self.settle;
        let until = from + self.count;
        let mut streams = JoinSet::new();
        for connection in 0..self.connections {
            let send = connect(target).await?;
            for stream in 0..self.streams {
                let nth = u64::try_from(1 + connection * self.streams + stream)?;
                let draw = Draw::seeded(nth << 20);
                streams.spawn(ask_until(
                    send.clone(),
                    Arc::clone(traffic),
                    draw,
                    from,
                    until,
                ));
            }
        }
        let mut sum = Yield::default();
        while let Some(stream) = streams.join_next().await {
            let Yield { latencies, answers } = stream??;
            sum.latencies.extend(latencies);
            sum.answers += answers;
        }
        Ok(sum)
    }
}

/// Asks each request once, many at a time, and reads every answer in full.
pub(crate) async fn ask_each(target: &Target, traffic: &Arc<impl Traffic>) -> Result {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut streams = JoinSet::new();
    for _ in 0..AT_ONCE {
        let mut send = connect(target).await?;
        let (asked, traffic) = (Arc::clone(&asked), Arc::clone(traffic));
        streams.spawn(async move {
            loop {
                let nth = asked.fetch_add(1, Ordering::Relaxed);
                if nth >= traffic.count() {
                    return Result::Ok(());
                }
                let answer = ask(&mut send, nth_of(traffic.as_ref(), nth)?).await?;
                traffic.judge(nth, &answer, true)?;
            }
        });
    }
    while let Some(stream) = streams.join_next().await {
        stream??;
    }
    Ok(())
}

async fn ask_until(
    mut send: SendRequest<Bytes>,
    traffic: Arc<impl Traffic>,
    mut draw: Draw,
    from: Instant,
    until: Instant,
) -> Result<Yield> {
    let mut sum = Yield::default();
    loop {
        let began = Instant::now();
        if began >= until {
            return Ok(sum);
        }
        let nth = draw.below(traffic.count())?;
        let each = nth_of(traffic.as_ref(), nth)?;
        let answer = ask(&mut send, each).await?;
        let took = began.elapsed();
        sum.answers += 1;
        traffic.judge(nth, &answer, sum.answers.is_multiple_of(THOROUGH_EVERY))?;
        if (from..until).contains(&(began + took)) {
            sum.latencies.push(took);
        }
    }
}

fn nth_of(traffic: &impl Traffic, nth: usize) -> Result<Ask> {
    traffic.ask(nth).ok_or_else(|| "no such request".into())
}

/// Sends a request and reads its answer.
pub(crate) async fn ask(send: &mut SendRequest<Bytes>, ask: Ask) -> Result<Answer> {
    poll_fn(|cx| send.poll_ready(cx)).await?;
    let (response, mut stream) = send.send_request(ask.head, ask.body.is_none())?;
    if let Some(body) = ask.body {
        stream.send_data(body, true)?;
    }
    let (head, mut incoming) = response.await?.into_parts();
    let mut body = Bytes::new();
    while let Some(chunk) = incoming.data().await {
        let chunk = chunk?;
        incoming.flow_control().release_capacity(chunk.len())?;
        body = if body.is_empty() {
            chunk
        } else {
            joined(&body, &chunk)
        };
    }
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body,
        trailers: incoming.trailers().await?,
    })
}

fn joined(head: &[u8], tail: &[u8]) -> Bytes {
    let mut whole = BytesMut::with_capacity(head.len() + tail.len());
    whole.extend_from_slice(head);
    whole.extend_from_slice(tail);
    whole.freeze()
}

/// Opens a connection.
pub(crate) async fn connect(target: &Target) -> Result<SendRequest<Bytes>> {
    match target {
        Target::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            handshake(stream).await
        }
        Target::Unix(path) => handshake(UnixStream::connect(path).await?).await,
    }
}

async fn handshake<S>(stream: S) -> Result<SendRequest<Bytes>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (send, connection) = h2::client::Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .enable_push(false)
        .handshake(stream)
        .await
        .map_err(|error| Error::from(format!("no HTTP/2 connection: {error}")))?;
    // A connection that breaks fails the requests on it, which say so.
    drop(tokio::spawn(connection));
    Ok(send)
}
