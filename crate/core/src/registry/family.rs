//! A family: its descriptor, its series, and the cells that they write. It does not depend on registries.
//! One owner adds and removes series; any thread reads.

use super::admission::Admission;
use super::cardinality::{
    CardinalityGuard, CardinalityLimits, Fallback, Limit, LimitsInForce, OVERFLOW_VALUE,
};
use super::exemplar_spread::spread;
use super::index::SeriesIndex;
use super::journal::{Entry, Journal, NewSeries};
use super::native_series::NativeSet;
use super::overflow_count::OverflowCount;
use super::remover::Remover;
use super::seen::SeenSeries;
use super::table::{LiveSeries, SeriesTable, TableWriter, series_table};
use super::windows::Windows;
use crate::clock::Clock;
use crate::labels::{FindingKind, Sanitizer, Strictness, render};
use crate::model::Descriptor;
use crate::model::Exemplar;
use crate::slab::Cells;
use crate::sync::{Arc, AtomicBool, Mutex, Ordering, RwLock};
use hashbrown::{HashMap, HashSet};
use std::time::Duration;

/// A table of more entries than this is rebuilt when more than half of them are removed.
const COMPACTION_FLOOR: usize = if cfg!(loom) { 2 } else { 64 };
/// Entries that are copied with each change of a family: copying a million at once would take 50 ms of an event loop.
const COMPACTION_STEP: usize = if cfg!(loom) { 1 } else { 64 };

/// By series id, each exemplar with its cell. There are few, because exemplars are opt-in.
pub(super) type Exemplars = HashMap<u32, Vec<(usize, Exemplar)>, foldhash::fast::FixedState>;

/// All series of one metric name. The cells hold the values, the table has the labels.
pub struct Family {
    descriptor: Descriptor,
    cells: Arc<Cells>,
    /// Replaced as a whole when it is compacted or cleared. Readers hold the lock only to clone it.
    table: RwLock<SeriesTable>,
    writer: Mutex<Writer>,
    pub(super) exemplars: Mutex<Exemplars>,
    /// The observations of a summary's series.
    windows: Option<Windows>,
    /// The buckets of a native histogram's series.
    natives: Option<NativeSet>,
    /// The series by label values, for Rust handles. JavaScript has an index of its own and leaves this one empty.
    pub(super) index: SeriesIndex,
    strictness: Strictness,
    overflow: OverflowCount,
    clock: Arc<Clock>,
    /// `Some(ZERO)`: series never expire. `None`: the registry's setting.
    ttl: Option<Duration>,
    seen: SeenSeries,
    /// What was found in labels and has been warned of: at most one entry for each label and kind.
    told: Mutex<HashSet<(usize, FindingKind), foldhash::fast::FixedState>>,
    /// Removes expired series. `None`: any thread may remove them.
    remover: Option<Arc<dyn Remover>>,
    /// True while other processes follow the family. Asked where a thread must not wait for the writer's lock.
    followed: AtomicBool,
}

/// What a thread locks to add or remove a series.
struct Writer {
    table: TableWriter,
    compaction: Option<Compaction>,
    next_id: u32,
    live: usize,
    admission: Admission,
    /// What is told of each change, while other processes follow the family.
    journal: Option<Entry>,
    /// False once the family has left a journal that missed a removal: other processes may still read the cells.
    frees: bool,
}

impl Writer {
    /// Whether the cells of a removed series may be used again: other processes know of the removal. A later log may have all
    /// removals that the present one misses.
    fn may_free(&self) -> bool {
        self.frees && self.journal.as_ref().is_none_or(Entry::is_complete)
    }
}

/// A new table without the entries of removed series. It replaces the present one when it has all live series of it.
struct Compaction {
    writer: TableWriter,
    table: SeriesTable,
    /// The entries of the present table that were copied, or skipped because they are removed.
    seen: usize,
}

