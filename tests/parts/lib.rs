//! The parts around a sidecar, for tests, the demonstration and benchmarks alike: an issuer, a user
//! service, a service behind, a real Envoy, the sidecar's process, and clients that can misbehave.
//!
//! Everything listens on 127.0.0.1 on a port of the moment, and stops when it is dropped.

pub(crate) mod backend;
pub(crate) mod client;
pub(crate) mod configuration;
pub(crate) mod directory_grpc;
pub(crate) mod envoy;
pub(crate) mod express;
pub(crate) mod gotrue;
pub(crate) mod http;
pub(crate) mod issuer;
pub(crate) mod key;
pub(crate) mod oidc;
pub(crate) mod process;
pub(crate) mod scim;
pub(crate) mod sidecar;
pub(crate) mod token;
pub(crate) mod users;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `done` says so.
///
/// # Panics
/// If it has not after [`PATIENCE`]; `what` says what was waited for.
pub(crate) async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !done().await {
        assert!(
            began.elapsed() < PATIENCE,
            "still not after {PATIENCE:?}: {what}"
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

/// An address for a process that cannot choose its own port and tell.
///
/// It lies below the range from which the system draws ports for outgoing connections, so that
/// nothing takes it in between by chance.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes that run at once start at different places.
    let start = u16::try_from(std::process::id() % 120).expect("a small number") * 100;
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Sends a signal, by its name without SIG, to one process.
pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status()
        .expect("`kill` runs");
    assert!(status.success(), "process {pid} takes SIG{name}");
}
