//! The parts together, one folder of sentences per part.

mod config;
