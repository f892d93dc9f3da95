//! Moments, as an operator writes them.

use crate::clock::Timestamp;
use std::str::FromStr;
use std::time::Duration;

/// A moment: `now`, so long from now, or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    At(Timestamp),
    Ahead(Duration),
    Ago(Duration),
}

impl When {
    /// The moment, seen from now.
    pub(super) fn seen_from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ahead(duration) => now.plus(duration),
            Self::Ago(duration) => now.minus(duration),
        }
    }
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected an RFC 3339 time, `now`, or one from now such as `+2h` or `-5m`";
        let duration = |text| humantime::parse_duration(text).map_err(|_| expected);
        match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(ahead), _) => duration(ahead).map(Self::Ahead),
            (_, Some(ago)) => duration(ago).map(Self::Ago),
            (None, None) if text == "now" => Ok(Self::Ahead(Duration::ZERO)),
            (None, None) => {
                let time = Timestamp::parse_rfc3339(text);
                time.map(Self::At).ok_or(expected)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_so_long_from_now() {
        let now = Timestamp::from_secs(1_000_000);
        for (text, expected) in [
            ("now", 1_000_000),
            ("+2h", 1_007_200),
            ("-5m", 999_700),
            ("-30days", 0),
            ("1970-01-12T13:46:41Z", 1_000_001),
        ] {
            let when: When = text.parse().expect(text);
            assert_eq!(
                when.seen_from(now),
                Timestamp::from_secs(expected),
                "{text}"
            );
        }
        for text in ["", "+", "-", "2h", "+2", "yesterday", "2026-01-01"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
    }
}
