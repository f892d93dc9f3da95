//! Answers Envoy's question, *may this request pass?*, from memory.
//!
//! A [`server`] takes Envoy's `Check` call, [`envoy`] reads it into a [`request`], and [`decision`]
//! carries it through steps that can only end it or hand on something better proven:
//! [`credential`] → [`token`] → [`subject`] → [`tenant`] → [`revocation`] → [`user`].

// What is run.
pub mod cli;
// The order of a request.
pub mod config;
pub mod server;
pub mod envoy;
pub mod request;
pub mod decision;
pub mod credential;
pub mod token;
pub mod subject;
pub mod tenant;
pub mod revocation;
pub mod user;
pub mod telemetry;
// Beneath them all.
pub mod clock;
pub mod net;
pub mod yaml;
