//! Builds registries with limits on their series, and reads what the limits counted.

use prometheus_metrics::registry::{CardinalityConfig, CardinalityLimits, OverflowPolicy};
use prometheus_metrics::{CounterVec, MetricsError, Registry, RegistryConfig};

/// The limits of one family: this many series, and what happens to further label sets.
pub(crate) fn at_most(series: usize, policy: OverflowPolicy) -> CardinalityLimits {
    CardinalityLimits::default().max_series(Some(series)).policy(Some(policy))
}

/// A registry with these limits for each family and for all of its series.
pub(crate) fn limited_registry(
    family: CardinalityLimits,
    max_total: Option<usize>,
) -> Result<Registry, MetricsError> {
    let cardinality = CardinalityConfig::default().family(family).max_total(max_total);
    Registry::with_config(RegistryConfig::default().cardinality(cardinality))
}

pub(crate) fn inc(counters: &CounterVec, values: &[&str]) -> Result<(), MetricsError> {
    counters.with(values).map(|counter| counter.inc())
}

/// For each family of the registry, how many calls had a label set over a limit.
pub(crate) fn overflow(registry: &Registry) -> Vec<f64> {
    registry.cardinality().metrics.iter().map(|metric| metric.overflow).collect()
}
