//! The beginning of a process's file: who writes it, and how far its log goes. The file consists of blocks; the first one
//! has the header, the state and the beginning of the log.

use super::record::{Decoder, Encoder, checksum};
use crate::labels::render;
use crate::slab::FileWords;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The format's name and version. A change of the format needs another one.
const MAGIC: u64 = u64::from_le_bytes(*b"llmmtrx1");
/// The header's room.
const HEADER_BYTES: usize = 512;
/// Where the number of the present log is written: 0 for the first one. Another one replaces it when most of its records
/// are of series that are gone.
const GENERATION: u64 = 512;
/// Where it is written where the present log begins and ends, and the same of the one before or after it. The end is stored
/// after the record that it includes.
const LOGS: [u64; 2] = [520, 536];
/// How often these are read again while they change.
const LOG_READS: usize = 8;
/// Where the number of series without cells in the file is written.
const UNSHARED: u64 = 552;
/// Where the ports are written that the process listens on, or is trying to.
const PORTS: u64 = 560;
/// Ports that a file has room for.
const PORTS_MAX: usize = 32;
/// Added to a port that the process is only trying.
const TRIED: u64 = 1 << 16;
/// The first record of the first log.
pub(super) const LOG_START: u64 = 1024;

/// Blocks have this many bytes, or a multiple: a slab's 32 KiB, or a page where pages are larger.
pub(super) fn block_bytes() -> u64 {
    procfs::page_size().max(32 * 1024)
}

/// What a process says of itself once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    /// A random number: process numbers are used again.
    pub(super) identity: u64,
    pub(super) pid: u32,
    /// When the process started, in ticks since the system's start.
    pub(super) started: u64,
    /// The time of day at which the contributor began, in nanoseconds.
    pub(super) began: u64,
    /// The size of blocks in this file.
    pub(super) block: u64,
    /// The value of its label `worker`; empty without one.
    pub(super) worker: String,
}

impl Header {
    /// The rendered label of its series; empty without one.
    pub(super) fn label(&self) -> Vec<u8> {
        let mut label = Vec::new();
        if !self.worker.is_empty() {
            render([("worker", self.worker.as_str())], &mut label);
        }
        label
    }

    pub(super) fn write(&self, file: &File) -> io::Result<()> {
        let mut payload = Encoder::default();
        payload.u64(self.identity);
        payload.u32(self.pid);
        payload.u64(self.started);
        payload.u64(self.began);
        payload.u64(self.block);
        payload.bytes(self.worker.as_bytes());
        let mut header = Encoder::default();
        header.u64(MAGIC);
        header.u32(checksum(&payload.0));
        header.bytes(&payload.0);
        if header.0.len() > HEADER_BYTES {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        file.write_all_at(&header.0, 0)
    }

    /// Reads a header; `None` if it is damaged, or of another format.
    pub(super) fn read(file: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER_BYTES];
        match file.read_exact_at(&mut bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        Ok(Self::parse(&bytes))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut header = Decoder(bytes);
        let magic = header.u64()?;
        let sum = header.u32()?;
        let mut payload = Decoder(header.bytes()?);
        if magic != MAGIC || checksum(payload.0) != sum {
            return None;
        }
        let (identity, pid) = (payload.u64()?, payload.u32()?);
        let (started, began, block) = (payload.u64()?, payload.u64()?, payload.u64()?);
        let is_block = (4096..=1 << 30).contains(&block) && block.is_power_of_two();
        let worker = payload.text()?.to_owned();
        is_block.then_some(Self { identity, pid, started, began, block, worker })
    }
}

fn read_state(file: &File, at: u64) -> io::Result<u64> {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, at)?;
    Ok(u64::from_le_bytes(bytes))
}

/// A log of a file: its number, its first record, and the offset behind the last one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LogRange {
    pub(super) generation: u64,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// The present log.
pub(super) fn log_range(file: &File) -> io::Result<LogRange> {
    let read = || -> io::Result<LogRange> {
        let mut bytes = [0; (UNSHARED - GENERATION) as usize];
        file.read_exact_at(&mut bytes, GENERATION)?;
        let (words, _) = bytes.as_chunks::<8>();
        let word = |at: u64| u64::from_le_bytes(words[((at - GENERATION) / 8) as usize]);
        let generation = word(GENERATION);
        let at = place_of(generation);
        Ok(LogRange { generation, start: word(at), end: word(at + 8) })
    };
    // The process stores each word in one step, but this may not read it in one.
    let mut range = read()?;
    for _ in 0..LOG_READS {
        let again = read()?;
        if again == range {
            break;
        }
        range = again;
    }
    Ok(range)
}

fn place_of(generation: u64) -> u64 {
    LOGS[(generation % 2) as usize]
}

/// The number of the present log.
pub(super) fn generation(file: &File) -> io::Result<u64> {
    read_state(file, GENERATION)
}

/// Stores the end of the present log after the bytes that it includes.
pub(super) fn set_log_end(words: &FileWords, generation: u64, end: u64) {
    words.store(place_of(generation) + 8, end.to_le());
}

/// Makes a log the present one. The one before it stays described until the next call.
pub(super) fn set_log(words: &FileWords, LogRange { generation, start, end }: LogRange) {
    words.store(place_of(generation), start.to_le());
    words.store(place_of(generation) + 8, end.to_le());
    words.store(GENERATION, generation.to_le());
}

/// The number of series whose cells other processes cannot see.
pub(super) fn unshared(file: &File) -> io::Result<u64> {
    read_state(file, UNSHARED)
}

pub(super) fn set_unshared(words: &FileWords, series: u64) {
    words.store(UNSHARED, series.to_le());
}

/// Whether the process listens on this port: `Some(false)` while it is trying to.
pub(super) fn port_use(file: &File, port: u32) -> io::Result<Option<bool>> {
    let mut bytes = [0; PORTS_MAX * 8];
    file.read_exact_at(&mut bytes, PORTS)?;
    let (words, _) = bytes.as_chunks::<8>();
    let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
    let port = u64::from(port);
    Ok(words.find(|word| word % TRIED == port && *word > 0).map(|word| word == port))
}

/// Replaces the ports. Those over `PORTS_MAX` are left out: other processes take them for a foreign program's.
pub(super) fn set_ports(file: &File, listening: &[u32], tried: &[u32]) -> io::Result<()> {
    let listening = listening.iter().map(|port| u64::from(*port));
    let words = listening.chain(tried.iter().map(|port| TRIED + u64::from(*port)));
    let mut bytes: Vec<u8> = words.take(PORTS_MAX).flat_map(u64::to_le_bytes).collect();
    bytes.resize(PORTS_MAX * 8, 0);
    file.write_all_at(&bytes, PORTS)
}
