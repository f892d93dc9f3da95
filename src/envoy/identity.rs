//! The headers that tell the service behind Envoy who is calling.

/// Which headers are set, and which are never let through from a client; names are lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Holds the user's canonical id.
    pub user_id: Option<String>,
    /// Holds the token's normalized subject.
    pub subject: Option<String>,
    /// Holds the proven tenant.
    pub tenant: Option<String>,
    /// Holds the user's roles, comma-separated.
    pub roles: Option<String>,
    /// Holds the issuer's URL.
    pub issuer: Option<String>,
    /// Holds the client's id of a machine token; `x-client-id`.
    pub client_id: String,
    /// Further headers.
    pub headers: Vec<(String, Value)>,
    /// Headers that are removed and never set.
    pub strip: Vec<String>,
    /// The most that all values may sum up to, in bytes.
    pub max_bytes: usize,
    /// Whether the service behind sees the credential.
    pub forward_authorization: bool,
}

/// What a further header holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An attribute of the user.
    Attribute(String),
    /// A claim of the token.
    Claim(String),
}
