//! A small model of store and reader, and every interleaving that chance finds: whenever the reader says
//! that it holds everything, it does, and what it ever held it never loses.

use super::position::{End, Head, Link, Next, Position};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A store as the script keeps it.
#[derive(Clone, Debug, Default)]
struct Store {
    generation: Option<u64>,
    number: u64,
    last: u64,
    drawn: u64,
    log: Vec<(Link, u32)>,
    state: BTreeSet<u32>,
}

#[derive(Clone, Debug)]
enum Step {
    Write(u32),
    /// Leaves at most so many entries in the log.
    Trim(usize),
    /// Another server takes over, without the latest writes, and with another clock.
    FailOver {
        lost: usize,
        back: u64,
    },
    /// It comes back with its data, as another history.
    Restart,
    Flush,
    Disconnect,
    /// The reader does its next thing.
    Read,
}

#[derive(Debug)]
enum Doing {
    Nothing,
    /// The state is read name by name, from this one on.
    Snapshot {
        why: Next,
        head: Head,
        from: u32,
        read: BTreeSet<u32>,
    },
    Following {
        was_behind: bool,
    },
}

#[derive(Debug)]
struct World {
    store: Store,
    /// The store before its latest writes, the newest last: what a fail-over may bring back.
    before: Vec<Store>,
    history: u64,
    clock: u64,
    drawn: u64,
    doing: Doing,
    position: Option<Position>,
    copy: BTreeSet<u32>,
    diverged: bool,
}

fn text(number: u64) -> Box<str> {
    number.to_string().into()
}

impl World {
    fn new() -> Self {
        Self {
            store: Store::default(),
            before: Vec::new(),
            history: 1,
            clock: 1000,
            drawn: 0,
            doing: Doing::Nothing,
            position: None,
            copy: BTreeSet::new(),
            diverged: false,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Write(name) => self.write(*name),
            Step::Trim(keep) => {
                let gone = self.store.log.len().saturating_sub(*keep);
                self.store.log.drain(..gone);
            }
            Step::FailOver { lost, back } => {
                for _ in 0..*lost {
                    if let Some(before) = self.before.pop() {
                        self.store = before;
                    }
                }
                self.clock = self.clock.saturating_sub(*back);
                self.history += 1;
                self.doing = Doing::Nothing;
            }
            Step::Restart => {
                self.history += 1;
                self.doing = Doing::Nothing;
            }
            Step::Flush => {
                self.store = Store::default();
                self.before.clear();
            }
            Step::Disconnect => self.doing = Doing::Nothing,
            Step::Read => self.read(),
        }
    }

    fn write(&mut self, name: u32) {
        self.before.push(self.store.clone());
        self.clock += 1;
        let store = &mut self.store;
        self.drawn += 1;
        let generation = *store.generation.get_or_insert(self.drawn);
        // An id is never below the last one, whatever the clock says.
        let id = self.clock.max(store.last + 1);
        store.number += 1;
        let link = Link {
            id: text(id),
            generation: text(generation),
            number: store.number,
            before: text(store.last),
            drawn: text(self.drawn),
        };
        store.log.push((link, name));
        store.last = id;
        store.drawn = self.drawn;
        store.state.insert(name);
    }

    fn head(&self) -> Head {
        Head {
            generation: self.store.generation.map(text),
            number: self.store.number,
            last: text(self.store.last),
            drawn: text(self.store.drawn),
        }
    }

    /// What a reader does next; as in `Reader`, one answer of Redis at a time.
    fn read(&mut self) {
        match std::mem::replace(&mut self.doing, Doing::Nothing) {
            Doing::Nothing => {
                let next = match &mut self.position {
                    None => Next::Replace,
                    Some(position) => {
                        let mut links = self.store.log.iter().map(|(link, _)| link);
                        let ours = links.any(|link| position.is_at(link));
                        let history = text(self.history);
                        let head = Head {
                            generation: self.store.generation.map(text),
                            number: self.store.number,
                            last: text(self.store.last),
                            drawn: text(self.store.drawn),
                        };
                        let next = position.resume(&head, ours, &history);
                        if next == Next::Follow {
                            position.goes_on(&history);
                        }
                        next
                    }
                };
                self.go_on(next);
            }
            Doing::Snapshot {
                why,
                head,
                from,
                mut read,
            } => {
                let page: Vec<u32> = self.store.state.range(from..).take(2).copied().collect();
                read.extend(&page);
                if let Some(last) = page.last() {
                    let from = last + 1;
                    self.doing = Doing::Snapshot {
                        why,
                        head,
                        from,
                        read,
                    };
                    return;
                }
                let (ours, after, history) =
                    (self.position.as_ref(), self.head(), text(self.history));
                match why.of_snapshot(ours, (&head, &after), &history, read.is_empty()) {
                    Some(why) => self.replaced(why, head, after, read),
                    // It connects again.
                    None => self.doing = Doing::Nothing,
                }
            }
            Doing::Following { was_behind } => self.follow(was_behind),
        }
    }

