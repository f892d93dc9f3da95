//! The key `users`.

mod cache;
mod canary;
mod grpc;
mod http;
mod reach;
mod scim;
mod snapshot;
mod supabase;

use super::{file, quantity};
use crate::config::document::{
    Audit as WrittenAudit, Period, Users, UsersFile, VanishGuard as WrittenVanishGuard,
};
use crate::config::report::At;
use crate::tenant;
use crate::token::issuer;
use crate::user::directory;
use crate::user::{Audit, Config, VanishGuard};

/// What stands beside the users, as far as it is free of mistakes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside<'b> {
    /// The issuers; `None` for one with mistakes.
    pub(super) issuers: &'b [Option<issuer::Config>],
    /// Whether those are all that are written, and none has mistakes.
    pub(super) all_issuers: bool,
    /// How tenants are settled.
    pub(super) tenant: Option<&'b tenant::Config>,
    /// Whether the directory's request names the tenant.
    pub(super) asks_inside_tenant: bool,
    /// Whether the directory is Supabase.
    pub(super) asks_supabase: bool,
}

pub(super) fn resolve(at: &At<'_>, users: Users, beside: &Beside<'_>) -> Option<Config> {
    let Users {
        http,
        grpc,
        scim,
        supabase,
        file,
        timeout,
        wait,
        retries,
        concurrency,
        creation_grace,
        alias_for,
        cache,
        canary,
        vanish_guard,
        audit,
        snapshot,
    } = users;
    let directory = exactly_one(
        at,
        [
            offered("http", http, http::resolve),
            offered("grpc", grpc, grpc::resolve),
            offered("scim", scim, scim::resolve),
            offered("supabase", supabase, supabase::resolve),
            offered("file", file, resolve_file),
        ],
    );
    let shortest = Period::millis(1);
    let longest = Period::secs(60);
    let bounded = quantity::within(&at.key("timeout"), timeout, shortest, longest);
    let wait = quantity::within(
        &at.key("wait"),
        wait,
        shortest,
        bounded.map_or(longest, Period),
    );
    let creation_grace = quantity::within(
        &at.key("creation_grace"),
        creation_grace,
        Period::secs(0),
        Period::hours(1),
    );
    let alias_for = cache::alias(&at.key("alias_for"), alias_for, beside.issuers);
    let cache = cache::resolve(&at.key("cache"), &cache, beside.issuers);
    let canaries = canary::resolve(&at.key("canary"), canary, beside);
    let vanish_guard = resolve_vanish_guard(&at.key("vanish_guard"), &vanish_guard);
    let audit = resolve_audit(&at.key("audit"), &audit);
    let snapshot = snapshot::resolve(&at.key("snapshot"), snapshot);
    Some(Config {
        directory: directory?,
        timeout: bounded?,
        wait: wait?,
        retries,
        concurrency,
        creation_grace: creation_grace?,
        alias_for: alias_for?,
        cache: cache?,
        canaries: canaries?,
        vanish_guard: vanish_guard?,
        audit: audit?,
        snapshot: snapshot?,
    })
}

fn resolve_vanish_guard(at: &At<'_>, written: &WrittenVanishGuard) -> Option<VanishGuard> {
    let WrittenVanishGuard { share, window, min } = *written;
    if share >= 1.0 {
        at.key("share").warn(
            &share.to_string(),
            "every not-found is believed, also where the directory loses all its users at once",
        );
    }
    Some(VanishGuard {
        share,
        window: quantity::within(
            &at.key("window"),
            window,
            Period::secs(1),
            Period::hours(24),
        )?,
        min,
    })
}

fn resolve_audit(at: &At<'_>, written: &WrittenAudit) -> Option<Audit> {
    let WrittenAudit { every, sample } = *written;
    let every = quantity::within(&at.key("every"), every, Period::secs(1), quantity::LONGEST);
    Some(Audit {
        every: every?,
        sample,
    })
}

/// A directory by its key, and how it is resolved if it is written.
type Offer = (
    &'static str,
    Option<Box<dyn FnOnce(&At<'_>) -> Option<directory::Config>>>,
);

fn offered<W: 'static>(
    key: &'static str,
    written: Option<W>,
    resolve: impl FnOnce(&At<'_>, W) -> Option<directory::Config> + 'static,
) -> Offer {
    match written {
        Some(written) => (key, Some(Box::new(move |at| resolve(at, written)))),
        None => (key, None),
    }
}

/// The only one that is written. Where there are several, each tells its own mistakes all the same: it
/// may be the one that is kept.
fn exactly_one<const N: usize>(at: &At<'_>, offers: [Offer; N]) -> Option<directory::Config> {
    let mut named = Vec::new();
    let mut resolved = None;
    for (key, resolve) in offers {
        let at = at.key(key);
        if resolve.is_some() || at.is_spoiled() {
            named.push(format!("`{key}`"));
        }
        resolved = resolve.and_then(|resolve| resolve(&at)).or(resolved);
    }
    let remedy = match named.len() {
        1 => return resolved,
        0 => {
            "add one of `http`, `grpc`, `scim`, `supabase` and `file`, for example `file: {path: users.yaml}`"
        }
        _ => "keep one of them",
    };
    let came = if named.is_empty() {
        "none".to_owned()
    } else {
        named.join(" and ")
    };
    at.wrong("exactly one directory", came, remedy);
    None
}

fn resolve_file(at: &At<'_>, file: UsersFile) -> Option<directory::Config> {
    let path = file::readable(&at.key("path"), &file.path?)?;
    Some(directory::Config::File(path))
}
