//! What was presented: finds the one token a request carries.

/// Where a credential is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A header with the `Bearer` scheme (RFC 6750 2.1); the name is in lower case.
    Bearer(String),
    /// A header that holds the bare token; the name is in lower case.
    Header(String),
    /// A cookie that holds the bare token.
    Cookie(String),
}
