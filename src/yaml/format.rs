//! The written forms that have no type of their own in YAML.

use std::time::Duration;

/// Reads a duration such as `30s`, `1h 30m` or `200ms`.
pub fn duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

/// Reads a size such as `16KiB` or `64MB`, in bytes; the unit must be written.
pub fn size(text: &str) -> Option<u64> {
    let unit_is_written = text.ends_with(|last: char| last.is_ascii_alphabetic());
    let size: bytesize::ByteSize = text.parse().ok()?;
    unit_is_written.then_some(size.0)
}

/// A form that [`Tree::check`](super::Tree::check) knows under its name in the schema's `format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Duration,
    Size,
    Time,
}

impl Format {
    /// The form of this name; other names are for editors.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "human-duration" => Some(Self::Duration),
            "byte-size" => Some(Self::Size),
            "date-time" => Some(Self::Time),
            _ => None,
        }
    }

    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Self::Duration => duration(text).is_some(),
            Self::Size => size(text).is_some(),
            Self::Time => text
                .parse::<jiff::Timestamp>()
                .is_ok_and(|time| time.as_millisecond() >= 0),
        }
    }

    pub(super) const fn expected(self) -> &'static str {
        match self {
            Self::Duration => "a duration",
            Self::Size => "a size",
            Self::Time => "a time (RFC 3339)",
        }
    }

    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::Duration => "30s",
            Self::Size => "64MiB",
            Self::Time => "2026-01-31T12:00:00Z",
        }
    }
}
