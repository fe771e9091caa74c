//! The file of one contributor of this process: its birth, its log, and the slabs that move into it. Nothing here waits
//! for other processes, and no failure reaches a program that records: what the file has no room for stays in memory.

use super::crash::crash_point;
use super::layout::{self, Header, LogRange, block_bytes};
use super::log::{Blocks, Log};
use super::record::{FamilyRecord, Record};
use crate::model::Descriptor;
use crate::registry::{Journal, NewSeries};
use crate::slab::{CELLS_PER_SLAB, FileWords, Slab};
use crate::sync::Mutex;
use hashbrown::HashSet;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How the files of a run are named, with the identity in 16 hexadecimal digits.
const PREFIX: &str = "process-";
/// Files that are not finished have this behind their names.
const UNFINISHED: &str = ".new";

/// A log is replaced if it has this many records more than twice its series.
const WASTED_MAX: usize = if cfg!(test) { 8 } else { 4096 };
/// How long a log is not begun again after the file system had no room for another one.
const NEXT_PAUSE: Duration = Duration::from_secs(60);

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
    blocks: Blocks,
    log: Log,
    generation: u64,
    /// The log that is to replace `log`, while it is being written.
    next: Option<NextLog>,
    /// When another log was given up.
    given_up: Option<Instant>,
    /// By number.
    families: Vec<Told>,
    /// By number, the record that the log has of the slab.
    slabs: Vec<Option<Record<'static>>>,
    /// Series that the file does not have, by family and id.
    unshared: HashSet<(u32, u32), foldhash::fast::FixedState>,
    /// Series of other contributors of the process, which have no file.
    elsewhere: usize,
    /// False if the log misses a removal.
    complete: bool,
}

/// What the log has of a family.
#[derive(Default)]
struct Told {
    family: bool,
    series: usize,
}

/// A log without the series that are gone. It gets one family after the other, and then all that is told of them.
struct NextLog {
    log: Log,
    /// By number, the lowest id of a series that it was not told of yet; `u32::MAX` if it has all.
    families: Vec<Option<u32>>,
    /// How many records the present log had at the last call of `begin_again`.
    present: usize,
}

impl NextLog {
    fn of(&self, family: u32) -> Option<u32> {
        self.families.get(family as usize).copied().flatten()
    }

    fn set(&mut self, family: u32, to: u32) {
        let at = family as usize;
        self.families.resize(self.families.len().max(at + 1), None);
        self.families[at] = Some(to);
    }
}

impl Member {
    /// Makes a file that other processes do not see yet.
    pub(super) fn create(folder: &Path, header: Header) -> io::Result<Self> {
        let path = folder.join(file_name(header.identity));
        // The standard library sets O_CLOEXEC: a child process must not hold the lock.
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(unfinished(&path))?;
        crash_point("file made");
        let begin = || -> io::Result<State> {
            let file = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error)?;
            let mut blocks = Blocks::default();
            let log = Log::first(&file, &mut blocks)?;
            header.write(&file)?;
            // A file system that cannot do this could not take slabs either.
            let words = FileWords::of(&file, block_bytes())?;
            layout::set_log(&words, LogRange { generation: 0, start: log.start, end: log.at });
            Ok(State {
                file: Some(file),
                words,
                blocks,
                log,
                generation: 0,
                next: None,
                given_up: None,
                families: Vec::new(),
                slabs: Vec::new(),
                unshared: HashSet::default(),
                elsewhere: 0,
                complete: true,
            })
        };
        let state = begin().inspect_err(|_| {
            let _ = std::fs::remove_file(unfinished(&path));
        })?;
        Ok(Self { header, path, state: Mutex::new(state) })
    }

    /// Shows the file to other processes. From now on a file of this name is locked until its process ends.
    pub(super) fn publish(&self) -> io::Result<()> {
        crash_point("file unfinished");
        std::fs::rename(unfinished(&self.path), &self.path)?;
        crash_point("file published");
        Ok(())
    }

    /// Takes the file away that `publish` has shown, for a process that does not join after all.
    pub(super) fn withdraw(&self) {
        let _ = std::fs::remove_file(&self.path);
    }

    /// The number of records of the log that is to replace the present one.
    #[cfg(test)]
    pub(super) fn next_records(&self) -> Option<usize> {
        self.state.lock().next.as_ref().map(|next| next.log.records)
    }

    /// Moves a slab into the file. On failure it stays in memory.
    pub(super) fn adopt(&self, number: usize, slab: &Slab) {
        let mut state = self.state.lock();
        let moved = state.adopt(number, slab).ok();
        if moved.is_some() {
            slab.set_shared();
        }
        if state.slabs.len() <= number {
            state.slabs.resize(number + 1, None);
        }
        state.slabs[number] = moved;
    }
}

