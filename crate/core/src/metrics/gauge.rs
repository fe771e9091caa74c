//! Gauges: values that go up and down.

use super::shared_cells::shared_cells;
use super::vec::{MetricVec, OfSeries, sealed};
use crate::error::Result;
use crate::model::{Descriptor, Kind};
use crate::registry::{Family, Metric, SeriesCells};
use crate::sync::Arc;

/// A gauge of one label set. It takes every `f64`, including NaN and infinities. Any thread may use it. Clones write
/// the same series.
#[derive(Clone)]
pub struct Gauge {
    family: Arc<Family>,
    series: Arc<SeriesCells>,
}

impl Gauge {
    /// A gauge without labels, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`.
    pub fn new(name: &str, help: &str) -> Result<Self> {
        let descriptor = Descriptor::new(Kind::Gauge, name, help, &[])?;
        Ok(Self::of(Arc::new(Family::new(descriptor, shared_cells()))))
    }

    pub(crate) fn of(family: Arc<Family>) -> Self {
        let series = family.get_or_create(&[]).expect("an unlabelled family takes no label value");
        Self { family, series }
    }

    /// Replaces the value.
    #[inline]
    pub fn set(&self, value: f64) {
        self.series.store(0, value);
    }

    /// Adds 1.
    #[inline]
    pub fn inc(&self) {
        self.series.add(0, 1.0);
    }

    /// Subtracts 1.
    #[inline]
    pub fn dec(&self) {
        self.series.add(0, -1.0);
    }

    /// Adds a number.
    #[inline]
    pub fn add(&self, value: f64) {
        self.series.add(0, value);
    }

    /// Subtracts a number.
    #[inline]
    pub fn sub(&self, value: f64) {
        self.series.add(0, -value);
    }

    /// Sets the value to the current time in seconds since 1970, read from the clock of the registry that made the
    /// gauge.
    pub fn set_to_current_time(&self) {
        self.set(self.family.clock().unix_now().as_secs_f64());
    }

    /// The value now.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.series.load(0)
    }
}

impl sealed::Sealed for Gauge {
    #[allow(private_interfaces, reason = "only this crate can implement or call it")]
    fn of_series(family: Arc<Family>, series: Arc<SeriesCells>) -> Self {
        Self { family, series }
    }

    #[inline]
    fn is_removed(&self) -> bool {
        self.series.is_removed()
    }
}

impl OfSeries for Gauge {}

impl Metric for Gauge {
    fn family(&self) -> &Arc<Family> {
        &self.family
    }
}

/// Gauges by label values.
pub type GaugeVec = MetricVec<Gauge>;

impl GaugeVec {
    /// Gauges with these label names, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`, `InvalidLabelName`.
    pub fn new(name: &str, help: &str, labels: &[&str]) -> Result<Self> {
        Descriptor::new(Kind::Gauge, name, help, labels).map(Self::described)
    }

    /// Replaces the value of the gauge of these label values, which is made if it does not exist. `with(values)?.set(…)`
    /// does the same and takes longer, because it makes a handle.
    ///
    /// ```
    /// use prometheus_metrics::{Format, Registry};
    ///
    /// let registry = Registry::new();
    /// let depth = registry.gauge_vec("queue_depth", "Jobs that wait", &["queue"])?;
    /// depth.set_for(&["mail"], 3.0)?;
    /// depth.add_for(&["mail"], -1.0)?;
    /// assert!(registry.encode(Format::PrometheusText).ends_with("queue_depth{queue=\"mail\"} 2\n"));
    /// # Ok::<(), prometheus_metrics::MetricsError>(())
    /// ```
    ///
    /// # Errors
    /// Those of `with`.
    #[inline]
    pub fn set_for(&self, values: &[&str], value: f64) -> Result<()> {
        self.family().record(values, |series| series.store(0, value))
    }

    /// Adds a number to the gauge of these label values: see `set_for`.
    ///
    /// # Errors
    /// Those of `with`.
    #[inline]
    pub fn add_for(&self, values: &[&str], value: f64) -> Result<()> {
        self.family().record(values, |series| series.add(0, value))
    }
}
