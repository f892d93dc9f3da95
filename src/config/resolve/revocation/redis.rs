//! The key `revocation.redis`.

use super::redis_url::{self, Place};
use crate::config::document::{
    ClientTls, Login as WrittenLogin, Period, Redis as Written, RedisUrl,
};
use crate::config::report::At;
use crate::config::resolve::template::{self, Part as WrittenPart};
use crate::config::resolve::{file, quantity};
use crate::net::redis::{self, Login, Topology};
use crate::revocation::{Config, Mode, OnStale, Part, Redis, Template, Value};
use crate::yaml::shown;

/// The longest template, in bytes.
const LONGEST_KEY: usize = 256;

pub(super) fn resolve(at: &At<'_>, redis: Written) -> Option<Config> {
    let Written {
        url,
        allow_plaintext,
        username,
        password_file,
        sentinel,
        tls,
        writer,
        key_prefix,
        mode,
        keys,
        max_staleness,
        on_stale,
        heartbeat,
        min_replicas,
    } = redis;
    if allow_plaintext {
        at.key("allow_plaintext").warn(
            "true",
            "passwords and revocations may travel in plain text, where anyone may change them",
        );
    }
    let place = url.and_then(|url| place(&at.key("url"), url, allow_plaintext));
    let reader = login(
        at,
        WrittenLogin {
            username,
            password_file,
        },
    );
    let is_sentinel = place.as_ref().is_none_or(Place::is_sentinel);
    if sentinel != WrittenLogin::default() && !is_sentinel {
        at.key("sentinel").wrong(
            "no `sentinel`, because the URL names no Sentinels",
            "one",
            "remove it, or write `redis+sentinel://…`",
        );
    }
    let sentinel = login(&at.key("sentinel"), sentinel);
    let is_tls = place.as_ref().is_none_or(|place| place.tls);
    if tls != ClientTls::default() && !is_tls {
        at.key("tls").wrong(
            "no `tls`, because the URL is plain",
            "one",
            "write `rediss://…` or `rediss+sentinel://…`, or remove it",
        );
    }
    let tls = file::client_tls(&at.key("tls"), tls);
    let writer = match writer {
        None => Some(None),
        Some(written) if written == WrittenLogin::default() => reader.clone().map(Some),
        Some(written) => login(&at.key("writer"), written).map(Some),
    };
    let key_prefix = prefix(&at.key("key_prefix"), key_prefix);
    let mode = mode.into();
    let keys = templates(&at.key("keys"), &keys, mode);
    let max_staleness = quantity::within(
        &at.key("max_staleness"),
        max_staleness,
        Period::secs(1),
        Period::hours(24),
    );
    let on_stale = on_stale.into();
    if on_stale == OnStale::Allow {
        at.key("on_stale").warn(
            "allow",
            "while Redis cannot be reached, what was revoked since then passes",
        );
    }
    if heartbeat && mode == Mode::Lookup {
        at.key("heartbeat").wrong(
            "no heartbeat, because `mode: lookup` has no log to find it in",
            "`true`",
            "remove it, or write `mode: both`",
        );
    }
    let place = place?;
    Some(Config::Redis(Box::new(Redis {
        connection: redis::Config {
            tls: place.tls.then_some(tls?),
            topology: place.topology,
            login: reader?,
            sentinel: sentinel?,
            allow_plaintext,
        },
        writer: writer?,
        key_prefix: key_prefix?,
        mode,
        keys: keys?,
        max_staleness: max_staleness?,
        on_stale,
        heartbeat,
        min_replicas,
    })))
}

