//! Where URLs that come from outside may lead.

use super::path::is_plain;
use url::Url;

/// An origin and a path, beneath which a URL may be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(Url);

impl Prefix {
    /// Takes an HTTP URL with nothing but an origin and a path that everybody reads alike.
    pub fn new(url: Url) -> Option<Self> {
        (has_only_a_place(&url) && url.query().is_none()).then_some(Self(url))
    }

    /// Whether a URL lies beneath: the same scheme, host and port, and a path that goes on at the
    /// border of a segment.
    ///
    /// Only the normal form counts (RFC 3986 6.2): what a parser would first have to mend, someone
    /// else may mend in another way.
    pub fn covers(&self, written: &str) -> bool {
        let Ok(url) = Url::parse(written) else {
            return false;
        };
        url.as_str() == written
            && has_only_a_place(&url)
            && url.origin() == self.0.origin()
            && url.path().strip_prefix(self.0.path()).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('/') || self.0.path().ends_with('/')
            })
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// HTTP, no user, no fragment, a plain path.
fn has_only_a_place(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && is_plain(url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Option<Prefix> {
        Prefix::new(Url::parse(text).unwrap())
    }

    #[test]
    fn a_prefix_is_an_origin_and_a_plain_path() {
        for good in ["https://a", "https://a:8443/lists", "http://127.0.0.1/x/"] {
            assert!(prefix(good).is_some(), "{good}");
        }
        for bad in [
            "ftp://a/",
            "https://u@a/",
            "https://:p@a/",
            "https://a/?q",
            "https://a/#f",
            "https://a//b",
            "https://a/%2e%2e%2f",
            "https://a/x;y",
            "https://a/%25",
        ] {
            assert_eq!(prefix(bad), None, "{bad}");
        }
    }

    #[test]
    fn tsl_06_a_url_lies_beneath_a_prefix_at_the_border_of_a_segment() {
        let lists = prefix("https://id.example.com/lists").unwrap();
        for beneath in [
            "https://id.example.com/lists",
            "https://id.example.com/lists/",
            "https://id.example.com/lists/1?page=2",
            "https://id.example.com/lists/a%3Ab",
        ] {
            assert!(lists.covers(beneath), "{beneath}");
        }
        for outside in [
            "https://id.example.com/",
            "https://id.example.com/lists2",
            "https://id.example.com/Lists/1",
            "http://id.example.com/lists/1",
            "https://id.example.com:8443/lists/1",
            "https://id.example.com.evil.example/lists/1",
            "https://evil.example/lists/1",
            "https://evil.example/https://id.example.com/lists/1",
        ] {
            assert!(!lists.covers(outside), "{outside}");
        }
        let open = prefix("https://id.example.com").unwrap();
        assert!(open.covers("https://id.example.com/1"));
        let closed = prefix("https://id.example.com/lists/").unwrap();
        assert!(closed.covers("https://id.example.com/lists/1"));
        assert!(!closed.covers("https://id.example.com/lists"));
    }

    #[test]
    fn tsl_06_a_url_that_servers_could_read_differently_lies_beneath_nothing() {
        let lists = prefix("https://id.example.com/lists").unwrap();
        for tricky in [
            "https://id.example.com/lists/../admin",
            "https://id.example.com/lists/%2e%2e/admin",
            "https://id.example.com/lists/%2E%2E%2Fadmin",
            "https://id.example.com/lists/..%2fadmin",
            "https://id.example.com/lists/..%5cadmin",
            "https://id.example.com/lists\\..\\admin",
            "https://id.example.com/lists/%252e%252e/admin",
            "https://id.example.com/lists//1",
            "https://id.example.com/lists/;a/1",
            "https://id.example.com/lists/1#x",
            "https://id.example.com/lists/1%00",
            "https://id.example.com@evil.example/lists/1",
            "https://user@id.example.com/lists/1",
            "https://@id.example.com/lists/1",
            "https:id.example.com/lists/1",
            "https:/id.example.com/lists/1",
            "HTTPS://id.example.com/lists/1",
            "https://ID.example.com/lists/1",
            "https://id.example.com:443/lists/1",
            "https://id.example.com./lists/1",
            " https://id.example.com/lists/1",
            "https://id.example.com/li\tsts/1",
            "https://id.example.com/lists/\n1",
            "https://id.example.com/lists/\u{e9}",
            "//id.example.com/lists/1",
            "/lists/1",
            "",
        ] {
            assert!(!lists.covers(tricky), "{tricky:?}");
        }
    }
}
