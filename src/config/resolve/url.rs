//! URLs, and whether what goes to them may go in plain text.

use crate::config::report::At;
use crate::yaml::shown;
use ::url::{Host, Url};

/// Where plain HTTP is no risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// To this machine.
    Loopback,
    /// Inside the cluster too: user services.
    Cluster,
}

/// An absolute `https` URL without user name and fragment; `http` where it may be plain. Where it is
/// none, `example` shows what is meant.
pub(super) fn fetched(
    at: &At<'_>,
    written: &str,
    example: &str,
    plain: Plain,
    allow_plaintext: bool,
) -> Option<Url> {
    let url = absolute(at, written, example)?;
    let allowed = match url.scheme() {
        "https" => true,
        "http" => is_near(&url, plain) || allow_plaintext,
        _ => {
            at.wrong("an `https` URL", shown(written), "write `https://…`");
            return None;
        }
    };
    if !allowed {
        at.wrong(
            "an `https` URL",
            shown(written),
            "write `https://…`, or, if you must, `allow_plaintext: true` (in `keys` of an issuer, else \
             beside the URL)",
        );
        return None;
    }
    Some(url)
}

/// Whether this URL is plain and leaves what is near.
pub(super) fn is_exposed(url: &Url, plain: Plain) -> bool {
    url.scheme() == "http" && !is_near(url, plain)
}

fn absolute(at: &At<'_>, written: &str, example: &str) -> Option<Url> {
    let plain_text = written.bytes().all(|byte| byte.is_ascii_graphic());
    let url = match Url::parse(written) {
        Ok(url) if plain_text && written.contains("://") && url.has_host() => url,
        Ok(_) | Err(_) => {
            at.wrong(
                "an absolute URL",
                shown(written),
                format!("write for example `{example}`"),
            );
            return None;
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        at.wrong(
            "a URL without user name and password",
            "one with them",
            "remove them; secrets stand in files",
        );
        return None;
    }
    if url.fragment().is_some() {
        at.wrong("a URL without `#`", shown(written), "remove the fragment");
        return None;
    }
    Some(url)
}

fn is_near(url: &Url, plain: Plain) -> bool {
    match url.host() {
        None => false,
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => {
            let inside = [".svc", ".svc.cluster.local", ".internal"];
            let bare = name.trim_end_matches('.');
            is_local(name)
                || plain == Plain::Cluster && inside.iter().any(|suffix| bare.ends_with(suffix))
        }
    }
}

/// Whether a name is this machine's own (RFC 6761 6.3).
pub(super) fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}
