//! The parts together, one folder of sentences per part.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test that cannot go on fails; clippy knows only the test functions themselves"
)]

#[expect(
    dead_code,
    reason = "the end-to-end tests, the demonstration and the benchmarks use what is not used here"
)]
#[path = "../parts/lib.rs"]
mod parts;

mod admin;
mod cli;
mod commands;
mod config;
mod directories;
mod documents;
mod metrics;
mod redis;
mod redis_connection;
mod redis_store;
mod refusals;
mod reload;
mod replica;
mod revocations;
mod server;
mod wire;
mod world;
