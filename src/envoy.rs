//! The wire: Envoy's messages are named here and nowhere else.

pub mod decode;
pub mod encode;
pub mod identity;
pub mod metadata;
pub mod response;

pub use encode::Answer;

/// Our trimmed ext_authz definitions, as `proto/external_auth.proto` has them.
#[expect(
    missing_docs,
    clippy::pedantic,
    reason = "generated code answers to its generator"
)]
pub mod wire {
    include!(concat!(env!("OUT_DIR"), "/envoy.service.auth.v3.rs"));
}
