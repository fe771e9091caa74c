//! Makes a registry's metrics: one builder for all types, and the short constructors that call it.

use super::counter::{Counter, CounterVec};
use super::gauge::{Gauge, GaugeVec};
use super::histogram::{Histogram, HistogramVec};
use super::shared_cells::shared_cells;
use super::summary::{Summary, SummaryVec};
use crate::error::{ErrorKind, MetricsError, Result};
use crate::model::{DEFAULT_BUCKETS, Descriptor, Kind, NativeHistogramOptions, SummaryOptions};
use crate::registry::{CardinalityLimits, Family, Registry};
use crate::sync::Arc;
use std::time::Duration;

/// Describes a metric of a registry; the last call makes it. Made by `Registry::metric`.
///
/// A metric that is registered already is returned as it is, with the limits and the time to live it was made with.
///
/// ```
/// use prometheus_metrics::registry::CardinalityLimits;
/// use prometheus_metrics::{Format, Registry};
/// use std::time::Duration;
///
/// let registry = Registry::new();
/// let sessions = registry
///     .metric("sessions", "Open sessions")
///     .labels(&["region"])
///     .limits(CardinalityLimits::default().max_series(Some(100)))
///     .ttl(Duration::from_secs(600))
///     .gauge_vec()?;
/// sessions.with(&["eu"])?.set(3.0);
/// assert_eq!(
///     registry.encode(Format::PrometheusText),
///     "# HELP sessions Open sessions\n# TYPE sessions gauge\nsessions{region=\"eu\"} 3\n"
/// );
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
#[derive(Clone)]
#[must_use = "the metric is made by the last call: `counter()`, `gauge_vec()` and the like"]
pub struct MetricBuilder<'a> {
    registry: &'a Registry,
    name: &'a str,
    help: &'a str,
    labels: &'a [&'a str],
    buckets: Option<&'a [f64]>,
    summary: SummaryOptions,
    native: Option<NativeHistogramOptions>,
    unit: Option<&'a str>,
    limits: CardinalityLimits,
    ttl: Option<Duration>,
}

