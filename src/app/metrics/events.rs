//! What events told, and how much of it is kept.

use super::families::{counter, gauge, single, whole};
use crate::event::Ledger;
use crate::event::ledger::Size;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;
use std::fmt;

pub(super) fn write(
    encoder: &mut DescriptorEncoder<'_>,
    ledger: &Ledger,
) -> Result<(), fmt::Error> {
    let taken: Vec<_> = ledger
        .taken()
        .map(|(name, count)| ([("type", name)], whole(count)))
        .collect();
    counter(
        encoder,
        "events",
        "Lifecycle events that were taken, by type",
        &taken,
    )?;
    let Size {
        fences,
        marks,
        aliases,
        suspended,
        dropped_fences,
        dropped,
    } = ledger.size();
    let kind = |name, count: usize| ([("kind", name)], whole(count as u64));
    let entries = [
        kind("fence", fences.saturating_sub(marks)),
        kind("mark", marks),
        kind("alias", aliases),
        kind("suspension", suspended),
    ];
    gauge(
        encoder,
        "ledger_entries",
        "What events told and is kept: changes, deletions and disablings, new subjects, suspended tenants",
        None,
        &entries,
    )?;
    counter(
        encoder,
        "ledger_dropped_entries",
        "Entries that went before their time, because there were too many: changes, or marks and new subjects",
        &[
            ([("kind", "fence")], whole(dropped_fences)),
            ([("kind", "mark")], whole(dropped)),
        ],
    )?;
    single(
        encoder,
        "alias_uses",
        "Tokens whose old subject led to a new one",
        None,
        &ConstCounter::new(whole(ledger.alias_uses())),
    )
}