fn unfinished(path: &Path) -> PathBuf {
    path.with_extension(&UNFINISHED[1..])
}

impl State {
    fn adopt(&mut self, number: usize, slab: &Slab) -> io::Result<Record<'static>> {
        let bytes = (slab.len() * size_of::<f64>()) as u64;
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let offset = self.blocks.take(file, bytes)?.offset;
        slab.move_to(file, offset)?;
        crash_point("slab moved");
        let number = u32::try_from(number).map_err(io::Error::other)?;
        let cells = u32::try_from(slab.len()).map_err(io::Error::other)?;
        let record = Record::Slab { number, offset, cells };
        self.append(&record)?;
        self.append_to_next(&record);
        Ok(record)
    }

    /// Appends a record to the present log. A reader sees it as a whole or not at all, because the log's end is stored last.
    fn append(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.append_later(record)?;
        self.write()
    }

    /// The same, for a record that readers see only after `write`. An error may be about earlier ones too; see `Log::take_lost`.
    fn append_later(&mut self, record: &Record<'_>) -> io::Result<()> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        self.log.append(file, &mut self.blocks, record)
    }

    /// Shows readers what was appended.
    fn write(&mut self) -> io::Result<()> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        self.log.write(file)?;
        layout::set_log_end(&self.words, self.generation, self.log.at);
        Ok(())
    }

    /// Moves the last series of a family that could not be written to those that only this process can show.
    fn keep_lost(&mut self, family: u32, told: &mut Vec<u32>) {
        let lost = self.log.take_lost();
        if lost > 0 {
            let left = told.len().saturating_sub(lost);
            self.unshared.extend(told.drain(left..).map(|id| (family, id)));
            // It may have them.
            self.drop_next();
        }
    }

    /// Appends a record to the next log.
    fn append_to_next(&mut self, record: &Record<'_>) {
        let (Some(next), Some(file)) = (&mut self.next, &self.file) else { return };
        if next.log.append(file, &mut self.blocks, record).is_err() {
            self.drop_next();
        }
    }

    /// Appends a change of a series to the next log, if it has the series; of a family, if it has the family.
    fn change_in_next(&mut self, family: u32, id: Option<u32>, record: &Record<'_>) {
        let to = self.next.as_ref().and_then(|next| next.of(family));
        if to.is_some_and(|to| id.is_none_or(|id| id < to)) {
            self.append_to_next(record);
        }
    }

    /// Gives up the next log; the present one goes on.
    fn drop_next(&mut self) {
        if let Some(next) = self.next.take() {
            self.blocks.give_back(next.log);
            self.given_up = Some(Instant::now());
        }
    }

    /// Appends what must not be missing in either log.
    fn append_removal(&mut self, family: u32, id: Option<u32>, record: &Record<'_>) {
        self.complete &= self.append(record).is_ok();
        self.change_in_next(family, id, record);
    }

    fn told(&mut self, family: u32) -> Option<&mut Told> {
        self.families.get_mut(family as usize).filter(|told| told.family)
    }

    /// True if readers find the cells of this slot.
    fn has_slab_of(&self, slot: u32) -> bool {
        matches!(self.slabs.get(slot as usize / CELLS_PER_SLAB), Some(Some(_)))
    }

    /// Says how many series only this process can show.
    fn tell_unshared(&self) {
        layout::set_unshared(&self.words, (self.unshared.len() + self.elsewhere) as u64);
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

fn family_record(
    number: u32,
    descriptor: &Descriptor,
    ttl: Option<Duration>,
    overflow_slot: u32,
) -> Record<'static> {
    let descriptor = descriptor.clone();
    Record::Family(Box::new(FamilyRecord { number, descriptor, ttl, overflow_slot }))
}

