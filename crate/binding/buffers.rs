//! Memory that both languages see: slabs as `ArrayBuffer`s, response bodies as `Buffer`s. The only `unsafe` of the
//! binding.

use napi::bindgen_prelude::{BufferSlice, sys};
use napi::{Env, Error, Result, Status};
use prometheus_metrics::http::Body;
use prometheus_metrics::slab::{Cells, Slab};
use std::ffi::c_void;
use std::sync::{Arc, Mutex};

/// Whether this engine lets native code lend it memory. Electron and others with a memory cage do not.
pub(crate) fn engine_takes_external_memory(env: Env) -> bool {
    let probe = Arc::new(Slab::on_heap(1));
    external_array_buffer(env, &probe).is_ok()
}

/// A slab as an `ArrayBuffer` that keeps the slab alive until it is collected.
pub(crate) fn external_array_buffer(env: Env, slab: &Arc<Slab>) -> Result<sys::napi_value> {
    let mut buffer = std::ptr::null_mut();
    let owner = Arc::into_raw(Arc::clone(slab)).cast_mut().cast::<c_void>();
    // SAFETY: the cells live as long as the slab, of which the buffer holds a reference until `release_slab` runs.
    // Heap slabs are never detached, so the pointer stays the slab's. JavaScript writes cells of this contributor
    // only, on this thread; what its stores rely on is argued in the core's slab module.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env.raw(),
            slab.as_ptr().cast(),
            slab.len() * size_of::<f64>(),
            Some(release_slab),
            owner,
            &mut buffer,
        )
    };
    if status == sys::Status::napi_ok {
        return Ok(buffer);
    }
    // SAFETY: the call failed, so the finalizer will not run and the reference is still ours.
    drop(unsafe { Arc::from_raw(owner.cast::<Slab>()) });
    Err(Error::new(Status::from(status), "this engine takes no external memory"))
}

extern "C" fn release_slab(_env: sys::napi_env, _cells: *mut c_void, owner: *mut c_void) {
    // SAFETY: `owner` came from `Arc::into_raw` in `external_array_buffer`, and a finalizer runs once.
    drop(unsafe { Arc::from_raw(owner.cast::<Slab>()) });
}

/// Slabs that the engine allocated because it takes no memory of ours. Strong references keep their buffers until
/// the environment ends; before that, `detach` moves the cells to the heap.
pub(crate) struct EngineSlabs {
    env: sys::napi_env,
    references: Mutex<Vec<sys::napi_ref>>,
}

// SAFETY: the environment is used by `allocate` and `array_buffer` alone, which only methods that JavaScript calls
// reach, on the environment's own thread.
unsafe impl Send for EngineSlabs {}
// SAFETY: as above.
unsafe impl Sync for EngineSlabs {}

impl EngineSlabs {
    pub(crate) fn new(env: Env) -> Arc<Self> {
        Arc::new(Self { env: env.raw(), references: Mutex::new(Vec::new()) })
    }

    /// Cells in slabs that the engine allocates.
    pub(crate) fn cells(self: &Arc<Self>) -> Cells {
        let slabs = Arc::clone(self);
        Cells::from_source(Box::new(move |cells| slabs.allocate(cells)))
    }

    fn allocate(&self, cells: usize) -> Slab {
        let (mut memory, mut buffer, mut reference) =
            (std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
        let bytes = cells * size_of::<f64>();
        // SAFETY: called on the environment's thread, from a method that JavaScript called.
        let created = unsafe { sys::napi_create_arraybuffer(self.env, bytes, &mut memory, &mut buffer) };
        if created != sys::Status::napi_ok || memory.is_null() {
            // Out of memory in the engine: the values of these series stay where JavaScript cannot write them.
            self.remember(std::ptr::null_mut());
            return Slab::on_heap(cells);
        }
        // SAFETY: as above; the reference is strong, so the memory stays until the environment ends.
        unsafe { sys::napi_create_reference(self.env, buffer, 1, &mut reference) };
        self.remember(reference);
        // SAFETY: the engine zeroes a new buffer, aligns it to 8 bytes at least, and keeps it while it is referenced;
        // the contributor's cleanup hook detaches the slab before the environment goes.
        unsafe { Slab::borrow(memory.cast(), cells) }
    }

    fn remember(&self, reference: sys::napi_ref) {
        self.references.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(reference);
    }

    /// The engine's buffer of the slab with this number.
    pub(crate) fn array_buffer(&self, number: usize) -> Result<sys::napi_value> {
        let references = self.references.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let reference = references.get(number).copied().unwrap_or(std::ptr::null_mut());
        let mut buffer = std::ptr::null_mut();
        if !reference.is_null() {
            // SAFETY: the reference was made in this environment and is never deleted while it lives.
            unsafe { sys::napi_get_reference_value(self.env, reference, &mut buffer) };
        }
        if buffer.is_null() {
            return Err(Error::new(Status::GenericFailure, "the engine has no memory for another slab"));
        }
        Ok(buffer)
    }
}

/// A response body as a `Buffer`, without copying it. Its memory goes back to the pool when it is collected.
pub(crate) fn body_buffer<'env>(env: &'env Env, mut body: Body) -> Result<BufferSlice<'env>> {
    let bytes = body.buffer();
    if bytes.is_empty() {
        return BufferSlice::copy_from(env, []);
    }
    let (start, len) = (bytes.as_mut_ptr(), bytes.len());
    // SAFETY: the bytes are the heap block of `body`, which moves into the finalizer and lives until it runs.
    unsafe { BufferSlice::from_external(env, start, len, body, |_env, body| drop(body)) }
}
