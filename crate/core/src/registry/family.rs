//! A family: its descriptor, its series, and the cells they write. An object of its own; a registry only knows
//! its name. One owner adds and removes series, any thread reads.

use super::descriptor::{Descriptor, Kind};
use super::exemplar::Exemplar;
use super::source::{Series, Source};
use super::table::{LiveSeries, SeriesTable, TableWriter, series_table};
use crate::labels::{Strictness, render};
use crate::metrics::SeriesIndex;
use crate::slab::Cells;
use crate::sync::{Arc, Mutex, RwLock};
use hashbrown::HashMap;

/// Reads of one histogram before its buckets are taken as they are: a writer that is never caught between two
/// reads writes more than once a microsecond.
const CONSISTENT_READ_ATTEMPTS: usize = 8;
/// A table is rebuilt when more entries than this, and more than half of it, are removed.
const COMPACTION_FLOOR: usize = 64;

/// A family of series.
pub struct Family {
    descriptor: Descriptor,
    cells: Arc<Cells>,
    /// Replaced as a whole when it is compacted or cleared; readers hold the lock only to clone.
    table: RwLock<SeriesTable>,
    owner: Mutex<Owner>,
    /// By series and cell; few, because they are opt-in.
    exemplars: Mutex<HashMap<(u32, usize), Exemplar, foldhash::fast::FixedState>>,
    /// The series by label values, for owners that have no index of their own.
    pub(crate) index: SeriesIndex,
    strictness: Strictness,
}

struct Owner {
    writer: TableWriter,
    next_id: u32,
    live: usize,
}

/// A series as its owner knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesId {
    /// Names the series within its family, also after compaction; never reused.
    pub id: u32,
    /// Where its cells are: slab number times 4096, plus the first cell's index.
    pub slot: u32,
}

impl Family {
    /// A family without series, whose cells come from `cells`.
    #[must_use]
    pub fn new(descriptor: Descriptor, cells: Arc<Cells>) -> Self {
        let (writer, table) = series_table();
        Self {
            descriptor,
            cells,
            table: RwLock::new(table),
            owner: Mutex::new(Owner { writer, next_id: 0, live: 0 }),
            exemplars: Mutex::new(HashMap::with_hasher(foldhash::fast::FixedState::default())),
            index: SeriesIndex::default(),
            strictness: Strictness::default(),
        }
    }

    /// Sets the rules for label values.
    #[must_use]
    pub fn with_strictness(mut self, strictness: Strictness) -> Self {
        self.strictness = strictness;
        self
    }

    pub(crate) fn strictness(&self) -> &Strictness {
        &self.strictness
    }

    /// What it was described as.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The memory its series write.
    #[must_use]
    pub fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    /// Adds a series. `labels` are pairs of an index into the label names and a value, in the order in which they
    /// are to be printed. The caller makes sure that the label set is new.
    pub fn add_series(&self, labels: &[(usize, &str)]) -> SeriesId {
        let names = self.descriptor.label_names();
        let mut rendered = Vec::with_capacity(64);
        let named = labels.iter().filter_map(|(name, value)| Some((names.get(*name)?.as_str(), *value)));
        render(named, &mut rendered);
        let slot = self.cells.allocate(self.descriptor.width());
        let mut owner = self.owner.lock();
        let id = owner.next_id;
        owner.next_id += 1;
        owner.live += 1;
        owner.writer.push(id, &rendered, slot);
        SeriesId { id, slot }
    }

    /// Removes a series; its cells go back to the contributor. Returns whether it was there.
    pub fn remove_series(&self, id: u32) -> bool {
        let Some(slot) = self.unpublish_series(id) else { return false };
        self.cells.free([slot], self.descriptor.width());
        true
    }

