//! What the ledger has to say, and of whom.

use crate::clock::Timestamp;
use crate::event::Version;

/// Of whom something is remembered or answered.
#[derive(Clone, Copy, Debug)]
pub struct Person<'p> {
    /// The namespace of the subject.
    pub realm: &'p str,
    /// The tenant, where there is one.
    pub tenant: Option<&'p str>,
    /// The normalized subject.
    pub subject: &'p str,
    /// The directory's id, once it is known.
    pub id: Option<&'p str>,
}

/// What the ledger makes of something that was answered about a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing that was told is newer.
    Stands {
        /// Tokens issued at or before this are dead: the user was deleted then, and is there again.
        revoked: Option<Timestamp>,
    },
    /// Something newer was told.
    Outdated,
    /// The subject went to somebody else, or to nobody, after that was asked for.
    Renamed,
    /// The user was deleted or disabled, and nothing newer has lifted that.
    Marked(Mark),
}

/// A deletion or a disabling that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which of the two.
    pub kind: MarkKind,
    /// When it happened, by its source's clock.
    pub at: Timestamp,
    /// The record's version after it, where known: a greater one lifts the mark.
    pub version: Option<Version>,
}

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// The user may not act.
    Disabled,
    /// The user is gone.
    Deleted,
}

/// What events told of a user, for whoever looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The time of the newest of them, by its source's clock.
    pub time: Timestamp,
    /// The version that it told.
    pub version: Option<Version>,
    /// What stands until something newer lifts it.
    pub mark: Option<MarkKind>,
    /// Tokens issued at or before this are dead.
    pub revoked: Option<Timestamp>,
}

/// How much the ledger holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Users of whom a change is known, those with a mark too.
    pub fences: usize,
    /// Users who are marked as deleted or disabled.
    pub marks: usize,
    /// Old subjects that lead to new ones.
    pub aliases: usize,
    /// Tenants that are suspended.
    pub suspended: usize,
    /// Fences without a mark that went before their time, because there were too many: older answers
    /// of their tenants are asked for again.
    pub dropped_fences: u64,
    /// Marks and aliases that went before their time, because there were too many.
    pub dropped: u64,
}

impl Judgement {
    /// What two fences make of an answer together: the stronger of the two.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Marked(one), Self::Marked(other)) => {
                Self::Marked(if other.kind > one.kind { other } else { one })
            }
            (marked @ Self::Marked(_), _) | (_, marked @ Self::Marked(_)) => marked,
            (Self::Renamed, _) | (_, Self::Renamed) => Self::Renamed,
            (Self::Outdated, _) | (_, Self::Outdated) => Self::Outdated,
            (Self::Stands { revoked: one }, Self::Stands { revoked: other }) => Self::Stands {
                revoked: one.max(other),
            },
        }
    }
}
