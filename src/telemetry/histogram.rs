//! A histogram of durations that takes no lock when it observes.

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts durations by their upper bounds, in seconds; register it with the unit `seconds`. Clones are one.
///
/// A scrape beside observations may count one whose duration is not in the sum yet, never the
/// count apart from the buckets.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    buckets: Box<[Bucket]>,
    beyond: AtomicU64,
    sum_nanos: AtomicU64,
}

#[derive(Debug)]
struct Bucket {
    seconds: f64,
    up_to: Duration,
    count: AtomicU64,
}

impl Histogram {
    /// Buckets with these upper bounds, ascending, in seconds, and one beyond them.
    pub fn new(bounds: &'static [f64]) -> Self {
        let buckets = bounds.iter().map(|&seconds| Bucket {
            seconds,
            up_to: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
            count: AtomicU64::new(0),
        });
        Self(Arc::new(Inner {
            buckets: buckets.collect(),
            beyond: AtomicU64::new(0),
            sum_nanos: AtomicU64::new(0),
        }))
    }

    /// Counts one duration; a bound belongs to the bucket below it.
    pub fn observe(&self, duration: Duration) {
        let buckets = &self.0.buckets;
        let index = buckets.partition_point(|bucket| bucket.up_to < duration);
        let count = buckets
            .get(index)
            .map_or(&self.0.beyond, |bucket| &bucket.count);
        count.fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.0.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let Inner {
            buckets,
            beyond,
            sum_nanos,
        } = &*self.0;
        let sum = Duration::from_nanos(sum_nanos.load(Ordering::Relaxed)).as_secs_f64();
        let counts: Vec<_> = buckets
            .iter()
            .map(|bucket| (bucket.seconds, &bucket.count))
            .chain([(f64::INFINITY, beyond)])
            .map(|(bound, count)| (bound, count.load(Ordering::Relaxed)))
            .collect();
        let count = counts.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &counts, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::registry::{Registry, Unit};

    const BOUNDS: &[f64] = &[0.001, 0.01];

    fn written(registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text
    }

    #[test]
    fn durations_are_counted_up_to_and_with_their_bound() {
        let histogram = Histogram::new(BOUNDS);
        for micros in [0, 500, 1000, 1001, 10_000, 10_001, 4_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let mut registry = Registry::default();
        registry.register_with_unit("took", "How long it took", Unit::Seconds, histogram);
        assert_eq!(
            written(&registry),
            "# HELP took_seconds How long it took.\n\
             # TYPE took_seconds histogram\n\
             # UNIT took_seconds seconds\n\
             took_seconds_sum 4.022502\n\
             took_seconds_count 7\n\
             took_seconds_bucket{le=\"0.001\"} 3\n\
             took_seconds_bucket{le=\"0.01\"} 5\n\
             took_seconds_bucket{le=\"+Inf\"} 7\n\
             # EOF\n"
        );
    }

    #[test]
    fn it_can_be_a_family_by_labels() {
        let family =
            Family::<Vec<(String, String)>, Histogram, fn() -> Histogram>::new_with_constructor(
                || Histogram::new(BOUNDS),
            );
        let labels = vec![("outcome".to_owned(), "permit".to_owned())];
        family.get_or_create(&labels).observe(Duration::ZERO);
        let mut registry = Registry::default();
        registry.register("took", "How long it took", family);
        let line = "took_bucket{le=\"0.001\",outcome=\"permit\"} 1";
        assert!(written(&registry).contains(line));
    }

    #[test]
    fn no_observation_is_lost_between_threads() {
        let histogram = Histogram::new(BOUNDS);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| histogram.observe(Duration::from_millis(1))));
            }
        });
        let mut registry = Registry::default();
        registry.register("took", "How long it took", histogram);
        let text = written(&registry);
        assert!(
            text.contains("took_count 4000\n") && text.contains("took_sum 4.0\n"),
            "{text}"
        );
    }
}