impl<'a> MetricBuilder<'a> {
    /// Sets the label names. Metrics with labels are made by `counter_vec`, `gauge_vec` or `histogram_vec`.
    pub fn labels(mut self, labels: &'a [&'a str]) -> Self {
        self.labels = labels;
        self
    }

    /// Sets the upper bounds of a histogram's buckets: finite and ascending. `+Inf` is implied. The default is
    /// `DEFAULT_BUCKETS`.
    pub fn buckets(mut self, buckets: &'a [f64]) -> Self {
        self.buckets = Some(buckets);
        self
    }

    /// Makes a histogram a native one. It has classic buckets too if `buckets` sets some.
    pub fn native(mut self, options: NativeHistogramOptions) -> Self {
        self.native = Some(options);
        self
    }

    /// Sets the quantiles of a summary: from 0 to 1, ascending. The default is `DEFAULT_QUANTILES`.
    pub fn quantiles(mut self, quantiles: &[f64]) -> Self {
        self.summary.quantiles = quantiles.to_vec();
        self
    }

    /// Lets the quantiles of a summary forget observations of this age, in `steps` steps: see `SummaryOptions::window`.
    pub fn window(mut self, age: Duration, steps: u32) -> Self {
        self.summary.window = Some((age, steps));
        self
    }

    /// Sets the unit, which OpenMetrics shows: see `Descriptor::with_unit`.
    pub fn unit(mut self, unit: &'a str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// Sets limits on the number of series. Limits that are not set here are the registry's.
    pub fn limits(mut self, limits: CardinalityLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long a series may stay unchanged before it expires; zero means never. The default is the registry's
    /// setting. A metric without labels never expires.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Makes a counter without labels.
    ///
    /// # Errors
    /// `InvalidMetricName`; `LabelCount` if labels were set; `InvalidBuckets` if buckets were set; `TypeMismatch` if the
    /// name belongs to a metric of another type or with labels; `DuplicateMetric` if another metric writes the same
    /// sample names.
    pub fn counter(self) -> Result<Counter> {
        self.without_labels(Kind::Counter).map(Counter::of)
    }

    /// Makes counters that differ in their label values.
    ///
    /// # Errors
    /// As `counter`, without `LabelCount`; `InvalidLabelName`.
    pub fn counter_vec(self) -> Result<CounterVec> {
        self.family(Kind::Counter).map(CounterVec::of)
    }

    /// Makes a gauge without labels.
    ///
    /// # Errors
    /// As `counter`.
    pub fn gauge(self) -> Result<Gauge> {
        self.without_labels(Kind::Gauge).map(Gauge::of)
    }

    /// Makes gauges that differ in their label values.
    ///
    /// # Errors
    /// As `counter_vec`.
    pub fn gauge_vec(self) -> Result<GaugeVec> {
        self.family(Kind::Gauge).map(GaugeVec::of)
    }

    /// Makes a histogram without labels.
    ///
    /// # Errors
    /// As `counter`, but `InvalidBuckets` is for bounds that are not finite and ascending; `InvalidConfig` for options of a
    /// native histogram that are out of range; `TypeMismatch` also if the histogram is registered with other buckets or
    /// other native options.
    pub fn histogram(self) -> Result<Histogram> {
        self.without_labels(Kind::Histogram).map(Histogram::of)
    }

    /// Makes histograms that differ in their label values.
    ///
    /// # Errors
    /// As `histogram`, without `LabelCount`; `InvalidLabelName`.
    pub fn histogram_vec(self) -> Result<HistogramVec> {
        self.family(Kind::Histogram).map(HistogramVec::of)
    }

    /// Makes a summary without labels.
    ///
    /// # Errors
    /// As `counter`; `InvalidConfig` for invalid quantiles or an invalid window.
    pub fn summary(self) -> Result<Summary> {
        self.without_labels(Kind::Summary).map(Summary::of)
    }

    /// Makes summaries that differ in their label values.
    ///
    /// # Errors
    /// As `summary`, without `LabelCount`; `InvalidLabelName`.
    pub fn summary_vec(self) -> Result<SummaryVec> {
        self.family(Kind::Summary).map(SummaryVec::of)
    }

    fn without_labels(self, kind: Kind) -> Result<Arc<Family>> {
        if self.labels.is_empty() {
            return self.family(kind);
        }
        Err(MetricsError::new(
            ErrorKind::LabelCount,
            format!(
                "Expected no labels for the single {} {} but received \"{}\": make it with {}_vec()",
                kind.as_str(),
                self.name,
                self.labels.join(", "),
                kind.as_str()
            ),
        ))
    }

    /// The family, made if it does not exist.
    ///
    /// # Errors
    /// As `counter_vec` or `histogram_vec`.
    pub(crate) fn family(self, kind: Kind) -> Result<Arc<Family>> {
        let Self { registry, name, help, labels, buckets, summary, native, unit, limits, ttl } = self;
        let names = registry.names();
        let descriptor = match (kind, buckets) {
            (Kind::Histogram, buckets) => {
                let own: &[f64] = if native.is_some() { &[] } else { &DEFAULT_BUCKETS };
                let classic = Descriptor::histogram_by(names, name, help, labels, buckets.unwrap_or(own))?;
                match native {
                    Some(options) => classic.with_native(options)?,
                    None => classic,
                }
            }
            (Kind::Summary, None) => Descriptor::summary_by(names, name, help, labels, summary)?,
            (kind, None) => Descriptor::by(names, kind, name, help, labels)?,
            (kind, Some(_)) => {
                return Err(MetricsError::new(
                    ErrorKind::InvalidBuckets,
                    format!(
                        "Expected no buckets for the {} {name}: only histograms have them",
                        kind.as_str()
                    ),
                ));
            }
        };
        let descriptor = match unit {
            Some(unit) => descriptor.with_unit(unit)?,
            None => descriptor,
        };
        registry.get_or_create(descriptor, shared_cells(), limits, ttl)
    }
}

impl Registry {
    /// Begins the description of a metric with options: labels, buckets, limits, time to live.
    pub fn metric<'a>(&'a self, name: &'a str, help: &'a str) -> MetricBuilder<'a> {
        MetricBuilder {
            registry: self,
            name,
            help,
            labels: &[],
            buckets: None,
            summary: SummaryOptions::default(),
            native: None,
            unit: None,
            limits: CardinalityLimits::default(),
            ttl: None,
        }
    }

    /// The counter of this name, made if it does not exist.
    ///
    /// # Errors
    /// `InvalidMetricName`; `TypeMismatch` if the name belongs to a metric of another type or with labels;
    /// `DuplicateMetric` if another metric writes the same sample names.
    pub fn counter(&self, name: &str, help: &str) -> Result<Counter> {
        self.metric(name, help).counter()
    }

    /// The counters of this name, one for each label set, made if they do not exist.
    ///
    /// # Errors
    /// As `counter`, and `InvalidLabelName`.
    pub fn counter_vec(&self, name: &str, help: &str, labels: &[&str]) -> Result<CounterVec> {
        self.metric(name, help).labels(labels).counter_vec()
    }

    /// The gauge of this name, made if it does not exist.
    ///
    /// # Errors
    /// As `counter`.
    pub fn gauge(&self, name: &str, help: &str) -> Result<Gauge> {
        self.metric(name, help).gauge()
    }

    /// The gauges of this name, one for each label set, made if they do not exist.
    ///
    /// # Errors
    /// As `counter_vec`.
    pub fn gauge_vec(&self, name: &str, help: &str, labels: &[&str]) -> Result<GaugeVec> {
        self.metric(name, help).labels(labels).gauge_vec()
    }

    /// The histogram of this name with the default buckets, made if it does not exist.
    ///
    /// # Errors
    /// As `counter`; `TypeMismatch` also for other buckets.
    pub fn histogram(&self, name: &str, help: &str) -> Result<Histogram> {
        self.metric(name, help).histogram()
    }

    /// The histograms of this name, one for each label set, with these upper bounds, made if they do not exist.
    ///
    /// # Errors
    /// As `histogram`, `InvalidLabelName` and `InvalidBuckets`.
    pub fn histogram_vec(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> Result<HistogramVec> {
        self.metric(name, help).labels(labels).buckets(buckets).histogram_vec()
    }
}
