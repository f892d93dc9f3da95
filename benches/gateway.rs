//! Real Envoy with one listener for each way to guard it, and the requests sent through it.

use crate::Result;
use crate::checks::Answers;
use crate::contestant::{accepts, free_port, wait_for};
use crate::headers::{HEADERS, HOST, METHOD, PATH};
use crate::load::{Answer, Ask, Target, Traffic};
use crate::noop;
use crate::population::{AUDIENCE, ISSUER, Person, Population};
use crate::process::{Core, Process};
use http::{HeaderValue, Request, StatusCode};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Who decides behind a listener.
#[derive(Debug)]
pub(crate) enum Guard<'a> {
    /// `ext_authz`, asked over a Unix socket.
    ExtAuthz {
        name: &'a str,
        socket: &'a Path,
        answers: Answers,
    },
    /// Envoy's own `jwt_authn`, without its token cache.
    JwtAuthn,
}

/// A running Envoy on one worker thread, with a listener for each guard.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) process: Process,
    listeners: Vec<SocketAddr>,
}

impl Gateway {
    pub(crate) async fn start(
        core: Core,
        guards: &[Guard<'_>],
        population: &Population,
        dir: &Path,
    ) -> Result<Self> {
        let listeners = guards
            .iter()
            .map(|_| free_port())
            .collect::<Result<Vec<_>>>()?;
        let bootstrap = bootstrap(guards, &listeners, &population.key_set()?);
        let file = dir.join("envoy.json");
        fs::write(&file, bootstrap.to_string())?;
        let file = file.to_string_lossy();
        let arguments = [
            "--config-path",
            &file,
            "--concurrency",
            "1",
            "--use-dynamic-base-id",
            "-l",
            "warn",
        ];
        let mut process = Process::start("envoy", core, &binary()?, &arguments, dir)?;
        for listener in &listeners {
            wait_for(&mut process, *listener, accepts).await?;
        }
        Ok(Self { process, listeners })
    }

    /// The listener of the `nth` guard.
    pub(crate) fn listener(&self, nth: usize) -> Result<Target> {
        let address = self.listeners.get(nth).ok_or("no such listener")?;
        Ok(Target::Tcp(*address))
    }
}

/// Envoy, where `make parts` puts it.
fn binary() -> Result<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark has no configuration"
    )]
    let parts = std::env::var("SUBGATE_PARTS").unwrap_or_else(|_| ".parts".to_owned());
    let binary = Path::new(&parts).join("bin/envoy");
    fs::canonicalize(&binary).map_err(|error| {
        let place = binary.display();
        format!("expected Envoy at {place}: {error}; get it with `make parts`").into()
    })
}

fn bootstrap(guards: &[Guard<'_>], listeners: &[SocketAddr], key_set: &str) -> Value {
    let clusters: Vec<Value> = guards.iter().filter_map(cluster).collect();
    let listeners: Vec<Value> = guards
        .iter()
        .zip(listeners)
        .map(|(guard, address)| listener(guard, *address, key_set))
        .collect();
    json!({ "static_resources": { "listeners": listeners, "clusters": clusters } })
}

fn cluster(guard: &Guard<'_>) -> Option<Value> {
    let Guard::ExtAuthz { name, socket, .. } = guard else {
        return None;
    };
    let address = json!({ "pipe": { "path": socket } });
    Some(json!({
        "name": name,
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [
            { "endpoint": { "address": address } },
        ] }] },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": { "http2_protocol_options": {} },
            },
        },
    }))
}

fn listener(guard: &Guard<'_>, address: SocketAddr, key_set: &str) -> Value {
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "http_filters": [filter(guard, key_set), {
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }],
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [{
            "match": { "prefix": "/" },
            "direct_response": { "status": 200 },
            // What a backend would see, so that the answer can be checked.
            "response_headers_to_add": [
                { "header": { "key": "x-seen-user-id", "value": "%REQ(x-user-id)%" } },
            ],
        }] }] },
    });
    json!({
        "address": { "socket_address": {
            "address": address.ip().to_string(), "port_value": address.port(),
        } },
        "filter_chains": [{ "filters": [
            { "name": "envoy.filters.network.http_connection_manager", "typed_config": manager },
        ] }],
    })
}

fn filter(guard: &Guard<'_>, key_set: &str) -> Value {
    match guard {
        Guard::ExtAuthz { name, .. } => json!({
            "name": "envoy.filters.http.ext_authz",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
                "transport_api_version": "V3",
                "grpc_service": { "envoy_grpc": { "cluster_name": name }, "timeout": "1s" },
                "encode_raw_headers": true,
                "status_on_error": { "code": 503 },
            },
        }),
        Guard::JwtAuthn => json!({
            "name": "envoy.filters.http.jwt_authn",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": { "shop": {
                    "issuer": ISSUER,
                    "audiences": [AUDIENCE],
                    "local_jwks": { "inline_string": key_set },
                    "forward": true,
                    "claim_to_headers": [
                        { "header_name": "x-user-id", "claim_name": "sub" },
                        { "header_name": "x-tenant-id", "claim_name": "tenant" },
                    ],
                } },
                "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "shop" } }],
            },
        }),
    }
}

/// The requests of a population through a guard.
#[derive(Debug)]
pub(crate) struct Visits {
    asks: Vec<Ask>,
    user_ids: Vec<String>,
}

impl Visits {
    pub(crate) fn new(population: &Population, guard: &Guard<'_>) -> Result<Self> {
        let people = &population.people;
        Ok(Self {
            asks: people.iter().map(visit).collect::<Result<_>>()?,
            user_ids: people
                .iter()
                .map(|person| seen_id(person, guard).to_owned())
                .collect(),
        })
    }
}

impl Traffic for Visits {
    fn count(&self) -> usize {
        self.asks.len()
    }

    fn ask(&self, nth: usize) -> Option<Ask> {
        self.asks.get(nth).cloned()
    }

    fn judge(&self, nth: usize, answer: &Answer, _: bool) -> Result {
        let user_id = self.user_ids.get(nth).ok_or("no such user")?;
        let seen = answer.headers.get("x-seen-user-id");
        if answer.status == StatusCode::OK && seen.is_some_and(|seen| seen == user_id) {
            Ok(())
        } else {
            Err(format!("expected 200 for {user_id}, got {answer:?}").into())
        }
    }
}

fn seen_id<'a>(person: &'a Person, guard: &Guard<'_>) -> &'a str {
    match guard {
        Guard::ExtAuthz {
            answers: Answers::EachUser,
            ..
        } => &person.id,
        Guard::ExtAuthz {
            answers: Answers::OneForAll,
            ..
        } => noop::USER_ID,
        Guard::JwtAuthn => &person.subject,
    }
}

fn visit(person: &Person) -> Result<Ask> {
    let mut credential = HeaderValue::try_from(format!("Bearer {}", person.token))?;
    // As a browser does: not into the connection's table of headers.
    credential.set_sensitive(true);
    let request = Request::builder()
        .method(METHOD)
        .uri(format!("http://{HOST}{PATH}"))
        .header("authorization", credential);
    let request = HEADERS.into_iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    Ok(Ask {
        head: request.body(())?,
        body: None,
    })
}