fn place(at: &At<'_>, url: RedisUrl, allow_plaintext: bool) -> Option<Place> {
    let written = match url {
        RedisUrl::One(written) => return redis_url::one(at, &written, allow_plaintext),
        RedisUrl::Cluster(written) => written,
    };
    let places = written.iter().enumerate();
    let places: Vec<_> = places
        .map(|(index, written)| redis_url::node(&at.item(index), written, allow_plaintext))
        .collect();
    let places: Vec<_> = places.into_iter().collect::<Option<_>>()?;
    let tls = places.first()?.1;
    let mut nodes = Vec::new();
    for (index, (address, its_tls)) in places.into_iter().enumerate() {
        if its_tls != tls {
            at.item(index).wrong(
                "the scheme of the first node",
                "another",
                "write `rediss://` for all nodes, or for none",
            );
            return None;
        }
        if nodes.contains(&address) {
            at.item(index).wrong(
                "each node once",
                shown(&address.to_string()),
                "remove one of them",
            );
            return None;
        }
        nodes.push(address);
    }
    Some(Place {
        topology: Topology::Cluster(nodes),
        tls,
    })
}

fn login(at: &At<'_>, written: WrittenLogin) -> Option<Login> {
    let WrittenLogin {
        username,
        password_file,
    } = written;
    if username.is_some() && password_file.is_none() && !at.key("password_file").is_spoiled() {
        at.key("username").wrong(
            "`username` with `password_file`",
            "`username` alone",
            "add `password_file`",
        );
        return None;
    }
    if let Some(name) = &username
        && (name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        at.key("username").wrong(
            "a name of visible ASCII characters",
            shown(name),
            "write the name of an ACL user",
        );
        return None;
    }
    let password_file = match password_file {
        None => Some(None),
        Some(written) => file::password(&at.key("password_file"), &written).map(Some),
    };
    Some(Login {
        username,
        password_file: password_file?,
    })
}

/// In Cluster braces choose the slot, and in an ACL the others stand for more than themselves.
fn prefix(at: &At<'_>, prefix: String) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !br"{}[]*?\".contains(&byte);
    if (1..=64).contains(&prefix.len()) && prefix.bytes().all(fits) {
        return Some(prefix);
    }
    at.wrong(
        "1 to 64 visible ASCII characters without `{}[]*?\\`",
        shown(&prefix),
        "write for example `subgate`",
    );
    None
}

fn templates(at: &At<'_>, written: &[String], mode: Mode) -> Option<Vec<Template>> {
    match (mode, written) {
        (Mode::Replica, []) => {}
        (Mode::Replica, _) => {
            at.wrong(
                "no `keys`, because `mode: replica` does not ask for any",
                "some",
                "write `mode: lookup` or `mode: both`, or remove them",
            );
            return None;
        }
        (Mode::Lookup | Mode::Both, []) => {
            at.wrong(
                "the keys of the list that is looked up",
                "none",
                "write for example `keys: ['blacklist:{jti}']`",
            );
            return None;
        }
        (Mode::Lookup | Mode::Both, _) => {}
    }
    let items = written.iter().enumerate();
    let templates: Vec<_> = items
        .map(|(index, written)| template(&at.item(index), written))
        .collect();
    templates.into_iter().collect()
}

fn template(at: &At<'_>, written: &str) -> Option<Template> {
    if written.len() > LONGEST_KEY || written.chars().any(char::is_control) {
        at.wrong(
            format!("a key of at most {LONGEST_KEY} bytes without control characters"),
            shown(written),
            "write for example `blacklist:{jti}`",
        );
        return None;
    }
    let known: Vec<_> = Value::ALL.iter().map(|value| value.name()).collect();
    let parts = template::parts(at, written, &known)?;
    let parts = parts.into_iter().map(|part| match part {
        WrittenPart::Text(text) => Some(Part::Text(text.to_owned())),
        WrittenPart::Name(name) => Value::of(name).map(Part::Value),
    });
    let template = Template::new(parts.collect::<Option<_>>()?);
    if template.is_none() {
        at.wrong(
            "a key that names something of the token",
            shown(written),
            "write for example `blacklist:{jti}`: this one key would revoke every token",
        );
    }
    template
}
