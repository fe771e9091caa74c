//! Memory of whole pages: zeroed, or the pages of a file. A file's pages can take the place of zeroed ones while JavaScript
//! holds their addresses.

use crate::sync::AtomicU64;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

/// A mapping that this object owns.
struct Mapping {
    start: NonNull<c_void>,
    bytes: NonZeroUsize,
}

// SAFETY: a mapping is plain memory without thread affinity. It is read and written only through `&AtomicU64`.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this object owns the mapping, and every reference into it borrows its owner.
        let _ = unsafe { munmap(self.start, self.bytes.get()) };
    }
}

/// Pages that are read and written.
pub(super) struct Pages(Mapping);

const WRITABLE: ProtFlags = ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE);

impl Pages {
    /// Zeroed pages of this process; `None` without memory for them.
    pub(super) fn zeroed(bytes: usize) -> Option<Self> {
        let bytes = NonZeroUsize::new(bytes)?;
        // SAFETY: a new mapping, at an address that the system chooses.
        let start = unsafe { mmap_anonymous(None, bytes, WRITABLE, MapFlags::MAP_PRIVATE) }.ok()?;
        Some(Self(Mapping { start, bytes }))
    }

    pub(super) fn first_cell(&self) -> *mut AtomicU64 {
        self.0.start.as_ptr().cast()
    }

    /// Puts the pages of a file in the place of these, at the same addresses. From then on the file has what is written
    /// here. The file must have room for them, because a write to a page without room ends the process.
    pub(super) fn become_file(&self, file: &File, offset: u64) -> io::Result<()> {
        let Mapping { start, bytes } = &self.0;
        let offset = i64::try_from(offset).map_err(io::Error::other)?;
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
        // SAFETY: the new mapping covers exactly the pages that this object owns. The system exchanges them in one step,
        // so an access by another thread finds the old pages or the new ones, and both are plain atomic cells.
        unsafe { mmap(NonZeroUsize::new(start.as_ptr().addr()), *bytes, WRITABLE, flags, file, offset) }?;
        Ok(())
    }
}

/// The first bytes of a file that this process writes in words, each in one step.
pub(crate) struct FileWords(Mapping);

impl FileWords {
    /// Maps the first `bytes` of a file, which must have room for them.
    pub(crate) fn of(file: &File, bytes: u64) -> io::Result<Self> {
        let bytes = usize::try_from(bytes).ok().and_then(NonZeroUsize::new);
        let bytes = bytes.ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a new mapping, at an address that the system chooses, that is accessed only through `&AtomicU64`.
        let start = unsafe { mmap(None, bytes, WRITABLE, MapFlags::MAP_SHARED, file, 0) }?;
        Ok(Self(Mapping { start, bytes }))
    }

    /// Sets the word at an offset; those who read it see all that was written before.
    pub(crate) fn store(&self, offset: u64, value: u64) {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let is_inside = offset.checked_add(size_of::<u64>()).is_some_and(|end| end <= self.0.bytes.get());
        assert!(is_inside && offset.is_multiple_of(size_of::<u64>()), "no word at {offset}");
        // SAFETY: the word lies in the mapping and is aligned, both checked above, and the mapping lives as long as `self`.
        let word = unsafe { &*self.0.start.as_ptr().byte_add(offset).cast::<AtomicU64>() };
        word.store(value, Ordering::Release);
    }
}
