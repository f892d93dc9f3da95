//! Servers measured side by side, in alternating rounds.

use crate::load::{Load, Target, Traffic, Yield, ask_each};
use crate::process::Process;
use crate::table::{Bound, Row, say};
use crate::{Error, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often, and under what load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    /// How many rounds.
    pub(crate) count: usize,
    /// How often the sides take turns in a round: what else the machine does hits both alike.
    pub(crate) turns: usize,
    /// Of one turn.
    pub(crate) load: Load,
}

/// One of those that are measured.
#[derive(Debug)]
pub(crate) struct Side<'a, T> {
    name: &'a str,
    target: Target,
    traffic: Arc<T>,
    /// Whose time on its core is counted.
    process: &'a Process,
}

impl<'a, T> Side<'a, T> {
    pub(crate) fn new(
        (name, target, traffic): (&'a str, Target, Arc<T>),
        process: &'a Process,
    ) -> Self {
        Self {
            name,
            target,
            traffic,
            process,
        }
    }
}

/// One side's figures in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// Good answers a second.
    rate: f64,
    /// Seconds on its core per answer.
    cpu: f64,
}

/// What one side's turns of a round add up to.
#[derive(Debug)]
struct Tally {
    latencies: Vec<Duration>,
    answers: u32,
    counted: Duration,
    cpu: Duration,
    elapsed: Duration,
}

impl Rounds {
    /// Sees that every request of every side is answered well, then measures the sides by turns,
    /// every other time backwards.
    pub(crate) async fn run<T: Traffic, const N: usize>(
        self,
        sides: [Side<'_, T>; N],
    ) -> Result<[Vec<Round>; N]> {
        for side in &sides {
            ask_each(&side.target, &side.traffic)
                .await
                .map_err(|error| side.blame(&error))?;
        }
        let mut taken = [const { Vec::new() }; N];
        for _ in 0..self.count {
            let mut tallies = [const { Tally::EMPTY }; N];
            for turn in 0..self.turns {
                let mut order: Vec<_> = sides.iter().zip(&mut tallies).collect();
                if turn % 2 == 1 {
                    order.reverse();
                }
                for (side, tally) in order {
                    side.take_turn(self.load, tally).await?;
                }
            }
            for ((side, tally), rounds) in sides.iter().zip(tallies).zip(&mut taken) {
                rounds.push(tally.round(side.name)?);
            }
        }
        Ok(taken)
    }
}

impl<T: Traffic> Side<'_, T> {
    fn blame(&self, error: &Error) -> Error {
        format!("{}: {error}", self.name).into()
    }

    async fn take_turn(&self, load: Load, tally: &mut Tally) -> Result {
        let (began, cpu_before) = (Instant::now(), self.process.cpu()?);
        let Yield { latencies, answers } = load
            .run(&self.target, &self.traffic)
            .await
            .map_err(|error| self.blame(&error))?;
        tally.cpu += self.process.cpu()?.saturating_sub(cpu_before);
        tally.elapsed += began.elapsed();
        tally.counted += load.count;
        tally.latencies.extend(latencies);
        tally.answers += answers;
        Ok(())
    }
}

impl Tally {
    const EMPTY: Self = Self {
        latencies: Vec::new(),
        answers: 0,
        counted: Duration::ZERO,
        cpu: Duration::ZERO,
        elapsed: Duration::ZERO,
    };

    /// Works the figures out and prints them.
    fn round(mut self, name: &str) -> Result<Round> {
        self.latencies.sort_unstable();
        let counted = f64::from(u32::try_from(self.latencies.len())?);
        let rate = counted / self.counted.as_secs_f64();
        let cpu = self.cpu.as_secs_f64() / f64::from(self.answers);
        say(&format!(
            "{name:<16} {rate:>7.0}/s  p50 {:>5} µs  p99 {:>5} µs  CPU {:>5.2} µs each  {:>3.0} % busy",
            percentile(&self.latencies, 50)?.as_micros(),
            percentile(&self.latencies, 99)?.as_micros(),
            cpu * 1e6,
            100.0 * self.cpu.as_secs_f64() / self.elapsed.as_secs_f64(),
        ))?;
        Ok(Round { rate, cpu })
    }
}

/// The so-manieth hundredth.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Result<Duration> {
    let nth = sorted.len() * percent / 100;
    Ok(*sorted.get(nth).ok_or("no request was answered in time")?)
}

/// Throughput of one side over the other's, round by round.
pub(crate) fn ratio(name: &str, bound: Bound, ours: &[Round], theirs: &[Round]) -> Row {
    let rounds = ours.iter().zip(theirs);
    Row {
        name: name.to_owned(),
        bound,
        unit: "",
        rounds: rounds
            .map(|(ours, theirs)| ours.rate / theirs.rate)
            .collect(),
    }
}

/// The same by time on the core per answer, so that above 1 is better here too; it hardly feels
/// what else the machine does.
pub(crate) fn cpu_ratio(name: &str, ours: &[Round], theirs: &[Round]) -> Row {
    let rounds = ours.iter().zip(theirs);
    Row {
        name: format!("{name}, by CPU time"),
        bound: Bound::None,
        unit: "",
        rounds: rounds.map(|(ours, theirs)| theirs.cpu / ours.cpu).collect(),
    }
}
