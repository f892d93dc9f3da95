//! Which lists of statuses are held, and how their fetching goes.

use super::families::{counter, gauge, read, whole};
use crate::revocation::status_list::{Counts, Size, StatusLists};
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;
use std::fmt;
use tokio::time::Instant;

pub(super) fn write(
    encoder: &mut DescriptorEncoder<'_>,
    status_lists: &StatusLists,
) -> Result<(), fmt::Error> {
    let (mut held, mut ages, mut fetches) = (Vec::new(), Vec::new(), Vec::new());
    for size in status_lists.sizes(Instant::now()) {
        let Size {
            issuer,
            lists,
            oldest,
            counts,
        } = size;
        let name = || [("issuer", issuer.to_string())];
        held.push((name(), whole(lists)));
        if let Some(age) = oldest {
            ages.push((name(), age.as_secs_f64()));
        }
        let Counts {
            ok,
            unanswered,
            refused,
        } = counts;
        for (result, count) in [("ok", ok), ("unanswered", unanswered), ("refused", refused)] {
            let labels = [
                ("issuer", issuer.to_string()),
                ("result", result.to_owned()),
            ];
            fetches.push((labels, read(count)));
        }
    }
    gauge(
        encoder,
        "status_lists",
        "Token Status Lists held, by issuer",
        None,
        &held,
    )?;
    gauge(
        encoder,
        "status_lists_age",
        "Age of the oldest Token Status List that is held, by issuer",
        Some(&Unit::Seconds),
        &ages,
    )?;
    counter(
        encoder,
        "status_list_fetches",
        "Fetches of Token Status Lists, by issuer and result",
        &fetches,
    )
}
