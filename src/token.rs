//! What the credential proved to be: verifies a token and remembers that it did.

pub mod issuer;
