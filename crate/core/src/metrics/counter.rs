//! Counters: values that only go up.

use super::series::SeriesCells;
use super::shared_cells;
use super::traits::Metric;
use crate::error::{ErrorKind, MetricsError, Result};
use crate::registry::{Descriptor, Family, Kind};
use crate::sync::Arc;

/// A counter of one label set. Clones count on the same series; any thread may.
///
/// ```
/// use prometheus_metrics::{Format, Registry};
///
/// let registry = Registry::new();
/// let requests = registry.counter("requests_total", "Requests served")?;
/// requests.inc();
/// requests.add(2.0)?;
/// assert_eq!(
///     registry.encode(Format::PrometheusText),
///     "# HELP requests_total Requests served\n# TYPE requests_total counter\nrequests_total 3\n"
/// );
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
#[derive(Clone)]
pub struct Counter {
    family: Arc<Family>,
    series: Arc<SeriesCells>,
}

impl Counter {
    /// A counter without labels, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`.
    pub fn new(name: &str, help: &str) -> Result<Self> {
        let descriptor = Descriptor::new(Kind::Counter, name, help, &[])?;
        Ok(Self::of(Arc::new(Family::new(descriptor, shared_cells()))))
    }

    pub(crate) fn of(family: Arc<Family>) -> Self {
        let series =
            family.index.get_or_create(&family, &[]).expect("an unlabelled family takes no label value");
        Self { family, series }
    }

    /// Adds 1.
    #[inline]
    pub fn inc(&self) {
        self.series.add(0, 1.0);
    }

    /// Adds a finite number that is not negative.
    ///
    /// # Errors
    /// `NegativeIncrement`; `InvalidValue` for NaN and infinities.
    #[inline]
    pub fn add(&self, value: f64) -> Result<()> {
        if value >= 0.0 && value.is_finite() {
            self.series.add(0, value);
            return Ok(());
        }
        Err(refused(value))
    }

    /// The value now.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.series.load(0)
    }
}

#[cold]
fn refused(value: f64) -> MetricsError {
    if value < 0.0 {
        return MetricsError::new(ErrorKind::NegativeIncrement, "It is not possible to decrease a counter");
    }
    MetricsError::new(ErrorKind::InvalidValue, format!("Value is not a valid number: {value}"))
}

impl Metric for Counter {
    fn family(&self) -> &Arc<Family> {
        &self.family
    }
}

/// Counters that differ in their labels.
#[derive(Clone)]
pub struct CounterVec {
    family: Arc<Family>,
}

impl CounterVec {
    /// Counters with these label names, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`, `InvalidLabelName`.
    pub fn new(name: &str, help: &str, labels: &[&str]) -> Result<Self> {
        let descriptor = Descriptor::new(Kind::Counter, name, help, labels)?;
        Ok(Self::of(Arc::new(Family::new(descriptor, shared_cells()))))
    }

    pub(crate) fn of(family: Arc<Family>) -> Self {
        Self { family }
    }

    /// The counter of these label values, in the order of the label names; made if it does not exist.
    /// Keep it where you count often.
    ///
    /// # Errors
    /// `LabelCount`, `InvalidLabelValue`.
    pub fn with(&self, values: &[&str]) -> Result<Counter> {
        let series = self.family.index.get_or_create(&self.family, values)?;
        Ok(Counter { family: Arc::clone(&self.family), series })
    }

    /// The value of these label values now; nothing if they were never counted.
    #[must_use]
    pub fn value(&self, values: &[&str]) -> Option<f64> {
        self.family.index.get(values).map(|series| series.load(0))
    }

    /// Removes the counter of these label values. Handles that are still held count where nobody sees it.
    ///
    /// # Errors
    /// `LabelCount`.
    pub fn remove(&self, values: &[&str]) -> Result<bool> {
        self.family.index.remove(&self.family, values)
    }

    /// How many label sets there are.
    #[must_use]
    pub fn series_count(&self) -> usize {
        self.family.series_count()
    }
}

impl Metric for CounterVec {
    fn family(&self) -> &Arc<Family> {
        &self.family
    }
}
