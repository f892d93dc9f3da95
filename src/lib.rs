//! Answers Envoy's question, *may this request pass?*, from memory.
//!
//! A [`server`] takes Envoy's `Check` call, [`envoy`] reads it into a [`request`], and [`decision`]
//! carries it through steps that can only end it or hand on something better proven:
//! [`credential`] → [`token`] → [`subject`] → [`tenant`] → [`revocation`] → [`user`].

// The order of a request.
pub mod config;
pub mod lifecycle;
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
pub mod datafile;
pub mod load;
pub mod net;
pub mod secret;
pub mod yaml;
