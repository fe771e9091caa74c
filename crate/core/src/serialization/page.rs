//! Where lines are written: a page at the end of the sink's buffer that is filled with zeros first, so that a line needs
//! one check for room and is then written with plain stores.

use super::number;
use super::streaming::Sink;

/// Bytes of a page. A sink may empty its buffer after each.
const PAGE: usize = 8 * 1024;

/// The end of a sink's buffer, which the page takes until it is finished.
pub(super) struct Page<'s, S> {
    sink: &'s mut S,
    buffer: Vec<u8>,
    /// The end of what is written.
    at: usize,
}

impl<'s, S: Sink> Page<'s, S> {
    pub(super) fn new(sink: &'s mut S) -> Self {
        let buffer = std::mem::take(sink.buffer());
        Self { sink, at: buffer.len(), buffer }
    }

    /// Has `write` write at most `bytes` bytes.
    #[inline(always)]
    pub(super) fn write(&mut self, bytes: usize, write: impl FnOnce(&mut Pen<'_>)) -> Result<(), S::Error> {
        if self.buffer.len() - self.at < bytes {
            self.turn(bytes)?;
        }
        let mut pen = Pen { room: &mut self.buffer[self.at..], at: 0 };
        write(&mut pen);
        self.at += pen.at;
        Ok(())
    }

    /// Begins a page with room for `bytes` bytes.
    #[cold]
    fn turn(&mut self, bytes: usize) -> Result<(), S::Error> {
        self.hand_back();
        self.sink.checkpoint()?;
        self.buffer = std::mem::take(self.sink.buffer());
        self.at = self.buffer.len();
        // `resize` alone does the same. Without optimisation it writes one zero at a time, which the tests would wait for.
        self.buffer.extend_from_slice(&[0; PAGE]);
        if bytes > PAGE {
            self.buffer.resize(self.at + bytes, 0);
        }
        Ok(())
    }

    /// Gives the buffer back to the sink, without the rest of the page.
    pub(super) fn finish(mut self) {
        self.hand_back();
    }

    fn hand_back(&mut self) {
        self.buffer.truncate(self.at);
        *self.sink.buffer() = std::mem::take(&mut self.buffer);
    }
}

/// Writes texts one after the other.
pub(super) struct Pen<'a> {
    room: &'a mut [u8],
    at: usize,
}

impl Pen<'_> {
    /// Writes one byte.
    #[inline(always)]
    pub(super) fn byte(&mut self, byte: u8) {
        self.room[self.at] = byte;
        self.at += 1;
    }

    /// Writes a text.
    #[inline(always)]
    pub(super) fn text(&mut self, text: &[u8]) {
        copy(text, &mut self.room[self.at..][..text.len()]);
        self.at += text.len();
    }

    /// Writes a sample value. There have to be `number::ROOM` bytes.
    #[inline(always)]
    pub(super) fn number(&mut self, value: f64) {
        self.at += number::write(value, &mut self.room[self.at..]);
    }
}

/// Copies a text to a place of the same length. Names and labels mostly have 16 to 128 bytes: two or four blocks that
/// overlap, which takes less time than the call of a function that copies any length.
#[inline(always)]
fn copy(from: &[u8], to: &mut [u8]) {
    match from.len() {
        16..32 => copy_ends::<16>(from, to),
        32..64 => copy_ends::<32>(from, to),
        64..128 => copy_ends::<64>(from, to),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first and the last `N` bytes.
#[inline(always)]
fn copy_ends<const N: usize>(from: &[u8], to: &mut [u8]) {
    if let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>())
        && let Some(place) = to.first_chunk_mut::<N>()
    {
        *place = *first;
        if let Some(place) = to.last_chunk_mut::<N>() {
            *place = *last;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_are_copied_whole() {
        let text: Vec<u8> = (0..300).map(|at| b'a' + (at % 26) as u8).collect();
        let mut out = b"before".to_vec();
        let mut expected = out.clone();
        let mut page = Page::new(&mut out);
        for len in 0..text.len() {
            let Ok(()) = page.write(len + 1, |pen| {
                pen.text(&text[..len]);
                pen.byte(b'\n');
            });
            expected.extend_from_slice(&text[..len]);
            expected.push(b'\n');
        }
        page.finish();
        assert!(out == expected);
    }

    #[test]
    fn a_line_may_be_longer_than_a_page() {
        let text = vec![b'x'; PAGE * 3];
        let mut out = Vec::new();
        let mut page = Page::new(&mut out);
        for _ in 0..2 {
            let Ok(()) = page.write(text.len() + number::ROOM, |pen| {
                pen.text(&text);
                pen.number(1.5);
            });
        }
        page.finish();
        assert!(out == [&text[..], b"1.5", &text, b"1.5"].concat());
    }
}
