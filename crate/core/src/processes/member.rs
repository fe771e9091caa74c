//! The file of one contributor of this process: its birth, its log, and the slabs that move into it. Nothing here waits
//! for other processes, and no failure reaches a program that records: what the file has no room for stays in memory.

use super::crash::crash_point;
use super::layout::{self, Header, LOG_START, block_bytes};
use super::record::{Encoder, FRAME, FamilyRecord, Record};
use crate::model::Descriptor;
use crate::registry::{Journal, NewSeries};
use crate::slab::{CELLS_PER_SLAB, FileWords, Slab};
use crate::sync::Mutex;
use hashbrown::HashSet;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, posix_fallocate};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How the files of a run are named, with the identity in 16 hexadecimal digits.
const PREFIX: &str = "process-";
/// Files that are not finished have this behind their names.
const UNFINISHED: &str = ".new";

/// The bytes of the record that names the next block. Each block keeps room for it.
const NEXT_BYTES: u64 = FRAME as u64 + 20;

pub(super) fn file_name(identity: u64) -> String {
    format!("{PREFIX}{identity:016x}")
}

/// The identity of a process's file; `None` for other names.
pub(super) fn identity_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX).filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

/// True for the file of a process that has not finished it.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(UNFINISHED)
}

/// One contributor's file.
pub(super) struct Member {
    pub(super) header: Header,
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    /// Locked while the contributor lives. The lock goes with the process, however it ends.
    file: Option<Flock<File>>,
    /// The first block of the file.
    words: FileWords,
    /// Bytes that the file has room for.
    bytes: u64,
    /// Where the next record goes, and the end of its block.
    at: u64,
    block_end: u64,
    /// By number, whether the log has the family.
    families: Vec<bool>,
    /// By number, whether the file has the slab.
    slabs: Vec<bool>,
    /// Series that the file does not have, by family and id.
    unshared: HashSet<(u32, u32), foldhash::fast::FixedState>,
    /// False if the log misses a removal.
    complete: bool,
}

impl Member {
    /// Makes a file that other processes do not see yet.
    pub(super) fn create(folder: &Path, header: Header) -> io::Result<Self> {
        let path = folder.join(file_name(header.identity));
        // The standard library sets O_CLOEXEC: a child process must not hold the lock.
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(unfinished(&path))?;
        crash_point("file made");
        let begin = || -> io::Result<(Flock<File>, FileWords)> {
            let file = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error)?;
            allocate(&file, 0, block_bytes())?;
            header.write(&file)?;
            // A file system that cannot do this could not take slabs either.
            let words = FileWords::of(&file, block_bytes())?;
            layout::set_log_end(&words, LOG_START);
            Ok((file, words))
        };
        let (file, words) = begin().inspect_err(|_| {
            let _ = std::fs::remove_file(unfinished(&path));
        })?;
        let state = State {
            file: Some(file),
            words,
            bytes: block_bytes(),
            at: LOG_START,
            block_end: block_bytes(),
            families: Vec::new(),
            slabs: Vec::new(),
            unshared: HashSet::default(),
            complete: true,
        };
        Ok(Self { header, path, state: Mutex::new(state) })
    }

    /// Shows the file to other processes. From now on a file of this name is locked until its process ends.
    pub(super) fn publish(&self) -> io::Result<()> {
        crash_point("file unfinished");
        std::fs::rename(unfinished(&self.path), &self.path)?;
        crash_point("file published");
        Ok(())
    }

    /// Moves a slab into the file. On failure it stays in memory.
    pub(super) fn adopt(&self, number: usize, slab: &Slab) {
        let mut state = self.state.lock();
        let moved = state.adopt(number, slab);
        if state.slabs.len() <= number {
            state.slabs.resize(number + 1, false);
        }
        state.slabs[number] = moved.is_ok();
    }
}

