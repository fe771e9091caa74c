//! The series that Rust handles share: found by label values, written atomically, kept alive by whoever holds one.

use crate::error::{ErrorKind, MetricsError, Result};
use crate::registry::Family;
use crate::slab::{Cells, Slab};
use crate::sync::{Arc, AtomicBool, Ordering, RwLock};
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

impl SeriesCells {
    fn create(family: &Family, values: &[&str]) -> Self {
        let labels: Vec<(usize, &str)> =
            values.iter().copied().enumerate().filter(|(_, value)| !value.is_empty()).collect();
        let series = family.add_series(&labels);
        let (slab, first) = family.cells().locate(series.slot);
        Self {
            slab: Arc::clone(slab),
            first,
            slot: series.slot,
            id: series.id,
            width: family.descriptor().width(),
            removed: AtomicBool::new(false),
            cells: Arc::clone(family.cells()),
            values: values.iter().map(|value| Box::from(*value)).collect(),
        }
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

    pub(crate) fn read(&self, family: &Family) -> Vec<f64> {
        family.read_series(self.slot)
    }
}

impl Drop for SeriesCells {
    fn drop(&mut self) {
        // A series that was not removed is still in its family's table, whoever dropped the handles.
        if self.removed.load(Ordering::Relaxed) {
            self.cells.free([self.slot], self.width);
        }
    }
}

/// The series of one family by their label values.
pub(crate) struct SeriesIndex {
    table: RwLock<HashTable<Arc<SeriesCells>>>,
    hasher: foldhash::fast::RandomState,
}

impl Default for SeriesIndex {
    fn default() -> Self {
        Self { table: RwLock::new(HashTable::new()), hasher: foldhash::fast::RandomState::default() }
    }
}

impl SeriesIndex {
    /// The series of these values, made if it does not exist.
    ///
    /// # Errors
    /// `LabelCount` for too few or too many values; `InvalidLabelValue` for what the strictness refuses.
    pub(crate) fn get_or_create(&self, family: &Family, values: &[&str]) -> Result<Arc<SeriesCells>> {
        let names = family.descriptor().label_names();
        if values.len() != names.len() {
            return Err(label_count(family, values));
        }
        let hash = self.hash(values);
        if let Some(series) = self.table.read().find(hash, |series| same(series, values)) {
            return Ok(Arc::clone(series));
        }
        names
            .iter()
            .zip(values)
            .try_for_each(|(name, value)| family.strictness().check_value(name, value))?;
        let mut table = self.table.write();
        // Another thread may have made it between the two locks.
        if let Some(series) = table.find(hash, |series| same(series, values)) {
            return Ok(Arc::clone(series));
        }
        let series = Arc::new(SeriesCells::create(family, values));
        table.insert_unique(hash, Arc::clone(&series), |series| self.hash(&series.values));
        Ok(series)
    }

    /// The series of these values, if it exists.
    pub(crate) fn get(&self, values: &[&str]) -> Option<Arc<SeriesCells>> {
        self.table.read().find(self.hash(values), |series| same(series, values)).cloned()
    }

    /// Removes the series of these values; returns whether it was there.
    ///
    /// # Errors
    /// `LabelCount`.
    pub(crate) fn remove(&self, family: &Family, values: &[&str]) -> Result<bool> {
        if values.len() != family.descriptor().label_names().len() {
            return Err(label_count(family, values));
        }
        let mut table = self.table.write();
        let Ok(entry) = table.find_entry(self.hash(values), |series| same(series, values)) else {
            return Ok(false);
        };
        let (series, _) = entry.remove();
        family.unpublish_series(series.id);
        series.removed.store(true, Ordering::Relaxed);
        Ok(true)
    }

    /// Removes all labelled series; an unlabelled one is 0 again, and its handles stay good.
    pub(crate) fn clear(&self, family: &Family) {
        let mut table = self.table.write();
        if family.descriptor().label_names().is_empty() {
            for series in table.iter() {
                (0..series.width).for_each(|cell| series.store(cell, 0.0));
            }
            return;
        }
        family.unpublish_all();
        for series in table.drain() {
            series.removed.store(true, Ordering::Relaxed);
        }
    }

    fn hash<S: AsRef<str>>(&self, values: &[S]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for value in values {
            hasher.write(value.as_ref().as_bytes());
            // No UTF-8 text contains 0xff, so where one value ends and the next begins is part of the hash.
            hasher.write_u8(0xff);
        }
        hasher.finish()
    }
}

fn same(series: &SeriesCells, values: &[&str]) -> bool {
    series.values.iter().zip(values).all(|(own, other)| **own == **other)
}

fn label_count(family: &Family, values: &[&str]) -> MetricsError {
    let names: Vec<&str> = family.descriptor().label_names().iter().map(|name| name.as_str()).collect();
    MetricsError::new(
        ErrorKind::LabelCount,
        format!(
            "Invalid number of arguments ({}): \"{}\" for label names ({}): \"{}\".",
            values.len(),
            values.join(", "),
            names.len(),
            names.join(", ")
        ),
    )
}

/// The memory of all metrics that Rust code makes.
#[cfg(not(loom))]
pub(crate) fn shared_cells() -> Arc<Cells> {
    static CELLS: std::sync::LazyLock<Arc<Cells>> = std::sync::LazyLock::new(|| Arc::new(Cells::on_heap()));
    Arc::clone(&CELLS)
}

#[cfg(loom)]
pub(crate) fn shared_cells() -> Arc<Cells> {
    Arc::new(Cells::on_heap())
}