    /// Removes a series from what scrapes see and leaves its cells to whoever still writes them.
    pub(crate) fn unpublish_series(&self, id: u32) -> Option<u32> {
        let slot = {
            let mut owner = self.owner.lock();
            let slot = self.table.read().remove(id)?;
            owner.live -= 1;
            let entries = owner.writer.len();
            if entries > COMPACTION_FLOOR && entries > owner.live * 2 {
                self.compact(&mut owner);
            }
            slot
        };
        self.exemplars.lock().retain(|(series, _), _| *series != id);
        Some(slot)
    }

    /// Removes all series.
    pub fn clear(&self) {
        let slots = self.unpublish_all();
        self.cells.free(slots, self.descriptor.width());
    }

    pub(crate) fn unpublish_all(&self) -> Vec<u32> {
        let mut owner = self.owner.lock();
        let (writer, table) = series_table();
        let old = std::mem::replace(&mut *self.table.write(), table);
        owner.writer = writer;
        owner.live = 0;
        self.exemplars.lock().clear();
        // A scrape that still holds the old table began before these cells are freed, so it reads their last values.
        old.live().map(|series| series.slot).collect()
    }

    /// Live series now.
    #[must_use]
    pub fn series_count(&self) -> usize {
        self.owner.lock().live
    }

    /// Attaches an exemplar to a cell of a series: cell 0 of a counter, the bucket's of a histogram.
    pub fn set_exemplar(&self, id: u32, cell: usize, exemplar: Exemplar) {
        self.exemplars.lock().insert((id, cell), exemplar);
    }

    fn compact(&self, owner: &mut Owner) {
        let (mut writer, table) = series_table();
        for series in self.table.read().live() {
            writer.push(series.id, series.labels, series.slot);
        }
        owner.writer = writer;
        *self.table.write() = table;
    }

    fn read_into(&self, slot: u32, values: &mut [f64]) {
        let (slab, first) = self.cells.locate(slot);
        if values.len() == 1 {
            values[0] = slab.load(first);
            return;
        }
        let sum = values.len() - 1;
        for _ in 0..CONSISTENT_READ_ATTEMPTS {
            for (bucket, value) in values[..sum].iter_mut().enumerate() {
                *value = slab.load(first + bucket);
            }
            values[sum] = slab.load(first + sum);
            if (0..sum).all(|bucket| slab.load(first + bucket).to_bits() == values[bucket].to_bits()) {
                return;
            }
        }
    }

    /// The values of one series of this family: as many as it has cells.
    #[must_use]
    pub fn read_series(&self, slot: u32) -> Vec<f64> {
        let mut values = vec![0.0; self.descriptor.width()];
        self.read_into(slot, &mut values);
        values
    }
}

impl Drop for Family {
    /// Nobody can write or read the series any more, so their cells go back to the contributor.
    fn drop(&mut self) {
        self.clear();
    }
}

impl Source for Family {
    fn name(&self) -> &str {
        self.descriptor.name()
    }

    fn help(&self) -> &str {
        self.descriptor.help()
    }

    fn kind(&self) -> Kind {
        self.descriptor.kind()
    }

    fn buckets(&self) -> &[f64] {
        self.descriptor.buckets()
    }

    fn for_each<E>(&self, mut visit: impl FnMut(Series<'_>) -> Result<(), E>) -> Result<(), E> {
        let table = self.table.read().clone();
        let exemplars = {
            let exemplars = self.exemplars.lock();
            if exemplars.is_empty() { HashMap::default() } else { exemplars.clone() }
        };
        let mut values = vec![0.0; self.descriptor.width()];
        let mut found: Vec<Option<&Exemplar>> = Vec::new();
        for LiveSeries { id, slot, labels } in table.live() {
            self.read_into(slot, &mut values);
            if !exemplars.is_empty() {
                found.clear();
                found.extend((0..values.len()).map(|cell| exemplars.get(&(id, cell))));
            }
            visit(Series { id: Some(id), labels, values: &values, exemplars: &found })?;
        }
        Ok(())
    }
}
