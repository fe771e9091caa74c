//! The observations of a summary's series, as the family's owner and its scrapes use them. Does nothing for other types.

use super::family::Family;
use super::windows::Windows;
use crate::model::{Digest, Series};

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

    /// Keeps a copy of the observations of a summary's series: a test lends the registry and gives them back.
    pub fn keep_observations(&self, id: u32) {
        self.windows().iter().for_each(|windows| windows.keep(id, self.cells()));
    }

    /// Gives the observations that were kept of one series to another.
    pub fn give_observations(&self, from: u32, to: u32) {
        self.windows().iter().for_each(|windows| windows.give(from, to));
    }

    /// The values at the quantiles of a summary's series; none if it does not exist.
    #[must_use]
    pub fn series_quantiles(&self, id: u32) -> Vec<f64> {
        let (mut digest, mut quantiles) = (Digest::default(), Vec::new());
        let slot = self.slot_of(id);
        if let (Some(slot), Some(windows)) = (slot, self.windows()) {
            windows.read(id, self.cells(), self.clock(), &mut digest);
            let values = self.read_series(slot);
            let series = Series {
                id: Some(id),
                labels: &[],
                values: &values,
                exemplars: &[],
                digest: Some(&digest),
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
