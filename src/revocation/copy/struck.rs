//! What is known under one name, in 24 bytes for most.

use crate::clock::Timestamp;
use crate::revocation::name::Kind;
use crate::revocation::strike::{Hit, Issued, Strike};

/// What is known under one name.
///
/// Most names have one strike without a reason, made at the instant up to which it strikes, or one
/// that strikes everything: that needs no more than this. Everything else is beside it.
#[derive(Clone, Debug)]
pub(super) struct Struck {
    /// The instant of the one strike, in milliseconds: up to which it strikes, or when it was made.
    instant: u64,
    /// When it ends, in seconds, rounded up; zero if it does not.
    until: u32,
    kind: Kind,
    form: Form,
    more: Option<Box<More>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One strike by instant.
    Before,
    /// One strike of everything.
    Everything,
    /// Whatever is beside it.
    Other,
}

/// What does not fit.
#[derive(Clone, Debug)]
struct More {
    strikes: Box<[Strike]>,
    cleared: Option<Cleared>,
}

/// That a name was cleared: what was made until then no longer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cleared {
    /// When.
    pub at: Timestamp,
    /// How long that is known.
    pub until: Timestamp,
}

impl Struck {
    pub(super) fn new(kind: Kind, strikes: Vec<Strike>, cleared: Option<Cleared>) -> Self {
        let plain = match &*strikes {
            [strike] if cleared.is_none() && strike.reason.is_none() => plain(strike),
            _ => None,
        };
        match plain {
            Some((form, instant, until)) => Self {
                instant,
                until,
                kind,
                form,
                more: None,
            },
            None => Self {
                instant: 0,
                until: 0,
                kind,
                form: Form::Other,
                more: Some(Box::new(More {
                    strikes: strikes.into(),
                    cleared,
                })),
            },
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// When it was last cleared.
    pub(super) fn cleared(&self) -> Option<Cleared> {
        self.more.as_ref().and_then(|more| more.cleared)
    }

    pub(super) fn strikes(&self) -> Vec<Strike> {
        match &self.more {
            None => vec![self.only()],
            Some(more) => more.strikes.to_vec(),
        }
    }

    pub(super) fn check(&self, issued: Issued) -> Result<(), Hit> {
        match &self.more {
            None => issued.under(&self.only(), self.kind),
            Some(more) => {
                let mut strikes = more.strikes.iter();
                strikes.try_for_each(|strike| issued.under(strike, self.kind))
            }
        }
    }

    /// Whether it says nothing any more.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let has_ended = |until: Option<Timestamp>| until.is_some_and(|until| now >= until);
        match &self.more {
            None => has_ended(self.until()),
            Some(more) => {
                let is_forgotten = more.cleared.is_none_or(|cleared| now >= cleared.until);
                is_forgotten && more.strikes.iter().all(|strike| has_ended(strike.until))
            }
        }
    }

    /// What either of two knows, but for what the other one knows to be cleared.
    pub(super) fn and(&self, other: &Self) -> Self {
        let mut strikes = self.standing(other.cleared());
        for strike in other.standing(self.cleared()) {
            if !strikes.contains(&strike) {
                strikes.push(strike);
            }
        }
        let cleared = self.cleared().max(other.cleared());
        Self::new(self.kind, strikes, cleared)
    }

    /// The strikes that were made after another copy was cleared: its own were there, or came later.
    fn standing(&self, cleared: Option<Cleared>) -> Vec<Strike> {
        let mut strikes = self.strikes();
        // Of a strike that does not say when it was made nobody knows that it was cleared.
        strikes.retain(|strike| match (strike.at.or(strike.before), cleared) {
            (Some(made), Some(cleared)) => made > cleared.at,
            (Some(_) | None, None) | (None, Some(_)) => true,
        });
        strikes
    }

    fn only(&self) -> Strike {
        let instant = Timestamp::from_millis(self.instant);
        let made = (self.instant != 0).then_some(instant);
        Strike {
            before: (self.form == Form::Before).then_some(instant),
            until: self.until(),
            at: made,
            reason: None,
        }
    }

    fn until(&self) -> Option<Timestamp> {
        let secs = u64::from(self.until);
        (secs != 0).then(|| Timestamp::from_secs(secs))
    }
}

/// A strike that needs nothing beside it.
fn plain(strike: &Strike) -> Option<(Form, u64, u32)> {
    let until = match strike.until {
        None => 0,
        // One that ends beyond the range, or at the epoch itself, is kept whole.
        Some(until) => match u32::try_from(until.as_millis().div_ceil(1000)) {
            Ok(0) | Err(_) => return None,
            Ok(secs) => secs,
        },
    };
    match (strike.before, strike.at) {
        (Some(before), at) if at.is_none_or(|at| at == before) => {
            Some((Form::Before, before.as_millis(), until))
        }
        (None, at) => Some((Form::Everything, at.map_or(0, Timestamp::as_millis), until)),
        (Some(_), _) => None,
    }
}
