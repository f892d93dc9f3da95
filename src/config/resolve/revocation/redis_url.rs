//! URLs of Redis. What stands in one is shown only where it cannot hold a password.

use crate::config::report::At;
use crate::config::resolve::url::is_local;
use crate::net::redis::{Address, Node, Topology};
use crate::yaml::shown;
use std::net::IpAddr;
use std::path::Path;
use url::Host;

const EXAMPLE: &str = "write for example `rediss://redis.example.com:6379`";

/// What a URL says.
pub(super) struct Place {
    pub(super) topology: Topology,
    pub(super) tls: bool,
}

impl Place {
    pub(super) fn is_sentinel(&self) -> bool {
        matches!(self.topology, Topology::Sentinel { .. })
    }
}

/// One server or Sentinels.
pub(super) fn one(at: &At<'_>, written: &str, allow_plaintext: bool) -> Option<Place> {
    let written = clean(at, written)?;
    if let Some(path) = written.strip_prefix("redis+unix://") {
        return socket(at, path);
    }
    if let Some(path) = written.strip_prefix("unix:") {
        return socket(at, path.strip_prefix("//").unwrap_or(path));
    }
    let (scheme, rest) = scheme(at, written)?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    match scheme {
        Scheme {
            sentinel: true,
            tls,
        } => {
            let nodes = authority.split(',');
            let nodes: Vec<_> = nodes
                .map(|node| address(at, node, 26379, tls || allow_plaintext))
                .collect();
            let nodes: Vec<_> = nodes.into_iter().collect::<Option<_>>()?;
            if nodes
                .iter()
                .enumerate()
                .any(|(index, node)| nodes.iter().take(index).any(|earlier| earlier == node))
            {
                at.wrong("each Sentinel once", "one twice", "remove one of them");
                return None;
            }
            let (master, number) = path.split_once('/').unwrap_or((path, ""));
            if master.is_empty() {
                at.wrong(
                    "the name of the primary after the Sentinels",
                    shown(written),
                    "write for example `rediss+sentinel://s1:26379,s2:26379/mymaster`",
                );
                return None;
            }
            Some(Place {
                topology: Topology::Sentinel {
                    nodes,
                    master: master.to_owned(),
                    database: database(at, number)?,
                },
                tls,
            })
        }
        Scheme {
            sentinel: false,
            tls,
        } => {
            if authority.contains(',') {
                at.wrong(
                    "one host",
                    shown(authority),
                    "write a list of URLs for a Cluster, `redis+sentinel://` for Sentinels",
                );
                return None;
            }
            Some(Place {
                topology: Topology::Single {
                    node: Node::Tcp(address(at, authority, 6379, tls || allow_plaintext)?),
                    database: database(at, path)?,
                },
                tls,
            })
        }
    }
}

/// One node of a Cluster, and whether TLS is spoken to it.
pub(super) fn node(at: &At<'_>, written: &str, allow_plaintext: bool) -> Option<(Address, bool)> {
    let written = clean(at, written)?;
    let (Scheme { sentinel, tls }, rest) = scheme(at, written)?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if sentinel {
        at.wrong(
            "`redis://` or `rediss://` in a list, which is a Cluster's",
            "Sentinels",
            "write one URL for all Sentinels",
        );
        return None;
    }
    if !matches!(path, "" | "0") {
        at.wrong(
            "no database, because a Cluster has only 0",
            shown(path),
            "remove it",
        );
        return None;
    }
    let address = address(at, authority, 6379, tls || allow_plaintext)?;
    Some((address, tls))
}

/// What holds no secret, and nothing that would be ignored.
fn clean<'w>(at: &At<'_>, written: &'w str) -> Option<&'w str> {
    if written.contains('@') {
        at.wrong(
            "a URL without user name and password",
            "one with them",
            "remove them; write `username`, and the password into a file for `password_file`",
        );
        return None;
    }
    if written.contains(['?', '#', '%']) {
        at.wrong(
            "a URL without `?`, `#` and `%`",
            "one with them",
            "remove what follows; TLS, login and time-outs have keys of their own",
        );
        return None;
    }
    if !written.bytes().all(|byte| byte.is_ascii_graphic()) {
        at.wrong("a URL", shown(written), EXAMPLE);
        return None;
    }
    Some(written)
}

struct Scheme {
    sentinel: bool,
    tls: bool,
}

fn scheme<'w>(at: &At<'_>, written: &'w str) -> Option<(Scheme, &'w str)> {
    let (sentinel, tls, rest) = match written.split_once("://") {
        Some(("redis", rest)) => (false, false, rest),
        Some(("rediss", rest)) => (false, true, rest),
        Some(("redis+sentinel", rest)) => (true, false, rest),
        Some(("rediss+sentinel", rest)) => (true, true, rest),
        Some(_) | None => {
            at.wrong(
                "a URL that begins with `redis://`, `rediss://`, `redis+sentinel://`, \
                 `rediss+sentinel://` or `unix:/`",
                shown(written),
                EXAMPLE,
            );
            return None;
        }
    };
    Some((Scheme { sentinel, tls }, rest))
}

/// A host, with or without a port; near, unless it may be far.
fn address(at: &At<'_>, written: &str, default: u16, may_be_far: bool) -> Option<Address> {
    // The colons of an IPv6 address stand between brackets.
    let end = written.rfind(']').map_or(0, |end| end + 1);
    let colon = written.rfind(':').filter(|colon| *colon >= end);
    let (host, port) = match colon.and_then(|colon| written.split_at_checked(colon)) {
        None => (written, Some(default)),
        Some((host, port)) => (host, port.trim_start_matches(':').parse().ok()),
    };
    let (Ok(host), Some(port @ 1..)) = (Host::parse(host), port) else {
        at.wrong("a host and a port", shown(written), EXAMPLE);
        return None;
    };
    let (host, is_near) = match host {
        Host::Ipv4(address) => (address.to_string(), IpAddr::V4(address).is_loopback()),
        Host::Ipv6(address) => (address.to_string(), IpAddr::V6(address).is_loopback()),
        Host::Domain(name) => {
            let is_near = is_local(&name);
            (name, is_near)
        }
    };
    if !is_near && !may_be_far {
        at.wrong(
            "a `rediss://` URL",
            shown(written),
            "write `rediss://…` (`rediss+sentinel://…`), or, if you must, `allow_plaintext: true` beside \
             the URL",
        );
        return None;
    }
    Some(Address { host, port })
}

fn database(at: &At<'_>, written: &str) -> Option<u32> {
    if written.is_empty() {
        return Some(0);
    }
    let number = written.parse().ok().filter(|number| *number <= 9999);
    if number.is_none() {
        at.wrong(
            "the number of a database, from 0 to 9999",
            shown(written),
            "write for example `/0`",
        );
    }
    number
}

fn socket(at: &At<'_>, path: &str) -> Option<Place> {
    if !Path::new(path).is_absolute() {
        at.wrong(
            "an absolute path of a socket",
            shown(path),
            "write for example `unix:/run/redis/redis.sock`",
        );
        return None;
    }
    Some(Place {
        topology: Topology::Single {
            node: Node::Unix(path.into()),
            database: 0,
        },
        tls: false,
    })
}
