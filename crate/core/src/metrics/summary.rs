//! Summaries: observations digested to quantiles, and their count and sum.

use super::shared_cells::shared_cells;
use super::vec::{MetricVec, OfSeries, sealed};
use crate::error::{ErrorKind, MetricsError, Result};
use crate::model::{Descriptor, SummaryOptions};
use crate::registry::{Family, Metric, SeriesCells, SharedWindow};
use crate::sync::Arc;
use std::time::Duration;

/// A summary of one label set. Any thread may use it. Clones observe in the same series.
///
/// Quantiles of several series cannot be combined. Prefer a histogram where they have to be.
///
/// ```
/// use prometheus_metrics::{Format, Registry};
///
/// let registry = Registry::new();
/// let sizes = registry.metric("size_bytes", "Sizes").quantiles(&[0.5]).summary()?;
/// for size in [10.0, 20.0, 30.0] {
///     sizes.observe(size)?;
/// }
/// assert_eq!(
///     registry.encode(Format::PrometheusText),
///     "# HELP size_bytes Sizes\n# TYPE size_bytes summary\n\
///      size_bytes{quantile=\"0.5\"} 20\nsize_bytes_sum 60\nsize_bytes_count 3\n"
/// );
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
#[derive(Clone)]
pub struct Summary {
    family: Arc<Family>,
    series: Arc<SeriesCells>,
    /// `None` if its observations are dropped.
    window: Option<SharedWindow>,
}

const COUNT: usize = 0;
const SUM: usize = 1;

impl Summary {
    /// A summary without labels, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`, `InvalidConfig`.
    pub fn new(name: &str, help: &str, options: SummaryOptions) -> Result<Self> {
        let descriptor = Descriptor::summary(name, help, &[], options)?;
        Ok(Self::of(Arc::new(Family::new(descriptor, shared_cells()))))
    }

    pub(crate) fn of(family: Arc<Family>) -> Self {
        let series = family.get_or_create(&[]).expect("an unlabelled family takes no label value");
        <Self as sealed::Sealed>::of_series(family, series)
    }

    /// Observes a value.
    ///
    /// # Errors
    /// `InvalidValue` for NaN and infinities.
    pub fn observe(&self, value: f64) -> Result<()> {
        if !value.is_finite() {
            let message = format!("Value is not a valid number: {value}");
            return Err(MetricsError::new(ErrorKind::InvalidValue, message));
        }
        if let (Some(window), Some(windows)) = (&self.window, self.family.windows()) {
            windows.observe(window, value, self.family.clock());
        }
        self.series.add(COUNT, 1.0);
        self.series.add(SUM, value);
        Ok(())
    }

    /// Observes a duration in seconds.
    pub fn observe_duration(&self, duration: Duration) {
        // A duration is always finite, so `observe` does not refuse it.
        let _ = self.observe(duration.as_secs_f64());
    }

    /// The number of observations.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.series.load(COUNT)
    }

    /// The sum of the observations.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.series.load(SUM)
    }

    /// The values at the quantiles, in their order.
    #[must_use]
    pub fn quantiles(&self) -> Vec<f64> {
        self.family.series_quantiles(self.series.id())
    }
}

impl sealed::Sealed for Summary {
    #[allow(private_interfaces, reason = "only this crate can implement or call it")]
    fn of_series(family: Arc<Family>, series: Arc<SeriesCells>) -> Self {
        let window = family.windows().and_then(|windows| windows.of(series.id()));
        Self { family, series, window }
    }

    #[inline]
    fn is_removed(&self) -> bool {
        self.series.is_removed()
    }
}

impl OfSeries for Summary {}

impl Metric for Summary {
    fn family(&self) -> &Arc<Family> {
        &self.family
    }
}

/// Summaries by label values.
pub type SummaryVec = MetricVec<Summary>;

impl SummaryVec {
    /// Summaries with these label names, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`, `InvalidLabelName`, `InvalidConfig`.
    pub fn new(name: &str, help: &str, labels: &[&str], options: SummaryOptions) -> Result<Self> {
        Descriptor::summary(name, help, labels, options).map(Self::described)
    }
}
