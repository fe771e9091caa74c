//! Reads the values of a family's series, for scrapes and for the checks of expiry.

use super::family::{Exemplars, Family, SeriesId};
use super::histogram_read::{PASSES_MAX, read_histogram};
use super::table::LiveSeries;
use crate::model::{CellSeries, Descriptor, Digest, Exemplar, NativeHistogram, Series, Source};
use crate::slab::CellsCursor;
use crate::sync::Ordering;
use hashbrown::HashMap;

impl Family {
    fn exemplars_now(&self) -> Exemplars {
        let exemplars = self.exemplars.lock();
        if exemplars.is_empty() { HashMap::default() } else { exemplars.clone() }
    }

    /// The values of one series: see `Series::values`.
    pub(crate) fn read_series(&self, id: u32, slot: u32) -> Vec<f64> {
        let mut values = vec![0.0; self.descriptor().value_width()];
        let place = SeriesId { id, slot };
        self.read_values(&mut self.cells().cursor(), place, &mut values, &mut NativeHistogram::default());
        values
    }

    /// Reads the values of one series, and the buckets of a native histogram. False if there is no such series any more.
    #[inline(always)]
    pub(super) fn read_values(
        &self,
        cells: &mut CellsCursor<'_>,
        SeriesId { id, slot }: SeriesId,
        values: &mut [f64],
        native: &mut NativeHistogram,
    ) -> bool {
        if self.natives().is_some() {
            return self.read_native(id, values, native);
        }
        read_into(cells, slot, values);
        true
    }

    /// Does the same for a native histogram. Not copied into each loop over series.
    #[inline(never)]
    fn read_native(&self, id: u32, values: &mut [f64], native: &mut NativeHistogram) -> bool {
        let Some(natives) = self.natives() else { return false };
        let is_found = natives.read(id, self.clock().now(), values, native);
        if self.descriptor().buckets().is_empty() {
            values[0] = native.count();
        }
        is_found
    }
}

/// Reads the cells of one series.
#[inline(always)]
fn read_into(cells: &mut CellsCursor<'_>, slot: u32, values: &mut [f64]) {
    let (slab, first) = cells.locate(slot);
    if let [value] = values {
        *value = slab.load(first);
        return;
    }
    let run = slab.run(first, values.len());
    read_histogram(values, PASSES_MAX, |cell| f64::from_bits(run[cell].load(Ordering::Relaxed)));
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
        let mut native = NativeHistogram::default();
        let mut found: Vec<Option<&Exemplar>> = Vec::new();
        let mut cells = self.cells().cursor();
        for LiveSeries { id, slot, labels, at } in table.live() {
            if !self.read_values(&mut cells, SeriesId { id, slot }, &mut values, &mut native) {
                continue;
            }
            native.exemplars.clear();
            if !exemplars.is_empty() {
                found.clear();
                found.resize(values.len(), None);
                for (cell, exemplar) in exemplars.get(&id).into_iter().flatten() {
                    match found.get_mut(*cell) {
                        Some(place) => *place = Some(exemplar),
                        None => native.exemplars.push(exemplar.clone()),
                    }
                }
            }
            let digested = self
                .windows()
                .is_some_and(|windows| windows.read(id, self.cells(), self.clock(), &mut digest));
            let digest = digested.then_some(&digest);
            let start_ms = table.start_ms(at);
            let native = self.natives().is_some().then_some(&native);
            visit(Series {
                id: Some(id),
                labels,
                values: &values,
                exemplars: &found,
                digest,
                native,
                start_ms,
            })?;
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
