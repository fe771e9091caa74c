//! Metrics of one name that differ in their label values.

use super::shared_cells::shared_cells;
use crate::error::Result;
use crate::model::Descriptor;
use crate::registry::{Family, Metric, SeriesCells};
use crate::sync::Arc;
use std::marker::PhantomData;

/// Metrics of one family, found by label values. Any thread may use it. Clones find the same metrics.
pub struct MetricVec<M> {
    family: Arc<Family>,
    metric: PhantomData<fn() -> M>,
}

/// A metric that is one series of a family.
pub trait OfSeries: sealed::Sealed {}

pub(crate) mod sealed {
    use super::{Arc, Family, SeriesCells};

    /// Only this crate can implement `OfSeries`, because series cells are not public.
    pub trait Sealed {
        /// The metric that writes this series.
        #[allow(private_interfaces, reason = "only this crate can implement or call it")]
        fn of_series(family: Arc<Family>, series: Arc<SeriesCells>) -> Self;
        /// True if its series was removed: no scrape shows what it writes.
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

    /// The metric of these label values, in the order of the label names. It is made if it does not exist. Keep the
    /// result where you record often.
    ///
    /// # Errors
    /// `LabelCount`; `InvalidLabelValue`; `CardinalityLimit` if the label set is over a limit whose policy is to throw.
    pub fn with(&self, values: &[&str]) -> Result<M> {
        let series = self.family.get_or_create(values)?;
        Ok(M::of_series(Arc::clone(&self.family), series))
    }

    /// Removes the metric of these label values; returns whether it existed. Existing handles then write to cells that
    /// no scrape shows.
    ///
    /// # Errors
    /// `LabelCount`.
    pub fn remove(&self, values: &[&str]) -> Result<bool> {
        self.family.remove(values)
    }

    /// The number of label sets.
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
