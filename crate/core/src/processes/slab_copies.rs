//! Copies slabs from the file of another process. It reads them by system calls and maps nothing: a process that reads a
//! mapped page ends if the file has lost the page, or if a full file system cannot provide it.

use super::refusal::{Refusal, damaged};
use crate::model::NativeHistogram;
use crate::registry::{COPIES, PASSES_MAX, read_described, read_histogram};
use crate::slab::CELLS_PER_SLAB;
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::os::unix::fs::FileExt;

const CELL_BYTES: usize = size_of::<f64>();
/// The most cells of a slab. A slab has more than `CELLS_PER_SLAB` only for one histogram with as many buckets.
const CELLS_MAX: u32 = 1 << 24;

/// Where a slab is in a file.
pub(super) struct SlabPlace {
    offset: u64,
    cells: u32,
}

/// The slabs of a file, by ascending number. A hash map is more code.
#[derive(Default)]
pub(super) struct SlabPlaces(Vec<(u32, SlabPlace)>);

impl SlabPlaces {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds a slab, in the place of a former one of its number.
    pub(super) fn insert(&mut self, number: u32, place: SlabPlace) {
        match self.find(number) {
            Ok(at) => self.0[at].1 = place,
            Err(at) => self.0.insert(at, (number, place)),
        }
    }

    fn find(&self, number: u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(&number, |(number, _)| *number)
    }
}

impl SlabPlace {
    /// `None` for a place where no process puts a slab. `block` is the size of the file's blocks; the log begins in the first.
    pub(super) fn new(offset: u64, cells: u32, block: u64) -> Option<Self> {
        let bytes = u64::from(cells) * CELL_BYTES as u64;
        let is_block = offset >= block && offset.is_multiple_of(block) && offset.checked_add(bytes).is_some();
        (is_block && cells <= CELLS_MAX).then_some(Self { offset, cells })
    }
}

/// The slabs that were read so far.
pub(super) struct SlabCopies<'a> {
    file: &'a File,
    places: &'a SlabPlaces,
    /// As `places`.
    copies: Vec<Option<SlabCopy>>,
    /// True once all slabs were copied, and then all again: cells of several slabs that are alike in both copies were so at
    /// one moment.
    has_all: bool,
}

/// Two copies of a slab, made one after the other.
struct SlabCopy {
    passes: [Vec<u8>; COPIES],
    offset: u64,
}

impl<'a> SlabCopies<'a> {
    pub(super) fn new(file: &'a File, places: &'a SlabPlaces) -> Self {
        Self { file, places, copies: places.0.iter().map(|_| None).collect(), has_all: false }
    }

    /// Reads the cells of a series.
    pub(super) fn read(&mut self, slot: u32, values: &mut [f64]) -> Result<(), Refusal> {
        let (number, first) = (slot / CELLS_PER_SLAB as u32, slot as usize % CELLS_PER_SLAB * CELL_BYTES);
        let file = self.file;
        let copy = self.copy(number)?;
        let range = first..first + size_of_val(values);
        let [one, two] = &copy.passes;
        let (Some(one), Some(two)) = (one.get(range.clone()), two.get(range)) else {
            return Err(damaged("a series is outside its slab"));
        };
        let cells = RefCell::new(one.to_vec());
        let passes = Cell::new(0);
        read_histogram(values, PASSES_MAX, |cell| {
            if cell == 0 {
                match passes.replace(passes.get() + 1) {
                    0 => {}
                    1 => cells.borrow_mut().copy_from_slice(two),
                    // Someone observes all the time. On failure the last pass is taken as it is.
                    _ => {
                        let _ = file.read_exact_at(&mut cells.borrow_mut(), copy.offset + first as u64);
                    }
                }
            }
            cell_at(&cells.borrow(), cell)
        });
        Ok(())
    }

    /// Reads a series of a native histogram; `None` if not all of its cells are in the file.
    pub(super) fn read_native(&mut self, slot: u32, values: &mut [f64]) -> Option<NativeHistogram> {
        self.copy_all();
        read_described(slot, values, &|pass, slot, count| self.load(pass, slot, count))
    }

    /// Copies all slabs. A series whose cells cannot be copied is not found.
    fn copy_all(&mut self) {
        if std::mem::replace(&mut self.has_all, true) {
            return;
        }
        (0..self.copies.len()).for_each(|at| drop(self.copy_at(at)));
        let Self { file, copies, .. } = self;
        for SlabCopy { passes: [_, two], offset } in copies.iter_mut().flatten() {
            // What is left of the former copy is one, too.
            let _ = file.read_exact_at(two, *offset);
        }
    }

    /// Loads cells from a copy, or reads them as they are now.
    fn load(&self, pass: usize, slot: u32, count: usize) -> Option<Vec<f64>> {
        let at = self.places.find(slot / CELLS_PER_SLAB as u32).ok()?;
        let SlabCopy { passes, offset } = self.copies[at].as_ref()?;
        let first = slot as usize % CELLS_PER_SLAB * CELL_BYTES;
        let copy = passes.get(pass).unwrap_or(&passes[0]).get(first..first + count * CELL_BYTES)?;
        if pass < COPIES {
            return Some(cells_of(copy));
        }
        let mut bytes = copy.to_vec();
        self.file.read_exact_at(&mut bytes, offset + first as u64).ok()?;
        Some(cells_of(&bytes))
    }

    fn copy(&mut self, number: u32) -> Result<&SlabCopy, Refusal> {
        let at = self.places.find(number).map_err(|_| damaged("a series is in no slab"))?;
        self.copy_at(at)
    }

    fn copy_at(&mut self, at: usize) -> Result<&SlabCopy, Refusal> {
        let copy = &mut self.copies[at];
        if copy.is_none() {
            let (_, SlabPlace { offset, cells }) = &self.places.0[at];
            let bytes = *cells as usize * CELL_BYTES;
            // A damaged record must not make this process take memory for cells that the file does not have.
            if self.file.metadata()?.len() < offset + bytes as u64 {
                return Err(damaged("it is shorter than its log says"));
            }
            let mut passes = [(); COPIES].map(|()| vec![0; bytes]);
            for pass in &mut passes {
                self.file.read_exact_at(pass, *offset)?;
            }
            *copy = Some(SlabCopy { passes, offset: *offset });
        }
        copy.as_ref().ok_or_else(|| damaged("a series is in no slab"))
    }
}

fn cells_of(bytes: &[u8]) -> Vec<f64> {
    (0..bytes.len() / CELL_BYTES).map(|at| cell_at(bytes, at)).collect()
}

/// The kernel copies an aligned cell as a whole, because it copies by words or by more.
fn cell_at(bytes: &[u8], cell: usize) -> f64 {
    let (cells, _) = bytes.as_chunks::<CELL_BYTES>();
    cells.get(cell).map_or(f64::NAN, |bytes| f64::from_ne_bytes(*bytes))
}
