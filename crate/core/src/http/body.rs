//! Response bodies. Their buffers are reused: page faults of a new 10 MB buffer cost more than encoding into it.

use super::workers::EXPOSITIONS;
use crate::serialization::Sink;
use crate::slab::ask_for_huge_pages;
use parking_lot::Mutex;
use std::collections::TryReserveError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many buffers the pool keeps.
const KEPT: usize = 4;
/// Larger buffers are freed: expositions of more than 16 MB are too rare to keep their memory.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// Smaller buffers cause few page faults.
const PREPARED_BYTES: usize = 256 * 1024;

/// What is written at once to a buffer that is prepared.
const PIECE_BYTES: usize = 4096;

/// From this size on, a body is written to huge pages: 80 MB of small ones take 31 ms of page faults, of huge ones 7 ms.
const HUGE_BYTES: usize = 4 * 1024 * 1024;

/// The room that the next series of an exposition has.
const HEADROOM: usize = 64 * 1024;

static POOL: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Bytes whose buffer returns to the pool on drop.
#[derive(Debug, Default)]
pub struct Body {
    bytes: Vec<u8>,
    /// Counts the bytes while the body lives.
    meter: Option<Arc<Meter>>,
}

/// Counts the bytes of all bodies in memory: being sent, waited for, or cached.
#[derive(Debug, Default)]
pub(crate) struct Meter(AtomicUsize);

impl Meter {
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Body {
    /// An empty body for about so many bytes, in a buffer from the pool if one is large enough.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        let mut body = Self { bytes: take_from_pool(bytes), meter: None };
        // Without the memory, the body is written as far as it fits. A body that grows later keeps small pages: the system
        // cannot move memory of which only a part has the advice.
        if bytes >= HEADROOM
            && body.bytes.capacity() == 0
            && body.bytes.try_reserve_exact(with_margin(bytes)).is_ok()
            && bytes >= HUGE_BYTES
        {
            ask_for_huge_pages(&mut body.bytes);
        }
        body
    }

    /// Puts a buffer for a body like this one into the pool, if it has none. For bodies that JavaScript keeps: their memory
    /// comes back with a garbage collection, many scrapes later. A thread of the library prepares the buffer, so that the
    /// next scrape does not wait for its page faults.
    pub fn prepare_next(&self) {
        let bytes = with_margin(self.bytes.len());
        let is_worth_it = (PREPARED_BYTES..=KEPT_BYTES).contains(&bytes);
        if !is_worth_it || POOL.lock().iter().any(|kept| fits(kept, self.bytes.len())) {
            return;
        }
        EXPOSITIONS.submit(Box::new(move || {
            let mut next = Self::default();
            if next.bytes.try_reserve_exact(bytes).is_ok() {
                // Zeros would be left to the system, which would map the pages later. `resize` writes one byte at a time
                // without optimisation, which the tests would wait for.
                while next.bytes.len() < bytes {
                    let room = bytes - next.bytes.len();
                    next.bytes.extend_from_slice(&[b'\n'; PIECE_BYTES][..room.min(PIECE_BYTES)]);
                }
            }
        }));
    }

    /// The buffer to write the body to.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Counts the bytes in `meter` until the body is dropped. They must not change any more.
    pub(crate) fn metered(mut self, meter: &Arc<Meter>) -> Self {
        meter.0.fetch_add(self.bytes.len(), Ordering::Relaxed);
        self.meter = Some(Arc::clone(meter));
        self
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }
}

/// Writing a body fails if there is no memory for it. A body below `HEADROOM` grows by itself, so that small expositions
/// have small buffers; only such a small growth, or one series that is larger than `HEADROOM`, ends the process.
impl Sink for Body {
    type Error = TryReserveError;

    #[inline]
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    #[inline]
    fn checkpoint(&mut self) -> Result<(), TryReserveError> {
        self.make_room()
    }

    #[inline]
    fn make_room(&mut self) -> Result<(), TryReserveError> {
        if self.bytes.len() < HEADROOM || self.bytes.capacity() - self.bytes.len() >= HEADROOM {
            return Ok(());
        }
        // Twice as much, as `Vec` grows.
        self.bytes.try_reserve(self.bytes.len())
    }
}

