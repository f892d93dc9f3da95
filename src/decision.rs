//! The decision: from a request to a permit or a refusal, in one straight line.

pub mod policy;
pub mod refusal;
