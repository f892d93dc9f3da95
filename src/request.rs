//! What a decision may look at: the request as Envoy reported it, in our own words.

use bytes::Bytes;
use std::time::Duration;

/// One header as it arrived, or one entry of Envoy's `context_extensions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name; Envoy sends header names in lower case.
    pub name: Bytes,
    /// The value, any bytes.
    pub value: Bytes,
}

/// A request that Envoy asks about.
///
/// Every byte of it is a client's to choose, but for `context`, which the operator writes on
/// Envoy's routes. Values are slices of the receive buffer.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method, as sent.
    pub method: Bytes,
    /// The request target with its query, undecoded and unnormalized; empty on CONNECT.
    pub target: Bytes,
    /// The authority, as sent.
    pub host: Bytes,
    /// The headers, pseudo headers included; repeated ones may be joined with a comma.
    pub headers: Vec<Entry>,
    /// Envoy's `context_extensions`.
    pub context: Vec<Entry>,
    /// How long Envoy waits for the answer, from `grpc-timeout`.
    pub timeout: Option<Duration>,
}

/// What a request says under a name that may be written only once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once<'r> {
    /// Nothing.
    Absent,
    /// One value.
    One(&'r [u8]),
    /// Several: which of them was meant is not ours to guess.
    Repeated,
}

impl Request {
    /// The values under a header's name, which is given in lower case.
    pub fn header<'r>(&'r self, name: &str) -> Once<'r> {
        once(&self.headers, name)
    }

    /// The value of a context extension.
    pub fn context<'r>(&'r self, name: &str) -> Once<'r> {
        once(&self.context, name)
    }

    /// The target up to its query.
    pub fn path(&self) -> &[u8] {
        let end = self.target.iter().position(|&byte| byte == b'?');
        self.target
            .get(..end.unwrap_or(self.target.len()))
            .unwrap_or_default()
    }

    /// Whether the caller speaks gRPC, so that Envoy turns a denial into gRPC trailers.
    ///
    /// Envoy itself looks for `application/grpc` and `application/grpc+…`.
    pub fn is_grpc(&self) -> bool {
        match self.header("content-type") {
            Once::One(value) => value
                .strip_prefix(b"application/grpc")
                .is_some_and(|rest| matches!(rest.first(), None | Some(b'+'))),
            Once::Absent | Once::Repeated => false,
        }
    }
}

fn once<'r>(entries: &'r [Entry], name: &str) -> Once<'r> {
    let mut found = entries.iter().filter(|entry| entry.name == name.as_bytes());
    match (found.next(), found.next()) {
        (None, _) => Once::Absent,
        (Some(entry), None) => Once::One(&entry.value),
        (Some(_), Some(_)) => Once::Repeated,
    }
}