impl Journal for Member {
    fn family(&self, descriptor: &Descriptor, ttl: Option<Duration>, overflow_slot: u32) -> u32 {
        let mut state = self.state.lock();
        let number = u32::try_from(state.families.len()).unwrap_or(u32::MAX);
        let record = family_record(number, descriptor, ttl, overflow_slot);
        let family = state.append(&record).is_ok();
        state.families.push(Told { family, series: 0 });
        if let (true, Some(next)) = (family, &mut state.next) {
            next.set(number, u32::MAX);
            state.append_to_next(&record);
        }
        number
    }

    fn series(&self, family: u32, NewSeries { id, slot, start_ms, labels }: NewSeries<'_>) {
        let mut state = self.state.lock();
        let record = Record::Series { family, id, slot, start_ms, labels };
        if state.told(family).is_none() || !state.has_slab_of(slot) || state.append(&record).is_err() {
            state.unshared.insert((family, id));
            state.tell_unshared();
            return;
        }
        state.told(family).iter_mut().for_each(|told| told.series += 1);
        state.change_in_next(family, Some(id), &record);
    }

    fn all_series(&self, family: u32, all: &mut dyn Iterator<Item = NewSeries<'_>>) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let is_told = state.told(family).is_some();
        state.log.take_lost();
        // The ids of those that are in the log, or wait to be written there.
        let mut told: Vec<u32> = Vec::new();
        for NewSeries { id, slot, start_ms, labels } in all {
            let record = Record::Series { family, id, slot, start_ms, labels };
            if is_told && state.has_slab_of(slot) && state.append_later(&record).is_ok() {
                told.push(id);
                state.change_in_next(family, Some(id), &record);
            } else {
                state.unshared.insert((family, id));
            }
            state.keep_lost(family, &mut told);
        }
        // A failure is in what was lost.
        let _ = state.write();
        state.keep_lost(family, &mut told);
        state.told(family).iter_mut().for_each(|known| known.series += told.len());
        state.tell_unshared();
    }

    fn began(&self, family: u32, id: u32, start_ms: u64) {
        let record = Record::Began { family, id, start_ms };
        let mut state = self.state.lock();
        // Without it, others show the former start.
        let _ = state.append(&record);
        state.change_in_next(family, Some(id), &record);
    }

    fn ttl(&self, family: u32, ttl: Option<Duration>) {
        let record = Record::Ttl { family, ttl };
        let mut state = self.state.lock();
        // Without it, others use the former one.
        let _ = state.append(&record);
        state.change_in_next(family, None, &record);
    }

    fn removed(&self, family: u32, id: u32) {
        let mut state = self.state.lock();
        if state.unshared.remove(&(family, id)) {
            return state.tell_unshared();
        }
        state.told(family).iter_mut().for_each(|told| told.series = told.series.saturating_sub(1));
        state.append_removal(family, Some(id), &Record::Removed { family, id });
    }

    fn cleared(&self, family: u32) {
        let mut state = self.state.lock();
        state.forget_unshared(family);
        state.told(family).iter_mut().for_each(|told| told.series = 0);
        state.append_removal(family, None, &Record::Cleared { family });
    }