/// The size of a buffer for an exposition of so many bytes. The next ones may be longer.
const fn with_margin(bytes: usize) -> usize {
    bytes + bytes / 16 + 2 * HEADROOM
}

/// Whether an exposition that is a little longer than so many bytes has room in a buffer. A small one grows by itself.
fn fits(buffer: &Vec<u8>, bytes: usize) -> bool {
    bytes < HEADROOM || buffer.capacity() >= bytes + HEADROOM
}

/// The smallest buffer of the pool that has room for so many bytes. If none has, the largest one is freed: the buffer that
/// is made now will take its place.
fn take_from_pool(bytes: usize) -> Vec<u8> {
    let mut pool = POOL.lock();
    let capacity = |at: &usize| pool[*at].capacity();
    let fitting = (0..pool.len()).filter(|at| fits(&pool[*at], bytes)).min_by_key(capacity);
    let largest = (0..pool.len()).max_by_key(capacity);
    match (fitting, largest) {
        (Some(at), _) => pool.swap_remove(at),
        (None, Some(at)) => {
            pool.swap_remove(at);
            Vec::new()
        }
        (None, None) => Vec::new(),
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), meter: None }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        if let Some(meter) = &self.meter {
            meter.0.fetch_sub(bytes.len(), Ordering::Relaxed);
        }
        if bytes.capacity() == 0 || bytes.capacity() > KEPT_BYTES {
            return;
        }
        bytes.clear();
        let mut pool = POOL.lock();
        if pool.len() < KEPT {
            pool.push(bytes);
        } else if let Some(smallest) = pool.iter_mut().min_by_key(|kept| kept.capacity())
            && smallest.capacity() < bytes.capacity()
        {
            *smallest = bytes;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_room_for_the_next_series() {
        let mut body = Body::default();
        for _ in 0..100 {
            body.checkpoint().expect("there is memory");
            assert!(body.bytes.len() < HEADROOM || body.bytes.capacity() - body.bytes.len() >= HEADROOM);
            body.buffer().extend_from_slice(&[7; 10_000]);
        }
        assert!(body.bytes.capacity() < 4 * body.bytes.len());
    }

    #[test]
    fn a_small_body_has_a_small_buffer() {
        let mut body = Body::default();
        body.checkpoint().expect("there is memory");
        body.buffer().extend_from_slice(&[7; 1000]);
        assert!(body.bytes.capacity() < 4096);
    }

    #[test]
    fn a_reused_buffer_is_empty() {
        let mut body = Body::with_room(0);
        body.buffer().extend_from_slice(&[7; 100_000]);
        drop(body);
        let next = Body::with_room(100_000);
        assert!(next.as_slice().is_empty() && next.bytes.capacity() >= 100_000);
    }

    #[test]
    fn a_large_body_has_room_for_what_was_expected() {
        let mut body = Body::with_room(HUGE_BYTES * 3);
        assert!(body.as_slice().is_empty());
        body.buffer().extend_from_slice(&[7; HUGE_BYTES]);
        let start = body.as_slice().as_ptr();
        for _ in 0..16 {
            body.checkpoint().expect("there is memory");
            body.buffer().extend_from_slice(&[8; HUGE_BYTES / 8]);
        }
        assert!(body.as_slice()[..HUGE_BYTES].iter().all(|byte| *byte == 7));
        assert!(body.as_slice()[HUGE_BYTES..].iter().all(|byte| *byte == 8));
        assert_eq!(body.as_slice().as_ptr(), start, "it did not move");
    }

    #[test]
    fn a_body_that_is_kept_has_a_successor() {
        // Larger than the bodies of other tests, which use the same pool.
        const BYTES: usize = KEPT_BYTES / 8 * 7;
        let mut kept = Body::with_room(BYTES);
        kept.buffer().resize(BYTES, 7);
        for _ in 0..1000 {
            kept.prepare_next();
            if POOL.lock().iter().any(|next| next.capacity() >= BYTES) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("no buffer was prepared");
    }
}
