//! Cells and their slabs: the memory of one contributor. Allocates cells for series and takes them back.

use super::append::{AppendReader, AppendWriter, append_only};
use super::epochs::EPOCHS;
#[cfg(all(target_os = "linux", not(loom)))]
use super::pages::Pages;
#[cfg(all(target_os = "linux", not(loom)))]
use crate::sync::RwLock;
use crate::sync::{Arc, AtomicBool, AtomicPtr, AtomicU64, Mutex, Ordering};
use hashbrown::HashMap;
use std::collections::VecDeque;

/// Cells in a slab: 32 KiB, so that a small service pays for only one and a slab number fits in 20 bits.
pub const CELLS_PER_SLAB: usize = if cfg!(loom) { 4 } else { 4096 };
const INDEX_BITS: u32 = CELLS_PER_SLAB.trailing_zeros();

/// Two cache lines: prefetchers load adjacent lines in pairs, so slabs of two threads must not share a pair.
#[repr(align(128))]
#[expect(dead_code, reason = "its cells are reached by pointer only")]
struct Line([AtomicU64; 16]);

/// A block of cells. It lies in this process's memory, in a file that other processes read, or in memory that is lent by a
/// JavaScript engine that refuses external buffers. Code outside this module cannot see the difference.
pub struct Slab {
    start: AtomicPtr<AtomicU64>,
    cells: usize,
    memory: Mutex<Memory>,
    /// Other processes can read the cells.
    shared: AtomicBool,
}

/// What a slab owns.
enum Memory {
    /// Its lender keeps it until `detach` has returned.
    Lent,
    Heap(#[expect(dead_code, reason = "its cells are reached by pointer only")] Box<[Line]>),
    #[cfg(all(target_os = "linux", not(loom)))]
    Pages(Pages),
}

// SAFETY: cells are atomics without thread affinity, and `start` points at the memory that this slab owns, or at
// memory whose lender promised (`Slab::borrow`) to keep it until `detach` has returned.
unsafe impl Send for Slab {}
// SAFETY: as above; all access goes through `&AtomicU64`.
unsafe impl Sync for Slab {}

impl Slab {
    /// A zeroed slab on the heap with room for at least `cells`.
    #[must_use]
    pub fn on_heap(cells: usize) -> Self {
        // Whole pages, whose place a file's can take.
        #[cfg(all(target_os = "linux", not(loom)))]
        if cells >= CELLS_PER_SLAB
            && let Some(pages) = Pages::zeroed(cells.next_multiple_of(16) * size_of::<f64>())
        {
            let (start, cells) = (AtomicPtr::new(pages.first_cell()), cells.next_multiple_of(16));
            return Self {
                start,
                cells,
                memory: Mutex::new(Memory::Pages(pages)),
                shared: AtomicBool::new(false),
            };
        }
        let block = zeroed_block(cells);
        let start = first_cell(&block);
        Self {
            start: AtomicPtr::new(start),
            cells: block.len() * 16,
            memory: Mutex::new(Memory::Heap(block)),
            shared: AtomicBool::new(false),
        }
    }

    /// A slab over `cells` zeroed cells in memory of another owner.
    ///
    /// # Safety
    /// `start` is aligned to 8 bytes and valid for `cells` 8-byte cells until `detach` has returned. Only the contributor's
    /// thread writes there, and this crate through the slab: a scrape marks cells that it has read.
    #[must_use]
    pub unsafe fn borrow(start: *mut f64, cells: usize) -> Self {
        Self {
            start: AtomicPtr::new(start.cast()),
            cells,
            memory: Mutex::new(Memory::Lent),
            shared: AtomicBool::new(false),
        }
    }

    /// Other processes can read the cells from now on: they are in a file, and its log says where.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn set_shared(&self) {
        self.shared.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    /// Moves the cells to a file, at an offset that is a multiple of the page size. Their addresses stay the same. The file
    /// must have room for them, and only the calling thread may write them meanwhile.
    ///
    /// # Errors
    /// Of the system; `Unsupported` for memory that is not whole pages. The cells are where they were.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn move_to(&self, file: &std::fs::File, offset: u64) -> std::io::Result<()> {
        let memory = self.memory.lock();
        let Memory::Pages(pages) = &*memory else { return Err(std::io::ErrorKind::Unsupported.into()) };
        let cells = (0..self.cells).map(|index| self.cell(index).load(Ordering::Relaxed));
        let bytes: Vec<u8> = cells.flat_map(u64::to_ne_bytes).collect();
        std::os::unix::fs::FileExt::write_all_at(file, &bytes, offset)?;
        pages.become_file(file, offset)
    }

