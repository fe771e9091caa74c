//! An append-only vector with one writer and any number of readers, which never wait for each other. Elements do not
//! move: chunk `k` holds `FIRST << k` of them and is allocated when it is first needed.

use crate::sync::{Arc, AtomicPtr, AtomicUsize, Ordering, UnsafeCell};
use std::mem::MaybeUninit;

/// Elements in the first chunk. Few, because most families have few series.
const FIRST: usize = if cfg!(loom) { 2 } else { 8 };
/// The largest number of chunks: with `FIRST` = 8 they hold 2^32 elements, the range of a series number.
const CHUNKS: usize = if cfg!(loom) { 3 } else { 29 };

type Slot<T> = UnsafeCell<MaybeUninit<T>>;

struct Shared<T> {
    chunks: [AtomicPtr<Slot<T>>; CHUNKS],
    /// Elements that readers may see. Stored with `Release` after the element is written.
    len: AtomicUsize,
}

// SAFETY: elements below `len` are only read (`&T`), by any thread, hence `T: Sync`; the thread that drops the last
// half drops them, hence `T: Send`. Elements at and above `len` belong to the one writer.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}
// SAFETY: as above; the raw chunk pointers own their elements.
unsafe impl<T: Send + Sync> Send for Shared<T> {}

/// The half that appends. There is exactly one, so it needs no lock.
pub(crate) struct AppendWriter<T> {
    shared: Arc<Shared<T>>,
    len: usize,
}

/// The half that reads the appended elements.
pub(crate) struct AppendReader<T> {
    shared: Arc<Shared<T>>,
}

/// Makes an empty vector.
pub(crate) fn append_only<T>() -> (AppendWriter<T>, AppendReader<T>) {
    let shared = Arc::new(Shared {
        chunks: std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut())),
        len: AtomicUsize::new(0),
    });
    (AppendWriter { shared: Arc::clone(&shared), len: 0 }, AppendReader { shared })
}

/// The chunk of an index, and the index within it.
#[inline]
fn locate(index: usize) -> (usize, usize) {
    let scaled = index / FIRST + 1;
    let chunk = scaled.ilog2() as usize;
    (chunk, index - FIRST * ((1 << chunk) - 1))
}

const fn chunk_size(chunk: usize) -> usize {
    FIRST << chunk
}

impl<T> AppendWriter<T> {
    /// Appends an element and returns its index; readers see it from now on.
    ///
    /// # Panics
    /// After 2^32 elements.
    pub(crate) fn push(&mut self, value: T) -> usize {
        let index = self.len;
        let (chunk, offset) = locate(index);
        assert!(chunk < CHUNKS, "an append-only vector holds at most 2^32 elements");
        // Relaxed: only this writer stores chunk pointers.
        let mut base = self.shared.chunks[chunk].load(Ordering::Relaxed);
        if base.is_null() {
            base = allocate_chunk(chunk);
            // Release: a reader that sees the pointer sees an allocated chunk behind it.
            self.shared.chunks[chunk].store(base, Ordering::Release);
        }
        // SAFETY: `offset < chunk_size(chunk)` by `locate`, and the chunk is allocated.
        let slot = unsafe { &*base.add(offset) };
        slot.with_mut(|cell| {
            // SAFETY: `index` is not published yet, so no reader looks at this slot, and there is one writer.
            unsafe { (*cell).write(value) };
        });
        self.len = index + 1;
        // Release: pairs with the Acquire in `AppendReader::len`; the element is written before it is counted.
        self.shared.len.store(self.len, Ordering::Release);
        index
    }

    /// Elements appended so far.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl<T> AppendReader<T> {
    /// Elements published so far.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        // Acquire: pairs with the Release in `push`.
        self.shared.len.load(Ordering::Acquire)
    }

    /// The element at `index`, if it has been published.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        if index < self.len() { Some(self.published(index)) } else { None }
    }

    /// The elements published when the iteration begins, in order.
    #[inline]
    pub(crate) fn iter(&self) -> AppendIter<'_, T> {
        AppendIter { reader: self, chunk: 0, base: std::ptr::null_mut(), at: 0, size: 0, left: self.len() }
    }

    fn published(&self, index: usize) -> &T {
        let (chunk, offset) = locate(index);
        // Acquire: pairs with the Release in `push`.
        let base = self.shared.chunks[chunk].load(Ordering::Acquire);
        // SAFETY: the caller compared `index` with the published length.
        unsafe { read_slot(base, offset) }
    }
}

