//! An arena for bytes that are written once and then only read: one writer appends and returns spans, readers resolve
//! spans. A span reaches a reader through an append-only table, whose publication orders the bytes before it.

use super::append::{AppendReader, AppendWriter, append_only};
use crate::sync::Arc;

/// Bytes in the first chunk; chunks double up to `LARGEST`, so that a family of three series stays small.
const FIRST: usize = 256;
const LARGEST: usize = 64 * 1024;

/// The bytes of a chunk. They are reached by raw pointer, because their beginning is read while their end is written.
struct Chunk {
    start: *mut u8,
    size: usize,
}

// SAFETY: a chunk is plain memory without thread affinity. `push` and `get` say which bytes may be written and read.
unsafe impl Send for Chunk {}
// SAFETY: as above.
unsafe impl Sync for Chunk {}

impl Chunk {
    fn new(size: usize) -> Self {
        let bytes = vec![0_u8; size].into_boxed_slice();
        Self { start: Box::into_raw(bytes).cast(), size }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let bytes = std::ptr::slice_from_raw_parts_mut(self.start, self.size);
        // SAFETY: `new` leaked exactly this box, and no half can reach the chunk any more.
        drop(unsafe { Box::from_raw(bytes) });
    }
}

/// A range of bytes in the arena that made it. Fields are `u32` to keep a table entry at 20 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    chunk: u32,
    offset: u32,
    len: u32,
}

/// The half that appends bytes.
pub(crate) struct ArenaWriter {
    chunks: AppendWriter<Arc<Chunk>>,
    current: Option<(Arc<Chunk>, usize)>,
    next_size: usize,
}

/// The half that resolves spans.
#[derive(Clone)]
pub(crate) struct ArenaReader {
    chunks: AppendReader<Arc<Chunk>>,
}

/// Makes an empty arena.
pub(crate) fn byte_arena() -> (ArenaWriter, ArenaReader) {
    let (writer, reader) = append_only();
    (ArenaWriter { chunks: writer, current: None, next_size: FIRST }, ArenaReader { chunks: reader })
}

impl ArenaWriter {
    /// Copies `bytes` into the arena.
    ///
    /// # Panics
    /// For 4 GiB or more at once. No JavaScript string is that long.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Span {
        let len = u32::try_from(bytes.len()).expect("a label set is shorter than 4 GiB");
        let (chunk, used) = match self.current.take() {
            Some((chunk, used)) if chunk.size - used >= bytes.len() => (chunk, used),
            _ => (self.grow(bytes.len()), 0),
        };
        // SAFETY: `used + bytes.len() <= chunk.size`, and bytes from `used` on are in no span yet, so no reader
        // touches them and this is the one writer.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), chunk.start.wrapping_add(used), bytes.len()) };
        self.current = Some((chunk, used + bytes.len()));
        #[expect(clippy::cast_possible_truncation, reason = "chunks number below 2^32, offsets below 4 GiB")]
        Span { chunk: (self.chunks.len() - 1) as u32, offset: used as u32, len }
    }

    fn grow(&mut self, at_least: usize) -> Arc<Chunk> {
        let size = self.next_size.max(at_least);
        self.next_size = (self.next_size * 2).min(LARGEST);
        let chunk = Arc::new(Chunk::new(size));
        self.chunks.push(Arc::clone(&chunk));
        chunk
    }
}

impl Chunk {
    /// The bytes of a span in this chunk. The arena that made the chunk has returned the span.
    #[inline(always)]
    fn get(&self, span: Span) -> &[u8] {
        if span.offset as usize + span.len as usize > self.size {
            return &[];
        }
        let start = self.start.wrapping_add(span.offset as usize).cast_const();
        // SAFETY: the span lies within the chunk (checked), was fully written before the span was handed out, and
        // is never written again. The chunk lives as long as the slice borrows it.
        unsafe { std::slice::from_raw_parts(start, span.len as usize) }
    }
}

impl ArenaReader {
    /// The bytes of a span that this arena's writer returned.
    #[inline]
    pub(crate) fn get(&self, span: Span) -> &[u8] {
        self.chunks.get(span.chunk as usize).map_or(&[], |chunk| chunk.get(span))
    }

    /// A reader for many spans.
    pub(crate) fn cursor(&self) -> ArenaCursor<'_> {
        ArenaCursor { chunks: &self.chunks, current: None }
    }
}

/// Resolves spans. It keeps the chunk of the last one, because the next one is mostly there too.
pub(crate) struct ArenaCursor<'a> {
    chunks: &'a AppendReader<Arc<Chunk>>,
    current: Option<(u32, &'a Chunk)>,
}

impl<'a> ArenaCursor<'a> {
    /// The bytes of a span that this arena's writer returned.
    #[inline(always)]
    pub(crate) fn get(&mut self, span: Span) -> &'a [u8] {
        if let Some((number, chunk)) = self.current
            && number == span.chunk
        {
            return chunk.get(span);
        }
        let Some(chunk) = self.chunks.get(span.chunk as usize) else { return &[] };
        self.current = Some((span.chunk, chunk));
        chunk.get(span)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn spans_resolve_to_what_was_pushed(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..200)) {
            let (mut writer, reader) = byte_arena();
            let spans: Vec<Span> = pieces.iter().map(|piece| writer.push(piece)).collect();
            for (span, piece) in spans.iter().zip(&pieces) {
                prop_assert_eq!(reader.get(*span), &piece[..]);
            }
            let mut cursor = reader.cursor();
            for (span, piece) in spans.iter().zip(&pieces).chain(spans.iter().zip(&pieces).rev()) {
                prop_assert_eq!(cursor.get(*span), &piece[..]);
            }
        }
    }

    #[test]
    fn a_span_larger_than_any_chunk_has_a_chunk_of_its_own() {
        let (mut writer, reader) = byte_arena();
        let large = vec![7_u8; LARGEST * 3];
        let before = writer.push(b"before");
        let span = writer.push(&large);
        let after = writer.push(b"after");
        assert_eq!(reader.get(span), &large[..]);
        assert_eq!((reader.get(before), reader.get(after)), (&b"before"[..], &b"after"[..]));
    }
}
