//! The allocations of one decision, counted.
//!
//! Apart from `decision`, since the counting allocator stands in the place of the usual one.

#[expect(dead_code, reason = "ext_authz uses all of it")]
mod check_request;
mod decider;
mod directory;
mod headers;
mod population;

use bytes::Bytes;
use check_request::{Form, check_request};
use decider::Decider;
use population::{Draw, Population};
use prost::Message;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{self, Write};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T = ()> = std::result::Result<T, Error>;

const USERS: usize = 1000;
const DECISIONS: usize = 10_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    let population = Population::of(USERS)?;
    let dir = tempfile::tempdir()?;
    let decider = Decider::start(&population, dir.path()).await?;
    let checks: Vec<Bytes> = population
        .people
        .iter()
        .map(|person| Bytes::from(check_request(person, Form::Raw).encode_to_vec()))
        .collect();
    for check in &checks {
        decider.learn(check.clone()).await?;
    }
    let mut draw = Draw::seeded(2);
    let mut counts = BTreeMap::new();
    for _ in 0..DECISIONS {
        let (_, check) = draw.one_of(&checks)?;
        let mut answer = None;
        let counted = allocation_counter::measure(|| {
            answer = Some(black_box(decider.decide(check.clone())));
        });
        answer.ok_or("nothing was decided")??;
        *counts
            .entry((counted.count_total, counted.bytes_total))
            .or_insert(0) += 1;
    }
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\n| allocations of a warm decision | bytes | decisions |\n|---|---|---|"
    )?;
    for ((count, bytes), decisions) in counts {
        writeln!(out, "| {count} | {bytes} | {decisions} |")?;
    }
    Ok(())
}