/// The elements of an append-only vector, chunk after chunk.
pub(crate) struct AppendIter<'a, T> {
    reader: &'a AppendReader<T>,
    /// The number of the next chunk.
    chunk: usize,
    /// The current chunk, the next element there, and the number of published elements there.
    base: *mut Slot<T>,
    at: usize,
    size: usize,
    /// Published elements of the chunks that follow.
    left: usize,
}

impl<T> AppendIter<'_, T> {
    /// Goes to the next chunk; returns false at the end.
    #[cold]
    fn turn(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        // Acquire: pairs with the Release in `push`.
        self.base = self.reader.shared.chunks[self.chunk].load(Ordering::Acquire);
        self.size = chunk_size(self.chunk).min(self.left);
        self.left -= self.size;
        self.at = 0;
        self.chunk += 1;
        true
    }
}

impl<'a, T> Iterator for AppendIter<'a, T> {
    type Item = &'a T;

    #[inline(always)]
    fn next(&mut self) -> Option<&'a T> {
        if self.at == self.size && !self.turn() {
            return None;
        }
        let at = self.at;
        self.at += 1;
        // SAFETY: `turn` has found `base`, and `at` is below `size`, the number of elements of this chunk below the
        // published length.
        Some(unsafe { read_slot(self.base, at) })
    }
}

impl<T> Clone for AppendReader<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

/// # Safety
/// `base` is an allocated chunk, and its element `offset` has been published.
#[inline(always)]
unsafe fn read_slot<'a, T>(base: *mut Slot<T>, offset: usize) -> &'a T {
    // SAFETY: the caller's promise; chunks live until both halves are gone, and the halves outlive the borrow.
    let slot = unsafe { &*base.add(offset) };
    slot.with(|cell| {
        // SAFETY: a published element is initialised and never written again.
        unsafe { (*cell).assume_init_ref() }
    })
}

fn allocate_chunk<T>(chunk: usize) -> *mut Slot<T> {
    let slots: Box<[Slot<T>]> =
        (0..chunk_size(chunk)).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect();
    Box::into_raw(slots).cast()
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        let len = self.len.load(Ordering::Relaxed);
        let mut start = 0;
        for (chunk, pointer) in self.chunks.iter().enumerate() {
            let base = pointer.load(Ordering::Relaxed);
            if base.is_null() {
                break;
            }
            let slots = std::ptr::slice_from_raw_parts_mut(base, chunk_size(chunk));
            // SAFETY: both halves are gone, so the chunk that `allocate_chunk` leaked is owned here alone.
            let slots = unsafe { Box::from_raw(slots) };
            for slot in slots.iter().take(len.saturating_sub(start)) {
                slot.with_mut(|cell| {
                    // SAFETY: elements below `len` were initialised by `push` and are dropped only here.
                    unsafe { (*cell).assume_init_drop() };
                });
            }
            start += chunk_size(chunk);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn elements_keep_their_order_and_place_across_chunks() {
        let (mut writer, reader) = append_only();
        for i in 0..10_000_usize {
            assert_eq!(writer.push(i), i);
        }
        assert_eq!(reader.len(), 10_000);
        assert!(reader.iter().copied().eq(0..10_000));
        assert_eq!(reader.get(9_999), Some(&9_999));
        assert_eq!(reader.get(10_000), None);
    }

    #[test]
    fn every_element_is_dropped_once() {
        let witness = Rc::new(());
        let (mut writer, reader) = append_only();
        for _ in 0..100 {
            writer.push(Rc::clone(&witness));
        }
        drop(writer);
        assert_eq!(Rc::strong_count(&witness), 101);
        drop(reader);
        assert_eq!(Rc::strong_count(&witness), 1);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::thread;

    /// A reader sees a prefix of what was appended, each element whole.
    #[test]
    fn readers_see_a_prefix() {
        loom::model(|| {
            let (mut writer, reader) = append_only::<usize>();
            let other = reader.clone();
            let seen = thread::spawn(move || other.iter().copied().collect::<Vec<_>>());
            for i in 0..4 {
                writer.push(i * 10);
            }
            let seen = seen.join().expect("the reader ends");
            assert!(seen.iter().copied().eq((0..seen.len()).map(|i| i * 10)));
            assert_eq!(reader.len(), 4);
        });
    }
}
