//! The series that Rust handles share: their cells, and the index that finds them by label values. The hot path of Rust
//! recording is here. Knows cells, not families: `lookup.rs` decides when a series is made or removed.

use crate::slab::{Cells, Slab};
use crate::sync::{Arc, AtomicBool, Mutex, Ordering, RwLock};
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};

/// One series. A handle that outlives the series' removal writes to cells that no scrape shows, and that go back
/// when the last such handle is dropped: threads may be between finding a handle and writing with it.
pub(crate) struct SeriesCells {
    slab: Arc<Slab>,
    first: usize,
    slot: u32,
    id: u32,
    width: usize,
    removed: AtomicBool,
    cells: Arc<Cells>,
    values: Box<[Box<str>]>,
}

/// The id of cells that belong to no series.
const NOWHERE: u32 = u32::MAX;

impl SeriesCells {
    /// The cells of a series, from its id and slot, with the label values that find it.
    pub(super) fn new(cells: &Arc<Cells>, width: usize, id: u32, slot: u32, values: &[&str]) -> Self {
        let (slab, first) = cells.locate(slot);
        Self {
            slab: Arc::clone(slab),
            first,
            slot,
            id,
            width,
            removed: AtomicBool::new(false),
            cells: Arc::clone(cells),
            values: values.iter().map(|value| Box::from(*value)).collect(),
        }
    }

    /// Cells that no scrape shows: dropped recordings are written here.
    pub(super) fn nowhere(cells: &Arc<Cells>, width: usize) -> Self {
        let series = Self::new(cells, width, NOWHERE, cells.allocate(width), &[]);
        series.removed.store(true, Ordering::Relaxed);
        series
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Where its cells are: see `SeriesId::slot`.
    pub(crate) fn slot(&self) -> u32 {
        self.slot
    }

    /// Marks the series removed: its cells go back when the last handle is dropped.
    pub(super) fn mark_removed(&self) {
        self.removed.store(true, Ordering::Relaxed);
    }

    /// Sets all cells to 0.
    pub(super) fn zero(&self) {
        (0..self.width).for_each(|cell| self.store(cell, 0.0));
    }

    /// True if the series was removed; its labels may have a new series since. Always false for `nowhere`, the cells of
    /// recordings that a limit drops: they belong to no series.
    #[inline]
    pub(crate) fn is_removed(&self) -> bool {
        // Relaxed: a thread that sees a removal late could as well have written just before it.
        self.removed.load(Ordering::Relaxed) && self.id != NOWHERE
    }

    #[inline]
    pub(crate) fn add(&self, cell: usize, value: f64) {
        self.slab.add(self.first + cell, value);
    }

    #[inline]
    pub(crate) fn store(&self, cell: usize, value: f64) {
        self.slab.store(self.first + cell, value);
    }

    #[inline]
    pub(crate) fn load(&self, cell: usize) -> f64 {
        self.slab.load(self.first + cell)
    }
}

impl Drop for SeriesCells {
    fn drop(&mut self) {
        // The cells of a series that was not removed are still in its family's table.
        if self.removed.load(Ordering::Relaxed) {
            self.cells.free([self.slot], self.width);
        }
    }
}

/// The series of one family by their label values.
pub(super) struct SeriesIndex {
    /// Locked to find a series by its values; see `Entries`.
    pub(super) entries: RwLock<Entries>,
    hasher: foldhash::fast::RandomState,
    /// Where dropped recordings are written; made with the first of them.
    pub(super) nowhere: Mutex<Option<Arc<SeriesCells>>>,
}

/// The locked part of the index.
pub(super) type Entries = HashTable<Arc<SeriesCells>>;

/// Label values with their hash, which is computed once for a look-up under two locks.
pub(super) struct Key<'a> {
    values: &'a [&'a str],
    hash: u64,
}

impl Default for SeriesIndex {
    fn default() -> Self {
        Self {
            entries: RwLock::new(HashTable::new()),
            hasher: foldhash::fast::RandomState::default(),
            nowhere: Mutex::new(None),
        }
    }
}

impl SeriesIndex {
    pub(super) fn key<'a>(&self, values: &'a [&'a str]) -> Key<'a> {
        Key { values, hash: self.hash(values) }
    }

    pub(super) fn insert(
        &self,
        entries: &mut Entries,
        key: &Key<'_>,
        series: SeriesCells,
    ) -> Arc<SeriesCells> {
        let series = Arc::new(series);
        entries.insert_unique(key.hash, Arc::clone(&series), |series| self.hash(&series.values));
        series
    }

    fn hash<S: AsRef<str>>(&self, values: &[S]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for value in values {
            hasher.write(value.as_ref().as_bytes());
            // No UTF-8 text contains 0xff, so the hash depends on where one value ends and the next begins.
            hasher.write_u8(0xff);
        }
        hasher.finish()
    }
}

impl Key<'_> {
    pub(super) fn find<'e>(&self, entries: &'e Entries) -> Option<&'e Arc<SeriesCells>> {
        entries.find(self.hash, |series| self.is_of(series))
    }

    /// Takes the series out of the index.
    pub(super) fn take(&self, entries: &mut Entries) -> Option<Arc<SeriesCells>> {
        entries.find_entry(self.hash, |series| self.is_of(series)).ok().map(|entry| entry.remove().0)
    }

    fn is_of(&self, series: &SeriesCells) -> bool {
        series.values.iter().zip(self.values).all(|(own, other)| **own == **other)
    }
}