    /// Copies a borrowed slab to the heap. Returns when no scrape reads the lent memory any more. The owner must have
    /// stopped writing before it calls this.
    pub fn detach(&self) {
        {
            let mut memory = self.memory.lock();
            if !matches!(*memory, Memory::Lent) {
                return;
            }
            let block = zeroed_block(self.cells);
            let start = first_cell(&block);
            for index in 0..self.cells {
                // SAFETY: `index < cells <= block.len() * 16`.
                let cell = unsafe { &*start.add(index) };
                cell.store(self.cell(index).load(Ordering::Relaxed), Ordering::Relaxed);
            }
            // Release: a scrape that follows the new pointer sees the copied values.
            self.start.store(start, Ordering::Release);
            *memory = Memory::Heap(block);
        }
        let unpublished = EPOCHS.now();
        while !EPOCHS.passed(unpublished) {
            std::thread::sleep(std::time::Duration::from_micros(50));
        }
    }

    /// The address of the cells, for a writer outside Rust. Valid while the slab lives and is not detached.
    #[must_use]
    pub fn as_ptr(&self) -> *mut f64 {
        self.start.load(Ordering::Acquire).cast()
    }

    /// The number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells
    }

    /// True only for a borrowed slab of 0 cells. A slab on the heap has at least one line of cells.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells == 0
    }

    #[inline(always)]
    fn cell(&self, index: usize) -> &AtomicU64 {
        assert!(index < self.cells, "cell {index} of a slab of {}", self.cells);
        // Acquire: pairs with the Release in `detach`.
        let start = self.start.load(Ordering::Acquire);
        // SAFETY: `index < cells`, checked above; the memory is this slab's block or lent until `detach` ends, which
        // waits for every running scrape.
        unsafe { &*start.add(index) }
    }

    /// The cells of one series. Bounds are checked once for all of them.
    #[inline(always)]
    pub(crate) fn run(&self, first: usize, width: usize) -> &[AtomicU64] {
        assert!(
            first <= self.cells && width <= self.cells - first,
            "cells {first} and on of a slab of {}",
            self.cells
        );
        // Acquire: pairs with the Release in `detach`.
        let start = self.start.load(Ordering::Acquire);
        // SAFETY: the run lies within the slab, checked above; the memory is as in `cell`.
        unsafe { std::slice::from_raw_parts(start.add(first), width) }
    }

    /// The current value of a cell.
    #[inline(always)]
    #[must_use]
    pub fn load(&self, index: usize) -> f64 {
        f64::from_bits(self.cell(index).load(Ordering::Relaxed))
    }

    /// Sets a cell.
    #[inline]
    pub fn store(&self, index: usize, value: f64) {
        self.cell(index).store(value.to_bits(), Ordering::Relaxed);
    }

    /// Adds to a cell. Several Rust threads may add to it at the same time.
    #[inline]
    pub fn add(&self, index: usize, value: f64) {
        let cell = self.cell(index);
        let mut old = cell.load(Ordering::Relaxed);
        loop {
            let new = (f64::from_bits(old) + value).to_bits();
            match cell.compare_exchange_weak(old, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(current) => old = current,
            }
        }
    }
}

fn zeroed_block(cells: usize) -> Box<[Line]> {
    (0..cells.div_ceil(16).max(1)).map(|_| Line(std::array::from_fn(|_| AtomicU64::new(0)))).collect()
}

fn first_cell(block: &[Line]) -> *mut AtomicU64 {
    // Cells are atomics: writing through a pointer from a shared borrow is allowed.
    block.as_ptr().cast::<AtomicU64>().cast_mut()
}

/// Makes the slabs of a contributor.
pub type SlabSource = Box<dyn Fn(usize) -> Slab + Send + Sync>;

/// Is told of each slab of a contributor, by its number, before a series uses it.
pub(crate) type Adopt = Box<dyn Fn(usize, &Slab) + Send + Sync>;

/// The cells of one contributor. Any thread may read; allocation takes a lock that no scrape takes.
pub struct Cells {
    slabs: AppendReader<Arc<Slab>>,
    allocator: Mutex<Allocator>,
    /// Locked while slabs move to a file.
    #[cfg(all(target_os = "linux", not(loom)))]
    moving: RwLock<()>,
}

struct Allocator {
    writer: AppendWriter<Arc<Slab>>,
    source: SlabSource,
    adopt: Option<Adopt>,
    /// The first unused cell of the newest slab, and that slab's size.
    cursor: usize,
    capacity: usize,
    /// Freed runs of cells by width, oldest first. Each may be reused when the scrapes below its number have ended.
    free: HashMap<usize, VecDeque<(u64, u32)>, foldhash::fast::FixedState>,
}

