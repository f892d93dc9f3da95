//! The key `listen`.

use super::{file, quantity};
use crate::config::document::{Listen, Period};
use crate::config::report::At;
use crate::net::listen::Address;
use crate::server::Config;
use crate::yaml::shown;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The longest path or name that a `sockaddr_un` holds (Linux, unix(7)).
const LONGEST_PATH: usize = 107;

pub(super) fn resolve(at: &At<'_>, listen: Listen) -> Option<Config> {
    let Listen {
        check,
        check_tls,
        health,
        drain,
        stop_within,
    } = listen;
    let at_health = at.key("health");
    let health = tcp(&at_health, &health);
    let check: Vec<_> = check
        .iter()
        .enumerate()
        .map(|(index, written)| address(&at.key("check").item(index), written))
        .collect();
    for (index, one) in check.iter().enumerate() {
        let at = at.key("check").item(index);
        let port_is_chosen = !matches!(one, Some(Address::Tcp(tcp)) if tcp.port() == 0);
        if one.is_some() && port_is_chosen && check.iter().take(index).any(|other| other == one) {
            at.wrong("each address once", "it again", "remove one of the two");
        }
        if let (Some(Address::Tcp(tcp)), None) = (one, &check_tls)
            && !tcp.ip().is_loopback()
        {
            at.warn(
                &tcp.to_string(),
                "tokens travel in plain text beyond this machine",
            );
        }
        if let (Some(Address::Tcp(tcp)), Some(health)) = (one, health)
            && *tcp == health
            && port_is_chosen
        {
            at_health.wrong(
                "an address of its own",
                "one of `listen.check`",
                "choose another port",
            );
        }
    }
    let has_tcp = check
        .iter()
        .any(|one| matches!(one, Some(Address::Tcp(_)) | None));
    if check_tls.is_some() && !has_tcp && !at.key("check").is_spoiled() {
        at.key("check_tls").wrong(
            "a TCP address in `listen.check`",
            "none",
            "remove `check_tls`, or listen on TCP",
        );
    }
    let check_tls = match check_tls {
        None => Some(None),
        Some(tls) => file::server_tls(&at.key("check_tls"), tls).map(Some),
    };
    let hour = Period::hours(1);
    let drain = quantity::within(&at.key("drain"), drain, Period::secs(0), hour);
    let stop_within =
        quantity::within(&at.key("stop_within"), stop_within, Period::millis(1), hour);
    Some(Config {
        check: check.into_iter().collect::<Option<_>>()?,
        check_tls: check_tls?,
        health: health?,
        drain: drain?,
        stop_within: stop_within?,
    })
}

fn address(at: &At<'_>, written: &str) -> Option<Address> {
    let Some(unix) = written.strip_prefix("unix:") else {
        return tcp(at, written).map(Address::Tcp);
    };
    if let Some(name) = unix.strip_prefix('@') {
        return socket_name(at, name).map(|name| Address::Abstract(name.to_owned()));
    }
    let (path, query) = match unix.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (unix, None),
    };
    let mode = match query {
        None => Some(None),
        Some(query) => mode(at, query).map(Some),
    };
    let path = socket_name(at, path)?;
    if !path.starts_with('/') {
        at.wrong(
            "an absolute path of a socket",
            shown(path),
            "write for example `unix:/run/subgate/check.sock`",
        );
        return None;
    }
    Some(Address::Unix {
        path: PathBuf::from(path),
        mode: mode?,
    })
}

fn tcp(at: &At<'_>, written: &str) -> Option<SocketAddr> {
    let address = written.parse().ok();
    if address.is_none() {
        at.wrong(
            "an IP address with a port",
            shown(written),
            "write for example `127.0.0.1:19191`, `[::1]:19191` or, for Envoy, `unix:/PATH`",
        );
    }
    address
}

fn socket_name<'n>(at: &At<'_>, name: &'n str) -> Option<&'n str> {
    if (1..=LONGEST_PATH).contains(&name.len()) && !name.contains('\0') {
        return Some(name);
    }
    at.wrong(
        format!("a socket's name of 1 to {LONGEST_PATH} bytes"),
        format!("{} bytes", name.len()),
        "choose a shorter one",
    );
    None
}

fn mode(at: &At<'_>, query: &str) -> Option<u32> {
    let mode = query
        .strip_prefix("mode=")
        .filter(|digits| (3..=4).contains(&digits.len()))
        .and_then(|digits| u32::from_str_radix(digits, 8).ok())
        .filter(|mode| *mode <= 0o777);
    if mode.is_none() {
        at.wrong(
            "`mode=` with an octal number up to 0777",
            shown(query),
            "write for example `?mode=0660`",
        );
    }
    mode
}
