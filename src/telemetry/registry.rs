//! The registry of metrics, with what this build is.

use crate::telemetry::log::Dropped;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::fmt;

/// A registry whose names begin with `subgate_`; it holds `build` and `log_dropped_lines`.
pub fn registry(dropped: Dropped) -> Registry {
    let mut registry = Registry::with_prefix("subgate");
    registry.register(
        "build",
        "What this process was built from",
        Info::new(vec![
            ("version", env!("CARGO_PKG_VERSION")),
            ("commit", env!("SUBGATE_COMMIT")),
        ]),
    );
    registry.register_collector(Box::new(dropped));
    registry
}

impl Collector for Dropped {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let encoder = encoder.encode_descriptor(
            "log_dropped_lines",
            "Log lines that were dropped because the log could not be written fast enough",
            None,
            MetricType::Counter,
        )?;
        ConstCounter::new(self.count()).encode(encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;

    #[test]
    fn it_tells_the_build_and_the_lines_the_log_lost() {
        let mut text = String::new();
        encode(&mut text, &registry(Dropped::none())).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        assert!(text.contains(&format!(
            "subgate_build_info{{version=\"{version}\",commit=\""
        )));
        assert!(
            text.contains("subgate_log_dropped_lines_total 0\n"),
            "{text}"
        );
    }
}
