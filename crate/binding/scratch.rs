//! The memory in which JavaScript passes the labels of a new series, and in which it finds the answer. Converting arrays
//! would take ten times as long as adding the series.

use napi_derive::napi;
use prometheus_metrics::registry::SeriesId;
use prometheus_metrics::slab::{CELLS_PER_SLAB, Cells, Slab};
use std::sync::Arc;

const CELLS: usize = 128;

/// Bytes for the packed labels of one series.
#[napi]
pub const SCRATCH_BYTES: u32 = (CELLS * size_of::<f64>()) as u32;

/// Cells that belong to no series. Only their realm's thread uses them, so no other thread sees half of a label set.
#[derive(Clone)]
pub(crate) struct Scratch {
    slab: Arc<Slab>,
    slot: u32,
}

impl Scratch {
    pub(crate) fn new(cells: &Cells) -> Self {
        let slot = cells.allocate(CELLS);
        let slab = cells.slab(slot as usize / CELLS_PER_SLAB).expect("a slot names a slab that exists");
        Self { slab: Arc::clone(slab), slot }
    }

    /// Where its cells are: see `SeriesId::slot`.
    pub(crate) fn slot(&self) -> u32 {
        self.slot
    }

    fn cell(&self, index: usize) -> usize {
        self.slot as usize % CELLS_PER_SLAB + index
    }

    /// A copy of the first bytes, because JavaScript may write to the cells. All of them, if there are fewer.
    pub(crate) fn copy(&self, bytes: usize) -> Vec<u8> {
        let cells = bytes.div_ceil(size_of::<f64>()).min(CELLS);
        let mut copy = Vec::with_capacity(cells * size_of::<f64>());
        for index in 0..cells {
            copy.extend_from_slice(&self.slab.load(self.cell(index)).to_ne_bytes());
        }
        copy.truncate(bytes);
        copy
    }

    /// Writes the id and the slot of a series to the first two cells.
    pub(crate) fn answer(&self, series: SeriesId) {
        self.slab.store(self.cell(0), f64::from(series.id));
        self.slab.store(self.cell(1), f64::from(series.slot));
    }
}

/// Splits packed labels: for each one byte for the index of its name, one for the length of its value, and the value in
/// UTF-8. `src/native/new-series.ts` packs them. `None` if the bytes are anything else.
pub(crate) fn unpack(mut packed: &[u8]) -> Option<Vec<(usize, &str)>> {
    let mut labels = Vec::with_capacity(8);
    while let Some(([name, length], rest)) = packed.split_first_chunk::<2>().map(|(head, rest)| (*head, rest))
    {
        let (value, rest) = rest.split_at_checked(usize::from(length))?;
        labels.push((usize::from(name), str::from_utf8(value).ok()?));
        packed = rest;
    }
    packed.is_empty().then_some(labels)
}
