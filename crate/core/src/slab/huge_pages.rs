//! Asks the system to back large buffers with huge pages: the first write to 2 MiB of memory then causes one page fault,
//! where small pages cause 512.

/// Asks for huge pages for those that lie in the buffer's memory as a whole. A system may ignore this.
#[cfg(target_os = "linux")]
pub(crate) fn ask_for_huge_pages(buffer: &mut Vec<u8>) {
    use nix::sys::mman::{MmapAdvise, madvise};
    use std::ptr::NonNull;

    const PAGE: usize = 2 * 1024 * 1024;
    let start = buffer.as_mut_ptr();
    let before = start.align_offset(PAGE);
    let bytes = buffer.capacity().saturating_sub(before) / PAGE * PAGE;
    if let (Some(first), true) = (NonNull::new(start.wrapping_add(before)), bytes > 0) {
        // SAFETY: the range lies in the memory of the buffer, and the advice leaves its contents as they are.
        let _ = unsafe { madvise(first.cast(), bytes, MmapAdvise::MADV_HUGEPAGE) };
    }
}

/// Other systems decide themselves.
#[cfg(not(target_os = "linux"))]
pub(crate) fn ask_for_huge_pages(_buffer: &mut Vec<u8>) {}
