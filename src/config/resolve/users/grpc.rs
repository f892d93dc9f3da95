//! The key `users.grpc`.

use crate::config::document::Grpc as Written;
use crate::config::report::At;
use crate::config::resolve::file;
use crate::config::resolve::url::{self, Plain};
use crate::user::directory::{Config, Endpoint, Grpc};
use crate::yaml::shown;
use rustls::pki_types::ServerName;
use std::path::Path;

pub(super) fn resolve(at: &At<'_>, grpc: Written) -> Option<Config> {
    let Written {
        endpoint,
        allow_plaintext,
        token_file,
        tls,
        watch,
        required,
    } = grpc;
    if allow_plaintext {
        at.key("allow_plaintext").warn(
            "true",
            "users may be asked for in plain text, where anyone may answer",
        );
    }
    let endpoint = endpoint
        .and_then(|written| resolve_endpoint(&at.key("endpoint"), &written, allow_plaintext));
    let token_file = match token_file {
        None => Some(None),
        Some(written) => file::secret(&at.key("token_file"), &written, 1).map(Some),
    };
    let tls = file::client_tls(&at.key("tls"), tls);
    Some(Config::Grpc(Box::new(Grpc {
        endpoint: endpoint?,
        token_file: token_file?,
        tls: tls?,
        watch,
        required,
    })))
}

fn resolve_endpoint(at: &At<'_>, written: &str, allow_plaintext: bool) -> Option<Endpoint> {
    if let Some(path) = written.strip_prefix("unix:") {
        return socket(at, path);
    }
    let url = url::fetched(
        at,
        written,
        "https://users.example.com:443",
        Plain::Cluster,
        allow_plaintext,
    )?;
    if url.path() != "/" || url.query().is_some() {
        at.wrong(
            "an endpoint without a path",
            shown(written),
            "write scheme, host and port alone",
        );
        return None;
    }
    let tls = url.scheme() == "https";
    let host = url.host()?.to_owned();
    if tls && ServerName::try_from(host.to_string().trim_matches(['[', ']'])).is_err() {
        at.wrong(
            "a host that a certificate can name",
            shown(written),
            "write a DNS name or an address",
        );
        return None;
    }
    if url::is_exposed(&url, Plain::Cluster) {
        at.warn(&shown(written), "subjects travel in plain text");
    }
    Some(Endpoint::Tcp {
        tls,
        port: url.port_or_known_default()?,
        host,
    })
}

fn socket(at: &At<'_>, path: &str) -> Option<Endpoint> {
    let path = Path::new(path);
    if !path.is_absolute() {
        at.wrong(
            "an absolute path of a socket",
            shown(&path.display().to_string()),
            "write for example `unix:/run/users.sock`",
        );
        return None;
    }
    Some(Endpoint::Unix(path.to_owned()))
}
