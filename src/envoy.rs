//! The wire: Envoy's messages are named here and nowhere else.

pub mod identity;
pub mod response;