fn unfinished(path: &Path) -> PathBuf {
    path.with_extension(&UNFINISHED[1..])
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

impl State {
    /// Takes room for a new block of at least `bytes`; returns its offset.
    fn grow(&mut self, bytes: u64) -> io::Result<(u64, u64)> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let bytes = bytes.next_multiple_of(block_bytes());
        allocate(file, self.bytes, bytes)?;
        crash_point("block taken");
        let offset = self.bytes;
        self.bytes += bytes;
        Ok((offset, bytes))
    }

    fn adopt(&mut self, number: usize, slab: &Slab) -> io::Result<()> {
        let bytes = (slab.len() * size_of::<f64>()) as u64;
        let (offset, _) = self.grow(bytes)?;
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        slab.move_to(file, offset)?;
        crash_point("slab moved");
        let number = u32::try_from(number).map_err(io::Error::other)?;
        let cells = u32::try_from(slab.len()).map_err(io::Error::other)?;
        self.append(&Record::Slab { number, offset, cells })
    }

    /// Appends a record. A reader sees it as a whole or not at all, because the log's end is stored last.
    fn append(&mut self, record: &Record<'_>) -> io::Result<()> {
        let mut encoder = Encoder::default();
        encoder.record(record);
        let bytes = encoder.0.len() as u64;
        if self.at + bytes + NEXT_BYTES > self.block_end {
            let (offset, block) = self.grow(bytes + NEXT_BYTES)?;
            let mut next = Encoder::default();
            next.record(&Record::Next { offset, bytes: block });
            self.write(&next.0, self.at)?;
            crash_point("block named");
            self.at = offset;
            self.block_end = offset + block;
        }
        self.write(&encoder.0, self.at)?;
        crash_point("record written");
        self.at += bytes;
        layout::set_log_end(&self.words, self.at);
        Ok(())
    }

    fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.file.as_ref().ok_or(io::ErrorKind::NotConnected)?.write_all_at(bytes, at)
    }

    /// Says how many series only this process can show.
    fn tell_unshared(&self) {
        layout::set_unshared(&self.words, self.unshared.len() as u64);
    }

    /// Forgets the series of a family, of those that only this process can show.
    fn forget_unshared(&mut self, family: u32) {
        let before = self.unshared.len();
        self.unshared.retain(|(of, _)| *of != family);
        if self.unshared.len() < before {
            self.tell_unshared();
        }
    }
}

impl Journal for Member {
    fn family(&self, descriptor: &Descriptor, ttl: Option<Duration>, overflow_slot: u32) -> u32 {
        let mut state = self.state.lock();
        let number = u32::try_from(state.families.len()).unwrap_or(u32::MAX);
        let descriptor = descriptor.clone();
        let record = FamilyRecord { number, descriptor, ttl, overflow_slot };
        let written = state.append(&Record::Family(Box::new(record))).is_ok();
        state.families.push(written);
        number
    }

    fn series(&self, family: u32, NewSeries { id, slot, start_ms, labels }: NewSeries<'_>) {
        let mut state = self.state.lock();
        let has = |list: &[bool], at: usize| list.get(at).copied().unwrap_or_default();
        let is_readable =
            has(&state.families, family as usize) && has(&state.slabs, slot as usize / CELLS_PER_SLAB);
        if !is_readable || state.append(&Record::Series { family, id, slot, start_ms, labels }).is_err() {
            state.unshared.insert((family, id));
            state.tell_unshared();
        }
    }

    fn began(&self, family: u32, id: u32, start_ms: u64) {
        // Without it, others show the former start.
        let _ = self.state.lock().append(&Record::Began { family, id, start_ms });
    }

    fn ttl(&self, family: u32, ttl: Option<Duration>) {
        // Without it, others use the former one.
        let _ = self.state.lock().append(&Record::Ttl { family, ttl });
    }

    fn removed(&self, family: u32, id: u32) {
        let mut state = self.state.lock();
        let state = &mut *state;
        if state.unshared.remove(&(family, id)) {
            state.tell_unshared();
        } else {
            state.complete &= state.append(&Record::Removed { family, id }).is_ok();
        }
    }

    fn cleared(&self, family: u32) {
        let mut state = self.state.lock();
        state.forget_unshared(family);
        state.complete &= state.append(&Record::Cleared { family }).is_ok();
    }

    fn gone(&self, family: u32) {
        let mut state = self.state.lock();
        state.forget_unshared(family);
        state.complete &= state.append(&Record::Gone { family }).is_ok();
    }

    fn has(&self, family: u32, id: u32) -> bool {
        !self.state.lock().unshared.contains(&(family, id))
    }

    fn is_complete(&self) -> bool {
        self.state.lock().complete
    }

    fn set_ports(&self, listening: &[u16], tried: &[u16]) {
        if let Some(file) = &self.state.lock().file {
            // Without it others see an unknown program on the port.
            let _ = layout::set_ports(file, listening, tried);
        }
    }

    fn is_lost(&self) -> bool {
        let state = self.state.lock();
        let metadata = state.file.as_ref().and_then(|file| file.metadata().ok());
        // The file has no name.
        metadata.is_some_and(|metadata| metadata.nlink() == 0)
    }

    fn end(&self) {
        // Unlocks. The slabs stay mapped for scrapes that read them.
        self.state.lock().file = None;
    }
}

impl Drop for Member {
    /// A file that was never shown is of no use to others.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(unfinished(&self.path));
    }
}
