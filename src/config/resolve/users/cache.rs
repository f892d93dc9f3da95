//! The keys `users.cache` and `users.alias_for`, whose bounds the issuers' tokens set.

use crate::config::document::{Cache, Period};
use crate::config::report::At;
use crate::config::resolve::quantity;
use crate::token::issuer;
use crate::user;
use std::time::Duration;

/// The mark of a deletion stands at least so long, unless another time is written.
const TOMBSTONE: Duration = Duration::from_secs(25 * 3600);

const HOUR: u64 = 3600;

pub(super) fn resolve(
    at: &At<'_>,
    cache: &Cache,
    issuers: &[Option<issuer::Config>],
) -> Option<user::Cache> {
    let Cache {
        fresh,
        stale_while_revalidate,
        stale_if_error,
        not_found_for,
        tombstone_for,
        max_memory,
    } = cache;
    let fresh = quantity::some(&at.key("fresh"), *fresh);
    let stale_while_revalidate =
        quantity::any(&at.key("stale_while_revalidate"), *stale_while_revalidate);
    let stale_if_error = quantity::any(&at.key("stale_if_error"), *stale_if_error);
    let not_found_for = quantity::within(
        &at.key("not_found_for"),
        *not_found_for,
        Period::secs(0),
        Period::hours(1),
    );
    let tombstone_for = tombstone(&at.key("tombstone_for"), *tombstone_for, issuers);
    let max_memory = quantity::memory(&at.key("max_memory"), *max_memory);
    Some(user::Cache {
        fresh: fresh?,
        stale_while_revalidate: stale_while_revalidate?,
        stale_if_error: stale_if_error?,
        not_found_for: not_found_for?,
        tombstone_for: tombstone_for?,
        max_memory: max_memory?,
    })
}

/// An old subject leads to the new one for as long as a token with the old one may live.
pub(super) fn alias(
    at: &At<'_>,
    written: Option<Period>,
    issuers: &[Option<issuer::Config>],
) -> Option<Duration> {
    match written {
        Some(written) => quantity::any(at, written),
        None => issuers
            .iter()
            .flatten()
            .map(|issuer| issuer.max_lifetime.saturating_add(issuer.leeway))
            .max()
            .or(Some(Duration::ZERO)),
    }
}

/// A mark that ends before the last token of the deleted user would let a lagging replica, asked
/// with that token, bring the user back.
fn tombstone(
    at: &At<'_>,
    written: Option<Period>,
    issuers: &[Option<issuer::Config>],
) -> Option<Duration> {
    let outlives = |issuer: &issuer::Config| {
        let leeways = issuer.leeway.saturating_mul(2);
        issuer.max_lifetime.saturating_add(leeways)
    };
    let longest = issuers
        .iter()
        .flatten()
        .max_by_key(|issuer| outlives(issuer));
    let least = longest.map_or(Duration::ZERO, outlives);
    let Some(written) = written else {
        return Some(least.max(TOMBSTONE));
    };
    if let Some(issuer) = longest.filter(|_| written.0 < least) {
        at.wrong(
            format!(
                "a duration of at least {}, the `max_lifetime` ({}) and twice the `leeway` ({}) of {}",
                Period(least),
                Period(issuer.max_lifetime),
                Period(issuer.leeway),
                issuer.name
            ),
            written.to_string(),
            format!(
                "write `{}`, leave it out, or shorten `max_lifetime`",
                Period(whole_hours(least))
            ),
        );
        return None;
    }
    let most = quantity::LONGEST.max(Period(least));
    quantity::within(at, written, Period(Duration::ZERO), most)
}

/// Rounded up to hours, from an hour on.
fn whole_hours(duration: Duration) -> Duration {
    if duration < Duration::from_secs(HOUR) {
        return duration;
    }
    let up = u64::from(duration.subsec_nanos() > 0);
    Duration::from_secs((duration.as_secs() + up).next_multiple_of(HOUR))
}
