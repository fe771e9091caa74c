//! Sinks that encoders write to: a buffer that keeps everything, or one that passes its contents on when it is full.

use std::convert::Infallible;
use std::io;

/// Receives an exposition while it is written.
pub trait Sink {
    /// The reason why it could not take more.
    type Error;

    /// The buffer that the encoder appends to.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// Called between series: the sink may empty the buffer.
    ///
    /// # Errors
    /// Ends the encoding; the encoder passes the error on.
    fn checkpoint(&mut self) -> Result<(), Self::Error>;

    /// Called between series that have to stay in the buffer: the sink may enlarge it.
    ///
    /// # Errors
    /// As `checkpoint`.
    #[inline]
    fn make_room(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
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

/// Passes an exposition to a writer in pieces, so that only one piece is in memory.
pub struct Streaming<W> {
    writer: W,
    buffer: Vec<u8>,
    piece: usize,
}

impl<W: io::Write> Streaming<W> {
    /// Writes to `writer` whenever the buffer has at least `piece` bytes.
    pub fn new(writer: W, piece: usize) -> Self {
        Self { writer, buffer: Vec::with_capacity(piece + piece / 4), piece }
    }

    /// Writes the rest and returns the writer.
    ///
    /// # Errors
    /// The writer's error.
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
