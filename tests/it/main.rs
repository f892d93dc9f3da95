//! The parts together, one folder of sentences per part.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails; clippy knows only the test functions themselves"
)]

mod cli;
mod config;
mod documents;
