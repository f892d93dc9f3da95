//! Durations and sizes, as people write them.

use crate::yaml;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A duration such as `30s` or `200ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::config) struct Period(pub(in crate::config) Duration);

/// A size in bytes, such as `16KiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::config) struct Size(pub(in crate::config) u64);

impl Period {
    pub(in crate::config) const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    pub(in crate::config) const fn secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    pub(in crate::config) const fn hours(hours: u64) -> Self {
        Self::secs(hours * 3600)
    }
}

impl Size {
    pub(in crate::config) const fn kib(kib: u64) -> Self {
        Self(kib << 10)
    }

    pub(in crate::config) const fn mib(mib: u64) -> Self {
        Self(mib << 20)
    }
}

/// The greatest unit that divides it, so that `24h` stays `24h`; a minute is `60s`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let units = [
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "us"),
        ];
        let fits = |unit: u128| nanos > 0 && nanos.is_multiple_of(unit);
        match units.iter().find(|(unit, _)| fits(*unit)) {
            Some((60_000_000_000, _)) if nanos == 60_000_000_000 => f.write_str("60s"),
            Some((unit, name)) => write!(f, "{}{name}", nanos / unit),
            None if nanos == 0 => f.write_str("0s"),
            None => write!(f, "{nanos}ns"),
        }
    }
}

/// The greatest binary unit that divides it.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match units
            .iter()
            .find(|(unit, _)| self.0 > 0 && self.0.is_multiple_of(*unit))
        {
            Some((unit, name)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl TryFrom<String> for Period {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        yaml::duration(&text)
            .map(Self)
            .ok_or("expected a duration such as `30s`")
    }
}

impl TryFrom<String> for Size {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        yaml::size(&text)
            .map(Self)
            .ok_or("expected a size such as `64MiB`")
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        size.to_string()
    }
}

impl JsonSchema for Period {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "human-duration"})
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "byte-size"})
    }
}
