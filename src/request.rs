//! What a decision may look at: the request as Envoy reported it, in our own words.

use crate::net::path::is_plain;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

/// Bytes of Envoy's message that are meant to be text, and may be anything.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Text<'m>(&'m [u8]);

/// One header as it arrived, or one entry of Envoy's `context_extensions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry<'m> {
    /// The name; Envoy sends header names in lower case.
    pub name: Text<'m>,
    /// The value, any bytes.
    pub value: Text<'m>,
}

/// A request that Envoy asks about.
///
/// Every byte of it is a client's to choose, but for `context`, which the operator writes on
/// Envoy's routes. Its texts are slices of the message. `Debug` shows its line, never its headers.
#[derive(Clone, Default)]
pub struct Request<'m> {
    /// The method, as sent.
    pub method: Text<'m>,
    /// The request target with its query, undecoded and unnormalized; empty on CONNECT.
    pub target: Text<'m>,
    /// The authority, as sent.
    pub host: Text<'m>,
    /// The headers, pseudo headers included; repeated ones may be joined with a comma.
    pub headers: Vec<Entry<'m>>,
    /// Envoy's `context_extensions`.
    pub context: Vec<Entry<'m>>,
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

impl<'m> Request<'m> {
    /// The values under a header's name, which is given in lower case.
    pub fn header(&self, name: &str) -> Once<'m> {
        once(&self.headers, name)
    }

    /// The value of a context extension.
    pub fn context(&self, name: &str) -> Once<'m> {
        once(&self.context, name)
    }

    /// The target up to its query.
    pub fn path(&self) -> &'m [u8] {
        let end = self.target.iter().position(|&byte| byte == b'?');
        let target = self.target.0;
        target
            .get(..end.unwrap_or(target.len()))
            .unwrap_or_default()
    }

    /// The host without port and trailing dot, in lower case; `None` if it is not ASCII.
    pub fn host_name(&self) -> Option<String> {
        let host = std::str::from_utf8(&self.host)
            .ok()
            .filter(|host| host.is_ascii())?;
        let name = match host.strip_prefix('[') {
            Some(literal) => literal.split(']').next()?,
            None => host.split(':').next()?,
        };
        Some(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase())
    }

    /// The path as text, if everybody who reads it reads the same path ([`is_plain`]).
    pub fn plain_path(&self) -> Option<&'m str> {
        std::str::from_utf8(self.path())
            .ok()
            .filter(|path| is_plain(path))
    }

    /// Whether this is a CORS preflight (Fetch 3.2.2): it never carries a credential.
    pub fn is_preflight(&self) -> bool {
        self.method == "OPTIONS"
            && self.header("origin") != Once::Absent
            && self.header("access-control-request-method") != Once::Absent
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

impl<'m> Text<'m> {
    /// The bytes, for as long as the message lies there.
    pub const fn bytes(self) -> &'m [u8] {
        self.0
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            method,
            target: _,
            host,
            headers,
            context,
            timeout,
        } = self;
        f.debug_struct("Request")
            .field("method", method)
            .field("host", host)
            .field("headers", &headers.len())
            .field("context", context)
            .field("timeout", timeout)
            .finish_non_exhaustive()
    }
}

impl Deref for Text<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0
    }
}

impl<'m, B: AsRef<[u8]> + ?Sized> From<&'m B> for Text<'m> {
    fn from(bytes: &'m B) -> Self {
        Self(bytes.as_ref())
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

fn once<'m>(entries: &[Entry<'m>], name: &str) -> Once<'m> {
    let mut found = entries.iter().filter(|entry| entry.name == *name);
    match (found.next(), found.next()) {
        (None, _) => Once::Absent,
        (Some(entry), None) => Once::One(entry.value.0),
        (Some(_), Some(_)) => Once::Repeated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(target: &'static str) -> Request<'static> {
        Request {
            target: target.into(),
            ..Request::default()
        }
    }

    #[test]
    fn env_06_the_path_ends_before_the_query_and_is_never_parsed_as_a_url() {
        assert_eq!(target("/a?b=/../c").plain_path(), Some("/a"));
        assert_eq!(target("/a%20b").plain_path(), Some("/a%20b"));
        assert_eq!(target("").plain_path(), None);
        assert_eq!(target("//admin/x?a=1").path(), b"//admin/x");
    }

    #[test]
    fn env_07_a_path_that_servers_read_differently_is_not_plain() {
        for path in [
            "//admin/x",
            "/a//b",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/.",
            "/a;b",
            "/a\\b",
            "/a%2Fb",
            "/a%2fb",
            "/a%5cb",
            "/a%2E%2e/b",
            "/a%252fb",
            "/a%00",
            "/a%",
            "/a%2",
            "/a#b",
            "/\u{e9}",
            "/a b",
            "a/b",
            "*",
        ] {
            assert_eq!(target(path).plain_path(), None, "{path}");
        }
    }

    #[test]
    fn a_host_name_has_no_port_no_trailing_dot_and_no_case() {
        for (host, name) in [
            ("ACME.Shop.example.com:8443", "acme.shop.example.com"),
            ("acme.example.", "acme.example"),
            ("[::1]:80", "::1"),
            ("", ""),
        ] {
            let request = Request {
                host: host.into(),
                ..Request::default()
            };
            assert_eq!(request.host_name().as_deref(), Some(name));
        }
    }

    #[test]
    fn a_grpc_caller_is_told_by_its_content_type() {
        for (content_type, grpc) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            let entry = Entry {
                name: "content-type".into(),
                value: content_type.into(),
            };
            assert_eq!(
                Request {
                    headers: vec![entry],
                    ..Request::default()
                }
                .is_grpc(),
                grpc
            );
        }
    }
}