/// A series as its family's owner knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeriesId {
    /// Identifies the series within its family, also after compaction. Ids are never reused.
    pub id: u32,
    /// Where its cells are: slab number times 4096, plus the first cell's index.
    pub slot: u32,
}

impl Family {
    /// A family without series. Its cells come from `cells`.
    #[must_use]
    pub fn new(descriptor: Descriptor, cells: Arc<Cells>) -> Self {
        Self::with_limits(descriptor, cells, CardinalityLimits::default())
    }

    /// A family without series, with limits of its own.
    #[must_use]
    pub fn with_limits(descriptor: Descriptor, cells: Arc<Cells>, limits: CardinalityLimits) -> Self {
        let (writer, table) = series_table(descriptor.kind().has_start());
        let admission = Admission::new(limits, &descriptor);
        let windows = descriptor.summary_options().map(Windows::new);
        let natives =
            descriptor.native_options().map(|options| NativeSet::new(options, descriptor.value_width()));
        Self {
            descriptor,
            overflow: OverflowCount::new(&cells),
            cells,
            table: RwLock::new(table),
            writer: Mutex::new(Writer {
                table: writer,
                compaction: None,
                next_id: 0,
                live: 0,
                admission,
                journal: None,
                frees: true,
            }),
            exemplars: Mutex::new(HashMap::with_hasher(foldhash::fast::FixedState::default())),
            windows,
            natives,
            index: SeriesIndex::default(),
            strictness: Strictness::default(),
            clock: Arc::default(),
            ttl: None,
            seen: SeenSeries::new(),
            told: Mutex::new(HashSet::default()),
            remover: None,
            followed: AtomicBool::new(false),
        }
    }

    /// Sets how long a value may stay unchanged before its series expires. Zero: never, even if the registry has a time
    /// to live.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Sets who is asked to remove expired series. Without a remover any thread may remove them.
    #[must_use]
    pub fn with_remover(mut self, remover: Arc<dyn Remover>) -> Self {
        self.remover = Some(remover);
        self
    }

    /// Sets the rules that label values must follow.
    #[must_use]
    pub fn with_strictness(mut self, strictness: Strictness) -> Self {
        self.strictness = strictness;
        self
    }