    fn gone(&self, family: u32) {
        let mut state = self.state.lock();
        state.forget_unshared(family);
        state.told(family).iter_mut().for_each(|told| **told = Told::default());
        state.append_removal(family, None, &Record::Gone { family });
    }

    fn is_wasteful(&self) -> bool {
        let state = self.state.lock();
        let families = state.families.iter().filter(|told| told.family);
        let needed: usize = state.slabs.len() + families.map(|told| 1 + told.series).sum::<usize>();
        state.file.is_some() && state.log.records > 2 * needed + WASTED_MAX
    }

    fn begin_again(&self) -> Option<usize> {
        let mut state = self.state.lock();
        let state = &mut *state;
        let file = state.file.as_ref()?;
        if state.next.is_none() {
            if state.given_up.is_some_and(|at| at.elapsed() < NEXT_PAUSE) {
                return None;
            }
            let Ok(log) = Log::another(file, &mut state.blocks) else {
                state.given_up = Some(Instant::now());
                return None;
            };
            let present = state.log.records;
            state.next = Some(NextLog { log, families: Vec::new(), present });
            for record in state.slabs.clone().iter().flatten() {
                state.append_to_next(record);
            }
        }
        let present = state.log.records;
        let next = state.next.as_mut()?;
        Some(present.saturating_sub(std::mem::replace(&mut next.present, present)))
    }

    fn family_again(
        &self,
        family: u32,
        descriptor: &Descriptor,
        ttl: Option<Duration>,
        overflow_slot: u32,
    ) -> Option<u32> {
        let mut state = self.state.lock();
        let next = state.next.as_mut()?;
        if let Some(from) = next.of(family) {
            return Some(from).filter(|from| *from < u32::MAX);
        }
        next.set(family, 0);
        if state.told(family).is_some() {
            state.append_to_next(&family_record(family, descriptor, ttl, overflow_slot));
        }
        Some(0)
    }

    fn series_again(&self, family: u32, NewSeries { id, slot, start_ms, labels }: NewSeries<'_>) {
        let mut state = self.state.lock();
        if !state.unshared.contains(&(family, id)) {
            state.append_to_next(&Record::Series { family, id, slot, start_ms, labels });
        }
    }

    fn told_again(&self, family: u32, to: u32) {
        if let Some(next) = &mut self.state.lock().next {
            next.set(family, to);
        }
    }

    fn end_again(&self) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let (Some(mut next), Some(file)) = (state.next.take(), &state.file) else { return };
        if next.log.write(file).is_err() {
            state.given_up = Some(Instant::now());
            return state.blocks.give_back(next.log);
        }
        crash_point("log written");
        state.generation += 1;
        let range = LogRange { generation: state.generation, start: next.log.start, end: next.log.at };
        layout::set_log(&state.words, range);
        crash_point("log replaced");
        let old = std::mem::replace(&mut state.log, next.log);
        state.blocks.give_back(old);
        // It has nothing of what was removed.
        state.complete = true;
    }

    fn tell_elsewhere(&self, series: usize) {
        let mut state = self.state.lock();
        if state.elsewhere != series {
            state.elsewhere = series;
            state.tell_unshared();
        }
    }

    fn has(&self, family: u32, id: u32) -> bool {
        !self.state.lock().unshared.contains(&(family, id))
    }

    fn is_complete(&self) -> bool {
        self.state.lock().complete
    }

    fn set_ports(&self, listening: &[u32], tried: &[u32]) {
        if let Some(file) = &self.state.lock().file {
            // Without it others see an unknown program on the port.
            let _ = layout::set_ports(file, listening, tried);
        }
    }

    fn is_lost(&self) -> bool {
        let state = self.state.lock();
        let Some(Ok(own)) = state.file.as_ref().map(|file| file.metadata()) else { return false };
        match std::fs::symlink_metadata(&self.path) {
            // Another folder may have taken the place of the run's.
            Ok(there) => (there.dev(), there.ino()) != (own.dev(), own.ino()),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
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
