//! Durations, sizes and counts within sensible bounds.

use crate::config::document::{Limits, Period, Size};
use crate::config::report::At;
use crate::server;
use std::time::Duration;

/// No duration of a configuration is longer: sums of a few stay far from overflow.
pub(super) const LONGEST: Period = Period::hours(24 * 366);

const LARGEST: Size = Size::mib(1 << 20);
const INSTANT: Period = Period::millis(1);

/// A duration in these bounds.
pub(super) fn within(at: &At<'_>, period: Period, least: Period, most: Period) -> Option<Duration> {
    if (least..=most).contains(&period) {
        return Some(period.0);
    }
    let (bound, remedy) = if period < least {
        (
            format!("a duration of at least {least}"),
            format!("write `{least}` or more"),
        )
    } else {
        (
            format!("a duration of at most {most}"),
            format!("write `{most}` or less"),
        )
    };
    at.wrong(bound, period.to_string(), remedy);
    None
}

/// A duration that is not zero.
pub(super) fn some(at: &At<'_>, period: Period) -> Option<Duration> {
    within(at, period, INSTANT, LONGEST)
}

/// A duration that may be zero.
pub(super) fn any(at: &At<'_>, period: Period) -> Option<Duration> {
    within(at, period, Period::secs(0), LONGEST)
}

/// A size in these bounds, in bytes.
pub(super) fn size(at: &At<'_>, size: Size, least: Size, most: Size) -> Option<u64> {
    if (least..=most).contains(&size) {
        return Some(size.0);
    }
    at.wrong(
        format!("a size from {least} to {most}"),
        size.to_string(),
        format!(
            "write for example `{}`",
            if size < least { least } else { most }
        ),
    );
    None
}

/// The most memory that something may take, in bytes.
pub(super) fn memory(at: &At<'_>, most: Size) -> Option<u64> {
    size(at, most, Size::mib(1), LARGEST)
}

pub(super) fn limits(at: &At<'_>, limits: &Limits) -> Option<server::Limits> {
    let Limits {
        token_bytes,
        in_flight,
        waiting,
        tokens,
    } = limits;
    let token_bytes = size(
        &at.key("token_bytes"),
        *token_bytes,
        Size(256),
        Size::mib(1),
    );
    let tokens = memory(&at.key("tokens"), *tokens);
    Some(server::Limits {
        token_bytes: usize::try_from(token_bytes?).ok()?,
        in_flight: *in_flight,
        waiting: *waiting,
        tokens: tokens?,
    })
}
