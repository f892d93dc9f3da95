//! All that changes with the configuration, swapped as one.

use crate::decision::Decider;
use crate::envoy::identity::Identity;
use crate::envoy::response::Responses;
use crate::telemetry::decisions::Journal;
use crate::telemetry::privacy::Privacy;

/// One generation of the configuration at work.
#[derive(Debug)]
pub struct Generation {
    /// Decides.
    pub decider: Decider,
    /// Writes identity headers.
    pub identity: Identity,
    /// Writes denials.
    pub responses: Responses,
    /// Shows subjects.
    pub privacy: Privacy,
    /// Takes the records.
    pub sink: Journal,
}