impl Cells {
    /// Cells on the heap.
    #[must_use]
    pub fn on_heap() -> Self {
        Self::from_source(Box::new(Slab::on_heap))
    }

    /// Cells in slabs that `source` makes.
    #[must_use]
    pub fn from_source(source: SlabSource) -> Self {
        let (writer, slabs) = append_only();
        let free = HashMap::with_hasher(foldhash::fast::FixedState::default());
        let allocator = Allocator { writer, source, adopt: None, cursor: 0, capacity: 0, free };
        Self {
            slabs,
            allocator: Mutex::new(allocator),
            #[cfg(all(target_os = "linux", not(loom)))]
            moving: RwLock::new(()),
        }
    }

    /// Gives `adopt` all slabs, those of now and those that are made later.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn adopt_slabs(&self, adopt: Adopt) {
        let mut allocator = self.allocator.lock();
        let _moving = self.moving.write();
        self.slabs.iter().enumerate().for_each(|(number, slab)| adopt(number, slab));
        allocator.adopt = Some(adopt);
    }

    /// Ends what `adopt_slabs` has begun, for slabs that are made later.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn adopt_no_slabs(&self) {
        self.allocator.lock().adopt = None;
    }

    /// True while slabs are given to another owner as they are made.
    pub(crate) fn are_adopted(&self) -> bool {
        self.allocator.lock().adopt.is_some()
    }

    /// Does what writes cells on another thread than their owner's, while they do not move: what is written between the copy of
    /// a slab and its move would be lost.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn while_still<R>(&self, write: impl FnOnce() -> R) -> R {
        let _still = self.moving.read();
        write()
    }

    /// The same where slabs never move.
    #[cfg(not(all(target_os = "linux", not(loom))))]
    pub(crate) fn while_still<R>(&self, write: impl FnOnce() -> R) -> R {
        write()
    }

    /// The number of slabs. It never goes down.
    #[must_use]
    pub fn slab_count(&self) -> usize {
        self.slabs.len()
    }

    /// The slab with this number.
    #[must_use]
    pub fn slab(&self, number: usize) -> Option<&Arc<Slab>> {
        self.slabs.get(number)
    }

    /// Allocates `width` zeroed cells in one slab; returns their slot (slab number and first index).
    #[must_use]
    pub fn allocate(&self, width: usize) -> u32 {
        let mut allocator = self.allocator.lock();
        let reusable = match allocator.free.get_mut(&width) {
            Some(freed) if freed.front().is_some_and(|(epoch, _)| EPOCHS.passed(*epoch)) => freed.pop_front(),
            _ => None,
        };
        if let Some((_, slot)) = reusable {
            let (slab, first) = self.locate(slot);
            (first..first + width).for_each(|index| slab.store(index, 0.0));
            return slot;
        }
        if allocator.cursor + width > allocator.capacity {
            let slab = (allocator.source)(width.max(CELLS_PER_SLAB));
            allocator.capacity = slab.len();
            allocator.cursor = 0;
            if let Some(adopt) = &allocator.adopt {
                adopt(allocator.writer.len(), &slab);
            }
            allocator.writer.push(Arc::new(slab));
        }
        let number = allocator.writer.len() - 1;
        let first = allocator.cursor;
        allocator.cursor += width;
        // A slot can address only the first 4096 cells. A slab with more cells was made for one oversized series and is
        // full.
        if allocator.cursor >= CELLS_PER_SLAB {
            allocator.capacity = allocator.cursor;
        }
        u32::try_from(number << INDEX_BITS | first).expect("a contributor holds fewer than 2^32 cells")
    }

    /// Takes cells back. Scrapes that begin from now on must not be able to reach them: the caller has made sure of
    /// that.
    pub(crate) fn free(&self, slots: impl IntoIterator<Item = u32>, width: usize) {
        let mut allocator = self.allocator.lock();
        let epoch = EPOCHS.now();
        allocator.free.entry(width).or_default().extend(slots.into_iter().map(|slot| (epoch, slot)));
    }

    /// The slab of a slot, and the index of its first cell there.
    #[inline]
    pub(crate) fn locate(&self, slot: u32) -> (&Arc<Slab>, usize) {
        let slab = self.slabs.get((slot >> INDEX_BITS) as usize).expect("a slot names a slab that exists");
        (slab, slot as usize & (CELLS_PER_SLAB - 1))
    }

    /// A reader for the cells of many series.
    pub(crate) fn cursor(&self) -> CellsCursor<'_> {
        CellsCursor { cells: self, current: None }
    }
}

