//! The log of a process's file, as the process writes it: records in a chain of blocks. Another log takes its place when most
//! of its records are of series that are gone; the blocks of the old one are used again.

use super::crash::crash_point;
use super::layout::{LOG_START, block_bytes};
use super::record::{Encoder, FRAME, Record};
use nix::errno::Errno;
use nix::fcntl::posix_fallocate;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The bytes of the record that names the next block. Each block keeps room for it.
const NEXT_BYTES: u64 = FRAME as u64 + 20;

/// A part of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) offset: u64,
    bytes: u64,
}

/// The blocks of a file.
#[derive(Default)]
pub(super) struct Blocks {
    /// The bytes that the file has room for.
    bytes: u64,
    /// Blocks of former logs.
    free: Vec<Block>,
}

impl Blocks {
    /// Takes room for a block of at least `bytes`.
    pub(super) fn take(&mut self, file: &File, bytes: u64) -> io::Result<Block> {
        if let Some(at) = self.free.iter().position(|block| block.bytes >= bytes) {
            return Ok(self.free.swap_remove(at));
        }
        let bytes = bytes.next_multiple_of(block_bytes());
        allocate(file, self.bytes, bytes)?;
        crash_point("block taken");
        let offset = self.bytes;
        self.bytes += bytes;
        Ok(Block { offset, bytes })
    }

    /// Gives back the blocks of a log that is not the present one.
    pub(super) fn give_back(&mut self, log: Log) {
        self.free.extend(log.blocks);
    }
}

/// Takes room for a range of a file. A write to a page without room would end the process.
fn allocate(file: &File, offset: u64, bytes: u64) -> io::Result<()> {
    let offset = i64::try_from(offset).map_err(io::Error::other)?;
    let bytes = i64::try_from(bytes).map_err(io::Error::other)?;
    loop {
        match posix_fallocate(file, offset, bytes) {
            Err(Errno::EINTR) => {}
            done => return Ok(done?),
        }
    }
}

/// One log.
pub(super) struct Log {
    pub(super) start: u64,
    /// Where the next record goes, and the end of its block.
    pub(super) at: u64,
    block_end: u64,
    blocks: Vec<Block>,
    /// Records in front of `at` that are not in the file yet, and their number.
    unwritten: Vec<u8>,
    waiting: usize,
    /// How many records could not be written since `take_lost` was called.
    lost: usize,
    /// How many records it has.
    pub(super) records: usize,
}

impl Log {
    /// The log that begins in a file's first block.
    pub(super) fn first(file: &File, blocks: &mut Blocks) -> io::Result<Self> {
        let first = blocks.take(file, block_bytes())?;
        Ok(Self {
            start: LOG_START,
            at: LOG_START,
            block_end: first.bytes,
            blocks: Vec::new(),
            unwritten: Vec::new(),
            waiting: 0,
            lost: 0,
            records: 0,
        })
    }

    /// A log that begins in a block of its own.
    pub(super) fn another(file: &File, blocks: &mut Blocks) -> io::Result<Self> {
        let block = blocks.take(file, block_bytes())?;
        // Readers expect it to be of the usual size; a former one may be larger.
        let (start, block_end) = (block.offset, block.offset + block_bytes());
        let unwritten = Vec::new();
        Ok(Self {
            start,
            at: start,
            block_end,
            blocks: vec![block],
            unwritten,
            waiting: 0,
            lost: 0,
            records: 0,
        })
    }

    /// Appends a record. Readers see it once it is written and they are told of the new end, `self.at`.
    pub(super) fn append(&mut self, file: &File, blocks: &mut Blocks, record: &Record<'_>) -> io::Result<()> {
        let before = self.unwritten.len();
        let mut encoder = Encoder(std::mem::take(&mut self.unwritten));
        encoder.record(record);
        self.unwritten = encoder.0;
        let bytes = (self.unwritten.len() - before) as u64;
        if self.at + bytes + NEXT_BYTES > self.block_end {
            let own = self.unwritten.split_off(before);
            self.begin_block(file, blocks, bytes)?;
            self.unwritten = own;
        }
        self.at += bytes;
        self.waiting += 1;
        self.records += 1;
        Ok(())
    }

    /// Goes on in another block, after it has written all records to the present one.
    fn begin_block(&mut self, file: &File, blocks: &mut Blocks, bytes: u64) -> io::Result<()> {
        let block = blocks.take(file, bytes + NEXT_BYTES)?;
        self.blocks.push(block);
        let mut next = Encoder::default();
        next.record(&Record::Next { offset: block.offset, bytes: block.bytes });
        self.write(file)?;
        file.write_all_at(&next.0, self.at)?;
        crash_point("block named");
        self.at = block.offset;
        self.block_end = block.offset + block.bytes;
        Ok(())
    }

    /// Writes all records to the file.
    pub(super) fn write(&mut self, file: &File) -> io::Result<()> {
        let written = file.write_all_at(&self.unwritten, self.at - self.unwritten.len() as u64);
        let waiting = std::mem::take(&mut self.waiting);
        if written.is_err() {
            // No reader was told of them.
            self.at -= self.unwritten.len() as u64;
            self.records -= waiting;
            self.lost += waiting;
        }
        self.unwritten.clear();
        crash_point("record written");
        written
    }

    /// How many of the last records could not be written. They are not in the log.
    pub(super) fn take_lost(&mut self) -> usize {
        std::mem::take(&mut self.lost)
    }
}
