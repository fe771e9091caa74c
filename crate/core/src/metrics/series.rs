//! The series that Rust handles share: found by label values, written atomically, kept alive by whoever holds one.

use crate::error::{ErrorKind, MetricsError, Result};
use crate::model::Kind;
use crate::registry::{Family, Limit, OVERFLOW_VALUE, OverflowPolicy, SeriesId};
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

/// The id of cells that are no series.
const NOWHERE: u32 = u32::MAX;

impl SeriesCells {
    /// # Errors
    /// The limit that the label set is beyond.
    fn create(family: &Family, values: &[&str]) -> Result<Self, Limit> {
        let labels: Vec<(usize, &str)> =
            values.iter().copied().enumerate().filter(|(_, value)| !value.is_empty()).collect();
        Ok(Self::of(family, family.add_series(&labels)?, values))
    }

    /// The series that label sets beyond the limits are added to.
    fn beyond(family: &Family, values: &[&str]) -> Self {
        Self::of(family, family.add_series_beyond(), values)
    }

    /// Cells that no scrape shows: where recordings end that a limit drops.
    fn nowhere(family: &Family) -> Self {
        let slot = family.cells().allocate(family.descriptor().width());
        let series = Self::of(family, SeriesId { id: NOWHERE, slot }, &[]);
        series.removed.store(true, Ordering::Relaxed);
        series
    }

    fn of(family: &Family, series: SeriesId, values: &[&str]) -> Self {
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

    /// Whether the series was removed, so that its labels may have another by now. What a limit drops never had one.
    #[inline]
    pub(crate) fn is_removed(&self) -> bool {
        // Relaxed: who sees a removal late has written just before it.
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
    /// Where recordings end that a limit drops, once there is one.
    nowhere: Mutex<Option<Arc<SeriesCells>>>,
}

impl Default for SeriesIndex {
    fn default() -> Self {
        Self {
            table: RwLock::new(HashTable::new()),
            hasher: foldhash::fast::RandomState::default(),
            nowhere: Mutex::new(None),
        }
    }
}

impl SeriesIndex {
    /// The series of these values, made if it does not exist; beyond a limit, the one that the policy says.
    ///
    /// # Errors
    /// `LabelCount` for too few or too many values; `InvalidLabelValue` for what the strictness refuses;
    /// `CardinalityLimit` beyond a limit whose policy is to throw.
    pub(crate) fn get_or_create(&self, family: &Family, values: &[&str]) -> Result<Arc<SeriesCells>> {
        if values.len() != family.descriptor().label_names().len() {
            return Err(label_count(family, values));
        }
        let hash = self.hash(values);
        if let Some(series) = self.table.read().find(hash, |series| same(series, values)) {
            return Ok(Arc::clone(series));
        }
        if let Some(cleaned) = family.clean(values) {
            cleaned
                .warnings
                .iter()
                .for_each(|warning| tracing::warn!(target: "prometheus_metrics", "{warning}"));
            let cleaned: Vec<&str> = cleaned.values.iter().map(String::as_str).collect();
            return self.get_or_create_clean(family, &cleaned);
        }
        self.get_or_create_clean(family, values)
    }

    fn get_or_create_clean(&self, family: &Family, values: &[&str]) -> Result<Arc<SeriesCells>> {
        let names = family.descriptor().label_names();
        let hash = self.hash(values);
        names
            .iter()
            .zip(values)
            .try_for_each(|(name, value)| family.strictness().check_value(name, value))?;
        let mut table = self.table.write();
        // Another thread may have made it between the two locks.
        if let Some(series) = table.find(hash, |series| same(series, values)) {
            return Ok(Arc::clone(series));
        }
        match SeriesCells::create(family, values) {
            Ok(series) => Ok(self.insert(&mut table, hash, series)),
            Err(limit) => self.beyond(family, values, limit, &mut table),
        }
    }

    fn insert(&self, table: &mut Table, hash: u64, series: SeriesCells) -> Arc<SeriesCells> {
        let series = Arc::new(series);
        table.insert_unique(hash, Arc::clone(&series), |series| self.hash(&series.values));
        series
    }

    /// The series that a label set beyond a limit is recorded in.
    fn beyond(
        &self,
        family: &Family,
        values: &[&str],
        limit: Limit,
        table: &mut Table,
    ) -> Result<Arc<SeriesCells>> {
        family.overflow().count(values);
        let folds = family.descriptor().kind() != Kind::Gauge;
        match family.limits().policy {
            OverflowPolicy::Throw => return Err(beyond_limit(family, limit)),
            OverflowPolicy::Fold if folds => {}
            _ => {
                let mut nowhere = self.nowhere.lock();
                return Ok(Arc::clone(nowhere.get_or_insert_with(|| Arc::new(SeriesCells::nowhere(family)))));
            }
        }
        let mut folded = values.to_vec();
        let mut limit = limit;
        // Each turn makes one more label `other`; the last makes the rest.
        while let Limit::LabelValues { label, .. } = limit {
            folded[label] = OVERFLOW_VALUE;
            let hash = self.hash(&folded);
            if let Some(series) = table.find(hash, |series| same(series, &folded)) {
                return Ok(Arc::clone(series));
            }
            match SeriesCells::create(family, &folded) {
                Ok(series) => return Ok(self.insert(table, hash, series)),
                Err(next) => limit = next,
            }
        }
        folded.fill(OVERFLOW_VALUE);
        let hash = self.hash(&folded);
        match table.find(hash, |series| same(series, &folded)) {
            Some(series) => Ok(Arc::clone(series)),
            None => Ok(self.insert(table, hash, SeriesCells::beyond(family, &folded))),
        }
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

    /// Removes the series, by id, that nobody holds a handle of and that `expired` is true of.
    pub(crate) fn remove_unused(&self, family: &Family, expired: impl Fn(u32) -> bool) {
        // Nobody gets a handle while this is held, and handles beget handles only from ones that are held.
        let mut table = self.table.write();
        table.retain(|series| {
            // Not `strong_count()`, which does not wait for what the last holder of a handle wrote.
            let is_held = Arc::get_mut(series).is_none();
            if is_held || !expired(series.id) {
                return true;
            }
            family.unpublish_series(series.id);
            series.removed.store(true, Ordering::Relaxed);
            false
        });
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

type Table = HashTable<Arc<SeriesCells>>;

/// The refusal of a label set beyond a limit.
fn beyond_limit(family: &Family, limit: Limit) -> MetricsError {
    let descriptor = family.descriptor();
    let label = match limit {
        Limit::LabelValues { label, .. } => format!(" \"{}\"", descriptor.label_names()[label]),
        _ => String::new(),
    };
    MetricsError::new(
        ErrorKind::CardinalityLimit,
        format!("Expected at most {limit}{label} but {} received a label set beyond", descriptor.name()),
    )
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
