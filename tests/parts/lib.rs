//! The parts around a sidecar, for tests, the demonstration and benchmarks alike: an issuer, a user
//! service, a service behind, a real Envoy, the sidecar's process, and clients that can misbehave.
//!
//! Everything listens on 127.0.0.1 on a port of the moment, and stops when it is dropped.

pub(crate) mod authority;
pub(crate) mod backend;
pub(crate) mod client;
pub(crate) mod configuration;
pub(crate) mod directory_grpc;
pub(crate) mod envoy;
pub(crate) mod express;
pub(crate) mod faulty;
pub(crate) mod gotrue;
pub(crate) mod http;
pub(crate) mod issuer;
pub(crate) mod key;
pub(crate) mod oidc;
pub(crate) mod process;
pub(crate) mod redis;
pub(crate) mod scim;
pub(crate) mod sidecar;
pub(crate) mod status_issuer;
pub(crate) mod swallow;
pub(crate) mod token;
pub(crate) mod users;

use parking_lot::Mutex;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tokio::time::Instant;

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `done` says so.
///
/// # Panics
/// If it has not after [`PATIENCE`]; `what` says what was waited for.
pub(crate) async fn until(what: &str, done: impl AsyncFnMut() -> bool) {
    until_within(PATIENCE, what, done).await;
}

/// Waits longer, or less long, until `done` says so.
///
/// # Panics
/// If it has not after that.
pub(crate) async fn until_within(
    patience: Duration,
    what: &str,
    mut done: impl AsyncFnMut() -> bool,
) {
    let began = Instant::now();
    while !done().await {
        assert!(
            began.elapsed() < patience,
            "still not after {patience:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The folder into which `make parts` gets the real parts.
pub(crate) fn folder() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "the Makefile says where the parts are; without it they are in the checkout"
    )]
    let told = std::env::var("SUBGATE_PARTS");
    told.map_or_else(
        |_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.parts")),
        PathBuf::from,
    )
}

/// A real part by its path in [`folder`].
///
/// # Panics
/// If it is not there.
pub(crate) fn part(path: &str) -> PathBuf {
    let part = folder().join(path);
    assert!(
        part.exists(),
        "expected a real part at {}: run `make parts`",
        part.display()
    );
    part
}

/// Ports that are this process's own for as long as it lives.
struct Block {
    next: u16,
    _flag: TcpListener,
}

/// Ports in a block, the first of which is bound to say that the block is taken.
const BLOCK: u16 = 100;
const BLOCKS: u16 = 120;

/// An address for a process that cannot choose its own port and tell.
///
/// It lies below the range from which the system draws ports for outgoing connections, and in a block
/// that no other process of tests draws from, so that nothing takes it in between by chance.
///
/// # Panics
/// If no block is left.
pub(crate) fn free_address() -> SocketAddr {
    static OWN: Mutex<Vec<Block>> = Mutex::new(Vec::new());
    let mut own = OWN.lock();
    loop {
        match own.last_mut() {
            Some(block) if block.next % BLOCK != 0 => {
                let address = local(block.next);
                block.next += 1;
                if TcpListener::bind(address).is_ok() {
                    return address;
                }
            }
            Some(_) | None => own.push(Block::take()),
        }
    }
}

impl Block {
    fn take() -> Self {
        // Processes that run at once start at different places.
        let start = u16::try_from(std::process::id() % u32::from(BLOCKS)).expect("a small number");
        let mut firsts = (start..start + BLOCKS).map(|at| 20_000 + at % BLOCKS * BLOCK);
        let taken = firsts.find_map(|first| {
            Some(Self {
                next: first + 1,
                _flag: TcpListener::bind(local(first)).ok()?,
            })
        });
        taken.expect("a free block of ports from 20000 to 31999")
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Sends a signal, by its name without SIG, to one process.
pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status()
        .expect("`kill` runs");
    assert!(status.success(), "process {pid} takes SIG{name}");
}
