//! A sidecar in this process, asked as Envoy asks, with an issuer and a user service beside it.

use crate::parts::configuration::Configuration;
use crate::parts::issuer::Issuer;
use crate::parts::users::{User, Users};
use bytes::Bytes;
use envoy_types::ext_authz::v3::pb::{
    CheckRequest, CheckResponse, DeniedHttpResponse, HeaderValueOption, HttpResponse,
};
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use envoy_types::pb::google::protobuf::value::Kind;
use prost::Message as _;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use subgate::app::{App, Source};
use subgate::clock::{Clock, SystemClock};
use subgate::config;
use subgate::net::listen::Address;
use subgate::server::authorization::Authorization;
use subgate::telemetry::log::Dropped;
use tempfile::TempDir;
use tokio_util::task::AbortOnDropHandle;

/// Everything but Envoy.
pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) users: Users,
    pub(crate) authorization: Authorization,
    /// The process, until it serves.
    pub(crate) app: Option<App>,
    /// The configuration's file.
    pub(crate) file: PathBuf,
    _folder: TempDir,
}

impl World {
    /// The ordinary configuration.
    pub(crate) async fn start() -> Self {
        Self::configured(|same| same).await
    }

    /// The ordinary configuration, changed.
    pub(crate) async fn configured(change: impl FnOnce(Configuration) -> Configuration) -> Self {
        Self::at(Arc::new(SystemClock), change).await
    }

    /// The ordinary configuration, changed, by another clock.
    pub(crate) async fn at(
        clock: Arc<dyn Clock>,
        change: impl FnOnce(Configuration) -> Configuration,
    ) -> Self {
        let issuer = Issuer::start();
        let users = Users::start([
            User::named("alice"),
            User::named("bob").status("disabled"),
            User::named("carol").without_email(),
        ]);
        let folder = tempfile::tempdir().expect("a folder");
        let text = change(Configuration::new(&issuer, &users))
            .in_folder(folder.path())
            .replace("level: info", "level: error");
        let file = folder.path().join("config.yaml");
        std::fs::write(&file, &text).expect("a file");
        let loaded = config::load(&file, []).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let app = App::build(loaded.config, clock, Dropped::none())
            .await
            .expect("a process");
        Self {
            authorization: app.authorization(),
            issuer,
            users,
            app: Some(app),
            file,
            _folder: folder,
        }
    }

    /// Where its health is told, before it serves.
    pub(crate) fn health(&self) -> std::net::SocketAddr {
        let app = self
            .app
            .as_ref()
            .expect("a process that does not serve yet");
        match app.health_address() {
            Address::Tcp(address) => address,
            other @ (Address::Unix { .. } | Address::Abstract(_)) => {
                panic!("expected TCP, came {other}")
            }
        }
    }

    /// Where its admin API is, before it serves.
    pub(crate) fn admin(&self) -> std::net::SocketAddr {
        let app = self
            .app
            .as_ref()
            .expect("a process that does not serve yet");
        match app.admin_address() {
            Some(Address::Tcp(address)) => address,
            other => panic!("expected TCP, came {other:?}"),
        }
    }

    /// Serves, and follows the configuration's file, until the handle is dropped.
    pub(crate) fn serve(&mut self) -> AbortOnDropHandle<()> {
        let path = self.file.clone();
        let source = Source::new(path.clone(), move || config::load(&path, []));
        let app = self.app.take().expect("a process that does not serve yet");
        AbortOnDropHandle::new(tokio::spawn(async move {
            app.run(source, futures_util::stream::pending()).await;
        }))
    }

    /// Replaces a text in the configuration's file, all at once.
    pub(crate) fn rewrite(&self, old: &str, new: &str) {
        let text = std::fs::read_to_string(&self.file).expect("a file");
        assert!(text.contains(old), "expected {old:?} in {text}");
        let next = self.file.with_extension("next");
        std::fs::write(&next, text.replace(old, new)).expect("a file");
        std::fs::rename(&next, &self.file).expect("a file");
    }

    /// Asks with these headers.
    pub(crate) async fn ask(&self, headers: &[(&str, &str)]) -> Told {
        self.ask_about(http(headers), &[]).await
    }

