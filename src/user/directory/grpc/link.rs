//! The connection: made when needed, over TLS where wanted, with the token of the moment.

mod connector;

pub(super) use connector::Unreachable;

use super::codec::Messages;
use super::{Grpc, GrpcError};
use crate::net::watch::Watch;
use crate::secret::{Form, SecretFile};
use arc_swap::ArcSwap;
use connector::Connector;
use http::StatusCode;
use http::uri::PathAndQuery;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use prost::{DecodeError, Message};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;
use tonic::codegen::BoxFuture;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};
use tower_service::Service;

/// The longest message that is read, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;

/// How long a connection with a call on it may be silent before it is asked for a sign of life. Longer
/// than between two heartbeats: servers take it ill to be asked more often than every five minutes
/// while they send nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long it may take to give one.
const ALIVE_WITHIN: Duration = Duration::from_secs(5);

/// What the server may send ahead of our reading, in bytes: on one call, and on all.
const WINDOWS: (u32, u32) = (128 * 1024, 1024 * 1024);

/// After so many calls in a row that were given up unanswered, the next one gets a new connection: a
/// peer that vanished without a word is told by nothing else where no stream is followed.
const UNANSWERED: u32 = 3;

/// How long a connection is kept at least, so that a slow server is not met with ever new ones.
const KEPT: Duration = Duration::from_secs(5);

/// A connection to the service, shared by all calls.
#[derive(Debug)]
pub(super) struct Link {
    config: Grpc,
    current: Arc<ArcSwap<Channel>>,
    recent: Mutex<Recent>,
    token: Option<SecretFile>,
    _followers: Vec<AbortOnDropHandle<()>>,
}

/// What tells whether anybody is still there.
#[derive(Debug)]
struct Recent {
    /// Calls in a row that were given up unanswered.
    given_up: u32,
    /// When the connection was made ready last.
    since: Instant,
}

impl Link {
    /// Reads certificates and token, and follows their files; connects to nothing yet.
    pub(super) fn open(config: &Grpc) -> Result<Self, GrpcError> {
        let mut followers = Vec::new();
        let files = config.tls.files();
        let watch = (!files.is_empty()).then(|| Watch::new(files));
        let current = Arc::new(ArcSwap::from_pointee(channel(config)?));
        if let Some(watch) = watch {
            let (config, current) = (config.clone(), Arc::clone(&current));
            let following = watch.follow("users.grpc.tls", move || {
                current.store(Arc::new(channel(&config)?));
                Ok::<_, GrpcError>(())
            });
            followers.push(AbortOnDropHandle::new(tokio::spawn(following)));
        }
        let mut token = None;
        if let Some(path) = &config.token_file {
            let watch = Watch::new(vec![path.clone()]);
            let secret = SecretFile::open(path.clone(), Form::Text)?;
            let again = secret.clone();
            let following = watch.follow("users.grpc.token_file", move || again.reload());
            followers.push(AbortOnDropHandle::new(tokio::spawn(following)));
            token = Some(secret);
        }
        Ok(Self {
            config: config.clone(),
            current,
            recent: Mutex::new(Recent {
                given_up: 0,
                since: Instant::now(),
            }),
            token,
            _followers: followers,
        })
    }

    /// Asks once; what came may be no message.
    pub(super) async fn unary<W, R>(
        &self,
        message: W,
        method: PathAndQuery,
    ) -> Result<Result<R, DecodeError>, Status>
    where
        W: Message + 'static,
        R: Message + Default + 'static,
    {
        let unanswered = Unanswered(&self.recent);
        let mut client = self.client().await?;
        let answer = client.unary(self.request(message), method, Messages::new());
        let answer = answer.await;
        unanswered.answered();
        Ok(answer?.into_inner())
    }

    /// Begins a stream of messages, each of which may be none.
    pub(super) async fn stream<W, R>(
        &self,
        message: W,
        method: PathAndQuery,
    ) -> Result<Streaming<Result<R, DecodeError>>, Status>
    where
        W: Message + 'static,
        R: Message + Default + 'static,
    {
        let mut client = self.client().await?;
        let answer = client.server_streaming(self.request(message), method, Messages::new());
        Ok(answer.await?.into_inner())
    }

    async fn client(&self) -> Result<tonic::client::Grpc<Careful>, Status> {
        self.leave_the_dead();
        let channel = Channel::clone(&self.current.load());
        let mut client =
            tonic::client::Grpc::new(Careful(channel)).max_decoding_message_size(MAX_MESSAGE);
        let ready = client.ready().await;
        ready.map_err(|error| Status::from_error(error.into()))?;
        Ok(client)
    }

    /// Takes another connection where nobody answers on this one.
    fn leave_the_dead(&self) {
        let mut recent = self.recent.lock();
        if recent.given_up < UNANSWERED || recent.since.elapsed() < KEPT {
            return;
        }
        *recent = Recent {
            given_up: 0,
            since: Instant::now(),
        };
        // Where the certificates' files do not load any more, the old one stays.
        if let Ok(next) = channel(&self.config) {
            self.current.store(Arc::new(next));
        }
    }

    fn request<W>(&self, message: W) -> Request<W> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            let bearer = [b"Bearer ", token.get().expose()].concat();
            // A token file of visible ASCII is always one.
            if let Ok(mut value) = MetadataValue::try_from(bearer.as_slice()) {
                value.set_sensitive(true);
                request.metadata_mut().insert("authorization", value);
            }
        }
        request
    }
}

/// Counts a call that is dropped before it was answered.
struct Unanswered<'l>(&'l Mutex<Recent>);

impl Unanswered<'_> {
    /// Whatever the answer was: somebody is there.
    fn answered(self) {
        self.0.lock().given_up = 0;
        std::mem::forget(self);
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        let mut recent = self.0.lock();
        recent.given_up = recent.given_up.saturating_add(1);
    }
}

fn channel(config: &Grpc) -> Result<Channel, GrpcError> {
    let connector = Connector::new(&config.endpoint, &config.tls)?;
    let endpoint = Endpoint::from_shared(connector.uri())?
        .user_agent(concat!("subgate/", env!("CARGO_PKG_VERSION")))?
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(ALIVE_WITHIN)
        .keep_alive_while_idle(false);
    Ok(endpoint.connect_with_connector_lazy(connector))
}

/// A channel whose answers are fit for tonic.
///
/// They have no `grpc-status-details-bin`: nothing reads it here, and tonic panics where it is not
/// Base64. With another status than 200 they have no body: tonic would read a proxy's page for a
/// message, and not tell by the status.
#[derive(Clone, Debug)]
struct Careful(Channel);

impl Service<http::Request<Body>> for Careful {
    type Response = http::Response<Body>;
    type Error = tonic::transport::Error;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        const DETAILS: &str = "grpc-status-details-bin";
        let answer = self.0.call(request);
        Box::pin(async move {
            let mut answer = answer.await?;
            answer.headers_mut().remove(DETAILS);
            if answer.status() != StatusCode::OK {
                return Ok(answer.map(|_page| Body::empty()));
            }
            Ok(answer.map(|body| {
                Body::new(body.map_frame(|mut frame| {
                    if let Some(trailers) = frame.trailers_mut() {
                        trailers.remove(DETAILS);
                    }
                    frame
                }))
            }))
        })
    }
}
