//! The version of a user's record.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An unsigned integer or an RFC 3339 time; the two are never compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Version {
    /// A counter.
    Number(u64),
    /// A time, in nanoseconds since the Unix epoch.
    Time(i64),
}

impl Version {
    /// Reads a version; `None` where the text is neither, and is then not compared.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Self::Number);
        }
        let time: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(time.as_nanosecond()).ok().map(Self::Time)
    }
}

/// Greater is newer; versions of two kinds have no order.
impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => Some(one.cmp(other)),
            (Self::Time(one), Self::Time(other)) => Some(one.cmp(other)),
            (Self::Number(_), Self::Time(_)) | (Self::Time(_), Self::Number(_)) => None,
        }
    }
}

/// As it is read again.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Time(nanos) => match jiff::Timestamp::from_nanosecond(i128::from(*nanos)) {
                Ok(time) => time.fmt(f),
                Err(_) => write!(f, "{nanos} ns after the epoch"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_an_unsigned_integer_or_a_time_and_anything_else_is_none() {
        assert_eq!(Version::parse("7"), Some(Version::Number(7)));
        assert_eq!(
            Version::parse("1970-01-01T00:00:01.5Z"),
            Some(Version::Time(1_500_000_000))
        );
        for other in [
            "",
            "-1",
            "7.0",
            "+7",
            "W/\"7\"",
            "2026",
            "99999999999999999999x",
            "18446744073709551616",
        ] {
            let expected = (other == "2026").then_some(Version::Number(2026));
            assert_eq!(Version::parse(other), expected, "{other}");
        }
    }

    #[test]
    fn greater_is_newer_and_kinds_are_apart() {
        let time = |text| Version::parse(text).unwrap();
        assert!(Version::Number(10) > Version::Number(9));
        assert!(time("2026-11-23T12:00:00+01:00") < time("2026-11-23T11:30:00Z"));
        assert_eq!(Version::Number(10).partial_cmp(&Version::Time(9)), None);
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        for text in ["0", "42", "2026-11-23T11:30:00.123456789Z"] {
            let version = Version::parse(text).unwrap();
            assert_eq!(Version::parse(&version.to_string()), Some(version));
        }
    }
}
