//! Decisions over gRPC and through real Envoy, each beside what it is measured against.
//!
//! `docs/benchmarks.md` says what each row means.

mod check_request;
mod checks;
#[expect(dead_code, reason = "directory_cost uses all of it")]
mod contestant;
mod directory;
mod gateway;
mod headers;
mod load;
mod noop;
#[expect(dead_code, reason = "decision uses all of it")]
mod population;
mod process;
mod rounds;
mod table;

use check_request::Form;
use checks::Checks;
use clap::{Parser, Subcommand, ValueEnum};
use contestant::{Contestant, Socket};
use gateway::{Gateway, Guard, Visits};
use load::Load;
use population::Population;
use process::{Core, Cores};
use rounds::{Rounds, Side};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use table::{Bound, Row};
use tempfile::TempDir;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T = ()> = std::result::Result<T, Error>;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USERS: usize = 1000;

/// Measures subgate beside a bare server and Envoy's own JWT filter.
#[derive(Debug, Parser)]
struct Options {
    /// Rounds of each row.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Turns of half a second that each server takes in a round.
    #[arg(long, default_value_t = 6)]
    turns: usize,
    /// Measures the bare server against itself: what the machine adds by chance.
    #[arg(long)]
    calibrate: bool,
    /// Measures one part only.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    server: Option<Server>,
}

/// A part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Decisions over gRPC, and memory.
    Grpc,
    /// Decisions through Envoy.
    Envoy,
}

#[derive(Debug, Subcommand)]
enum Server {
    /// Serves as the bare server; the benchmark starts itself so.
    #[command(hide = true)]
    Noop { tcp: SocketAddr, unix: PathBuf },
}

fn main() -> Result {
    let options = Options::parse();
    if let Some(Server::Noop { tcp, unix }) = options.server {
        return noop::serve(tcp, &unix);
    }
    let cores = Cores::allowed()?;
    process::pin_self(cores.asking)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(measure(&options, cores))
}

async fn measure(options: &Options, cores: Cores) -> Result {
    let dir = tempfile::tempdir()?;
    let population = Population::of(USERS)?;
    let mut rows = Vec::new();
    if options.only != Some(Part::Envoy) {
        rows.extend(over_grpc(options, cores, &population, &folder(&dir, "grpc")?).await?);
    }
    if options.only != Some(Part::Grpc) {
        rows.extend(through_envoy(options, cores, &population, &folder(&dir, "envoy")?).await?);
    }
    table::print("make bench", &rows)
}

fn folder(dir: &TempDir, name: &str) -> Result<PathBuf> {
    let folder = dir.path().join(name);
    fs::create_dir(&folder)?;
    Ok(folder)
}

impl Options {
    fn rounds(&self) -> Rounds {
        Rounds {
            count: self.rounds,
            turns: self.turns,
            load: Load {
                connections: 4,
                streams: 16,
                settle: Duration::from_millis(100),
                count: Duration::from_millis(500),
            },
        }
    }

    /// The bound; calibrating has none.
    const fn at_least(&self, bound: f64) -> Bound {
        if self.calibrate {
            Bound::None
        } else {
            Bound::AtLeast(bound)
        }
    }

    const fn name(&self) -> &'static str {
        if self.calibrate {
            "noop-again"
        } else {
            "subgate"
        }
    }

    /// The server under test: subgate, or when calibrating another bare one.
    async fn contender(
        &self,
        core: Core,
        population: &Population,
        dir: &Path,
    ) -> Result<Contestant> {
        if self.calibrate {
            return Contestant::noop(core, self.name(), dir).await;
        }
        let directory = directory::serve(population).await?;
        Contestant::subgate(core, population, directory, dir).await
    }
}

async fn over_grpc(
    options: &Options,
    cores: Cores,
    population: &Population,
    dir: &Path,
) -> Result<Vec<Row>> {
    let ours = options.contender(cores.measured, population, dir).await?;
    let noop = Contestant::noop(cores.measured, "noop", dir).await?;
    let mut rows = Vec::new();
    if !options.calibrate {
        rows.push(memory("idle memory, started", &ours)?);
    }
    for form in [Form::Raw, Form::Map] {
        for socket in [Socket::Unix, Socket::Tcp] {
            let side = |name, server: &Contestant| -> Result<_> {
                let checks = Checks::new(population, form, server.answers)?;
                Ok((name, server.at(socket), Arc::new(checks)))
            };
            let sides = [
                Side::new(side(options.name(), &ours)?, &ours.process),
                Side::new(side("noop", &noop)?, &noop.process),
            ];
            let [our_rounds, noop_rounds] = &options.rounds().run(sides).await?;
            let name = format!("warm decision over gRPC, {socket}, {form} ÷ noop");
            let bound = options.at_least(1.0);
            rows.push(rounds::ratio(&name, bound, our_rounds, noop_rounds));
            rows.push(rounds::cpu_ratio(&name, our_rounds, noop_rounds));
        }
    }
    if !options.calibrate {
        rows.push(memory("memory after that load", &ours)?);
    }
    Ok(rows)
}

async fn through_envoy(
    options: &Options,
    cores: Cores,
    population: &Population,
    dir: &Path,
) -> Result<Vec<Row>> {
    let ours = options.contender(cores.asking, population, dir).await?;
    let noop = Contestant::noop(cores.asking, "noop", dir).await?;
    let guards = [
        guard(options.name(), &ours),
        guard("noop", &noop),
        Guard::JwtAuthn,
    ];
    let envoy = Gateway::start(cores.measured, &guards, population, dir).await?;
    let side = |name, nth, guard: &Guard<'_>| -> Result<_> {
        let visits = Visits::new(population, guard)?;
        Ok((name, envoy.listener(nth)?, Arc::new(visits)))
    };
    let [our_guard, noop_guard, jwt_guard] = &guards;
    let sides = [
        Side::new(side(options.name(), 0, our_guard)?, &envoy.process),
        Side::new(side("noop", 1, noop_guard)?, &envoy.process),
        Side::new(side("jwt_authn", 2, jwt_guard)?, &envoy.process),
    ];
    let [our_rounds, noop_rounds, jwt_rounds] = &options.rounds().run(sides).await?;
    let beside_noop = "through Envoy ÷ Envoy with noop";
    let beside_jwt = "through Envoy ÷ Envoy's jwt_authn without cache";
    Ok(vec![
        rounds::ratio(beside_noop, options.at_least(0.97), our_rounds, noop_rounds),
        rounds::cpu_ratio(beside_noop, our_rounds, noop_rounds),
        rounds::ratio(beside_jwt, options.at_least(1.0), our_rounds, jwt_rounds),
        rounds::cpu_ratio(beside_jwt, our_rounds, jwt_rounds),
    ])
}

fn guard<'a>(name: &'a str, contestant: &'a Contestant) -> Guard<'a> {
    Guard::ExtAuthz {
        name,
        socket: contestant.unix(),
        answers: contestant.answers,
    }
}

fn memory(name: &str, contestant: &Contestant) -> Result<Row> {
    let mib = f64::from(contestant.process.resident_kib()?) / 1024.0;
    Ok(Row {
        name: name.to_owned(),
        bound: Bound::AtMost(20.0),
        unit: " MiB",
        rounds: vec![mib],
    })
}
