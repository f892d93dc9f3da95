//! Answers Envoy's question, *may this request pass?*, from memory.
//!
//! A [`server`] takes Envoy's `Check` call, [`envoy`] reads it into a [`request`], and [`decision`]
//! carries it through steps that can only end it or hand on something better proven:
//! [`credential`] → [`token`] → [`subject`] → [`tenant`] → [`revocation`] → [`user`].
//! What the steps know is kept fresh beside the road; the road itself waits for nothing that it
//! knows already.

// How it comes up and goes down.
pub mod cli;
pub mod config;
pub mod app;
pub mod lifecycle;
// The order of a request.
pub mod server;
pub mod envoy;
pub mod request;
pub mod decision;
pub mod credential;
pub mod token;
pub mod subject;
pub mod tenant;
pub mod revocation;
pub mod event;
pub mod user;
// What the operator sees.
pub mod telemetry;
// Beneath them all.
pub mod clock;
pub mod datafile;
pub mod load;
pub mod net;
pub mod secret;
pub mod yaml;
