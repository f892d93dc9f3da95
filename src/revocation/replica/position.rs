//! Where a copy stands in the log, and what to make of what comes next.

/// Where a copy stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// The store's generation; `None` while nothing was ever written.
    pub(super) generation: Option<Box<str>>,
    /// The running number of the last entry.
    pub(super) number: u64,
    /// Its id.
    pub(super) id: Box<str>,
    /// What was drawn for it: after a fail-over another entry may bear its number and its id.
    pub(super) drawn: Box<str>,
    /// The head when the state was read that this copy began with: what was written meanwhile may be in
    /// the copy, and has not been read from the log yet.
    pub(super) seen: Head,
    /// The history of the server of which all that is known here is: a new one begins with each
    /// fail-over and restart.
    pub(super) history: Box<str>,
}

/// What the store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) generation: Option<Box<str>>,
    pub(super) number: u64,
    /// The id of the last entry, and what was drawn for it.
    pub(super) last: Box<str>,
    pub(super) drawn: Box<str>,
}

/// An entry of the log, as far as its place goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) id: Box<str>,
    pub(super) generation: Box<str>,
    pub(super) number: u64,
    /// The id of the entry before it.
    pub(super) before: Box<str>,
    /// Drawn at random for each entry.
    pub(super) drawn: Box<str>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It goes on from here.
    Follow,
    /// Something between was trimmed from the log: the store's state replaces the copy.
    Replace,
    /// The store is not the one that was followed, or lost something: copy and state are united.
    Unite(Break),
}

/// Where the thread was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// Another store, or one that was emptied.
    Generation,
    /// It is behind us: a write that we have seen is lost.
    Behind,
    /// The entry before is not the one that we have.
    Predecessor,
}

impl Break {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Generation => "another generation",
            Self::Behind => "a head behind ours",
            Self::Predecessor => "another predecessor",
        }
    }
}

impl Next {
    /// What to make of a snapshot that was to be taken for this reason, once it is read: the store may
    /// have become another one meanwhile. `before` is where it stood when the reading began, `after`
    /// when it ended; none where it must be read again.
    pub(super) fn of_snapshot(
        self,
        ours: Option<&Position>,
        (before, after): (&Head, &Head),
        history: &str,
        is_empty: bool,
    ) -> Option<Self> {
        // What was read where there had been nothing is of a generation that nobody has told.
        let is_untold = before.generation.is_none() && !is_empty;
        if is_untold || before.generation != after.generation || after.number < before.number {
            return None;
        }
        let broken = ours.and_then(|ours| {
            if ours.is_of_another(before) {
                Some(Break::Generation)
            } else if before.number < ours.reached() {
                Some(Break::Behind)
            } else if ours.is_unproven() && *ours.history != *history {
                // What was seen and never read from the log may be lost, and others in its place.
                Some(Break::Predecessor)
            } else {
                None
            }
        });
        Some(match (self, broken) {
            (Self::Replace | Self::Follow, Some(broken)) => Self::Unite(broken),
            (Self::Follow, None) => Self::Replace,
            (why @ (Self::Replace | Self::Unite(_)), _) => why,
        })
    }
}

impl Position {
    /// After a new connection: `ours` is whether the log still has our last entry, under our number.
    pub(super) fn resume(&self, head: &Head, ours: bool, history: &str) -> Next {
        if self.is_of_another(head) {
            return Next::Unite(Break::Generation);
        }
        if head.number < self.reached() {
            return Next::Unite(Break::Behind);
        }
        if self.number == 0 || ours {
            return Next::Follow;
        }
        // Our entry has left the log. On the history from which we read it, it was trimmed.
        if *self.history == *history {
            Next::Replace
        } else {
            Next::Unite(Break::Predecessor)
        }
    }

    /// An entry that was read after ours.
    pub(super) fn follow(&self, link: &Link) -> Next {
        let generation = self.generation.as_ref().or(self.seen.generation.as_ref());
        if generation.is_some_and(|generation| *generation != link.generation) {
            return Next::Unite(Break::Generation);
        }
        if link.number == self.seen.number && link.drawn != self.seen.drawn {
            return Next::Unite(Break::Predecessor);
        }
        if link.number > self.number.saturating_add(1) {
            Next::Replace
        } else if link.number <= self.number {
            Next::Unite(Break::Behind)
        } else if *link.before != *self.id {
            Next::Unite(Break::Predecessor)
        } else {
            Next::Follow
        }
    }

    /// The log has nothing after ours; what the head says of that.
    pub(super) fn at_end(&self, head: &Head) -> End {
        if self.is_of_another(head) {
            End::Lost(Next::Unite(Break::Generation))
        } else if head.number < self.reached() {
            End::Lost(Next::Unite(Break::Behind))
        } else if head.number == self.number && (self.number == 0 || head.drawn == self.drawn) {
            End::Reached
        } else if head.number == self.number {
            End::Lost(Next::Unite(Break::Predecessor))
        } else {
            End::Behind
        }
    }

    /// Whether nothing was written since.
    pub(super) fn is_head(&self, head: &Head) -> bool {
        !self.is_of_another(head) && head.number == self.number && head.drawn == self.drawn
    }

    /// Whether something may be known that has not been read from the log.
    fn is_unproven(&self) -> bool {
        self.number < self.seen.number
    }

    /// The log goes on from here on this history: if all that is known was read from the log, all of it
    /// is of this history.
    pub(super) fn goes_on(&mut self, history: &str) {
        if !self.is_unproven() && *self.history != *history {
            self.history = history.into();
        }
    }

    /// The latest entry of which anything is known here.
    fn reached(&self) -> u64 {
        self.number.max(self.seen.number)
    }

    fn is_of_another(&self, head: &Head) -> bool {
        let generation = self.generation.as_ref().or(self.seen.generation.as_ref());
        generation.is_some() && generation != head.generation.as_ref()
    }

    /// Whether an entry that the log has under our id is the one that we have.
    pub(super) fn is_at(&self, link: &Link) -> bool {
        link.id == self.id && link.number == self.number && link.drawn == self.drawn
    }

    /// Where it stands after an entry.
    pub(super) fn after(&self, link: Link) -> Self {
        Self {
            generation: Some(link.generation),
            number: link.number,
            id: link.id,
            drawn: link.drawn,
            seen: self.seen.clone(),
            history: self.history.clone(),
        }
    }
}

/// Whether the end of the log was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// There is nothing that we do not have.
    Reached,
    /// There is more, which the next read brings, or which was trimmed.
    Behind,
    /// The thread is lost.
    Lost(Next),
}
