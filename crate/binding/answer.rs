//! Answers on their way to JavaScript: status, headers, and a body that stays in native memory until it is asked for.

use crate::buffers::body_buffer;
use napi::bindgen_prelude::BufferSlice;
use napi::{Env, Result};
use napi_derive::napi;
use prometheus_metrics::http::{Body, Response};
use std::sync::Arc;

/// What makes the value of a promise that another thread settles, on JavaScript's own.
pub(crate) type Later<T> = Box<dyn FnOnce(Env) -> Result<T> + Send>;

/// An answer.
#[napi(object, object_from_js = false)]
pub struct Answer {
    /// The status.
    pub status: u32,
    /// Names and values in turn.
    pub headers: Vec<String>,
    /// The body, which may be described without being sent.
    pub body: NativeBody,
    /// Families that a scrape left out of a merge.
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

/// A body that JavaScript reads piece by piece. As one `Buffer` it would be the engine's to account for: 70 MB of
/// external memory make it collect its whole heap at once, for tens of milliseconds.
#[napi]
pub struct NativeBody {
    body: Arc<Body>,
}

#[napi]
impl NativeBody {
    /// Bytes in all.
    #[napi(getter)]
    pub fn length(&self) -> u32 {
        u32::try_from(self.body.as_slice().len()).unwrap_or(u32::MAX)
    }

    /// Copies what lies from `start` on into `piece` and returns how many bytes that were.
    #[napi(catch_unwind)]
    pub fn read(&self, start: u32, mut piece: BufferSlice<'_>) -> u32 {
        let rest = self.body.as_slice().get(start as usize..).unwrap_or_default();
        let count = rest.len().min(piece.len());
        piece[..count].copy_from_slice(&rest[..count]);
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The whole body as a `Buffer`, and gives it away. Only a body that others share is copied.
    #[napi(catch_unwind)]
    pub fn take<'env>(&mut self, env: &'env Env) -> Result<BufferSlice<'env>> {
        match Arc::try_unwrap(std::mem::take(&mut self.body)) {
            Ok(body) => body_buffer(env, body),
            Err(shared) => BufferSlice::copy_from(env, shared.as_slice()),
        }
    }

    /// Gives the memory back without waiting for the garbage collector.
    #[napi(catch_unwind)]
    pub fn release(&mut self) {
        self.body = Arc::default();
    }
}
