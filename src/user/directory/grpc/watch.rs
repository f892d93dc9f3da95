//! `Watch`: what happens, from wherever we were, for as long as anybody listens.

mod event;

use super::super::Change;
use super::link::Link;
use super::wire::google::protobuf;
use super::wire::{WatchRequest, WatchResponse, watch_response::News};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::uri::PathAndQuery;
use prost::DecodeError;
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

const WATCH: PathAndQuery = PathAndQuery::from_static("/subgate.directory.v1.Directory/Watch");

/// How often the server is to say something.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long it may say nothing before the stream is taken for dead.
const SILENCE: Duration = Duration::from_secs(15);

/// The longest resume token that is kept, in bytes.
const MAX_TOKEN: usize = 1024;

/// What came of watching, for the metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Streams that began.
    pub begun: AtomicU64,
    /// Streams that could not begin, broke, or fell silent.
    pub lost: AtomicU64,
    /// Events that were told.
    pub events: AtomicU64,
    /// Messages and events that were not understood, and skipped.
    pub skipped: AtomicU64,
    /// How often something may have been missed.
    pub missed: AtomicU64,
}

/// Follows a service for ever: connects when it is polled, and again when the stream is lost.
///
/// Where a stream does not go on where the last one ended, the first one of all included, what was
/// answered before it began may be untrue: that is [`Change::Missed`]. The log names the endpoint.
pub(super) fn changes<S: Source>(
    source: S,
    endpoint: String,
    realms: Vec<Arc<str>>,
    counts: Arc<Counts>,
) -> impl Stream<Item = Change> + Send {
    let follower = Follower {
        source,
        endpoint,
        realms,
        counts,
        token: Bytes::new(),
        stream: None,
        resumed: false,
        lacks_it: false,
        told: VecDeque::new(),
        pauses: pauses(),
    };
    futures_util::stream::unfold(follower, |mut follower| async {
        let change = follower.next().await;
        Some((change, follower))
    })
}

/// Something that begins streams.
pub(super) trait Source: Send + Sync {
    /// Messages, each of which may be none.
    type Messages: Stream<Item = Result<Result<WatchResponse, DecodeError>, Status>> + Send + Unpin;

    /// Begins a stream.
    fn begin(
        &self,
        request: WatchRequest,
    ) -> impl Future<Output = Result<Self::Messages, Status>> + Send;
}

impl Source for Arc<Link> {
    type Messages = Streaming<Result<WatchResponse, DecodeError>>;

    async fn begin(&self, request: WatchRequest) -> Result<Self::Messages, Status> {
        self.stream(request, WATCH).await
    }
}

struct Follower<S: Source> {
    source: S,
    endpoint: String,
    realms: Vec<Arc<str>>,
    counts: Arc<Counts>,
    /// From where to go on; empty where that is not known.
    token: Bytes,
    stream: Option<S::Messages>,
    /// Whether what the stream tells goes on where the last one ended.
    resumed: bool,
    /// Whether the server said that it has no `Watch`, and the log tells so already.
    lacks_it: bool,
    /// What was read and not yet handed on.
    told: VecDeque<Change>,
    pauses: ExponentialBackoff,
}

/// Why a stream is over.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("{:?}: {}", .0.code(), one_line(.0.message()))]
    Failed(Status),
    #[error("the server ended it")]
    Ended,
    #[error("nothing came for 15 s")]
    Silent,
}

impl<S: Source> Follower<S> {
    async fn next(&mut self) -> Change {
        loop {
            if let Some(change) = self.told.pop_front() {
                return change;
            }
            let lost = match &mut self.stream {
                None => match timeout(SILENCE, self.begin()).await {
                    Ok(Ok(())) => continue,
                    Ok(Err(status)) => Lost::Failed(status),
                    Err(_) => Lost::Silent,
                },
                Some(stream) => match timeout(SILENCE, stream.next()).await {
                    Ok(Some(Ok(message))) => {
                        self.read(message);
                        continue;
                    }
                    Ok(Some(Err(status))) => Lost::Failed(status),
                    Ok(None) => Lost::Ended,
                    Err(_) => Lost::Silent,
                },
            };
            self.lose(&lost).await;
        }
    }

