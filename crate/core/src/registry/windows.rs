//! The observations of a summary's series: a buffer, a list of values that wait, and digests, one for each step of the
//! window. JavaScript writes values into the buffer, which is a run of cells; Rust code adds to the list. A full list, and
//! each scrape, goes into the digest. One lock for each series, so a thread that records waits for the digest of one
//! series at most.

use crate::clock::Clock;
use crate::model::{Digest, SUMMARY_BUFFER, SUMMARY_CELLS, SummaryOptions};
use crate::slab::Cells;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, RwLock};
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::time::Duration;

/// Values that wait before they are digested: more at once cost less each.
const BATCH: usize = 2048;

/// Digests, each with its step; the oldest first.
type Digests = VecDeque<(u64, Digest)>;

/// The observations of one series, and its lock.
pub(crate) type SharedWindow = Arc<Mutex<Window>>;

/// The observations of all series of one summary.
pub(crate) struct Windows {
    /// The length of a step of the window, and the number of steps; `None` if nothing is forgotten.
    steps: Option<(Duration, u64)>,
    prune: bool,
    buffered: bool,
    /// The beginning of step 0.
    start: Duration,
    /// The newest step that a writer was in. Its clock may be ahead of this one's.
    newest: AtomicU64,
    series: RwLock<HashMap<u32, SharedWindow, foldhash::fast::FixedState>>,
    /// Copies of observations, by the id of the series that had them.
    kept: Mutex<HashMap<u32, Digests, foldhash::fast::FixedState>>,
}

/// The observations of one series.
pub(crate) struct Window {
    /// Where its buffer's cells are; `None` for series of Rust code.
    buffer: Option<u32>,
    /// The first cell of the buffer that was not taken.
    next: usize,
    waiting: Vec<f64>,
    /// The step of the values that wait, and of those in the buffer.
    step: u64,
    /// Without a window the only step is 0.
    digests: Digests,
}

impl Windows {
    pub(super) fn new(options: &SummaryOptions) -> Self {
        let steps = options.window.map(|(age, steps)| (age / steps, u64::from(steps)));
        Self {
            steps,
            prune: options.prune,
            buffered: options.buffered,
            start: Clock::new().now(),
            newest: AtomicU64::new(0),
            series: RwLock::new(HashMap::default()),
            kept: Mutex::new(HashMap::default()),
        }
    }

    /// Begins step 0 now, by this clock.
    pub(super) fn start(&mut self, clock: &Clock) {
        self.start = clock.now();
    }

    /// The current step. A step ends with the moment at which the next one begins.
    pub(crate) fn step(&self, clock: &Clock) -> u64 {
        let Some((length, _)) = self.steps else { return 0 };
        let passed = clock.now().saturating_sub(self.start).as_nanos().saturating_sub(1);
        let step = u64::try_from(passed / length.as_nanos()).unwrap_or(u64::MAX);
        step.max(self.newest.load(Ordering::Relaxed))
    }

    /// The writer is in this step now.
    pub(crate) fn advance(&self, step: u64) {
        if self.steps.is_some() {
            self.newest.fetch_max(step, Ordering::Relaxed);
        }
    }

    /// The oldest step that is not forgotten in step `now`.
    fn oldest(&self, now: u64) -> u64 {
        self.steps.map_or(0, |(_, steps)| now.saturating_sub(steps - 1))
    }

    pub(super) fn add(&self, id: u32, slot: u32, cells: &Cells) {
        let mut window = Window {
            buffer: self.buffered.then_some(slot),
            next: 0,
            waiting: Vec::new(),
            step: self.newest.load(Ordering::Relaxed),
            digests: VecDeque::new(),
        };
        window.clear(cells);
        self.series.write().insert(id, Arc::new(Mutex::new(window)));
    }

    pub(super) fn remove(&self, id: u32) {
        self.series.write().remove(&id);
    }

    pub(super) fn remove_all(&self) {
        self.series.write().clear();
    }

    /// Forgets all observations of a series.
    pub(super) fn clear(&self, id: u32, cells: &Cells) {
        if let Some(window) = self.of(id) {
            window.lock().clear(cells);
        }
    }

    pub(crate) fn of(&self, id: u32) -> Option<SharedWindow> {
        self.series.read().get(&id).cloned()
    }

    /// Takes the buffer of a series; what its writer writes from now on belongs to `step`.
    pub(crate) fn flush(&self, id: u32, step: u64, cells: &Cells) {
        self.advance(step);
        let Some(window) = self.of(id) else { return };
        let mut window = window.lock();
        window.take_buffer(cells);
        window.next = 0;
        window.enter(step, self.oldest(step));
    }

    /// Observes a value. Several threads may do so at the same time.
    pub(crate) fn observe(&self, window: &Mutex<Window>, value: f64, clock: &Clock) {
        let step = self.step(clock);
        let mut window = window.lock();
        window.enter(step, self.oldest(step));
        window.waiting.push(value);
    }

    /// Reads the observations of a series that are not forgotten into `into`; false if there is no such series.
    pub(super) fn read(&self, id: u32, cells: &Cells, clock: &Clock, into: &mut Digest) -> bool {
        let Some(window) = self.of(id) else { return false };
        let oldest = self.oldest(self.step(clock));
        let mut window = window.lock();
        window.digest(cells, oldest);
        into.clear();
        for (at, (_, digest)) in window.digests.iter().enumerate() {
            if at == 0 { into.copy_from(digest) } else { into.merge(digest) }
        }
        true
    }

