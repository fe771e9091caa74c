//! Counters: values that only go up.

use super::shared_cells::shared_cells;
use super::vec::{MetricVec, OfSeries, sealed};
use crate::error::{ErrorKind, MetricsError, Result};
use crate::model::{Descriptor, Kind};
use crate::registry::{Family, Metric, SeriesCells};
use crate::sync::Arc;

/// A counter of one label set. Any thread may use it. Clones count in the same series.
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
        let series = family.get_or_create(&[]).expect("an unlabelled family takes no label value");
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
        self.series.add(0, checked(value)?);
        Ok(())
    }

    /// The value now.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.series.load(0)
    }
}

#[inline]
fn checked(value: f64) -> Result<f64> {
    if value >= 0.0 && value.is_finite() { Ok(value) } else { Err(refused(value)) }
}

#[cold]
fn refused(value: f64) -> MetricsError {
    if value < 0.0 {
        return MetricsError::new(ErrorKind::NegativeIncrement, "It is not possible to decrease a counter");
    }
    MetricsError::new(ErrorKind::InvalidValue, format!("Value is not a valid number: {value}"))
}

impl sealed::Sealed for Counter {
    #[allow(private_interfaces, reason = "only this crate can implement or call it")]
    fn of_series(family: Arc<Family>, series: Arc<SeriesCells>) -> Self {
        Self { family, series }
    }

    #[inline]
    fn is_removed(&self) -> bool {
        self.series.is_removed()
    }
}

impl OfSeries for Counter {}

impl Metric for Counter {
    fn family(&self) -> &Arc<Family> {
        &self.family
    }
}

/// Counters by label values.
pub type CounterVec = MetricVec<Counter>;

impl CounterVec {
    /// Counters with these label names, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`, `InvalidLabelName`.
    pub fn new(name: &str, help: &str, labels: &[&str]) -> Result<Self> {
        Descriptor::new(Kind::Counter, name, help, labels).map(Self::described)
    }

    /// Adds 1 to the counter of these label values, which is made if it does not exist. `with(values)?.inc()` does the
    /// same and takes longer, because it makes a handle.
    ///
    /// ```
    /// use prometheus_metrics::Registry;
    ///
    /// let requests = Registry::new().counter_vec("requests_total", "Requests served", &["method"])?;
    /// requests.inc_for(&["GET"])?;
    /// requests.add_for(&["GET"], 2.0)?;
    /// assert_eq!(requests.value(&["GET"]), Some(3.0));
    /// # Ok::<(), prometheus_metrics::MetricsError>(())
    /// ```
    ///
    /// # Errors
    /// Those of `with`.
    #[inline]
    pub fn inc_for(&self, values: &[&str]) -> Result<()> {
        self.family().record(values, |series| series.add(0, 1.0))
    }

    /// Adds a finite number that is not negative to the counter of these label values: see `inc_for`.
    ///
    /// # Errors
    /// Those of `with` and of `Counter::add`.
    #[inline]
    pub fn add_for(&self, values: &[&str], value: f64) -> Result<()> {
        let value = checked(value)?;
        self.family().record(values, |series| series.add(0, value))
    }

    /// The current value of these label values; `None` if the series does not exist.
    #[must_use]
    pub fn value(&self, values: &[&str]) -> Option<f64> {
        self.family().get(values).map(|series| series.load(0))
    }
}