    /// Sets the clock of its metrics. The default is the system's clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<Clock>) -> Self {
        self.clock = clock;
        self.windows.iter_mut().for_each(|windows| windows.start(&self.clock));
        self
    }

    /// Remembers a kind of content of a label; true the first time.
    pub(crate) fn is_news(&self, label: usize, kind: FindingKind) -> bool {
        self.told.lock().insert((label, kind))
    }

    pub(crate) fn sanitizers(&self) -> Vec<Arc<Sanitizer>> {
        self.writer.lock().admission.sanitizers()
    }

    pub(super) fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    pub(super) fn seen(&self) -> &SeenSeries {
        &self.seen
    }

    pub(super) fn remover(&self) -> Option<&Arc<dyn Remover>> {
        self.remover.as_ref()
    }

    pub(crate) fn series_table(&self) -> SeriesTable {
        self.table.read().clone()
    }

    pub(crate) fn slot_of(&self, id: u32) -> Option<u32> {
        self.table.read().get(id).map(|series| series.slot)
    }

    pub(crate) fn windows(&self) -> Option<&Windows> {
        self.windows.as_ref()
    }

    pub(crate) fn natives(&self) -> Option<&NativeSet> {
        self.natives.as_ref()
    }

    pub(crate) fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    pub(crate) fn strictness(&self) -> &Strictness {
        &self.strictness
    }

    /// The description it was made with.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The memory that its series write.
    #[must_use]
    pub fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    /// Adds a series. `labels` are pairs of an index into the label names and a value, in the order in which they
    /// print. The caller makes sure that the label set is new.
    ///
    /// # Errors
    /// The limit that the label set is over. Nothing was added.
    pub fn add_series(&self, labels: &[(usize, &str)]) -> Result<SeriesId, Limit> {
        let rendered = self.rendered(labels.iter().copied());
        let mut writer = self.writer.lock();
        let live = writer.live;
        writer.admission.refresh(&self.descriptor, &self.table.read());
        writer.admission.admit(&rendered, live, &self.descriptor)?;
        Ok(self.push(&mut writer, &rendered))
    }

    /// Decides what a label set that `add_series` has refused is recorded in.
    #[must_use]
    pub fn fallback(&self, labels: &[(usize, &str)]) -> Fallback {
        let rendered = self.rendered(labels.iter().copied());
        let mut writer = self.writer.lock();
        writer.admission.refresh(&self.descriptor, &self.table.read());
        writer.admission.fallback(&rendered, &self.descriptor)
    }

    /// Adds the series that takes label sets over a limit: all its label values are `other`, and no limit refuses it. The
    /// caller makes sure that it does not exist.
    pub fn add_series_beyond(&self) -> SeriesId {
        let names = self.descriptor.label_names().len();
        let rendered = self.rendered((0..names).map(|name| (name, OVERFLOW_VALUE)));
        let mut writer = self.writer.lock();
        let series = self.push(&mut writer, &rendered);
        writer.admission.admit_beyond(series.id);
        series
    }

    fn rendered<'a>(&self, labels: impl Iterator<Item = (usize, &'a str)>) -> Vec<u8> {
        let names = self.descriptor.label_names();
        let mut rendered = Vec::with_capacity(64);
        render(labels.filter_map(|(name, value)| Some((names.get(name)?.as_str(), value))), &mut rendered);
        rendered
    }

    fn push(&self, writer: &mut Writer, rendered: &[u8]) -> SeriesId {
        let slot = self.cells.allocate(self.descriptor.width());
        let id = writer.next_id;
        writer.next_id += 1;
        writer.live += 1;
        if let Some(windows) = &self.windows {
            windows.add(id, slot, &self.cells);
        }
        if let Some(natives) = &self.natives {
            natives.add(id, slot, &self.cells, self.clock.now());
        }
        let start_ms = self.now_ms();
        writer.table.push(id, rendered, slot, start_ms);
        if let Some(journal) = &writer.journal {
            journal.series(NewSeries { id, slot, start_ms, labels: rendered });
        }
        self.compact_some(writer);
        SeriesId { id, slot }
    }

    /// Lets other processes follow the series of now and every change.
    pub(crate) fn enter_journal(&self, journal: &Arc<dyn Journal>, of_registry: Option<Duration>) {
        // Not under the lock: a thread that records takes it while it holds the lock of a series.
        self.natives.iter().for_each(NativeSet::describe_all);
        let mut writer = self.writer.lock();
        self.followed.store(true, Ordering::Relaxed);
        let ttl = self.time_to_live(of_registry);
        let entry = Entry::new(journal, &self.descriptor, ttl, self.overflow_slot());
        let table = self.table.read();
        entry.all_series(&mut new_series(&table, 0));
        writer.journal = Some(entry);
    }

    /// Tells series of now again, at most `series_max` at once; returns their number, and whether these were the last ones.
    #[cfg(not(loom))]
    pub(crate) fn tell_again(&self, of_registry: Option<Duration>, series_max: usize) -> (usize, bool) {
        let writer = self.writer.lock();
        let Some(entry) = &writer.journal else { return (0, true) };
        let ttl = self.time_to_live(of_registry);
        let Some(from) = entry.family_again(&self.descriptor, ttl, self.overflow_slot()) else {
            return (0, true);
        };
        let table = self.table.read();
        let mut left = new_series(&table, from);
        let mut count = 0;
        for series in left.by_ref().take(series_max) {
            entry.series_again(series);
            count += 1;
        }
        let to = left.next().map_or(u32::MAX, |series| series.id);
        entry.told_again(to);
        (count, to == u32::MAX)
    }

    /// Tells other processes of another time to live.
    pub(crate) fn tell_ttl(&self, of_registry: Option<Duration>) {
        if let Some(journal) = &self.writer.lock().journal {
            journal.ttl(self.time_to_live(of_registry));
        }
    }

    /// Ends what `enter_journal` has begun.
    pub(crate) fn leave_journal(&self) {
        let mut writer = self.writer.lock();
        self.followed.store(false, Ordering::Relaxed);
        if let Some(entry) = writer.journal.take() {
            writer.frees &= entry.leave();
        }
    }

    /// True while other processes follow the family.
    pub(super) fn is_followed(&self) -> bool {
        self.followed.load(Ordering::Relaxed)
    }

    /// True if other processes see this series.
    pub(super) fn is_shared(&self, id: u32) -> bool {
        self.writer.lock().journal.as_ref().is_some_and(|journal| journal.has(id))
    }

    /// Removes a series and frees its cells; returns whether it existed.
    pub fn remove_series(&self, id: u32) -> bool {
        let Some(slot) = self.unpublish_series(id) else { return false };
        self.free([slot]);
        true
    }

    /// Frees the cells of removed series, unless other processes may not know of the removal.
    fn free(&self, slots: impl IntoIterator<Item = u32>) {
        if self.writer.lock().may_free() {
            self.cells.free(slots, self.descriptor.width());
        }
    }

    /// Removes a series from the table, so that scrapes no longer see it, and returns its slot. Its cells are not
    /// freed: handles may still write them.
    pub(crate) fn unpublish_series(&self, id: u32) -> Option<u32> {
        let (slot, frees) = {
            let mut writer = self.writer.lock();
            let slot = {
                let table = self.table.read();
                let rendered = table.get(id)?.labels;
                writer.admission.forget(id, rendered, &self.descriptor);
                table.remove(id)?
            };
            writer.live -= 1;
            if let Some(journal) = &writer.journal {
                journal.removed(id);
            }
            if let Some(compaction) = &writer.compaction {
                compaction.table.remove(id);
            }
            self.compact_some(&mut writer);
            (slot, writer.may_free())
        };
        self.forget_exemplars(id);
        self.windows.iter().for_each(|windows| windows.remove(id));
        self.natives.iter().for_each(|natives| natives.remove(id, frees));
        Some(slot)
    }

    /// Removes all series.
    pub fn clear(&self) {
        let slots = self.unpublish_all();
        self.free(slots);
    }

    pub(crate) fn unpublish_all(&self) -> Vec<u32> {
        let mut writer = self.writer.lock();
        let (entries, table) = series_table(self.descriptor.kind().has_start());
        let old = std::mem::replace(&mut *self.table.write(), table);
        writer.table = entries;
        writer.compaction = None;
        let live = std::mem::take(&mut writer.live);
        writer.admission.forget_all(live);
        if let Some(journal) = &writer.journal {
            journal.cleared();
        }
        self.exemplars.lock().clear();
        self.windows.iter().for_each(Windows::remove_all);
        let frees = writer.may_free();
        self.natives.iter().for_each(|natives| natives.remove_all(frees));
        // A scrape that still holds the old table began before these cells are freed, so it reads their last values.
        old.live().map(|series| series.slot).collect()
    }

    /// Sets a series' cells to 0, has it begin now, and removes its exemplars; its id and cells stay. Only the owner may
    /// call this.
    pub fn zero_series(&self, id: u32) {
        let table = self.table.read().clone();
        let Some(series) = table.get(id) else { return };
        let (slab, first) = self.cells.locate(series.slot);
        (first..first + self.descriptor.value_width()).for_each(|cell| slab.store(cell, 0.0));
        self.clear_observations(id);
        self.restart(id);
        self.forget_exemplars(id);
    }

    /// Forgets the observations of a series that are not in its value cells.
    pub(super) fn clear_observations(&self, id: u32) {
        self.windows.iter().for_each(|windows| windows.clear(id, &self.cells));
        self.natives.iter().for_each(|natives| natives.clear(id, self.clock.now()));
    }

    /// Has a series begin now.
    pub(crate) fn restart(&self, id: u32) {
        let now = self.now_ms();
        let writer = self.writer.lock();
        self.table.read().set_start(id, now);
        if let Some(compaction) = &writer.compaction {
            compaction.table.set_start(id, now);
        }
        if let (Some(journal), true) = (&writer.journal, now > 0) {
            journal.began(id, now);
        }
    }

    /// The time of day in milliseconds since 1970, for families whose series have a start.
    fn now_ms(&self) -> u64 {
        if !self.descriptor.kind().has_start() {
            return 0;
        }
        u64::try_from(self.clock.unix_now().as_millis()).unwrap_or(u64::MAX)
    }

    fn forget_exemplars(&self, id: u32) {
        self.exemplars.lock().remove(&id);
    }

    /// The rendered labels of a series, in the order in which they print.
    pub(crate) fn rendered_labels(&self, id: u32) -> Option<Vec<u8>> {
        self.table.read().get(id).map(|series| series.labels.to_vec())
    }

    /// The number of live series.
    #[must_use]
    pub fn series_count(&self) -> usize {
        self.writer.lock().live
    }

    /// See `Admission::enter`.
    pub(crate) fn enter(&self, guard: &Arc<CardinalityGuard>) {
        let mut writer = self.writer.lock();
        let live = writer.live;
        writer.admission.enter(guard, &self.descriptor, &self.table.read(), live);
    }

    /// See `Admission::leave`.
    pub(crate) fn leave(&self, guard: &Arc<CardinalityGuard>) {
        let mut writer = self.writer.lock();
        let live = writer.live;
        writer.admission.leave(guard, &self.descriptor, &self.table.read(), live);
    }

    /// The guards of the registries that hold the family.
    pub(super) fn guards(&self) -> Vec<Arc<CardinalityGuard>> {
        self.writer.lock().admission.guards()
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> LimitsInForce {
        let mut writer = self.writer.lock();
        writer.admission.refresh(&self.descriptor, &self.table.read());
        writer.admission.in_force()
    }

    /// Visits the rendered labels of the live series, in the order in which the series were created.
    pub(crate) fn for_each_labels(&self, mut visit: impl FnMut(&[u8])) {
        self.series_table().live().for_each(|series| visit(series.labels));
    }

    pub(super) fn overflow_count(&self) -> &OverflowCount {
        &self.overflow
    }

    /// How many calls had a label set over the limits.
    #[must_use]
    pub fn overflow_calls(&self) -> f64 {
        self.overflow.calls()
    }

    /// The slot of the cell in which the owner counts calls over the limits.
    #[must_use]
    pub fn overflow_slot(&self) -> u32 {
        self.overflow.slot()
    }

    /// Attaches an exemplar to a cell of a series: to cell 0 of a counter, or to a bucket's cell of a histogram.
    pub fn set_exemplar(&self, id: u32, cell: usize, exemplar: Exemplar) {
        let mut exemplars = self.exemplars.lock();
        let own = exemplars.entry(id).or_default();
        if self.natives.is_some() {
            spread(own, self.descriptor.value_width(), &exemplar);
        }
        match own.iter_mut().find(|(known, _)| *known == cell) {
            Some((_, known)) => *known = exemplar,
            None => own.push((cell, exemplar)),
        }
    }

    /// Continues a compaction, or begins one that is due.
    fn compact_some(&self, writer: &mut Writer) {
        let entries = writer.table.len();
        if writer.compaction.is_none() {
            if entries <= COMPACTION_FLOOR || entries <= writer.live * 2 {
                return;
            }
            let (new, table) = series_table(self.descriptor.kind().has_start());
            writer.compaction = Some(Compaction { writer: new, table, seen: 0 });
        }
        let Some(mut compaction) = writer.compaction.take() else { return };
        let end = entries.min(compaction.seen + COMPACTION_STEP);
        let old = self.table.read();
        for series in old.live_among(compaction.seen..end) {
            let start_ms = old.start_ms(series.at).unwrap_or_default();
            compaction.writer.push(series.id, series.labels, series.slot, start_ms);
        }
        drop(old);
        compaction.seen = end;
        if end < entries {
            writer.compaction = Some(compaction);
        } else {
            writer.table = compaction.writer;
            *self.table.write() = compaction.table;
        }
    }
}