    /// Asks with a bearer token.
    pub(crate) async fn bearer(&self, token: &str) -> Told {
        self.ask(&[("authorization", &format!("Bearer {token}"))])
            .await
    }

    /// Asks about a request, with context extensions.
    pub(crate) async fn ask_about(&self, http: HttpRequest, context: &[(&str, &str)]) -> Told {
        self.ask_bytes(question(Some(http), context)).await
    }

    /// Asks with a message as it stands.
    pub(crate) async fn ask_bytes(&self, message: Bytes) -> Told {
        let patience = Some(Duration::from_secs(10));
        Told::read(self.authorization.check(message, patience).await.as_bytes())
    }
}

/// A request with these headers in Envoy's map.
pub(crate) fn http(headers: &[(&str, &str)]) -> HttpRequest {
    let headers = headers
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()));
    HttpRequest {
        method: "GET".to_owned(),
        path: "/orders?page=1".to_owned(),
        host: "shop.example.com".to_owned(),
        headers: headers
            .chain([("x-request-id".to_owned(), "req-1".to_owned())])
            .collect(),
        ..HttpRequest::default()
    }
}

/// What Envoy's own types make of it.
pub(crate) fn question(http: Option<HttpRequest>, context: &[(&str, &str)]) -> Bytes {
    let context = context
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let attributes = AttributeContext {
        request: Some(Request {
            http,
            ..Request::default()
        }),
        context_extensions: context.collect(),
        ..AttributeContext::default()
    };
    let check = CheckRequest {
        attributes: Some(attributes),
    };
    check.encode_to_vec().into()
}

/// An answer, as Envoy's own types read it.
#[derive(Debug)]
pub(crate) struct Told {
    /// `google.rpc.Code`.
    pub(crate) grpc: i32,
    /// The HTTP status of a denial; 200 for leave to pass.
    pub(crate) status: i32,
    /// The headers that are set, upstream or on the denial.
    pub(crate) set: HashMap<String, String>,
    /// The headers that are taken away.
    pub(crate) removed: Vec<String>,
    /// The body of a denial.
    pub(crate) body: String,
    /// The dynamic metadata.
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Told {
    /// Reads an answer.
    ///
    /// # Panics
    /// If it is none that Envoy could take for nothing else.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        assert!(!bytes.is_empty(), "an empty answer is an allow");
        let CheckResponse {
            status,
            dynamic_metadata,
            http_response,
        } = CheckResponse::decode(bytes).expect("a CheckResponse");
        let grpc = status.expect("a status").code;
        let fields = dynamic_metadata.expect("metadata").fields;
        let metadata = fields.into_iter().map(|(name, value)| match value.kind {
            Some(Kind::StringValue(text)) => (name, text),
            other => panic!("{name}: {other:?}"),
        });
        let metadata = metadata.collect();
        match http_response.expect("what to do") {
            HttpResponse::OkResponse(ok) => {
                assert_eq!(grpc, 0, "leave to pass is OK");
                Self {
                    grpc,
                    status: 200,
                    set: map(ok.headers),
                    removed: ok.headers_to_remove,
                    body: String::new(),
                    metadata,
                }
            }
            HttpResponse::DeniedResponse(denied) | HttpResponse::ErrorResponse(denied) => {
                let DeniedHttpResponse {
                    status,
                    headers,
                    body,
                } = denied;
                assert_ne!(grpc, 0, "a denial is not OK");
                Self {
                    grpc,
                    status: status.expect("an HTTP status").code,
                    set: map(headers),
                    removed: Vec::new(),
                    body,
                    metadata,
                }
            }
        }
    }

    /// How it ended, by the metadata and, on a denial, by the body.
    pub(crate) fn code(&self) -> &str {
        let code = self.metadata["code"].as_str();
        if self.grpc != 0 {
            assert!(self.body.contains(code), "{self:?}");
        }
        code
    }
}

fn map(headers: Vec<HeaderValueOption>) -> HashMap<String, String> {
    let pairs = headers.into_iter().filter_map(|option| option.header);
    pairs.map(|header| (header.key, header.value)).collect()
}
