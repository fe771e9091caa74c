//! Metrics of one name that differ in their labels.

use super::shared_cells::shared_cells;
use crate::error::Result;
use crate::model::Descriptor;
use crate::registry::{Family, Metric, SeriesCells};
use crate::sync::Arc;
use std::marker::PhantomData;

/// Metrics by label values. Clones are the same metrics; any thread may ask.
pub struct MetricVec<M> {
    family: Arc<Family>,
    metric: PhantomData<fn() -> M>,
}

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

impl<M: OfSeries> MetricVec<M> {
    pub(super) fn described(descriptor: Descriptor) -> Self {
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
        let series = self.family.get_or_create(values)?;
        Ok(M::of_series(Arc::clone(&self.family), series))
    }

    /// Removes the metric of these label values. Handles that are still held write where nobody sees it.
    ///
    /// # Errors
    /// `LabelCount`.
    pub fn remove(&self, values: &[&str]) -> Result<bool> {
        self.family.remove(values)
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
