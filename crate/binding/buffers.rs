//! Memory that both languages use: slabs as `ArrayBuffer`s, response bodies as `Buffer`s. All `unsafe` code of the
//! binding is here.

use napi::bindgen_prelude::{BufferSlice, FromNapiValue, sys};
use napi::{Env, Error, JsString, Result, Status};
use prometheus_metrics::http::Body;
use prometheus_metrics::slab::{Cells, Slab};
use std::ffi::{c_char, c_void};
use std::sync::{Arc, LazyLock, Mutex};

/// True if native code may lend this engine memory. Electron and other engines with a memory cage do not allow it.
pub(crate) fn engine_takes_external_memory(env: Env) -> bool {
    let probe = Arc::new(Slab::on_heap(1));
    external_array_buffer(env, &probe).is_ok()
}

/// A slab as an `ArrayBuffer` that keeps the slab alive until it is collected.
pub(crate) fn external_array_buffer(env: Env, slab: &Arc<Slab>) -> Result<sys::napi_value> {
    let mut buffer = std::ptr::null_mut();
    let owner = Arc::into_raw(Arc::clone(slab)).cast_mut().cast::<c_void>();
    // SAFETY: the cells live as long as the slab, and the buffer holds a reference to it until `release_slab` runs.
    // Heap slabs are never detached, so the pointer stays valid. JavaScript writes only cells of this contributor, on
    // this thread; the core's slab module says why its stores are sound.
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
    // SAFETY: the call failed, so the finalizer will not run and this function still owns the reference.
    drop(unsafe { Arc::from_raw(owner.cast::<Slab>()) });
    Err(Error::new(Status::from(status), "this engine takes no external memory"))
}

extern "C" fn release_slab(_env: sys::napi_env, _cells: *mut c_void, owner: *mut c_void) {
    // SAFETY: `owner` came from `Arc::into_raw` in `external_array_buffer`, and a finalizer runs once.
    drop(unsafe { Arc::from_raw(owner.cast::<Slab>()) });
}

/// Slabs that the engine allocated because it accepts no memory of ours. Strong references keep their buffers until the
/// environment ends; before that, `detach` moves the cells to the heap.
pub(crate) struct EngineSlabs {
    env: sys::napi_env,
    references: Mutex<Vec<sys::napi_ref>>,
}

// SAFETY: only `allocate` and `array_buffer` use the environment. They are called only by methods that JavaScript
// calls, on the environment's own thread.
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
            // The engine is out of memory: the series get heap cells, which JavaScript cannot write.
            self.remember(std::ptr::null_mut());
            return Slab::on_heap(cells);
        }
        // SAFETY: as above; the reference is strong, so the memory stays until the environment ends.
        unsafe { sys::napi_create_reference(self.env, buffer, 1, &mut reference) };
        self.remember(reference);
        // SAFETY: the engine zeroes a new buffer, aligns it to at least 8 bytes, and keeps it while it is referenced;
        // the contributor's cleanup hook detaches the slab before the environment ends.
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

/// A response body that is not shared, as a `Buffer`, without a copy. Its memory goes back to the pool when it is
/// collected.
pub(crate) fn body_buffer<'env>(env: &'env Env, mut body: Body) -> Result<BufferSlice<'env>> {
    let bytes = body.buffer();
    if bytes.is_empty() {
        return BufferSlice::copy_from(env, []);
    }
    let (start, len) = (bytes.as_mut_ptr(), bytes.len());
    body.prepare_next();
    // SAFETY: the bytes are the heap block of `body`, which moves into the finalizer and lives until it runs.
    unsafe { BufferSlice::from_external(env, start, len, body, |_env, body| drop(body)) }
}

/// Strings of at least this many bytes are lent to the engine: copying 10 MB takes 8 ms of the event loop.
const LENT_STRING_BYTES: usize = 64 * 1024;

/// An ASCII body as a string: lent if it is long enough and the engine allows it, copied otherwise.
pub(crate) fn ascii_string<'env>(env: &'env Env, body: Body) -> Result<JsString<'env>> {
    let lend = if body.as_slice().len() < LENT_STRING_BYTES { None } else { *CREATE_EXTERNAL_STRING };
    let Some(create) = lend else { return env.create_string_latin1(body.as_slice()) };
    body.prepare_next();
    let body = Box::new(body);
    let (start, len) = (body.as_slice().as_ptr().cast(), body.as_slice().len());
    let hint = Box::into_raw(body).cast::<c_void>();
    let (mut string, mut copied) = (std::ptr::null_mut(), false);
    // SAFETY: the bytes live in the box until `release_body` takes it back, which Node.js calls once: when the string
    // is collected, or at once if it copied the bytes. Strings are immutable, so the bytes are not written meanwhile.
    let status = unsafe { create(env.raw(), start, len, Some(release_body), hint, &mut string, &mut copied) };
    if status != sys::Status::napi_ok {
        // SAFETY: the call failed, so the finalizer will not run and this function still owns the box.
        let body = unsafe { Box::from_raw(hint.cast::<Body>()) };
        return env.create_string_latin1(body.as_slice());
    }
    // SAFETY: the call succeeded, so `string` is a string of this environment.
    unsafe { JsString::from_napi_value(env.raw(), string) }
}

extern "C" fn release_body(_env: sys::napi_env, _bytes: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` came from `Box::into_raw` in `ascii_string`, and a finalizer runs once.
    drop(unsafe { Box::from_raw(hint.cast::<Body>()) });
}

type CreateExternalString = unsafe extern "C" fn(
    sys::napi_env,
    *const c_char,
    usize,
    sys::napi_finalize,
    *mut c_void,
    *mut sys::napi_value,
    *mut bool,
) -> sys::napi_status;

/// Stable since Node.js 22.14 and 23.6, present since 20.4, missing in other runtimes: looked up at run time, not
/// linked.
static CREATE_EXTERNAL_STRING: LazyLock<Option<CreateExternalString>> = LazyLock::new(|| {
    #[cfg(unix)]
    let host = libloading::os::unix::Library::this();
    #[cfg(windows)]
    let host = libloading::os::windows::Library::this().ok()?;
    // SAFETY: the name is that of a Node-API function, and the type above is its signature.
    unsafe { host.get::<CreateExternalString>(b"node_api_create_external_string_latin1\0") }
        .ok()
        .map(|symbol| *symbol)
});