/// Finds the cells of series. It keeps the slab of the last one, because the next one is mostly there too.
pub(crate) struct CellsCursor<'a> {
    cells: &'a Cells,
    current: Option<(u32, &'a Slab)>,
}

impl<'a> CellsCursor<'a> {
    /// The slab of a slot, and the index of its first cell there.
    #[inline(always)]
    pub(crate) fn locate(&mut self, slot: u32) -> (&'a Slab, usize) {
        let number = slot >> INDEX_BITS;
        if let Some((current, slab)) = self.current
            && current == number
        {
            return (slab, slot as usize & (CELLS_PER_SLAB - 1));
        }
        let (slab, first) = self.cells.locate(slot);
        self.current = Some((number, slab));
        (slab, first)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::slab::Scrape;

    #[test]
    fn runs_do_not_overlap_and_slabs_are_filled() {
        let cells = Cells::on_heap();
        let mut seen = std::collections::HashSet::new();
        for width in [1_usize, 13, 4096, 1, 5000, 2, 4095, 1] {
            let slot = cells.allocate(width);
            let (slab, first) = cells.locate(slot);
            for index in first..first + width {
                assert!(seen.insert((Arc::as_ptr(slab), index)), "cell given out twice");
                assert!(slab.load(index) == 0.0);
            }
        }
        let before = cells.slab_count();
        (0..CELLS_PER_SLAB).for_each(|_| assert!(cells.allocate(1) > 0));
        assert!(cells.slab_count() <= before + 1);
    }

    #[test]
    fn a_freed_cell_is_zeroed_and_reused_only_after_the_scrapes_that_may_read_it() {
        let cells = Cells::on_heap();
        let slot = cells.allocate(3);
        let (slab, first) = cells.locate(slot);
        slab.store(first + 2, 7.0);
        let scrape = Scrape::begin();
        cells.free([slot], 3);
        let other = cells.allocate(3);
        assert_ne!(other, slot, "a running scrape may still read the freed run");
        drop(scrape);
        // Other tests of this process scrape too; their scrapes may have to end first.
        let mut again = cells.allocate(3);
        for _ in 0..1000 {
            if again == slot {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
            again = cells.allocate(3);
        }
        assert_eq!(again, slot);
        assert!(slab.load(first + 2) == 0.0);
    }

    #[test]
    fn a_detached_slab_keeps_its_values_after_the_lent_memory_is_gone() {
        let mut lent = vec![1.5_f64; 20];
        // SAFETY: `lent` outlives the call to `detach` below, and no other code writes it.
        let slab = unsafe { Slab::borrow(lent.as_mut_ptr(), lent.len()) };
        slab.store(3, 2.5);
        slab.detach();
        drop(lent);
        assert!((slab.load(3), slab.load(19)) == (2.5, 1.5));
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use crate::slab::Scrape;
    use loom::thread;

    /// Two Rust threads add to one cell: no addition is lost.
    #[test]
    fn concurrent_adds_are_exact() {
        loom::model(|| {
            let slab = Arc::new(Slab::on_heap(1));
            let other = Arc::clone(&slab);
            let adder = thread::spawn(move || other.add(0, 1.0));
            slab.add(0, 2.0);
            adder.join().expect("the adder ends");
            assert!(slab.load(0) == 3.0);
        });
    }

    /// A scrape that could reach a run before it was freed never reads the values of the run's next series.
    #[test]
    fn a_reused_run_is_never_read_by_an_older_scrape() {
        loom::model(|| {
            let cells = Arc::new(Cells::on_heap());
            let published = Arc::new(AtomicU64::new(1));
            let slot = cells.allocate(1);
            {
                let (slab, first) = cells.locate(slot);
                slab.store(first, 5.0);
            }
            let scraper = {
                let (cells, published) = (Arc::clone(&cells), Arc::clone(&published));
                thread::spawn(move || {
                    let _scrape = Scrape::begin();
                    if published.load(Ordering::Acquire) == 1 {
                        let (slab, first) = cells.locate(slot);
                        assert!(slab.load(first) == 5.0, "read another series' cell");
                    }
                })
            };
            published.store(0, Ordering::Release);
            cells.free([slot], 1);
            let next = cells.allocate(1);
            let (slab, first) = cells.locate(next);
            slab.store(first, 9.0);
            scraper.join().expect("the scraper ends");
        });
    }
}