/// The live series with this id and higher ones, as a journal hears of them.
fn new_series(table: &SeriesTable, from: u32) -> impl Iterator<Item = NewSeries<'_>> {
    table.live_from(from).map(|LiveSeries { id, slot, labels, at }| {
        let start_ms = table.start_ms(at).unwrap_or_default();
        NewSeries { id, slot, start_ms, labels }
    })
}

impl Drop for Family {
    /// Frees the cells: no handle and no scrape can reach the series any more.
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use crate::model::{Kind, Source};
    use crate::slab::Scrape;
    use loom::thread;
    use std::convert::Infallible;

    fn family(cells: &Arc<Cells>) -> Arc<Family> {
        let descriptor = Descriptor::new(Kind::Gauge, "g", "", &["x"]).expect("the names are valid");
        Arc::new(Family::new(descriptor, Arc::clone(cells)))
    }

    fn add(family: &Family, label: &str, value: f64) -> u32 {
        let series = family.add_series(&[(0, label)]).expect("within the limits");
        store(family, series, value);
        series.id
    }

    fn store(family: &Family, series: SeriesId, value: f64) {
        let (slab, first) = family.cells().locate(series.slot);
        slab.store(first, value);
    }

    /// Each series' label and value, as a scrape sees them.
    fn scraped(family: &Family) -> Vec<(String, f64)> {
        let _scrape = Scrape::begin();
        let mut seen = Vec::new();
        let Ok(()) = family.for_each(|series| {
            seen.push((String::from_utf8_lossy(series.labels).into_owned(), series.values[0]));
            Ok::<(), Infallible>(())
        });
        seen
    }

