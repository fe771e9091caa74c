//! Metrics of one name that differ in their labels.

use super::counter::Counter;
use super::gauge::Gauge;
use super::histogram::Histogram;
use super::series::SeriesCells;
use super::shared_cells;
use super::traits::Metric;
use crate::error::Result;
use crate::model::{Descriptor, Kind};
use crate::registry::Family;
use crate::sync::Arc;
use std::marker::PhantomData;

/// Metrics by label values. Clones are the same metrics; any thread may ask.
pub struct MetricVec<M> {
    family: Arc<Family>,
    metric: PhantomData<fn() -> M>,
}

/// Counters by label values.
pub type CounterVec = MetricVec<Counter>;
/// Gauges by label values.
pub type GaugeVec = MetricVec<Gauge>;
/// Histograms by label values.
pub type HistogramVec = MetricVec<Histogram>;

/// A metric that is one series of a family.
pub trait OfSeries: sealed::Sealed {}

pub(crate) mod sealed {
    use super::{Arc, Family, SeriesCells};

    /// Keeps `OfSeries` to this crate: series cells are not public.
    pub trait Sealed {
        /// The metric that writes this series.
        #[allow(private_interfaces, reason = "only this crate can implement or call it")]
        fn of_series(family: Arc<Family>, series: Arc<SeriesCells>) -> Self;
        /// Whether its series was removed: what it writes nobody sees.
        fn is_removed(&self) -> bool;
    }
}

impl CounterVec {
    /// Counters with these label names, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`, `InvalidLabelName`.
    pub fn new(name: &str, help: &str, labels: &[&str]) -> Result<Self> {
        Descriptor::new(Kind::Counter, name, help, labels).map(Self::described)
    }

    /// The value of these label values now; nothing if they were never counted.
    #[must_use]
    pub fn value(&self, values: &[&str]) -> Option<f64> {
        self.family.index.get(values).map(|series| series.load(0))
    }
}

impl GaugeVec {
    /// Gauges with these label names, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`, `InvalidLabelName`.
    pub fn new(name: &str, help: &str, labels: &[&str]) -> Result<Self> {
        Descriptor::new(Kind::Gauge, name, help, labels).map(Self::described)
    }
}

impl HistogramVec {
    /// Histograms with these label names and upper bounds, in no registry yet.
    ///
    /// # Errors
    /// `InvalidMetricName`, `InvalidLabelName`, `InvalidBuckets`.
    pub fn new(name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> Result<Self> {
        Descriptor::histogram(name, help, labels, buckets).map(Self::described)
    }
}

impl<M: OfSeries> MetricVec<M> {
    fn described(descriptor: Descriptor) -> Self {
        Self::of(Arc::new(Family::new(descriptor, shared_cells())))
    }

    pub(crate) fn of(family: Arc<Family>) -> Self {
        Self { family, metric: PhantomData }
    }

    /// The metric of these label values, in the order of the label names; made if it does not exist.
    /// Keep it where you record often.
    ///
    /// # Errors
    /// `LabelCount`, `InvalidLabelValue`.
    pub fn with(&self, values: &[&str]) -> Result<M> {
        let series = self.family.index.get_or_create(&self.family, values)?;
        Ok(M::of_series(Arc::clone(&self.family), series))
    }

    /// Removes the metric of these label values. Handles that are still held write where nobody sees it.
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

impl<M> Clone for MetricVec<M> {
    fn clone(&self) -> Self {
        Self { family: Arc::clone(&self.family), metric: PhantomData }
    }
}

impl<M> Metric for MetricVec<M> {
    fn family(&self) -> &Arc<Family> {
        &self.family
    }
}
