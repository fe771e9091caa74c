//! The observations of a series of a summary or native histogram, as the family's owner and its scrapes use them. Does nothing
//! for other types.

use super::family::Family;
use super::native_series::{NativeSet, SharedNative};
use super::windows::Windows;
use crate::model::{Digest, NEGATIVE, NativeHistogram, POSITIVE, Series, upper_bound};

impl Family {
    /// Takes the buffer of a summary's series, for the thread that writes it. What the thread writes from now on belongs to
    /// this step of the window; without a window every step is 0.
    pub fn flush_series(&self, id: u32, step: u64) {
        self.windows().iter().for_each(|windows| windows.flush(id, step, self.cells()));
    }

    /// Forgets what the window has left behind in this step, if the writer's clock is ahead of this one's.
    pub fn advance(&self, step: u64) {
        self.windows().iter().for_each(|windows| windows.advance(step));
    }

    /// Counts a finite value in a bucket of a native histogram's series, for the thread that writes the other cells.
    pub fn observe_native(&self, id: u32, value: f64) {
        let Some(natives) = self.natives().filter(|_| value.is_finite()) else { return };
        natives.of(id).iter().for_each(|series| self.count_native(id, series, value, &|| ()));
    }

    /// Does the same, and has `record` write the other cells while no scrape reads the series.
    pub(crate) fn count_native(&self, id: u32, series: &SharedNative, value: f64, record: &dyn Fn()) {
        let Some(natives) = self.natives() else { return };
        if natives.observe(series, value, self.clock().now(), &|| self.is_alone(), record) {
            self.restart(id);
        }
    }

    /// A native histogram's series: schema, threshold and count of the zero bucket, then lower bound, upper bound and count of
    /// each other bucket that has observations, ascending. Empty if it does not exist.
    #[must_use]
    pub fn native_buckets(&self, id: u32) -> Vec<f64> {
        let mut native = NativeHistogram::default();
        let mut values = vec![0.0; self.descriptor().value_width()];
        let read = |natives: &NativeSet| natives.read(id, self.clock().now(), &mut values, &mut native);
        if !self.natives().is_some_and(read) {
            return Vec::new();
        }
        let mut numbers = vec![native.schema.into(), native.zero_threshold, native.zero_count];
        let bounds = |key: i32| (upper_bound(key - 1, native.schema), upper_bound(key, native.schema));
        for (key, count) in native.sides[NEGATIVE].iter().rev() {
            let (nearer, farther) = bounds(*key);
            numbers.extend([-farther, -nearer, *count]);
        }
        for (key, count) in &native.sides[POSITIVE] {
            let (lower, upper) = bounds(*key);
            numbers.extend([lower, upper, *count]);
        }
        numbers
    }

    /// Keeps a copy of the observations of a series of a summary or native histogram: a test lends the registry and gives them
    /// back.
    pub fn keep_observations(&self, id: u32) {
        self.windows().iter().for_each(|windows| windows.keep(id, self.cells()));
        self.natives().iter().for_each(|natives| natives.keep(id));
    }

    /// Gives the observations that were kept of one series to another.
    pub fn give_observations(&self, from: u32, to: u32) {
        self.windows().iter().for_each(|windows| windows.give(from, to));
        self.natives().iter().for_each(|natives| natives.give(from, to));
    }

    /// The values at the quantiles of a summary's series; none if it does not exist.
    #[must_use]
    pub fn series_quantiles(&self, id: u32) -> Vec<f64> {
        let (mut digest, mut quantiles) = (Digest::default(), Vec::new());
        let slot = self.slot_of(id);
        if let (Some(slot), Some(windows)) = (slot, self.windows()) {
            windows.read(id, self.cells(), self.clock(), &mut digest);
            let values = self.read_series(id, slot);
            let series = Series {
                id: Some(id),
                labels: &[],
                values: &values,
                exemplars: &[],
                digest: Some(&digest),
                native: None,
                start_ms: None,
            };
            series.quantiles(self.descriptor().quantiles(), &mut quantiles);
        }
        quantiles
    }

    /// Series of a summary that is to remove those whose observations are all forgotten.
    pub fn forgotten(&self) -> Vec<u32> {
        let forgotten = |windows: &Windows| windows.forgotten(self.cells(), self.clock());
        self.windows().map(forgotten).unwrap_or_default()
    }

    pub(super) fn is_forgotten(&self, id: u32) -> bool {
        self.windows().is_some_and(|windows| windows.is_forgotten(id, self.cells(), self.clock()))
    }
}
