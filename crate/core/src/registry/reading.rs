//! Reads the values of a family's series, for scrapes and for the checks of expiry.

use super::family::Family;
use super::histogram_read::read_histogram;
use super::table::LiveSeries;
use crate::model::{Descriptor, Digest, Exemplar, Series, Source};
use hashbrown::HashMap;

impl Family {
    pub(crate) fn read_into(&self, slot: u32, values: &mut [f64]) {
        let (slab, first) = self.cells().locate(slot);
        if values.len() == 1 {
            values[0] = slab.load(first);
            return;
        }
        read_histogram(values, |cell| slab.load(first + cell));
    }

    /// The values of one series: see `Series::values`.
    #[must_use]
    pub fn read_series(&self, slot: u32) -> Vec<f64> {
        let mut values = vec![0.0; self.descriptor().value_width()];
        self.read_into(slot, &mut values);
        values
    }
}

impl Source for Family {
    fn descriptor(&self) -> &Descriptor {
        Self::descriptor(self)
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        let table = self.series_table();
        let exemplars = {
            let exemplars = self.exemplars.lock();
            if exemplars.is_empty() { HashMap::default() } else { exemplars.clone() }
        };
        let mut values = vec![0.0; self.descriptor().value_width()];
        let mut digest = Digest::default();
        let mut found: Vec<Option<&Exemplar>> = Vec::new();
        for LiveSeries { id, slot, labels } in table.live() {
            self.read_into(slot, &mut values);
            if !exemplars.is_empty() {
                found.clear();
                found.resize(values.len(), None);
                for (cell, exemplar) in exemplars.get(&id).into_iter().flatten() {
                    if let Some(place) = found.get_mut(*cell) {
                        *place = Some(exemplar);
                    }
                }
            }
            let digested = self
                .windows()
                .is_some_and(|windows| windows.read(id, self.cells(), self.clock(), &mut digest));
            let digest = digested.then_some(&digest);
            visit(Series { id: Some(id), labels, values: &values, exemplars: &found, digest })?;
        }
        Ok(())
    }
}
