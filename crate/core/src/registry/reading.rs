//! Reads the values of a family's series, for scrapes and for the checks of expiry.

use super::family::{Exemplars, Family};
use super::histogram_read::read_histogram;
use super::table::LiveSeries;
use crate::model::{CellSeries, Descriptor, Digest, Exemplar, Series, Source};
use crate::slab::CellsCursor;
use hashbrown::HashMap;

impl Family {
    fn exemplars_now(&self) -> Exemplars {
        let exemplars = self.exemplars.lock();
        if exemplars.is_empty() { HashMap::default() } else { exemplars.clone() }
    }

    /// The values of one series: see `Series::values`.
    #[must_use]
    pub fn read_series(&self, slot: u32) -> Vec<f64> {
        let mut values = vec![0.0; self.descriptor().value_width()];
        read_into(&mut self.cells().cursor(), slot, &mut values);
        values
    }
}

/// Reads the values of one series.
#[inline]
pub(super) fn read_into(cells: &mut CellsCursor<'_>, slot: u32, values: &mut [f64]) {
    let (slab, first) = cells.locate(slot);
    if let [value] = values {
        *value = slab.load(first);
        return;
    }
    read_histogram(values, |cell| slab.load(first + cell));
}

impl Source for Family {
    fn descriptor(&self) -> &Descriptor {
        Self::descriptor(self)
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        let table = self.series_table();
        let exemplars = self.exemplars_now();
        let mut values = vec![0.0; self.descriptor().value_width()];
        let mut digest = Digest::default();
        let mut found: Vec<Option<&Exemplar>> = Vec::new();
        let mut cells = self.cells().cursor();
        for LiveSeries { id, slot, labels, at } in table.live() {
            read_into(&mut cells, slot, &mut values);
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
            let start_ms = table.start_ms(at);
            visit(Series { id: Some(id), labels, values: &values, exemplars: &found, digest, start_ms })?;
        }
        Ok(())
    }

    #[inline]
    fn for_each_cell<E>(&self, mut visit: impl FnMut(CellSeries<'_>) -> Result<(), E>) -> Result<(), E> {
        let table = self.series_table();
        let exemplars = self.exemplars_now();
        let mut cells = self.cells().cursor();
        for LiveSeries { id, slot, labels, .. } in table.live() {
            let (slab, cell) = cells.locate(slot);
            let exemplar = if exemplars.is_empty() { None } else { exemplar_of(&exemplars, id) };
            visit(CellSeries { id: Some(id), labels, value: slab.load(cell), exemplar })?;
        }
        Ok(())
    }
}

/// The exemplar of a series of one cell.
#[cold]
fn exemplar_of(exemplars: &Exemplars, id: u32) -> Option<&Exemplar> {
    exemplars.get(&id)?.first().map(|(_, exemplar)| exemplar)
}
