//! Known users while unknown ones flood in.

use crate::contestant::{Contestant, Socket};
use crate::crowd::{self, Crowd, Issuer, TENANTS};
use crate::load::{Load, Target, Traffic, ask, ask_each, connect};
use crate::process::Core;
use crate::rounds::percentile;
use crate::service::Service;
use crate::table::{Bound, Row, say};
use crate::{Error, Result};
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use prost::Message;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Known users.
const KNOWN: usize = 1000;
/// Unknown ones, each with a token of its own, in a second.
const RATE: usize = 2000;
/// How long the user service looks for somebody who is not there: more would be under way at once
/// than may be.
const LOOKS: Duration = Duration::from_millis(20);
/// `users.concurrency`, half of which strangers may take.
const CONCURRENCY: usize = 64;

/// Measures known users by turns in quiet and in a flood.
pub(crate) async fn measure(rounds: usize, core: Core, dir: &Path) -> Result<Vec<Row>> {
    let issuer = Issuer::new()?;
    let people = KNOWN / TENANTS;
    let service = Service::start(people, LOOKS).await?;
    let sections = crowd::sections(service.address);
    let server = Contestant::configured(core, &issuer.key_set()?, &sections, dir).await?;
    let target = server.at(Socket::Unix);
    let known = Arc::new(Crowd::of(0..people, &issuer)?);
    ask_each(&target, &known).await?;
    service.peak();
    let load = Load {
        connections: 4,
        streams: 4,
        settle: Duration::from_millis(200),
        count: Duration::from_secs(2),
    };
    let (mut ratios, mut peaks) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let quiet = p99(load, &target, &known).await?;
        let count = RATE * usize::try_from((load.settle + load.count).as_millis())? / 1000;
        let first = people + round * count;
        let strangers = Arc::new(Crowd::of(first..first + count, &issuer)?);
        let flood = tokio::spawn(flood(target.clone(), strangers));
        let flooded = p99(load, &target, &known).await?;
        let Refused { unknown, unasked } = flood.await??;
        say(&format!(
            "p99 of known users  quiet {:>5} µs  in the flood {:>5} µs  strangers: {unknown} not found, {unasked} unanswered",
            quiet.as_micros(),
            flooded.as_micros(),
        ))?;
        ratios.push(flooded.as_secs_f64() / quiet.as_secs_f64());
        let peak = u32::try_from(service.peak())?;
        peaks.push(f64::from(peak));
    }
    let most = f64::from(u32::try_from(CONCURRENCY / 2)?);
    Ok(vec![
        Row {
            name: format!("p99 of known users: {RATE} unknown ones a second ÷ none"),
            bound: Bound::AtMost(2.0),
            unit: "",
            rounds: ratios,
        },
        Row {
            name: "calls of the user service at once meanwhile".to_owned(),
            bound: Bound::AtMost(most),
            unit: "",
            rounds: peaks,
        },
    ])
}

async fn p99(load: Load, target: &Target, known: &Arc<Crowd>) -> Result<Duration> {
    let mut latencies = load.run(target, known).await?.latencies;
    latencies.sort_unstable();
    percentile(&latencies, 99)
}

/// How strangers were refused.
#[derive(Debug, Default)]
struct Refused {
    /// The user service said that there is no such user.
    unknown: usize,
    /// It was not asked, or not in time.
    unasked: usize,
}

/// Asks for each person once, in one tenant, in an even stream; an allow is an error.
async fn flood(target: Target, strangers: Arc<Crowd>) -> Result<Refused> {
    let send = connect(&target).await?;
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for nth in 0..strangers.count() / TENANTS {
        let due = Duration::from_secs(1) * u32::try_from(nth)? / u32::try_from(RATE)?;
        sleep_until(began + due).await;
        let (mut send, strangers) = (send.clone(), Arc::clone(&strangers));
        calls.spawn(async move {
            let question = strangers.ask(nth).ok_or("no such request")?;
            let answer = ask(&mut send, question).await?;
            let response = CheckResponse::decode(crate::checks::message(&answer)?)?;
            let text = format!("{response:?}");
            match response.status {
                Some(status) if status.code != 0 => Ok::<_, Error>(text.contains("user_not_found")),
                _ => Err(format!("expected a refusal, got {text}").into()),
            }
        });
    }
    let mut refused = Refused::default();
    while let Some(call) = calls.join_next().await {
        if call?? {
            refused.unknown += 1;
        } else {
            refused.unasked += 1;
        }
    }
    Ok(refused)
}
