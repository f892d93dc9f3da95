//! What the user directory and its cache cost: a miss, a million users, a flood of strangers.
//!
//! `docs/benchmarks.md` says what each row means.

#[expect(dead_code, reason = "ext_authz uses all of it")]
mod check_request;
#[expect(dead_code, reason = "ext_authz uses all of it")]
mod checks;
#[expect(dead_code, reason = "ext_authz uses all of it")]
mod contestant;
mod crowd;
mod flood;
mod headers;
#[expect(dead_code, reason = "ext_authz uses all of it")]
mod load;
mod miss;
#[expect(dead_code, reason = "ext_authz uses all of it")]
mod noop;
#[expect(dead_code, reason = "ext_authz uses all of it")]
mod population;
#[expect(dead_code, reason = "ext_authz uses all of it")]
mod process;
mod remember;
mod rounds;
mod service;
#[expect(dead_code, reason = "ext_authz uses all of it")]
mod table;

use clap::{Parser, Subcommand, ValueEnum};
use contestant::{Contestant, Socket};
use crowd::{Crowd, Issuer, TENANTS};
use load::Load;
use process::{Core, Cores};
use rounds::{Rounds, Side};
use service::Service;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use table::{Bound, Row};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T = ()> = std::result::Result<T, Error>;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The small crowd.
const FEW: usize = 1000;

/// Measures what the user directory and its cache cost.
#[derive(Debug, Parser)]
struct Options {
    /// Rounds of each row.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Users of the great crowd.
    #[arg(long, default_value_t = 1_000_000)]
    users: usize,
    /// Measures one part only.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    process: Option<Apart>,
}

/// A part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// A miss beside the bare call.
    Miss,
    /// Memory of a remembered user.
    Memory,
    /// Decisions among very many users.
    Many,
    /// Known users in a flood of strangers.
    Flood,
}

#[derive(Debug, Subcommand)]
enum Apart {
    /// Remembers users and says what one takes; the benchmark starts itself so.
    #[command(hide = true)]
    Remember { users: usize },
}

fn main() -> Result {
    let options = Options::parse();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
    };
    if let Some(Apart::Remember { users }) = options.process {
        return runtime()?.block_on(remember::remember(users));
    }
    let cores = Cores::allowed()?;
    process::pin_self(cores.asking)?;
    runtime()?.block_on(measure(&options, cores))
}

async fn measure(options: &Options, cores: Cores) -> Result {
    let dir = tempfile::tempdir()?;
    let folder = |name: &str| -> Result<PathBuf> {
        let folder = dir.path().join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    };
    let wanted = |part| options.only.is_none_or(|only| only == part);
    let mut rows = Vec::new();
    if wanted(Part::Miss) {
        rows.extend(miss::measure(&folder("miss")?).await?);
    }
    if wanted(Part::Memory) {
        rows.push(remember::measure(options.users)?);
    }
    if wanted(Part::Flood) {
        let core = cores.measured;
        rows.extend(flood::measure(options.rounds, core, &folder("flood")?).await?);
    }
    if wanted(Part::Many) {
        let (many_dir, few_dir) = (folder("many")?, folder("few")?);
        rows.extend(many(options, cores.measured, [&many_dir, &few_dir]).await?);
    }
    table::print("make bench", &rows)
}

/// The same decisions of two processes, one of which knows very many users.
async fn many(options: &Options, core: Core, dirs: [&Path; 2]) -> Result<Vec<Row>> {
    let issuer = Issuer::new()?;
    let service = Service::start(options.users / TENANTS, Duration::ZERO).await?;
    let (sections, key_set) = (crowd::sections(service.address), issuer.key_set()?);
    let [many_dir, few_dir] = dirs;
    let many = Contestant::configured(core, &key_set, &sections, many_dir).await?;
    let few = Contestant::configured(core, &key_set, &sections, few_dir).await?;
    let side = |name, server: &Contestant, users: usize| -> Result<_> {
        let crowd = Crowd::of(0..users / TENANTS, &issuer)?;
        Ok((name, server.at(Socket::Unix), Arc::new(crowd)))
    };
    let sides = [
        Side::new(side("many users", &many, options.users)?, &many.process),
        Side::new(side("few users", &few, FEW)?, &few.process),
    ];
    let rounds = Rounds {
        count: options.rounds,
        turns: 6,
        load: Load {
            connections: 4,
            streams: 16,
            settle: Duration::from_millis(100),
            count: Duration::from_millis(500),
        },
    };
    let [many_rounds, few_rounds] = &rounds.run(sides).await?;
    for (server, users) in [(&many, options.users), (&few, FEW)] {
        for sample in [
            "subgate_user_cache_entries{kind=\"found\"}",
            "subgate_lookups_total{outcome=\"found\",reason=\"\"}",
        ] {
            let count = server.metric(sample).await?;
            if (count - f64::from(u32::try_from(users)?)).abs() > 0.5 {
                let wrong = format!("expected {users}, each asked for once: {sample} {count}");
                return Err(wrong.into());
            }
        }
    }
    // A ratio of times: the more a decision takes among many users, the greater.
    let name = format!("decision over gRPC, {} users ÷ {FEW}", options.users);
    let bound = Bound::AtMost(1.2);
    Ok(vec![
        rounds::ratio(&name, bound, few_rounds, many_rounds),
        rounds::cpu_ratio(&name, few_rounds, many_rounds),
    ])
}