    /// Keeps a copy of the observations of a series.
    pub(super) fn keep(&self, id: u32, cells: &Cells) {
        if let Some(window) = self.of(id) {
            let mut window = window.lock();
            window.digest(cells, 0);
            self.kept.lock().insert(id, window.digests.clone());
        }
    }

    /// Gives the observations that were kept of one series to another.
    pub(super) fn give(&self, from: u32, to: u32) {
        let kept = self.kept.lock().remove(&from);
        if let (Some(kept), Some(window)) = (kept, self.of(to)) {
            window.lock().digests = kept;
        }
    }

    /// The series that are to be removed, because all of their observations are forgotten.
    pub(super) fn forgotten(&self, cells: &Cells, clock: &Clock) -> Vec<u32> {
        if !self.prune {
            return Vec::new();
        }
        let ids: Vec<u32> = self.series.read().keys().copied().collect();
        ids.into_iter().filter(|id| self.is_forgotten(*id, cells, clock)).collect()
    }

    pub(super) fn is_forgotten(&self, id: u32, cells: &Cells, clock: &Clock) -> bool {
        let Some(window) = self.of(id).filter(|_| self.prune) else { return false };
        let oldest = self.oldest(self.step(clock));
        let mut window = window.lock();
        window.digest(cells, oldest);
        window.digests.is_empty()
    }
}

impl Window {
    fn clear(&mut self, cells: &Cells) {
        self.waiting = Vec::new();
        self.digests.clear();
        self.next = 0;
        if let Some(slot) = self.buffer {
            let (slab, first) = cells.locate(slot);
            (0..SUMMARY_BUFFER).for_each(|at| slab.store(first + SUMMARY_CELLS + at, f64::NAN));
        }
    }

    /// Moves the values of the buffer to those that wait. A cell that was not written, or whose value is not visible to
    /// this thread yet, holds NaN. The writer writes a cell again only after it has called `flush`, so both never write
    /// the same cell at the same time.
    fn take_buffer(&mut self, cells: &Cells) {
        let Some(slot) = self.buffer else { return };
        let (slab, first) = cells.locate(slot);
        cells.while_still(|| {
            while self.next < SUMMARY_BUFFER {
                let cell = first + SUMMARY_CELLS + self.next;
                let value = slab.load(cell);
                if value.is_nan() {
                    break;
                }
                slab.store(cell, f64::NAN);
                self.waiting.push(value);
                self.next += 1;
            }
        });
    }

    /// What is recorded from now on belongs to `step`.
    fn enter(&mut self, step: u64, oldest: u64) {
        let step = step.max(self.step);
        if self.step != step || self.waiting.len() + SUMMARY_BUFFER > BATCH {
            self.digest_waiting(oldest);
            self.step = step;
        }
    }

    /// Digests everything that was recorded, and forgets the steps before `oldest`.
    fn digest(&mut self, cells: &Cells, oldest: u64) {
        self.take_buffer(cells);
        self.digest_waiting(oldest);
        // A series that is recorded seldom needs no room for a batch.
        self.waiting = Vec::new();
    }

    fn digest_waiting(&mut self, oldest: u64) {
        if !self.waiting.is_empty() {
            if self.digests.back().is_none_or(|(step, _)| *step != self.step) {
                self.digests.push_back((self.step, Digest::default()));
            }
            if let Some((_, digest)) = self.digests.back_mut() {
                digest.add(&self.waiting);
            }
            self.waiting.clear();
        }
        while self.digests.front().is_some_and(|(step, _)| *step < oldest) {
            self.digests.pop_front();
        }
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use crate::slab::Scrape;
    use loom::thread;

    fn observations(windows: &Windows, cells: &Cells, clock: &Clock) -> Vec<f64> {
        let (mut digest, mut out) = (Digest::default(), Vec::new());
        assert!(windows.read(0, cells, clock, &mut digest));
        digest.quantiles(&[0.0, 1.0], &mut out);
        out
    }

    /// The owner fills its buffer, flushes it and writes on, while a scrape takes values out: each value is taken once, and
    /// no other value is ever seen.
    #[test]
    fn a_value_is_taken_once() {
        loom::model(|| {
            let cells = Arc::new(Cells::on_heap());
            let windows = Arc::new(Windows::new(&SummaryOptions::default().buffered(true)));
            let slot = cells.allocate(SUMMARY_CELLS + SUMMARY_BUFFER);
            windows.add(0, slot, &cells);
            let scraper = {
                let (windows, cells) = (Arc::clone(&windows), Arc::clone(&cells));
                thread::spawn(move || {
                    let _scrape = Scrape::begin();
                    let seen = observations(&windows, &cells, &Clock::new());
                    assert!(
                        seen.iter().all(|value| value.is_nan() || [1.0, 2.0, 3.0].contains(value)),
                        "{seen:?}"
                    );
                })
            };
            let (slab, first) = cells.locate(slot);
            slab.store(first + SUMMARY_CELLS, 1.0);
            slab.store(first + SUMMARY_CELLS + 1, 2.0);
            windows.flush(0, 0, &cells);
            slab.store(first + SUMMARY_CELLS, 3.0);
            scraper.join().expect("the scraper ends");
            let mut digest = Digest::default();
            assert!(windows.read(0, &cells, &Clock::new(), &mut digest));
            let mut expected = Digest::default();
            expected.add(&[1.0, 2.0, 3.0]);
            assert!(digest == expected, "{digest:?}");
        });
    }
}
