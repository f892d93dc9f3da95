//! A decision in process, warm and cold, beside the parts it is made of.
//!
//! `docs/benchmarks.md` says what each row means.

#[expect(dead_code, reason = "ext_authz uses all of it")]
mod check_request;
mod decider;
mod directory;
mod headers;
mod population;
#[expect(dead_code, reason = "ext_authz uses all of it")]
mod table;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use check_request::{Form, check_request};
use decider::Decider;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use moka::sync::Cache;
use population::{AUDIENCE, Draw, ISSUER, Person, Population};
use prost::Message;
use serde::Deserialize;
use std::hint::black_box;
use std::time::Duration;
use table::{Bound, Row};
use tokio::time::Instant;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T = ()> = std::result::Result<T, Error>;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USERS: usize = 1000;
const ROUNDS: usize = 5;
/// Warm calls in a round.
const WARM: u32 = 200_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    let population = Population::of(USERS)?;
    let dir = tempfile::tempdir()?;
    let decider = Decider::start(&population, dir.path()).await?;
    let known = &population.people;
    for check in checks(known) {
        decider.learn(check).await?;
    }
    let mut rows = warm(&decider, known)?;
    rows.extend(cold(&decider, &population)?);
    table::print("make bench", &rows)
}

fn checks(people: &[Person]) -> Vec<Bytes> {
    people
        .iter()
        .map(|person| Bytes::from(check_request(person, Form::Raw).encode_to_vec()))
        .collect()
}

/// Known users, known tokens, drawn at random.
fn warm(decider: &Decider, known: &[Person]) -> Result<Vec<Row>> {
    let checks = checks(known);
    let digests: Vec<[u8; 32]> = known.iter().map(sha256).collect::<Result<_>>()?;
    let cache: Cache<[u8; 32], u64> = Cache::new(10_000);
    for key in &digests {
        cache.insert(*key, 0);
    }
    let (mut decisions, mut hits, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        decisions.push(each(WARM, &checks, |check| decider.decide(check.clone()))?);
        hits.push(each(WARM, &digests, |key| {
            cache.get(key).ok_or_else(|| "evicted".into())
        })?);
        hashes.push(each(WARM, known, sha256)?);
    }
    let hits_each = decisions
        .iter()
        .zip(&hits)
        .map(|(decision, hit)| decision / hit);
    Ok(vec![
        row(
            "warm decision ÷ moka hit",
            Bound::None,
            "",
            hits_each.collect(),
        ),
        row("warm decision", Bound::AtMost(2.0), " µs", decisions),
        row("moka hit", Bound::None, " µs", hits),
        row("SHA-256 of a token", Bound::None, " µs", hashes),
    ])
}

/// Known users, tokens never seen: in each round a new one of each user.
fn cold(decider: &Decider, population: &Population) -> Result<Vec<Row>> {
    let key = DecodingKey::from_rsa_components(&population.modulus()?, "AQAB")?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    let (mut ratios, mut decodes) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let people = reissued(population, round)?;
        let calls = f64::from(u32::try_from(people.len())?);
        let checks = checks(&people);
        let began = Instant::now();
        for person in &people {
            black_box(decode(person, &key, &validation)?);
        }
        let decode = micros(began.elapsed()) / calls;
        let began = Instant::now();
        for check in checks {
            black_box(decider.decide(check)?);
        }
        ratios.push(micros(began.elapsed()) / calls / decode);
        decodes.push(decode);
    }
    let name = "cold token: verify and decide ÷ jsonwebtoken's decode";
    Ok(vec![
        row(name, Bound::AtMost(1.25), "", ratios),
        row("jsonwebtoken's decode", Bound::None, " µs", decodes),
    ])
}

/// The same users, each with a token of the round's own.
fn reissued(population: &Population, round: usize) -> Result<Vec<Person>> {
    let Population { people, key } = population;
    people
        .iter()
        .map(|person| {
            let Person {
                subject, tenant, ..
            } = person;
            let id = format!("{round}-{subject}");
            Ok(Person {
                token: population::token(key, subject, tenant, &id)?,
                ..person.clone()
            })
        })
        .collect()
}

/// The claims that a decision needs.
#[derive(Debug, Deserialize)]
struct Claims {
    #[expect(dead_code, reason = "reading it is what is measured")]
    sub: String,
    #[expect(dead_code, reason = "reading it is what is measured")]
    tenant: String,
    #[expect(dead_code, reason = "reading it is what is measured")]
    jti: String,
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is what subgate is measured against"
)]
fn decode(person: &Person, key: &DecodingKey, validation: &Validation) -> Result<Claims> {
    Ok(jsonwebtoken::decode(&person.token, key, validation)?.claims)
}

fn sha256(person: &Person) -> Result<[u8; 32]> {
    Ok(digest(&SHA256, person.token.as_bytes())
        .as_ref()
        .try_into()?)
}

/// The mean time of so many calls, each of an element drawn at random, in microseconds.
fn each<T, R>(calls: u32, all: &[T], mut call: impl FnMut(&T) -> Result<R>) -> Result<f64> {
    let mut draw = Draw::seeded(1);
    let began = Instant::now();
    for _ in 0..calls {
        let (_, drawn) = draw.one_of(all)?;
        black_box(call(drawn)?);
    }
    Ok(micros(began.elapsed()) / f64::from(calls))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn row(name: &str, bound: Bound, unit: &'static str, rounds: Vec<f64>) -> Row {
    Row {
        name: name.to_owned(),
        bound,
        unit,
        rounds,
    }
}
