//! Response bodies. Their buffers are reused: page faults of a new 10 MB buffer cost more than encoding into it.

use crate::serialization::Sink;
use parking_lot::Mutex;
use std::collections::TryReserveError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many buffers the pool keeps. JavaScript returns a buffer at a garbage collection, some scrapes later.
const KEPT: usize = 4;
/// Larger buffers are freed: expositions of more than 16 MB are too rare to keep their memory.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

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
    /// An empty body, with a buffer from the pool if there is one.
    #[must_use]
    pub fn pooled() -> Self {
        Self { bytes: POOL.lock().pop().unwrap_or_default(), meter: None }
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
        if self.bytes.len() < HEADROOM || self.bytes.capacity() - self.bytes.len() >= HEADROOM {
            return Ok(());
        }
        // Twice as much, as `Vec` grows.
        self.bytes.try_reserve(self.bytes.len())
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
        let mut body = Body::pooled();
        body.buffer().extend_from_slice(&[7; 100_000]);
        drop(body);
        let next = Body::pooled();
        assert!(next.as_slice().is_empty());
    }
}
