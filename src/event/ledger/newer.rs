//! Which of two things that were told is newer.

use super::MarkKind;
use crate::clock::Timestamp;
use crate::event::{Event, Kind, Version};
use std::cmp::Ordering;

/// What an event says of whether the user is there.
#[derive(Clone, Copy)]
pub(super) enum Decision {
    There,
    Marked(MarkKind),
}

pub(super) const fn decision(kind: &Kind) -> Option<Decision> {
    match kind {
        Kind::UserCreated | Kind::UserEnabled => Some(Decision::There),
        Kind::UserDeleted => Some(Decision::Marked(MarkKind::Deleted)),
        Kind::UserDisabled => Some(Decision::Marked(MarkKind::Disabled)),
        Kind::UserUpdated
        | Kind::UserIdChanged { .. }
        | Kind::TenantSuspended
        | Kind::TenantResumed => None,
    }
}

/// When something was told, and the version that it told.
pub(super) type Saying = (Timestamp, Option<Version>);

/// Whether an event is newer than what is known. Of two that are equally new the one that takes away
/// stands.
pub(super) fn is_newer(event: &Event, known: Saying, decides: Option<Decision>) -> bool {
    let order = order((event.time, event.version), known);
    let takes_away = matches!(decides, Some(Decision::Marked(_)));
    order == Ordering::Greater || (order == Ordering::Equal && takes_away)
}

/// Which of two is newer: by version where both have one, else by time.
pub(super) fn order(one: Saying, other: Saying) -> Ordering {
    compared(one.1, other.1).unwrap_or_else(|| one.0.cmp(&other.0))
}

/// How two versions compare, where both are known and of one kind.
pub(super) fn compared(one: Option<Version>, other: Option<Version>) -> Option<Ordering> {
    one?.partial_cmp(&other?)
}
