//! The buckets of native histograms' series. A series has a window for each sign: a run of cells, one for each key of a range.
//! JavaScript adds to the cells of the populated buckets in it without a call. Every other observation comes here: it moves the
//! window, or lowers the resolution, as Prometheus' Go library does. One lock for each series: a thread that comes here waits for
//! the reading of one series at most, and a reading waits for one observation.

use super::histogram_read::{PASSES_MAX, read_histogram};
use super::native_description::{DESCRIPTION, Description, FAR, cells_of};
use crate::model::{
    NATIVE_CELLS, NEGATIVE, NativeBuckets, NativeHistogram, NativeHistogramOptions, POSITIVE, SCHEMA_MIN,
    key_of, upper_bound,
};
use crate::slab::{CELLS_PER_SLAB, Cells, Slab};
use crate::sync::{Arc, Mutex, Ordering, RwLock, fence};
use hashbrown::HashMap;
use std::time::Duration;

// The cells behind the sum. Only the first counts; JavaScript reads the others after each observation that it has made here. It
// has the same numbers.
const ZERO: usize = 0;
/// NaN while every observation has to come here.
const THRESHOLD: usize = 1;
const SCHEMA: usize = 2;
/// For each sign: slot, first key and number of keys of its window.
const WINDOWS: usize = 3;
const WINDOW_CELLS: usize = 3;
const _: () = assert!(DESCRIPTION == WINDOWS + 2 * WINDOW_CELLS && NATIVE_CELLS == DESCRIPTION + 1);

const LARGEST_SUBNORMAL: f64 = f64::from_bits((1 << 52) - 1);

/// Keys of the smallest window.
const WINDOW_MIN: usize = if cfg!(loom) { 2 } else { 16 };
/// Keys of the largest window of a series with few buckets: 64 doublings at the default resolution.
const WINDOW_OF_FEW: usize = if cfg!(loom) { 4 } else { 512 };
/// Others may have so many keys for each populated bucket, and those of a slab at most.
const KEYS_PER_BUCKET: usize = 32;
/// After so many passes over a series that JavaScript writes all the time, it has to wait.
const PASSES_UNDISTURBED: usize = 4;
/// After so many observations outside the windows they are laid out anew.
const FAR_MAX: u32 = 1024;

/// One series, and its lock.
pub(crate) type SharedNative = Arc<Mutex<NativeSeries>>;

/// The series of one native histogram.
pub(crate) struct NativeSet {
    options: NativeHistogramOptions,
    /// Cells before those of this module: classic buckets and the sum.
    head: usize,
    series: RwLock<HashMap<u32, SharedNative, foldhash::fast::FixedState>>,
    /// Copies, each with the id of the series that had it. A test lends few series.
    kept: Mutex<Vec<(u32, NativeHistogram)>>,
}

/// A run of cells, one for each key from `start` on. A window with keys has a populated bucket.
#[derive(Clone, Copy, Default)]
struct Window {
    slot: u32,
    start: i32,
    keys: usize,
    /// The first and the last key whose bucket is populated.
    first: i32,
    last: i32,
}

/// The buckets of one series.
pub(crate) struct NativeSeries {
    cells: Arc<Cells>,
    slot: u32,
    head: usize,
    schema: i32,
    zero_threshold: f64,
    /// Observations that the zero bucket has taken from others. Its cell has those that were counted in it.
    zero_taken: f64,
    /// Populated buckets, without the zero bucket.
    buckets: u32,
    windows: [Window; 2],
    /// Buckets outside the windows, by key; few series have any.
    far: Option<Box<[NativeBuckets; 2]>>,
    /// Observations outside the windows since they were laid out.
    far_observations: u32,
    begun: Duration,
    /// When it is to begin anew, if it is alone then.
    due: Option<Duration>,
    /// The cells that tell other processes where the buckets are: their slot and their number.
    description: Option<(u32, usize)>,
    /// How often it was described.
    version: u32,
    /// Windows that a new description is to replace. Other processes read them until then.
    outdated: Vec<Window>,
    /// False while the file has no room for a description of now, and other processes see the buckets of before.
    is_described: bool,
    /// False if other processes may still see the series after its removal.
    frees: bool,
}

