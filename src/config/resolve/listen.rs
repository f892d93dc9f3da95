//! The key `listen`.

use super::{file, quantity};
use crate::config::document::{Listen, Period, ServerTls};
use crate::config::report::At;
use crate::net::listen::Address;
use crate::server::{Config, admin};
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
        admin,
        admin_tls,
        admin_token_file,
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
    let taken = check.iter().flatten().map(|one| ("listen.check", one));
    let own_health = health.map(Address::Tcp);
    let taken = taken.chain(own_health.iter().map(|one| ("listen.health", one)));
    let written = Written {
        address: &admin,
        tls: admin_tls,
        token_file: admin_token_file,
    };
    let admin = written.resolve(at, taken);
    let hour = Period::hours(1);
    let drain = quantity::within(&at.key("drain"), drain, Period::secs(0), hour);
    let stop_within =
        quantity::within(&at.key("stop_within"), stop_within, Period::millis(1), hour);
    Some(Config {
        check: check.into_iter().collect::<Option<_>>()?,
        check_tls: check_tls?,
        health: health?,
        admin: admin.ok()?,
        drain: drain?,
        stop_within: stop_within?,
    })
}

/// A mistake was reported.
struct Spoiled;

/// The keys of the admin API.
struct Written<'w> {
    address: &'w str,
    tls: Option<ServerTls>,
    token_file: Option<String>,
}

impl Written<'_> {
    /// `None` where there is no token: the listener is not opened, and its address is nobody's.
    fn resolve<'t>(
        self,
        at: &At<'_>,
        taken: impl Iterator<Item = (&'static str, &'t Address)>,
    ) -> Result<Option<admin::Config>, Spoiled> {
        let at_admin = at.key("admin");
        let address = address(&at_admin, self.address);
        match (&address, &self.tls) {
            (Some(Address::Tcp(tcp)), None) if !tcp.ip().is_loopback() => at_admin.wrong(
                "a loopback address, because there is no `admin_tls`",
                tcp.to_string(),
                "write for example `127.0.0.1:19193`, or add `admin_tls: {cert_file: …, key_file: …}`",
            ),
            (Some(Address::Unix { .. } | Address::Abstract(_)), Some(_)) => {
                at.key("admin_tls").wrong(
                    "a TCP address in `listen.admin`",
                    "a Unix socket",
                    "remove `admin_tls`, or listen on TCP",
                );
            }
            (Some(Address::Tcp(tcp)), Some(tls))
                if !tcp.ip().is_loopback() && tls.client_ca_file.is_none() =>
            {
                at_admin.warn(
                    &tcp.to_string(),
                    "whoever has the token administers, from any machine that reaches it",
                );
            }
            (Some(_) | None, Some(_) | None) => {}
        }
        let at_tls = at.key("admin_tls");
        if self.tls.is_some() && self.token_file.is_none() {
            at_tls.wrong(
                "`admin_tls` with `admin_token_file`",
                "`admin_tls` alone",
                "add `admin_token_file`: without it the admin listener is not opened",
            );
        }
        let tls = match self.tls {
            None => Some(None),
            Some(tls) => file::server_tls(&at_tls, tls).map(Some),
        };
        let Some(token_file) = self.token_file else {
            let whole = address.is_some() && tls.is_some();
            return whole.then_some(None).ok_or(Spoiled);
        };
        if let Some(address) = &address
            && !matches!(address, Address::Tcp(tcp) if tcp.port() == 0)
            && let Some((other, _)) = taken
                .into_iter()
                .find(|(_, other)| same_place(address, other))
        {
            at_admin.wrong(
                "an address of its own",
                format!("one of `{other}`"),
                "choose another port or path",
            );
        }
        let at_token = at.key("admin_token_file");
        let token_file = file::token(&at_token, &token_file, admin::SHORTEST);
        Ok(Some(admin::Config {
            address: address.ok_or(Spoiled)?,
            tls: tls.ok_or(Spoiled)?,
            token_file: token_file.ok_or(Spoiled)?,
        }))
    }
}

/// Whether two addresses are one socket, whatever their modes.
fn same_place(one: &Address, other: &Address) -> bool {
    match (one, other) {
        (Address::Tcp(one), Address::Tcp(other)) => one == other,
        (
            Address::Unix { path: one, mode: _ },
            Address::Unix {
                path: other,
                mode: _,
            },
        ) => one == other,
        (Address::Abstract(one), Address::Abstract(other)) => one == other,
        (Address::Tcp(_) | Address::Unix { .. } | Address::Abstract(_), _) => false,
    }
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
