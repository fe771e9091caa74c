//! Converts answers for JavaScript: status, headers, and a body that stays in native memory until it is read.

use crate::buffers::body_buffer;
use napi::bindgen_prelude::BufferSlice;
use napi::{Env, Result};
use napi_derive::napi;
use prometheus_metrics::http::{Body, Response};
use std::sync::Arc;

/// Makes the value of a promise on JavaScript's own thread, after another thread has settled it.
pub(crate) type Later<T> = Box<dyn FnOnce(Env) -> Result<T> + Send>;

/// An answer.
#[napi(object, object_from_js = false)]
pub struct Answer {
    /// The status.
    pub status: u32,
    /// Names and values, alternating.
    pub headers: Vec<String>,
    /// The body. For HEAD requests it is empty, though the headers describe one.
    pub body: NativeBody,
    /// Families that a scrape left out because other contributors have them with another type or other buckets.
    pub mismatched: Vec<String>,
}

impl Answer {
    pub(crate) fn new(response: Response, mismatched: Vec<String>) -> Self {
        let Response { status, headers, body, head_only } = response;
        let headers =
            headers.into_iter().flat_map(|(name, value)| [name.into_owned(), value.into_owned()]).collect();
        let body = if head_only { Arc::default() } else { body };
        Self { status: u32::from(status), headers, body: NativeBody { body }, mismatched }
    }
}

/// A body that JavaScript reads piece by piece. One `Buffer` for all of it would count as the engine's external memory:
/// 70 MB of that make the engine collect its whole heap at once, which takes tens of milliseconds.
#[napi]
pub struct NativeBody {
    body: Arc<Body>,
}

#[napi]
impl NativeBody {
    /// The length in bytes.
    #[napi(getter)]
    pub fn length(&self) -> u32 {
        u32::try_from(self.body.as_slice().len()).unwrap_or(u32::MAX)
    }

    /// Copies bytes from `start` on into `piece` and returns how many it copied.
    #[napi(catch_unwind)]
    pub fn read(&self, start: u32, mut piece: BufferSlice<'_>) -> u32 {
        let rest = self.body.as_slice().get(start as usize..).unwrap_or_default();
        let count = rest.len().min(piece.len());
        piece[..count].copy_from_slice(&rest[..count]);
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Returns the whole body as a `Buffer`; this object is empty afterwards. The body is copied only if it is shared.
    #[napi(catch_unwind)]
    pub fn take<'env>(&mut self, env: &'env Env) -> Result<BufferSlice<'env>> {
        match Arc::try_unwrap(std::mem::take(&mut self.body)) {
            Ok(body) => body_buffer(env, body),
            Err(shared) => BufferSlice::copy_from(env, shared.as_slice()),
        }
    }

    /// Frees the memory without waiting for the garbage collector.
    #[napi(catch_unwind)]
    pub fn release(&mut self) {
        self.body = Arc::default();
    }
}
