//! `envoy.service.auth.v3.Authorization/Check`: bytes in, bytes out, one record each.
//!
//! Every message that Envoy can send is answered with a `CheckResponse`: to Envoy a gRPC error is no
//! denial but a failure, which `failure_mode_allow` turns into a pass. What is left to gRPC is a
//! message over 16 MiB, or compressed, which Envoy does not do unless told to.

use super::generation::Generation;
use crate::clock::Clock;
use crate::decision::{Moment, Permit, Record, Refusal};
use crate::envoy::{Answer, decode};
use crate::load::Load;
use crate::request::{Once, Request};
use arc_swap::ArcSwap;
use bytes::{Buf, BufMut, Bytes};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, UnaryService};
use tower_service::Service;

/// The longest message that is read, in bytes. Headers are bounded by Envoy (60 KiB unless configured);
/// this is for bodies, which `with_request_body` may add and nobody here reads.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// How long a decision may take where Envoy does not say how long it waits (Envoy's default).
const PATIENCE: Duration = Duration::from_millis(200);

/// Answers `Check` by the current generation of the configuration.
#[derive(Clone, Debug)]
pub struct Authorization {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    current: Arc<ArcSwap<Generation>>,
    clock: Arc<dyn Clock>,
    load: Load,
}

impl Authorization {
    /// Answers by `current`, as long as `load` has room.
    pub fn new(current: Arc<ArcSwap<Generation>>, clock: Arc<dyn Clock>, load: Load) -> Self {
        let shared = Shared {
            current,
            clock,
            load,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Answers one encoded `CheckRequest`; `timeout` is Envoy's.
    pub async fn check(&self, message: Bytes, timeout: Option<Duration>) -> Answer {
        let generation = self.shared.current.load_full();
        let Generation {
            responses, privacy, ..
        } = &*generation;
        let mut record = Record::open(&generation.sink, Instant::now());
        let answer = self.answer(&generation, &message, timeout, &mut record);
        // The panic's hook has told where; a request that we cannot judge is denied.
        let answered = AssertUnwindSafe(answer).catch_unwind().await;
        answered.unwrap_or_else(|_| {
            record.refuse(&Refusal::Panicked);
            Answer::deny(&Refusal::Panicked, None, responses, &record, privacy)
        })
    }

    async fn answer<'m>(
        &self,
        generation: &Generation,
        message: &'m [u8],
        timeout: Option<Duration>,
        record: &mut Record<'m>,
    ) -> Answer {
        let Generation {
            identity,
            responses,
            privacy,
            ..
        } = generation;
        let request = decode::request(message, timeout);
        record.identify(request.as_ref().and_then(request_id));
        let decided = self.decide(generation, request.as_ref(), record).await;
        let allowed = decided.and_then(|permit| Answer::allow(&permit, identity, record, privacy));
        allowed.unwrap_or_else(|refusal| {
            record.refuse(&refusal);
            Answer::deny(&refusal, request.as_ref(), responses, record, privacy)
        })
    }

    /// Decides with a margin of a tenth: we answer before Envoy gives up on us.
    async fn decide(
        &self,
        generation: &Generation,
        request: Option<&Request<'_>>,
        record: &mut Record<'_>,
    ) -> Result<Permit, Refusal> {
        let request = request.ok_or(Refusal::Undecodable)?;
        let patience = request.timeout.unwrap_or(PATIENCE);
        let deadline = record.began() + patience.saturating_sub(patience / 10);
        let place = self
            .shared
            .load
            .admit(deadline)
            .ok_or(Refusal::Overloaded)?;
        let moment = Moment {
            wall: self.shared.clock.now(),
            instant: record.began(),
        };
        generation
            .decider
            .decide(request, moment, &place, record)
            .await
    }
}

/// The `x-request-id` that Envoy made or passed on, if it can be shown as it is.
fn request_id<'m>(request: &Request<'m>) -> Option<&'m str> {
    let Once::One(id) = request.header("x-request-id") else {
        return None;
    };
    let id = std::str::from_utf8(id).ok()?;
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    (id.len() <= 128 && id.bytes().all(safe)).then_some(id)
}

impl NamedService for Authorization {
    const NAME: &'static str = "envoy.service.auth.v3.Authorization";
}

impl Service<http::Request<Body>> for Authorization {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let check = Check(self.clone());
        Box::pin(async move {
            if request.uri().path() != "/envoy.service.auth.v3.Authorization/Check" {
                return Ok(Status::unimplemented(
                    "expected envoy.service.auth.v3.Authorization/Check",
                )
                .into_http());
            }
            let mut grpc = Grpc::new(Plain).max_decoding_message_size(MAX_MESSAGE);
            Ok(grpc.unary(check, request).await)
        })
    }
}

struct Check(Authorization);

impl UnaryService<Bytes> for Check {
    type Response = Answer;
    type Future = BoxFuture<'static, Result<tonic::Response<Answer>, Status>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let authorization = self.0.clone();
        let timeout = request.metadata().get("grpc-timeout");
        let timeout = timeout
            .and_then(|value| value.to_str().ok())
            .and_then(decode::timeout);
        Box::pin(async move {
            Ok(tonic::Response::new(
                authorization.check(request.into_inner(), timeout).await,
            ))
        })
    }
}

/// Messages as the bytes that they are: reading and writing them is [`crate::envoy`]'s affair.
struct Plain;

impl Codec for Plain {
    type Encode = Answer;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Answer;
    type Error = Status;

    fn encode(&mut self, answer: Answer, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(answer.as_bytes());
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