    /// During a scrape, series are removed, the table is compacted and a cell is given to a new series. The scrape must
    /// see the series that stays, and may see the others, each with its own value and in order.
    #[test]
    fn a_scrape_under_compaction_sees_whole_series() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(5);
        model.check(|| {
            let family = family(&Arc::new(Cells::on_heap()));
            let (first, second) = (add(&family, "a", 1.0), add(&family, "b", 2.0));
            add(&family, "c", 3.0);
            let scraper = {
                let family = Arc::clone(&family);
                thread::spawn(move || scraped(&family))
            };
            assert!(family.remove_series(first));
            assert!(family.remove_series(second));
            add(&family, "d", 4.0);
            let seen = scraper.join().expect("the scraper ends");
            let own = [("x=\"a\"", 1.0), ("x=\"b\"", 2.0), ("x=\"c\"", 3.0), ("x=\"d\"", 4.0)];
            let place = |(label, value): &(String, f64)| {
                // A new series' cell is 0 until its owner has written it.
                own.iter().position(|(name, wanted)| {
                    name == label && (value == wanted || (*name == "x=\"d\"" && *value == 0.0))
                })
            };
            let places: Vec<usize> = seen.iter().map(|seen| place(seen).expect("its own value")).collect();
            assert!(places.is_sorted_by(|one, next| one < next), "{seen:?}");
            assert!(places.contains(&2), "a series that was never removed is always seen: {seen:?}");
            assert_eq!(scraped(&family), [("x=\"c\"".to_owned(), 3.0), ("x=\"d\"".to_owned(), 4.0)]);
        });
    }
}
