//! What is remembered of users, how the directory is, and what of it is not believed.

use super::families::{counter, flag, gauge, read, single, whole};
use crate::user::directory::{Reason, WatchCounts};
use crate::user::{Audited, BreakerState, CanaryState, Counts, Drift, Users};
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;
use std::sync::atomic::AtomicU64;
use tokio::time::Instant;

/// The states of a canary, by name: those that are told, and that nothing was asked yet.
const CANARY_STATES: [&str; 4] = ["found", "missing", "unanswered", "unasked"];

pub(super) fn write(encoder: &mut DescriptorEncoder<'_>, users: &Users) -> Result<(), fmt::Error> {
    let now = Instant::now();
    cache(encoder, users)?;
    look_ups(encoder, users.counts())?;
    lanes(encoder, users, now)?;
    guard(encoder, users, now)?;
    canaries(encoder, users, now)?;
    watch(encoder, users.watch_counts())?;
    audits(encoder, users.audits())
}

fn cache(encoder: &mut DescriptorEncoder<'_>, users: &Users) -> Result<(), fmt::Error> {
    let (found, bytes, not_found) = users.size();
    let kind = |kind| [("kind", kind)];
    let entries = [
        (kind("found"), whole(found)),
        (kind("not_found"), whole(not_found)),
    ];
    gauge(
        encoder,
        "user_cache_entries",
        "Users remembered, by kind",
        None,
        &entries,
    )?;
    single(
        encoder,
        "user_cache",
        "About what remembered users take",
        Some(&Unit::Bytes),
        &ConstGauge::new(whole(bytes)),
    )
}

fn look_ups(encoder: &mut DescriptorEncoder<'_>, counts: &Counts) -> Result<(), fmt::Error> {
    let outcome = |outcome, reason| [("outcome", outcome), ("reason", reason)];
    let mut look_ups = vec![
        (outcome("found", ""), read(&counts.found)),
        (outcome("not_found", ""), read(&counts.not_found)),
    ];
    for (reason, count) in Reason::ALL.iter().zip(&counts.unanswered) {
        look_ups.push((outcome("unanswered", reason.as_str()), read(count)));
    }
    counter(
        encoder,
        "lookups",
        "Look-ups in the directory by outcome and, where there was no trustworthy answer, its reason",
        &look_ups,
    )?;
    let seconds = read(&counts.micros) / 1e6;
    single(
        encoder,
        "lookup_duration",
        "Time spent in look-ups",
        Some(&Unit::Seconds),
        &ConstCounter::new(seconds),
    )
}

fn lanes(
    encoder: &mut DescriptorEncoder<'_>,
    users: &Users,
    now: Instant,
) -> Result<(), fmt::Error> {
    let mut breakers = Vec::new();
    for (lane, stands) in users.breakers(now) {
        for state in BreakerState::ALL {
            let labels = [("lane", lane), ("state", state.as_str())];
            breakers.push((labels, flag(state == stands)));
        }
    }
    gauge(
        encoder,
        "directory_breaker",
        "Circuit breakers before the directory: 1 at the state in which that of a lane is",
        None,
        &breakers,
    )?;
    let (under_way, waiting) = users.attempts();
    let state = |name| [("state", name)];
    let attempts = [
        (state("under_way"), whole(under_way as u64)),
        (state("waiting"), whole(waiting as u64)),
    ];
    gauge(
        encoder,
        "directory_attempts",
        "Questions that are under way to the directory, and those that wait for room",
        None,
        &attempts,
    )
}

fn guard(
    encoder: &mut DescriptorEncoder<'_>,
    users: &Users,
    now: Instant,
) -> Result<(), fmt::Error> {
    let status = users.guard(now);
    let held = status.groups.iter().filter(|group| group.held).count();
    single(
        encoder,
        "vanish_guard_held_groups",
        "Tenants, each in its realm, whose not-founds are held on their own account",
        None,
        &ConstGauge::new(whole(held as u64)),
    )?;
    single(
        encoder,
        "vanish_guard_all_held",
        "Whether the not-founds of all tenants are held",
        None,
        &ConstGauge::new(flag(status.all_held)),
    )?;
    single(
        encoder,
        "vanish_guard_held_answers",
        "Not-founds of known users that were held",
        None,
        &ConstCounter::new(whole(users.held_answers())),
    )?;
    single(
        encoder,
        "vanish_guard_uncounted_answers",
        "Answers about known users of tenants of whom no count is kept, since there are too many",
        None,
        &ConstCounter::new(whole(status.uncounted)),
    )
}

fn canaries(
    encoder: &mut DescriptorEncoder<'_>,
    users: &Users,
    now: Instant,
) -> Result<(), fmt::Error> {
    let (mut states, mut ages) = (Vec::new(), Vec::new());
    for (realm, heard) in users.canaries(now) {
        let stands = heard.map_or("unasked", |(state, _)| CanaryState::as_str(state));
        for state in CANARY_STATES {
            let labels = [("realm", realm.to_string()), ("state", state.to_owned())];
            states.push((labels, flag(state == stands)));
        }
        if let Some((_, age)) = heard {
            ages.push(([("realm", realm.to_string())], age.as_secs_f64()));
        }
    }
    gauge(
        encoder,
        "canary",
        "Canaries by realm: 1 at the state in which one was when it was last asked for",
        None,
        &states,
    )?;
    gauge(
        encoder,
        "canary_age",
        "How long ago a realm's canary was last asked for",
        Some(&Unit::Seconds),
        &ages,
    )
}

/// Zeros where the directory cannot tell of changes.
fn watch(
    encoder: &mut DescriptorEncoder<'_>,
    counts: Option<&WatchCounts>,
) -> Result<(), fmt::Error> {
    let of =
        |count: fn(&WatchCounts) -> &AtomicU64| counts.map_or(0.0, |counts| read(count(counts)));
    let result = |name| [("result", name)];
    let samples = [
        (result("begun"), of(|counts| &counts.begun)),
        (result("lost"), of(|counts| &counts.lost)),
        (result("event"), of(|counts| &counts.events)),
        (result("skipped"), of(|counts| &counts.skipped)),
        (result("missed"), of(|counts| &counts.missed)),
    ];
    counter(
        encoder,
        "directory_watch",
        "What came of watching the directory for changes",
        &samples,
    )
}

fn audits(encoder: &mut DescriptorEncoder<'_>, audited: &Audited) -> Result<(), fmt::Error> {
    let counts = [
        (
            "audited_users",
            "Remembered users who were asked for again by an audit",
            &audited.asked,
        ),
        (
            "audited_users_unanswered",
            "Those of them of whom nothing trustworthy was answered",
            &audited.unanswered,
        ),
    ];
    for (name, help, count) in counts {
        single(encoder, name, help, None, &ConstCounter::new(read(count)))?;
    }
    let kinds = Drift::ALL.iter().zip(&audited.drift);
    let drift: Vec<_> = kinds
        .map(|(kind, count)| ([("kind", kind.as_str())], read(count)))
        .collect();
    counter(
        encoder,
        "audit_drift",
        "Differences that audits found between what is remembered and what the directory says, by kind",
        &drift,
    )
}
