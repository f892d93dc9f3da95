//! What was taken back: tokens, sessions, keys, issuers, subjects, users and tenants.

use std::path::PathBuf;

/// Where revocations come from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Config {
    /// This process alone, with nothing revoked.
    #[default]
    Memory,
    /// This process alone, fed by a watched `revocations.yaml`.
    File(PathBuf),
}
