//! Histograms: observations counted in buckets, and their sum.

use super::shared_cells::shared_cells;
use super::vec::{MetricVec, OfSeries, sealed};
use crate::error::{ErrorKind, MetricsError, Result};
use crate::model::{DEFAULT_BUCKETS, Descriptor};
use crate::registry::{Family, Metric, SeriesCells, SharedNative};
use crate::sync::Arc;
use std::time::Duration;

/// A histogram of one label set. Any thread may use it. Clones observe into the same series.
#[derive(Clone)]
pub struct Histogram {
    family: Arc<Family>,
    series: Arc<SeriesCells>,
    /// The buckets of a native histogram.
    native: Option<SharedNative>,
}

impl Histogram {
    /// A histogram without labels and with the default buckets, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`.
    pub fn new(name: &str, help: &str) -> Result<Self> {
        Self::with_buckets(name, help, &DEFAULT_BUCKETS)
    }

    /// A histogram without labels and with these upper bounds, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`, `InvalidBuckets`.
    pub fn with_buckets(name: &str, help: &str, buckets: &[f64]) -> Result<Self> {
        let descriptor = Descriptor::histogram(name, help, &[], buckets)?;
        Ok(Self::of(Arc::new(Family::new(descriptor, shared_cells()))))
    }

    pub(crate) fn of(family: Arc<Family>) -> Self {
        let series = family.get_or_create(&[]).expect("an unlabelled family takes no label value");
        <Self as sealed::Sealed>::of_series(family, series)
    }

    /// Counts an observation in the first bucket whose upper bound is at least the value, and adds the value to the
    /// sum.
    ///
    /// # Errors
    /// `InvalidValue` for NaN and infinities.
    #[inline]
    pub fn observe(&self, value: f64) -> Result<()> {
        if !value.is_finite() {
            return Err(refused(value));
        }
        match &self.native {
            None => count(&self.family, &self.series, value),
            Some(native) => count_native(&self.family, &self.series, native, value),
        }
        Ok(())
    }

    /// Observes a duration in seconds.
    pub fn observe_duration(&self, duration: Duration) {
        // A duration is always finite, so `observe` does not refuse it.
        let _ = self.observe(duration.as_secs_f64());
    }

    /// Starts a timer. Its `stop`, or else its drop, observes the seconds that have passed, read from the clock of the
    /// registry that made the histogram.
    #[must_use]
    pub fn start_timer(&self) -> Timer {
        Timer { histogram: self.clone(), start: self.family.clock().now(), observed: false }
    }

    /// The number of observations.
    #[must_use]
    pub fn count(&self) -> f64 {
        if let Some(native) = &self.native {
            return native.lock().snapshot().count();
        }
        let values = self.family.read_series(self.series.id(), self.series.slot());
        values[..values.len() - 1].iter().sum()
    }

    /// The sum of the observations.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.series.load(self.family.descriptor().buckets().len() + 1)
    }
}

/// Writes an observation to the cells of a series.
#[inline]
fn count(family: &Family, series: &SeriesCells, value: f64) {
    let buckets = family.descriptor().buckets();
    let bucket = buckets.iter().position(|bound| value <= *bound).unwrap_or(buckets.len());
    series.add(bucket, 1.0);
    series.add(buckets.len() + 1, value);
}

/// Does the same for a native histogram.
fn count_native(family: &Family, series: &SeriesCells, native: &SharedNative, value: f64) {
    family.count_native(series.id(), native, value, &|| count(family, series, value));
}

#[cold]
fn refused(value: f64) -> MetricsError {
    MetricsError::new(ErrorKind::InvalidValue, format!("Value is not a valid number: {value}"))
}

impl sealed::Sealed for Histogram {
    #[allow(private_interfaces, reason = "only this crate can implement or call it")]
    fn of_series(family: Arc<Family>, series: Arc<SeriesCells>) -> Self {
        let native = family.natives().and_then(|natives| natives.of(series.id()));
        Self { family, series, native }
    }

    #[inline]
    fn is_removed(&self) -> bool {
        self.series.is_removed()
    }
}

impl OfSeries for Histogram {}

impl Metric for Histogram {
    fn family(&self) -> &Arc<Family> {
        &self.family
    }
}

/// Histograms by label values.
pub type HistogramVec = MetricVec<Histogram>;

impl HistogramVec {
    /// Histograms with these label names and upper bounds, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`, `InvalidLabelName`, `InvalidBuckets`.
    pub fn new(name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> Result<Self> {
        Descriptor::histogram(name, help, labels, buckets).map(Self::described)
    }

    /// Observes a value in the histogram of these label values, which is made if it does not exist.
    /// `with(values)?.observe(…)` does the same and takes longer, because it makes a handle.
    ///
    /// ```
    /// use prometheus_metrics::Registry;
    ///
    /// let waits = Registry::new().histogram_vec("wait_seconds", "Waits", &["queue"], &[0.1, 1.0])?;
    /// waits.observe_for(&["mail"], 0.25)?;
    /// assert_eq!(waits.with(&["mail"])?.sum(), 0.25);
    /// # Ok::<(), prometheus_metrics::MetricsError>(())
    /// ```
    ///
    /// # Errors
    /// Those of `with` and of `Histogram::observe`.
    #[inline]
    pub fn observe_for(&self, values: &[&str], value: f64) -> Result<()> {
        if !value.is_finite() {
            return Err(refused(value));
        }
        let family = self.family();
        family.record(values, |series| match family.natives().and_then(|natives| natives.of(series.id())) {
            None => count(family, series, value),
            Some(native) => count_native(family, series, &native, value),
        })
    }
}

/// A running timer of a histogram. It observes once: when it is stopped, or else when it is dropped.
pub struct Timer {
    histogram: Histogram,
    start: Duration,
    observed: bool,
}

impl Timer {
    /// Observes and returns the seconds that have passed.
    pub fn stop(mut self) -> f64 {
        self.observe()
    }

    fn observe(&mut self) -> f64 {
        self.observed = true;
        let elapsed = self.histogram.family.clock().now().saturating_sub(self.start);
        self.histogram.observe_duration(elapsed);
        elapsed.as_secs_f64()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if !self.observed {
            self.observe();
        }
    }
}
