//! The server that subgate is measured against: tonic with the full `envoy-types`, one answer.

use crate::Result;
use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::authorization_server::{
    Authorization, AuthorizationServer,
};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse, OkHttpResponse};
use envoy_types::pb::google::protobuf::BoolValue;
use envoy_types::pb::google::rpc;
use std::net::SocketAddr;
use std::path::Path;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// The value of `x-user-id` in every answer.
pub(crate) const USER_ID: &str = "user-000000";
const HEADERS: [(&str, &str); 3] = [
    ("x-user-id", USER_ID),
    ("x-tenant-id", "tenant-0"),
    ("x-user-roles", "editor,viewer"),
];

/// Serves on both until it is killed; `TOKIO_WORKER_THREADS` says on how many threads.
pub(crate) fn serve(tcp: SocketAddr, unix: &Path) -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let unix = UnixListenerStream::new(UnixListener::bind(unix)?);
        let over_unix = tokio::spawn(
            Server::builder()
                .add_service(AuthorizationServer::new(Noop))
                .serve_with_incoming(unix),
        );
        let over_tcp = tokio::spawn(
            Server::builder()
                .add_service(AuthorizationServer::new(Noop))
                .serve(tcp),
        );
        over_tcp.await??;
        Ok(over_unix.await??)
    })
}

struct Noop;

#[tonic::async_trait]
impl Authorization for Noop {
    async fn check(
        &self,
        _: Request<CheckRequest>,
    ) -> std::result::Result<Response<CheckResponse>, Status> {
        Ok(Response::new(CheckResponse {
            status: Some(rpc::Status::default()),
            http_response: Some(HttpResponse::OkResponse(OkHttpResponse {
                headers: HEADERS.map(|(key, value)| set(key, value)).to_vec(),
                ..OkHttpResponse::default()
            })),
            ..CheckResponse::default()
        }))
    }
}

#[expect(deprecated, reason = "Envoy looks at `append` first, by version")]
fn set(key: &str, value: &str) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue {
            key: key.to_owned(),
            value: value.to_owned(),
            ..HeaderValue::default()
        }),
        append: Some(BoolValue { value: false }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        ..HeaderValueOption::default()
    }
}
