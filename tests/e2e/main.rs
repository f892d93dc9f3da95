//! The sidecar behind a real Envoy, with a real OpenID provider: what a client and a service see.
//!
//! `make parts` gets the real parts; without them these tests fail and say so.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a part that does not work fails its test, with a sentence"
)]

#[expect(
    dead_code,
    reason = "the demonstration and the benchmarks use what is not used here"
)]
#[path = "../parts/lib.rs"]
mod parts;
mod scene;
mod world;

mod admin;
mod causes;
mod codes;
mod faults;
mod files;
mod flood;
mod grpc;
mod identity;
mod keys;
mod paths;
mod reload;
mod status_list;
mod stop;
mod transport;
mod users;
mod warm;
mod wire;
