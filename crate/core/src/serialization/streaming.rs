//! Where encoders write: a buffer that keeps everything, or one that is handed on whenever it has filled up.

use std::convert::Infallible;
use std::io;

/// Takes an exposition as it is made.
pub trait Sink {
    /// Why it could not take more.
    type Error;

    /// Where the encoder appends.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// Called between series: the sink may empty the buffer.
    ///
    /// # Errors
    /// Ends the encoding; the encoder passes the error on.
    fn checkpoint(&mut self) -> Result<(), Self::Error>;
}

impl Sink for Vec<u8> {
    type Error = Infallible;

    #[inline]
    fn buffer(&mut self) -> &mut Vec<u8> {
        self
    }

    #[inline]
    fn checkpoint(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Hands an exposition to a writer in pieces, so that no more than a piece is in memory.
pub struct Streaming<W> {
    writer: W,
    buffer: Vec<u8>,
    piece: usize,
}

impl<W: io::Write> Streaming<W> {
    /// Writes to `writer` whenever `piece` bytes have come together.
    pub fn new(writer: W, piece: usize) -> Self {
        Self { writer, buffer: Vec::with_capacity(piece + piece / 4), piece }
    }

    /// Hands on what is left and returns the writer.
    ///
    /// # Errors
    /// The writer's.
    pub fn finish(mut self) -> io::Result<W> {
        self.writer.write_all(&self.buffer)?;
        Ok(self.writer)
    }
}

impl<W: io::Write> Sink for Streaming<W> {
    type Error = io::Error;

    #[inline]
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    #[inline]
    fn checkpoint(&mut self) -> io::Result<()> {
        if self.buffer.len() >= self.piece {
            self.writer.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}