impl NativeSet {
    pub(super) fn new(options: &NativeHistogramOptions, head: usize) -> Self {
        Self {
            options: *options,
            head,
            series: RwLock::new(HashMap::default()),
            kept: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn add(&self, id: u32, slot: u32, cells: &Arc<Cells>, now: Duration) {
        let mut series = NativeSeries {
            cells: Arc::clone(cells),
            slot,
            head: self.head,
            schema: 0,
            zero_threshold: 0.0,
            zero_taken: 0.0,
            buckets: 0,
            windows: [Window::default(); 2],
            far: None,
            far_observations: 0,
            begun: now,
            due: None,
            description: None,
            version: 0,
            outdated: Vec::new(),
            is_described: false,
            frees: true,
        };
        series.begin(&self.options, now);
        self.series.write().insert(id, Arc::new(Mutex::new(series)));
    }

    /// `frees`: its cells may be used for something else.
    pub(super) fn remove(&self, id: u32, frees: bool) {
        if let Some(series) = self.series.write().remove(&id) {
            series.lock().frees &= frees;
        }
    }

    pub(super) fn remove_all(&self, frees: bool) {
        for (_, series) in self.series.write().drain() {
            series.lock().frees &= frees;
        }
    }

    /// Has other processes find the buckets of all series, from now on.
    pub(super) fn describe_all(&self) {
        let all: Vec<SharedNative> = self.series.read().values().map(Arc::clone).collect();
        all.iter().for_each(|series| series.lock().describe());
    }

    pub(crate) fn of(&self, id: u32) -> Option<SharedNative> {
        self.series.read().get(&id).cloned()
    }

    /// Sets a series to zero.
    pub(super) fn clear(&self, id: u32, now: Duration) {
        if let Some(series) = self.of(id) {
            let mut series = series.lock();
            series.begin(&self.options, now);
        }
    }

    /// Counts a finite value in a bucket, and has `record` write the other cells. Returns true if the series began anew, which
    /// it does only if it `is_alone`: a total of several series would fall, and servers take that for a reset of all of them.
    pub(super) fn observe(
        &self,
        series: &Mutex<NativeSeries>,
        value: f64,
        now: Duration,
        is_alone: &dyn Fn() -> bool,
        record: &dyn Fn(),
    ) -> bool {
        let mut series = series.lock();
        let due = series.due.take_if(|due| now >= *due).filter(|_| is_alone());
        due.iter().for_each(|due| series.begin(&self.options, *due));
        series.count(value);
        let began = series.limit(value, &self.options, now, is_alone) || due.is_some();
        series.publish(&self.options);
        record();
        began
    }

    /// Reads a series: classic buckets and sum, and the native buckets. False if there is no such series.
    pub(super) fn read(
        &self,
        id: u32,
        now: Duration,
        values: &mut [f64],
        into: &mut NativeHistogram,
    ) -> bool {
        let Some(series) = self.of(id) else { return false };
        let series = series.lock();
        series.read(values, into);
        if series.due.is_some_and(|due| now >= due) {
            // Only the thread that records may set cells to 0: its next observation comes here.
            series.close();
        }
        true
    }

    /// Keeps a copy of the buckets of a series.
    pub(super) fn keep(&self, id: u32) {
        if let Some(series) = self.of(id) {
            let copy = series.lock().snapshot();
            self.kept.lock().push((id, copy));
        }
    }

    /// Gives the buckets that were kept of one series to another.
    pub(super) fn give(&self, from: u32, to: u32) {
        let kept = {
            let mut kept = self.kept.lock();
            let at = kept.iter().position(|(id, _)| *id == from);
            at.map(|at| kept.swap_remove(at))
        };
        if let (Some((_, kept)), Some(series)) = (kept, self.of(to)) {
            let mut series = series.lock();
            series.zero_threshold = kept.zero_threshold;
            series.zero_taken = 0.0;
            series.store(ZERO, kept.zero_count);
            series.lay(kept);
            series.close();
        }
    }
}

impl NativeSeries {
    fn cell(&self, offset: usize) -> (&Slab, usize) {
        let (slab, first) = self.cells.locate(self.slot);
        (slab, first + self.head + offset)
    }

    fn load(&self, offset: usize) -> f64 {
        let (slab, cell) = self.cell(offset);
        slab.load(cell)
    }

    fn store(&self, offset: usize, value: f64) {
        let (slab, cell) = self.cell(offset);
        slab.store(cell, value);
    }

    fn add(&self, offset: usize, value: f64) {
        self.store(offset, self.load(offset) + value);
    }

    /// Begins anew: nothing is observed, and the buckets are as the options say.
    fn begin(&mut self, options: &NativeHistogramOptions, now: Duration) {
        let (slab, first) = self.cells.locate(self.slot);
        (first..=first + self.head + ZERO).for_each(|cell| slab.store(cell, 0.0));
        self.schema = options.schema();
        self.zero_threshold = options.zero_threshold;
        self.zero_taken = 0.0;
        self.lay(NativeHistogram { schema: self.schema, ..NativeHistogram::default() });
        self.begun = now;
        self.due = None;
        self.close();
    }

    /// Shows JavaScript where the windows are.
    fn publish(&self, options: &NativeHistogramOptions) {
        self.store(SCHEMA, self.schema.into());
        for (side, window) in self.windows.iter().enumerate() {
            let first = WINDOWS + side * WINDOW_CELLS;
            let keys = u32::try_from(window.keys).unwrap_or_default();
            [window.slot.into(), window.start.into(), f64::from(keys)]
                .into_iter()
                .enumerate()
                .for_each(|(at, value)| self.store(first + at, value));
        }
        // With too many buckets, each observation lowers the resolution further.
        let goes_on = self.is_full(options) && (self.schema > SCHEMA_MIN || self.wider(options).is_some());
        // JavaScript finds no buckets of subnormal numbers.
        if goes_on { self.close() } else { self.store(THRESHOLD, self.zero_threshold.max(LARGEST_SUBNORMAL)) }
    }

    /// Has JavaScript come here with its next observation: the windows may have moved.
    fn close(&self) {
        self.store(THRESHOLD, f64::NAN);
    }

    fn count(&mut self, value: f64) {
        let distance = value.abs();
        if distance <= self.zero_threshold {
            self.add(ZERO, 1.0);
            return;
        }
        let side = if value > 0.0 { POSITIVE } else { NEGATIVE };
        let key = key_of(distance, self.schema);
        if !self.windows[side].contains(key) && !self.cover(side, key) {
            self.count_far(side, key);
            return;
        }
        let window = &mut self.windows[side];
        window.enter(key);
        let (slab, cell) = window.locate(key, &self.cells);
        let count = slab.load(cell);
        self.buckets += u32::from(count == 0.0);
        slab.store(cell, count + 1.0);
    }

    fn count_far(&mut self, side: usize, key: i32) {
        let far = &mut self.far.get_or_insert_default()[side];
        match far.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => {
                far[at].1 += 1.0;
                self.describe_far(side, at);
            }
            Err(at) => {
                far.insert(at, (key, 1.0));
                self.buckets += 1;
                // Writes all of them again while they are shared: n buckets cost n * n stores. Few have no limit of buckets.
                self.describe();
            }
        }
        self.far_observations += 1;
        if self.far_observations == FAR_MAX {
            let all = self.histogram();
            self.lay(all);
        }
    }

    /// Moves or widens a window so that it covers a key too; false if it would become too large.
    fn cover(&mut self, side: usize, key: i32) -> bool {
        let window = self.windows[side];
        let mut wanted = if window.keys > 0 { window } else { Window { first: key, last: key, ..window } };
        wanted.enter(key);
        // Decided before anything is read: there may be many observations outside of the window.
        let Some(mut moved) = Window::over(wanted.first, wanted.last, self.keys_max(), &self.cells) else {
            return false;
        };
        let mut buckets = NativeBuckets::new();
        window.read(&self.cells, &mut buckets);
        self.outdated.push(window);
        if let Some(far) = &mut self.far {
            buckets.extend(far[side].extract_if(.., |(key, _)| moved.contains(*key)));
        }
        moved.write(&buckets, &self.cells);
        self.windows[side] = moved;
        self.describe();
        true
    }

    /// The number of keys of the largest window.
    fn keys_max(&self) -> usize {
        let buckets = usize::try_from(self.buckets).unwrap_or(usize::MAX);
        buckets.saturating_mul(KEYS_PER_BUCKET).clamp(WINDOW_OF_FEW, CELLS_PER_SLAB)
    }

    fn is_full(&self, options: &NativeHistogramOptions) -> bool {
        options.max_buckets > 0 && self.buckets > options.max_buckets
    }

    /// Reduces the number of buckets by one step, if there are too many. True if the series began anew with this value.
    fn limit(
        &mut self,
        value: f64,
        options: &NativeHistogramOptions,
        now: Duration,
        is_alone: &dyn Fn() -> bool,
    ) -> bool {
        if !self.is_full(options) {
            return false;
        }
        if !options.min_reset.is_zero() && self.due.is_none() {
            let due = self.begun.saturating_add(options.min_reset);
            if now < due {
                self.due = Some(due);
            } else if is_alone() {
                self.begin(options, now);
                self.count(value);
                return true;
            }
        }
        match self.wider(options) {
            Some((key, threshold)) => self.widen(key, threshold),
            None if self.schema > SCHEMA_MIN => {
                let mut all = self.histogram();
                all.lower(self.schema - 1);
                self.lay(all);
            }
            None => {}
        }
        false
    }

    /// The key of the buckets that the zero bucket may take, and how wide it is then.
    fn wider(&self, options: &NativeHistogramOptions) -> Option<(i32, f64)> {
        if self.zero_threshold >= options.max_zero_threshold {
            return None;
        }
        let in_windows = self.windows.iter().filter(|window| window.keys > 0).map(|window| window.first);
        let far = self.far.iter().flat_map(|far| far.iter().filter_map(|buckets| buckets.first()));
        let key = in_windows.chain(far.map(|(key, _)| *key)).min()?;
        let threshold = upper_bound(key, self.schema);
        (threshold <= options.max_zero_threshold).then_some((key, threshold))
    }

    fn widen(&mut self, key: i32, threshold: f64) {
        self.zero_threshold = threshold;
        let mut all = self.histogram();
        for buckets in &mut all.sides {
            if let Some((_, count)) = buckets.first().copied().filter(|(first, _)| *first == key) {
                self.zero_taken += count;
                buckets.remove(0);
            }
        }
        self.lay(all);
    }

    /// Replaces all buckets.
    fn lay(&mut self, all: NativeHistogram) {
        self.schema = all.schema;
        self.buckets = all.sides.iter().map(|buckets| u32::try_from(buckets.len()).unwrap_or(u32::MAX)).sum();
        self.far = None;
        self.far_observations = 0;
        let max = self.keys_max();
        for (side, mut buckets) in all.sides.into_iter().enumerate() {
            self.outdated.push(self.windows[side]);
            let window = match buckets[densest(&buckets, max)] {
                [(first, _), .., (last, _)] | [(first @ last, _)] => {
                    Window::over(first, last, max, &self.cells)
                }
                [] => None,
            };
            let mut window = window.unwrap_or_default();
            let far: NativeBuckets = buckets.extract_if(.., |(key, _)| !window.contains(*key)).collect();
            if !far.is_empty() {
                self.far.get_or_insert_default()[side] = far;
            }
            window.write(&buckets, &self.cells);
            self.windows[side] = window;
        }
        self.describe();
    }

    /// Tells other processes where the buckets are, if they can read the cells. They see the buckets of before or those of now,
    /// also if this process ends at any moment: everything is written elsewhere, and then one cell is set. If the file has no room
    /// for that, they go on seeing the buckets of before.
    fn describe(&mut self) {
        let before = self.description;
        self.is_described = self.cells.are_adopted();
        if self.is_described {
            self.version += 1;
            let numbers = cells_of(&Description {
                slot: self.slot,
                version: self.version,
                schema: self.schema,
                zero_threshold: self.zero_threshold,
                zero_taken: self.zero_taken,
                windows: self.windows.map(|Window { slot, start, keys, .. }| (slot, start, keys)),
                far: [self.far_side(POSITIVE), self.far_side(NEGATIVE)],
            });
            let slot = self.cells.allocate(numbers.len());
            let (slab, first) = self.cells.locate(slot);
            let mut windows = self.windows.iter().filter(|window| window.keys > 0);
            if !slab.is_shared() || !windows.all(|window| self.cells.locate(window.slot).0.is_shared()) {
                self.cells.free([slot], numbers.len());
                self.is_described = false;
                return;
            }
            numbers.iter().enumerate().for_each(|(at, number)| slab.store(first + at, *number));
            // Those who see the new description see what it describes.
            fence(Ordering::Release);
            self.store(DESCRIPTION, f64::from(slot) + 1.0);
            self.description = Some((slot, numbers.len()));
        } else {
            self.description = None;
        }
        before.iter().for_each(|(slot, width)| self.cells.free([*slot], *width));
        self.outdated.drain(..).for_each(|window| window.free(&self.cells));
    }

    /// Tells other processes the count of a bucket outside of the windows.
    fn describe_far(&self, side: usize, at: usize) {
        if self.is_described
            && let Some((slot, _)) = self.description
        {
            let before = if side == POSITIVE { 0 } else { self.far_side(POSITIVE).len() };
            let (slab, first) = self.cells.locate(slot);
            slab.store(first + FAR + 2 * (before + at) + 1, self.far_side(side)[at].1);
        }
    }

    fn far_side(&self, side: usize) -> &[(i32, f64)] {
        self.far.as_ref().map_or(&[], |far| far[side].as_slice())
    }

    /// The buckets, for the thread that records.
    fn histogram(&self) -> NativeHistogram {
        let mut all = NativeHistogram { schema: self.schema, ..NativeHistogram::default() };
        for (side, buckets) in all.sides.iter_mut().enumerate() {
            let [below, above] = self.far_of(side);
            buckets.extend_from_slice(below);
            self.windows[side].read(&self.cells, buckets);
            buckets.extend_from_slice(above);
        }
        all
    }

    /// The buckets below the window of a side, and those above it.
    fn far_of(&self, side: usize) -> [&[(i32, f64)]; 2] {
        let far = self.far_side(side);
        let (below, above) = far.split_at(far.partition_point(|(key, _)| *key < self.windows[side].start));
        [below, above]
    }

    /// The buckets as they were at one moment.
    pub(crate) fn snapshot(&self) -> NativeHistogram {
        let mut copy = NativeHistogram::default();
        self.read(&mut vec![0.0; self.head], &mut copy);
        copy
    }

    /// Reads everything as it was at one moment, although JavaScript may be writing.
    fn read(&self, values: &mut [f64], into: &mut NativeHistogram) {
        let (own, first) = self.cells.locate(self.slot);
        let own: &Slab = own;
        let classic = self.head - 1;
        // Classic buckets, the zero bucket, the populated buckets of both windows, and the sum. Under the lock an empty bucket
        // stays empty: JavaScript adds to populated ones only.
        let mut places: Vec<(&Slab, usize)> = Vec::new();
        places.extend((first..first + classic).chain([first + self.head + ZERO]).map(|cell| (own, cell)));
        for (side, buckets) in into.sides.iter_mut().enumerate() {
            let (window, [below, _]) = (self.windows[side], self.far_of(side));
            buckets.clear();
            buckets.extend_from_slice(below);
            window.read(&self.cells, buckets);
            let counted = &buckets[below.len()..];
            places.extend(counted.iter().map(|(key, _)| window.locate(*key, &self.cells)));
        }
        places.push((own, first + classic));
        let mut all = vec![0.0; places.len()];
        let load = |at: usize| {
            let (slab, cell) = places[at];
            slab.load(cell)
        };
        if !read_histogram(&mut all, PASSES_UNDISTURBED, load) {
            // The next observation comes here, and waits for the lock.
            self.close();
            read_histogram(&mut all, PASSES_MAX, load);
        }
        values[..classic].copy_from_slice(&all[..classic]);
        values[classic] = all[all.len() - 1];
        into.schema = self.schema;
        into.zero_threshold = self.zero_threshold;
        into.zero_count = all[classic] + self.zero_taken;
        let mut counts = all.into_iter().skip(classic + 1);
        for (side, buckets) in into.sides.iter_mut().enumerate() {
            let [below, above] = self.far_of(side);
            let counted = &mut buckets[below.len()..];
            counted.iter_mut().zip(&mut counts).for_each(|((_, count), now)| *count = now);
            buckets.extend_from_slice(above);
        }
    }
}

impl Drop for NativeSeries {
    fn drop(&mut self) {
        if !self.frees {
            return;
        }
        self.windows.iter().chain(&self.outdated).for_each(|window| window.free(&self.cells));
        self.description.iter().for_each(|(slot, width)| self.cells.free([*slot], *width));
    }
}

impl Window {
    /// A window over these keys and some around them; `None` if it would have more than `max`, which is at most a slab.
    fn over(first: i32, last: i32, max: usize, cells: &Cells) -> Option<Self> {
        let needed = usize::try_from(last - first).unwrap_or_default() + 1;
        if needed > max {
            return None;
        }
        let keys = needed.next_power_of_two().max(WINDOW_MIN);
        let before = i32::try_from((keys - needed) / 2).unwrap_or_default();
        Some(Self { slot: cells.allocate(keys), start: first - before, keys, first, last })
    }

