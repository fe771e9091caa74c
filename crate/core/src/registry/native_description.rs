//! How a process finds the buckets of another one's native histogram: by the description of a series, which is a run of cells. It
//! names the windows, and has the buckets outside of them. The process that owns the series replaces it as a whole.

use crate::model::{NATIVE_CELLS, NativeBuckets, NativeHistogram};

/// Among the cells behind the sum, the one with the description's slot and 1; 0 without a description.
pub(super) const DESCRIPTION: usize = 9;
// The cells of a description: the slot of the series, which tells whether they are still those of its description; a version;
// schema, zero threshold, observations that the zero bucket has taken; for each sign the window's slot, first key and number of
// keys; for each sign the number of buckets outside of the window; and these: key and count.
const WINDOWS: usize = 5;
const WINDOW_CELLS: usize = 3;
pub(super) const FAR: usize = WINDOWS + 2 * WINDOW_CELLS + 2;
/// Cells of the smallest description.
const CELLS_MIN: usize = 16;
/// No native histogram has more buckets outside of its windows.
const BUCKETS_MAX: usize = 1 << 20;
/// After so many passes over a series that its process writes all the time, its parts may be of different moments.
const PASSES_MAX: usize = 20;

/// Where the buckets of a series are, and the rest of them.
pub(super) struct Description<'a> {
    /// Of the series.
    pub(super) slot: u32,
    pub(super) version: u32,
    pub(super) schema: i32,
    pub(super) zero_threshold: f64,
    pub(super) zero_taken: f64,
    /// For each sign: slot, first key, number of keys.
    pub(super) windows: [(u32, i32, usize); 2],
    /// For each sign: the buckets outside of the window.
    pub(super) far: [&'a [(i32, f64)]; 2],
}

/// A description as cells.
pub(super) fn cells_of(described: &Description<'_>) -> Vec<f64> {
    let number = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let Description { slot, version, schema, zero_threshold, zero_taken, windows, far } = described;
    let mut cells = vec![f64::from(*slot), f64::from(*version), f64::from(*schema)];
    cells.extend([*zero_threshold, *zero_taken]);
    windows.iter().for_each(|(slot, start, keys)| {
        cells.extend([f64::from(*slot), f64::from(*start), number(*keys)]);
    });
    cells.extend(far.map(|far| number(far.len())));
    far.iter().copied().flatten().for_each(|(key, count)| cells.extend([f64::from(*key), *count]));
    cells.resize(cells.len().next_power_of_two().max(CELLS_MIN), 0.0);
    cells
}

/// The passes that may read copies of all cells, which were made one after the other.
pub(crate) const COPIES: usize = 2;

/// Reads so many cells of another process from a slot on, for a pass. `None` if it has no such cells.
pub(crate) type LoadCells<'a> = &'a dyn Fn(usize, u32, usize) -> Option<Vec<f64>>;

/// Reads a series of another process: classic buckets and sum, and the native buckets. `None` if they cannot be found.
pub(crate) fn read_described(slot: u32, values: &mut [f64], load: LoadCells<'_>) -> Option<NativeHistogram> {
    let mut last: Option<Pass> = None;
    for pass in 0..2 * PASSES_MAX {
        let load = |slot: u32, count: usize| load(pass, slot, count);
        let next = match Pass::over(slot, values.len(), &load) {
            // A copy takes some time: what a cell names may be elsewhere already.
            None if pass < COPIES => continue,
            read => read?,
        };
        // Between two equal passes nothing has changed. Otherwise the description must be the same at least: the cells that it
        // names are used for something else once another one has taken its place. It is the earlier pass that this holds for.
        if let Some(last) = &last
            && (next.is(last) || pass > PASSES_MAX && next.place() == last.place())
        {
            return last.histogram(values);
        }
        last = Some(next);
    }
    None
}

/// What one pass over the cells of a series has found.
struct Pass {
    /// Classic buckets, sum, and the cells behind it.
    own: Vec<f64>,
    description: Vec<f64>,
    /// For each sign: the cells of the window.
    windows: [Vec<f64>; 2],
}

impl Pass {
    /// `width` is the number of cells up to the sum.
    fn over(slot: u32, width: usize, load: &dyn Fn(u32, usize) -> Option<Vec<f64>>) -> Option<Self> {
        let cells = |slot: f64, count: usize| {
            if count == 0 { Some(Vec::new()) } else { load(whole(slot)?, count) }
        };
        let count = |number: f64| whole(number).map(|it| it as usize).filter(|it| *it <= BUCKETS_MAX);
        let own = cells(slot.into(), width + NATIVE_CELLS)?;
        let described = own[width + DESCRIPTION] - 1.0;
        let mut description = cells(described, FAR)?;
        let far = count(description[FAR - 2])? + count(description[FAR - 1])?;
        if far > 0 {
            description = cells(described, FAR + 2 * far)?;
        }
        let window = |at: usize| cells(description[at], count(description[at + 2])?);
        let windows = [window(WINDOWS)?, window(WINDOWS + WINDOW_CELLS)?];
        (description[0] == f64::from(slot)).then_some(Self { own, description, windows })
    }

    fn is(&self, other: &Self) -> bool {
        let all = |pass: &Self| {
            let [one, two] = &pass.windows;
            let parts = [&pass.own, &pass.description, one, two];
            parts.into_iter().flatten().map(|cell| cell.to_bits()).collect::<Vec<u64>>()
        };
        all(self) == all(other)
    }

    /// Which description it has read.
    fn place(&self) -> (Option<&f64>, &[f64]) {
        (self.own.last(), &self.description[..2])
    }

    fn histogram(&self, values: &mut [f64]) -> Option<NativeHistogram> {
        let (head, behind) = self.own.split_at(values.len());
        values.copy_from_slice(head);
        let [_, _, schema, zero_threshold, zero_taken, ..] = *self.description else { return None };
        let (schema, zero_count) = (key(schema)?, behind[0] + zero_taken);
        let mut native = NativeHistogram { schema, zero_threshold, zero_count, ..NativeHistogram::default() };
        let (described, far) = self.description.split_at(FAR);
        let (mut far, _) = far.as_chunks::<2>();
        for (side, buckets) in native.sides.iter_mut().enumerate() {
            let (own, others) = far.split_at_checked(whole(described[FAR - 2 + side])? as usize)?;
            far = others;
            for [at, count] in own {
                buckets.push((key(*at)?, *count));
            }
            let start = key(described[WINDOWS + side * WINDOW_CELLS + 1])?;
            let populated = self.windows[side].iter().zip(start..).filter(|(count, _)| **count != 0.0);
            let populated: NativeBuckets = populated.map(|(count, key)| (key, *count)).collect();
            let at = buckets.partition_point(|(key, _)| *key < start);
            buckets.splice(at..at, populated);
        }
        native.checked()
    }
}

fn whole(number: f64) -> Option<u32> {
    let whole = number as u32;
    (f64::from(whole) == number).then_some(whole)
}

/// The key of a bucket. Its sum with the keys of a window is no overflow.
fn key(number: f64) -> Option<i32> {
    let key = number as i32;
    (f64::from(key) == number && key.abs() < i32::MAX / 2).then_some(key)
}
