//! Response bodies, whose memory is used again: a fresh 10 MB buffer costs more in page faults than its encoding.

use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Buffers kept for the next scrapes: JavaScript gives them back when it collects garbage, some scrapes later.
const KEPT: usize = 4;
/// A larger buffer is given back to the system: nobody scrapes 16 MB often enough to keep it.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

static POOL: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Bytes whose buffer goes back to the pool when they are dropped.
#[derive(Debug, Default)]
pub struct Body {
    bytes: Vec<u8>,
    /// Where the bytes are counted while the body lives.
    meter: Option<Arc<Meter>>,
}

/// Counts the bytes of the bodies that are alive: being sent, waited for, or cached.
#[derive(Debug, Default)]
pub(crate) struct Meter(AtomicUsize);

impl Meter {
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Body {
    /// An empty body in a buffer that was used before, if there is one.
    #[must_use]
    pub fn pooled() -> Self {
        Self { bytes: POOL.lock().pop().unwrap_or_default(), meter: None }
    }

    /// Where the body is written.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Counts the bytes, which change no more, until the body is dropped.
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
    fn a_dropped_body_lends_its_memory_and_not_its_bytes() {
        let mut body = Body::pooled();
        body.buffer().extend_from_slice(&[7; 100_000]);
        drop(body);
        let next = Body::pooled();
        assert!(next.as_slice().is_empty());
    }
}