    fn replaced(&mut self, why: Next, head: Head, seen: Head, mut read: BTreeSet<u32>) {
        self.diverged |= matches!(why, Next::Unite(_));
        if self.diverged {
            read.extend(&self.copy);
        }
        self.copy = read;
        self.position = Some(Position {
            generation: head.generation,
            number: head.number,
            id: head.last,
            drawn: head.drawn,
            seen,
            history: text(self.history),
        });
        self.doing = Doing::Following { was_behind: false };
    }

    fn go_on(&mut self, next: Next) {
        self.doing = match next {
            Next::Follow => Doing::Following { was_behind: false },
            why @ (Next::Replace | Next::Unite(_)) => Doing::Snapshot {
                why,
                head: self.head(),
                from: 0,
                read: BTreeSet::new(),
            },
        };
    }

    fn follow(&mut self, was_behind: bool) {
        let Some(mut position) = self.position.clone() else {
            panic!("whoever follows stands somewhere");
        };
        let id: u64 = position.id.parse().unwrap();
        let after = |link: &Link| link.id.parse::<u64>().unwrap() > id;
        let entries = self.store.log.iter().filter(|(link, _)| after(link));
        let entries: Vec<_> = entries.take(2).cloned().collect();
        let (count, is_idle) = (entries.len(), entries.is_empty());
        for (link, name) in entries {
            match position.follow(&link) {
                Next::Follow => {}
                lost @ (Next::Replace | Next::Unite(_)) => return self.go_on(lost),
            }
            self.copy.insert(name);
            position = position.after(link);
            position.goes_on(&text(self.history));
        }
        self.position = Some(position.clone());
        self.doing = Doing::Following { was_behind: false };
        if count == 2 {
            return;
        }
        if !is_idle {
            return self.complete();
        }
        match position.at_end(&self.head()) {
            End::Reached => self.complete(),
            End::Behind if was_behind => self.go_on(Next::Replace),
            End::Behind => self.doing = Doing::Following { was_behind: true },
            End::Lost(next) => self.go_on(next),
        }
    }

    /// The reader says that it holds everything.
    fn complete(&self) {
        let missing: Vec<_> = self.store.state.difference(&self.copy).collect();
        assert!(
            missing.is_empty(),
            "caught up without {missing:?}: {self:?}"
        );
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..40_u32).prop_map(Step::Write),
        12 => Just(Step::Read),
        2 => (0..3_usize).prop_map(Step::Trim),
        1 => (0..4_usize, 0..20_u64).prop_map(|(lost, back)| Step::FailOver { lost, back }),
        1 => Just(Step::Restart),
        1 => Just(Step::Flush),
        2 => Just(Step::Disconnect),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn who_is_caught_up_holds_everything_and_nothing_that_was_held_is_lost(steps in proptest::collection::vec(step(), 0..80)) {
        let mut world = World::new();
        for step in &steps {
            let held = world.copy.clone();
            world.step(step);
            let lost: Vec<_> = held.difference(&world.copy).collect();
            prop_assert!(lost.is_empty(), "lost {:?} at {:?}", lost, step);
        }
        // Left alone, it catches up.
        for _ in 0..200 {
            world.read();
        }
        let caught_up = world.store.state.is_subset(&world.copy);
        prop_assert!(caught_up, "{:?}", world);
    }
}

#[test]
fn what_was_seen_in_the_state_and_lost_before_it_was_read_from_the_log_is_kept() {
    use Step::{FailOver, Read, Trim, Write};
    let lost = FailOver { lost: 1, back: 0 };
    let begun = [Write(3), Read, Write(0), Read, Read];
    let taken_over = [
        lost,
        Write(1),
        Write(1),
        Read,
        Trim(0),
        Read,
        Read,
        Read,
        Read,
    ];
    let mut world = World::new();
    for step in begun {
        world.step(&step);
    }
    assert!(world.copy.contains(&0) && !world.diverged);
    for step in taken_over {
        world.step(&step);
    }
    assert!(world.copy.contains(&0) && world.diverged);
}