    fn free(self, cells: &Cells) {
        if self.keys > 0 {
            cells.free([self.slot], self.keys);
        }
    }

    fn contains(self, key: i32) -> bool {
        usize::try_from(key - self.start).is_ok_and(|at| at < self.keys)
    }

    /// The cell of a key in the window.
    fn locate(self, key: i32, cells: &Cells) -> (&Slab, usize) {
        let (slab, first) = cells.locate(self.slot);
        (slab, first + usize::try_from(key - self.start).unwrap_or_default())
    }

    /// The bucket of a key in the window is going to be populated.
    fn enter(&mut self, key: i32) {
        self.first = self.first.min(key);
        self.last = self.last.max(key);
    }

    fn write(&mut self, buckets: &[(i32, f64)], cells: &Cells) {
        for (key, count) in buckets {
            self.enter(*key);
            let (slab, cell) = self.locate(*key, cells);
            slab.store(cell, *count);
        }
    }

    /// Appends the populated buckets.
    fn read(self, cells: &Cells, into: &mut NativeBuckets) {
        if self.keys == 0 {
            return;
        }
        let (slab, cell) = self.locate(self.first, cells);
        let buckets = (self.first..=self.last).zip(cell..).map(|(key, cell)| (key, slab.load(cell)));
        into.extend(buckets.filter(|(_, count)| *count != 0.0));
    }
}

/// The positions of the buckets with the most observations that fit in one window of `max` keys.
fn densest(buckets: &[(i32, f64)], max: usize) -> std::ops::Range<usize> {
    let (mut best, mut most) = (0..0, 0.0);
    let (mut first, mut total) = (0, 0.0);
    for (at, (key, count)) in buckets.iter().enumerate() {
        total += count;
        while usize::try_from(key - buckets[first].0).unwrap_or_default() >= max {
            total -= buckets[first].1;
            first += 1;
        }
        if total > most {
            (best, most) = (first..at + 1, total);
        }
    }
    best
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Observes values as JavaScript does after its first observation of each: all through the lock here.
    fn observed(
        options: &NativeHistogramOptions,
        values: impl Iterator<Item = f64>,
    ) -> (NativeSet, NativeHistogram) {
        let cells = Arc::new(Cells::on_heap());
        let set = NativeSet::new(options, 2);
        set.add(0, cells.allocate(2 + NATIVE_CELLS), &cells, Duration::ZERO);
        let series = set.of(0).expect("it was added");
        for value in values {
            assert!(!set.observe(&series, value, Duration::ZERO, &|| true, &|| ()));
        }
        let mut read = NativeHistogram::default();
        assert!(set.read(0, Duration::ZERO, &mut [0.0, 0.0], &mut read));
        (set, read)
    }

    fn window_of(set: &NativeSet) -> (i32, usize) {
        let series = set.of(0).expect("it was added");
        let window = series.lock().windows[POSITIVE];
        (window.start, window.keys)
    }

    #[test]
    fn a_window_grows_around_its_buckets() {
        let options = NativeHistogramOptions::default();
        let (set, _) = observed(&options, [1.0].into_iter());
        assert_eq!(window_of(&set), (-7, 16));
        let (set, read) = observed(&options, [1.0, 2.0, 1024.0, 0.5].into_iter());
        assert_eq!(read.sides[POSITIVE], [(-8, 1.0), (0, 1.0), (8, 1.0), (80, 1.0)]);
        assert_eq!(window_of(&set), (-23, 128));
    }

    #[test]
    fn buckets_far_apart_are_counted_and_the_window_follows_the_most_observations() {
        let options = NativeHistogramOptions::default();
        let far = 1e60;
        let (set, read) = observed(&options, [1.0, 1.0, far].into_iter());
        assert_eq!(read.count(), 3.0);
        assert!(window_of(&set).0 < 0);
        let values = std::iter::repeat_n(1.0, 10).chain(std::iter::repeat_n(far, 2000)).chain([1.0]);
        let (set, read) = observed(&options, values);
        let far = key_of(far, 3);
        assert_eq!(read.sides[POSITIVE], [(0, 11.0), (far, 2000.0)]);
        assert_eq!(window_of(&set), (far - 7, 16));
    }

    #[test]
    fn a_fine_window_covers_several_powers_of_ten() {
        let options = NativeHistogramOptions::default().bucket_factor(1.003).max_buckets(0);
        let exponents = (0..3 * 4096).map(|at| at * 2741 % 4096);
        let values = exponents.map(|at| 10_f64.powf(f64::from(at) / 1024.0 - 3.0));
        let (set, read) = observed(&options, values);
        assert_eq!(read.count(), 3.0 * 4096.0);
        assert_eq!(window_of(&set).1, 4096);
        let series = set.of(0).expect("it was added");
        let far = series.lock().far.take().unwrap_or_default();
        assert_eq!(*far, [Vec::new(), Vec::new()]);
    }

    #[test]
    fn an_observation_far_away_leaves_the_window_alone() {
        let options = NativeHistogramOptions::default().max_buckets(0).zero_threshold(0.0);
        let values = (0..400).map(|at| 1.09_f64.powi(at)).chain([1e200, 1e-200]);
        let (set, _) = observed(&options, values);
        let series = set.of(0).expect("it was added");
        let slot = series.lock().windows[POSITIVE].slot;
        for value in [1e200, 1e-200, 1e201] {
            set.observe(&series, value, Duration::ZERO, &|| true, &|| ());
        }
        let series = series.lock();
        assert_eq!(series.windows[POSITIVE].slot, slot);
        assert_eq!(series.far.as_ref().map(|far| far[POSITIVE].len()), Some(3));
    }

    proptest! {
        /// Wherever a bucket is, in a window that moves or beside it, it has its observations.
        #[test]
        fn each_bucket_has_its_observations(
            values in prop::collection::vec((-4000..4000_i32, any::<bool>()), 0..2000),
            factor in prop::sample::select(vec![1.003, 1.02, 1.1, 2.0, 1e9]),
        ) {
            let options = NativeHistogramOptions::default().bucket_factor(factor).max_buckets(0);
            let values = values.into_iter().map(|(power, is_positive)| {
                let distance = 1.02_f64.powi(power);
                if is_positive { distance } else { -distance }
            });
            let mut expected = [BTreeMap::new(), BTreeMap::new()];
            for value in values.clone() {
                let side = if value > 0.0 { POSITIVE } else { NEGATIVE };
                *expected[side].entry(key_of(value.abs(), options.schema())).or_insert(0.0) += 1.0;
            }
            let expected = expected.map(|side| side.into_iter().collect::<NativeBuckets>());
            let buckets: usize = expected.iter().map(Vec::len).sum();
            let (set, read) = observed(&options, values);
            prop_assert_eq!(read.sides, expected);
            prop_assert_eq!(read.zero_count, 0.0);
            let series = set.of(0).expect("it was added");
            prop_assert_eq!(series.lock().buckets as usize, buckets);
        }
    }

    #[test]
    fn a_series_that_is_written_all_the_time_is_read_at_one_moment() {
        let cells = Arc::new(Cells::on_heap());
        let set = NativeSet::new(&NativeHistogramOptions::default(), 2);
        let slot = cells.allocate(2 + NATIVE_CELLS);
        set.add(0, slot, &cells, Duration::ZERO);
        let series = set.of(0).expect("it was added");
        let (slab, first) = cells.locate(slot);
        let (sum, threshold) = (first + 1, first + 2 + THRESHOLD);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                // As JavaScript does: it adds to the bucket and then to the sum.
                let mut bucket: Option<(&Slab, usize)> = None;
                for _ in 0..2_000_000 {
                    match bucket.filter(|_| slab.load(threshold) < 1.0) {
                        Some((slab, cell)) => slab.store(cell, slab.load(cell) + 1.0),
                        None => {
                            set.observe(&series, 1.0, Duration::ZERO, &|| true, &|| ());
                            bucket = Some(series.lock().windows[POSITIVE].locate(0, &cells));
                        }
                    }
                    slab.store(sum, slab.load(sum) + 1.0);
                }
            });
            let (mut last, mut native) = (0.0, NativeHistogram::default());
            while !writer.is_finished() {
                let mut values = [0.0, 0.0];
                assert!(set.read(0, Duration::ZERO, &mut values, &mut native));
                let count = native.count();
                assert!((count - values[1]).abs() <= 1.0, "{count} observations and a sum of {}", values[1]);
                assert!(count >= last);
                last = count;
            }
        });
    }

    #[test]
    fn only_a_series_that_is_alone_begins_anew() {
        let options = NativeHistogramOptions::default().max_buckets(4).min_reset(Duration::from_secs(60));
        let cells = Arc::new(Cells::on_heap());
        let set = NativeSet::new(&options, 2);
        set.add(0, cells.allocate(2 + NATIVE_CELLS), &cells, Duration::ZERO);
        let series = set.of(0).expect("it was added");
        let observe = |value: f64, second: u64, is_alone: bool| {
            set.observe(&series, value, Duration::from_secs(second), &|| is_alone, &|| ())
        };
        let count = || {
            let mut read = NativeHistogram::default();
            assert!(set.read(0, Duration::ZERO, &mut [0.0, 0.0], &mut read));
            read.count()
        };
        for value in [1.0, 2.0, 4.0, 8.0, 16.0] {
            assert!(!observe(value, 60, false));
        }
        assert_eq!(count(), 5.0);
        assert!(observe(1.0, 60, true));
        assert_eq!(count(), 1.0);
        // The next reset is due in a minute. It is left out if the series is not alone then.
        for value in [2.0, 4.0, 8.0, 16.0] {
            assert!(!observe(value, 61, true));
        }
        assert!(!observe(1.0, 120, false));
        assert_eq!(count(), 6.0);
        assert!(observe(1.0, 121, true));
        assert_eq!(count(), 1.0);
    }

    #[test]
    fn windows_go_back_when_their_series_ends() {
        let cells = Arc::new(Cells::on_heap());
        let set = NativeSet::new(&NativeHistogramOptions::default(), 2);
        for id in 0..10_000 {
            let slot = cells.allocate(2 + NATIVE_CELLS);
            set.add(id, slot, &cells, Duration::ZERO);
            let series = set.of(id).expect("it was added");
            (0..8).for_each(|at| {
                set.observe(&series, f64::from(at), Duration::ZERO, &|| true, &|| ());
            });
            drop(series);
            set.remove(id, true);
            cells.free([slot], 2 + NATIVE_CELLS);
        }
        // Scrapes of other tests keep a few back.
        assert!(cells.slab_count() < 20, "{}", cells.slab_count());
    }
}
