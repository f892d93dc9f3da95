//! What is played: who says what, what is told, who asks, and when.

use super::PEOPLE;
use super::liar::{Mood, Says};
use crate::event::Kind;
use crate::user::directory::Reason;
use crate::user::tests::world::{millis, secs};
use proptest::prelude::*;

/// How many changes a user goes through; each kind of event is at its own place.
const CHANGES: usize = 12;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Says(usize, Mood),
    Canary(Mood),
    Pass(u64),
    Ask(usize, Option<u64>),
    /// Asks, and while that is waited for something is told.
    AskWhile(usize, Option<u64>, u64, Tell),
    Tell(Tell),
    Missed,
    Forget(usize),
    /// Other settings; whether the directory is reached anew.
    Reload(Settings, bool),
}

/// What a reload may change: times in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) fresh: u64,
    pub(super) stale_while_revalidate: u64,
    pub(super) stale_if_error: u64,
    pub(super) not_found_for: u64,
    pub(super) max_memory: u64,
    pub(super) share: f64,
    pub(super) window: u64,
    pub(super) min: usize,
}

/// The so-manieth change of somebody, named by subject or by id, in the tenant or in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tell {
    pub(super) who: usize,
    pub(super) change: usize,
    pub(super) by_id: bool,
    pub(super) everywhere: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) versioned: bool,
    /// `creation_grace`, in seconds.
    pub(super) grace: u64,
    pub(super) canary: bool,
    pub(super) guard: bool,
    pub(super) kinds: Vec<Kind>,
    pub(super) steps: Vec<Step>,
}

fn mood() -> impl Strategy<Value = Mood> {
    let change = || 0..CHANGES;
    let says = prop_oneof![
        4 => change().prop_map(Says::Found),
        4 => Just(Says::NotFound),
        2 => (0..Reason::ALL.len()).prop_map(|at| Says::Fails(Reason::ALL[at])),
        1 => Just(Says::Unchanged),
        1 => (proptest::option::of(change()), proptest::option::of(change()))
            .prop_map(|(before, now)| Says::Lags { before, now }),
    ];
    let delay = prop_oneof![4 => Just(0), 1 => 1..400_u64, 1 => 900..1200_u64];
    let age = prop_oneof![6 => Just(0), 1 => 1..10_u64, 1 => 10..90_u64];
    let fresh = prop_oneof![4 => Just(None), 1 => (0..30_u64).prop_map(Some)];
    (says, delay, age, fresh, any::<bool>()).prop_map(|(says, delay, age, fresh, validates)| Mood {
        says,
        delay: millis(delay),
        age: secs(age),
        fresh: fresh.map(secs),
        validates,
    })
}

fn tell() -> impl Strategy<Value = Tell> {
    let who = 0..PEOPLE.len();
    (
        who,
        0..CHANGES,
        proptest::bool::weighted(0.3),
        proptest::bool::weighted(0.2),
    )
        .prop_map(|(who, change, by_id, everywhere)| Tell {
            who,
            change,
            by_id,
            everywhere,
        })
}

fn settings() -> impl Strategy<Value = Settings> {
    let times = (0..30_u64, 0..20_u64, 0..90_u64, 0..10_u64);
    let guard = (
        prop_oneof![Just(0.1), Just(0.3), Just(0.9)],
        1..40_u64,
        1..3_usize,
    );
    (times, 20..22_u32, guard).prop_map(
        |((fresh, stale_while_revalidate, stale_if_error, not_found_for), memory, guard)| {
            let (share, window, min) = guard;
            Settings {
                fresh,
                stale_while_revalidate,
                stale_if_error,
                not_found_for,
                max_memory: 1 << memory,
                share,
                window,
                min,
            }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let who = || prop_oneof![3 => Just(0), 1 => Just(1), 1 => Just(2)];
    let token = || proptest::option::of(0..40_u64);
    prop_oneof![
        6 => (who(), mood()).prop_map(|(who, mood)| Step::Says(who, mood)),
        2 => mood().prop_map(Step::Canary),
        4 => (1..3000_u64).prop_map(Step::Pass),
        2 => (3000..30_000_u64).prop_map(Step::Pass),
        12 => (who(), token()).prop_map(|(who, token)| Step::Ask(who, token)),
        3 => (who(), token(), 1..180_u64, tell())
            .prop_map(|(who, token, after, tell)| Step::AskWhile(who, token, after, tell)),
        3 => tell().prop_map(Step::Tell),
        1 => Just(Step::Missed),
        1 => who().prop_map(Step::Forget),
        2 => (settings(), any::<bool>()).prop_map(|(settings, anew)| Step::Reload(settings, anew)),
    ]
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let kinds = prop_oneof![
        Just(Kind::UserCreated),
        Just(Kind::UserUpdated),
        Just(Kind::UserDisabled),
        Just(Kind::UserEnabled),
        Just(Kind::UserDeleted),
    ];
    let kinds = proptest::collection::vec(kinds, CHANGES);
    let steps = proptest::collection::vec(step(), 1..60);
    let grace = prop_oneof![Just(0), Just(30)];
    let flags = (any::<bool>(), grace, any::<bool>(), any::<bool>());
    (flags, kinds, steps).prop_map(|((versioned, grace, canary, guard), kinds, steps)| Case {
        versioned,
        grace,
        canary,
        guard,
        kinds,
        steps,
    })
}