    async fn begin(&mut self) -> Result<(), Status> {
        let request = WatchRequest {
            realms: self.realms.iter().map(ToString::to_string).collect(),
            resume_token: self.token.clone(),
            heartbeat_every: Some(protobuf::Duration {
                seconds: HEARTBEAT.as_secs().cast_signed(),
                nanos: 0,
            }),
        };
        self.resumed = !self.token.is_empty();
        self.stream = Some(self.source.begin(request).await?);
        self.counts.begun.fetch_add(1, Relaxed);
        Ok(())
    }

    fn read(&mut self, message: Result<WatchResponse, DecodeError>) {
        // It speaks: the next pause is short again.
        self.pauses = pauses();
        self.lacks_it = false;
        let WatchResponse { resume_token, news } = match message {
            Ok(message) => message,
            Err(error) => return self.skip("", &error),
        };
        if matches!(news, Some(News::Reset(_))) {
            self.token.clear();
            self.resumed = false;
        }
        if !self.resumed {
            self.resumed = true;
            self.miss();
        }
        match news {
            Some(News::Event(event)) => match event::read(&event, &self.realms) {
                Ok(event) => {
                    self.counts.events.fetch_add(1, Relaxed);
                    self.told.push_back(Change::Event(event));
                }
                Err(error) => self.skip(&event.id, &error),
            },
            Some(News::Heartbeat(_) | News::Reset(_)) => {}
            None => self.skip("", &"expected an event, a heartbeat or a reset"),
        }
        if resume_token.len() > MAX_TOKEN {
            self.token.clear();
            self.skip("", &"expected a resume token of at most 1 KiB");
        } else if !resume_token.is_empty() {
            // A copy: a slice would keep the buffer that it came in.
            self.token = Bytes::copy_from_slice(&resume_token);
        }
    }

    fn miss(&mut self) {
        self.counts.missed.fetch_add(1, Relaxed);
        self.told.push_back(Change::Missed);
    }

    fn skip(&self, id: &str, error: &dyn std::fmt::Display) {
        self.counts.skipped.fetch_add(1, Relaxed);
        let (id, error) = (one_line(id), one_line(&error.to_string()));
        let endpoint = &self.endpoint;
        tracing::warn!(
            endpoint,
            id,
            error,
            "a message of the directory's Watch was skipped"
        );
    }

    /// Forgets the stream, and waits a little.
    async fn lose(&mut self, lost: &Lost) {
        let began = self.stream.take().is_some();
        self.counts.lost.fetch_add(1, Relaxed);
        // A message beyond our bound is `OUT_OF_RANGE` too: resumed, it would come again for ever.
        if let Lost::Failed(status) = lost
            && matches!(status.code(), Code::OutOfRange | Code::FailedPrecondition)
        {
            self.token.clear();
        }
        let pause = self.pauses.next().unwrap_or(LONGEST_PAUSE);
        if let Some(what) = self.news(lost, began) {
            tracing::warn!(
                endpoint = self.endpoint,
                error = %lost,
                resumable = !self.token.is_empty(),
                pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "{what}"
            );
        }
        tokio::time::sleep(pause).await;
    }

    /// What the log is to say; nothing where it did, and a server without `Watch` still has none.
    fn news(&mut self, lost: &Lost, began: bool) -> Option<&'static str> {
        if let Lost::Failed(status) = lost
            && status.code() == Code::Unimplemented
        {
            let told = std::mem::replace(&mut self.lacks_it, true);
            return (!told).then_some(
                "the directory has no Watch: set `users.grpc.watch: false`, or implement Watch",
            );
        }
        Some(if began {
            "the directory's Watch was lost; it begins again after the pause"
        } else {
            "the directory's Watch could not begin; it is tried again after the pause"
        })
    }
}

const LONGEST_PAUSE: Duration = Duration::from_secs(30);

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .with_jitter()
        .with_jitter_seed(RandomState::new().hash_one(()))
        .build()
}

/// The server may have chosen it.
fn one_line(text: &str) -> String {
    text.chars()
        .take(300)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests;
