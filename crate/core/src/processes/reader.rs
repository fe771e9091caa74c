//! Reads the file of another process: follows its log, and copies the values of its series. Every length, offset and number
//! in the file is checked, because it may be damaged.

use super::files::{has_ended, open};
use super::layout::{self, Header, LogRange};
use super::record::{Decoder, FRAME, FamilyRecord, Record};
use super::refusal::{Refusal, damaged};
use super::slab_copies::{SlabCopies, SlabPlace, SlabPlaces};
use crate::clock::Clock;
use crate::labels::labels_with;
use crate::registry::{RemoteFamily, RemoteSeries, SeenSeries, fingerprint};
use crate::sync::{Arc, SliceArc};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// The slot of a removed series.
const REMOVED: u32 = u32::MAX;
/// Bytes of the log that are read at once.
const CHUNK: u64 = 1 << 20;
/// How often a log may have another one in its place while it is read.
const LOGS_MAX: usize = 20;
/// The longest record. No label set is as long.
const RECORD_MAX: u64 = 1 << 30;

/// Another process, as this one follows it.
pub(super) struct Reader {
    pub(super) header: Header,
    /// The rendered label of its series; empty without one.
    label: Vec<u8>,
    /// `None` after the last read: the process has ended, and its values will not change.
    file: Option<File>,
    /// The number of the log that is followed; `None` at first.
    generation: Option<u64>,
    /// Where the next record is.
    at: u64,
    /// The end of its block.
    block_end: u64,
    /// The bytes of the log's blocks so far.
    followed: u64,
    slabs: SlabPlaces,
    /// By ascending number. A hash map is more code.
    families: Vec<Followed>,
    /// The numbers of the families in their order, and of those in `now` after a copy.
    order: Vec<u32>,
    copied: Vec<u32>,
    clock: Arc<Clock>,
    /// Native series whose cells were not all found in the file.
    unplaced: u64,
    pub(super) unshared: u64,
    pub(super) now: Vec<Arc<RemoteFamily>>,
}

struct Followed {
    record: FamilyRecord,
    descriptor: Arc<crate::model::Descriptor>,
    series: Arc<Vec<RemoteSeries>>,
    /// When the values have changed, if they expire.
    seen: SeenSeries,
    /// False until the present log has told of it.
    is_told: bool,
}

impl Reader {
    /// Opens the file of a process. `owner` is the user that it must belong to.
    pub(super) fn open(path: &Path, identity: u64, owner: u32, clock: &Arc<Clock>) -> Result<Self, Refusal> {
        let file = open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.uid() != owner {
            return Err(damaged("it is not a file of this user"));
        }
        let header = Header::read(&file)?.ok_or_else(|| damaged("it has no valid header"))?;
        if header.identity != identity {
            return Err(damaged("it is the file of another process"));
        }
        Ok(Self {
            label: header.label(),
            generation: None,
            at: 0,
            block_end: 0,
            followed: 0,
            header,
            file: Some(file),
            slabs: SlabPlaces::default(),
            families: Vec::new(),
            order: Vec::new(),
            copied: Vec::new(),
            clock: Arc::clone(clock),
            unplaced: 0,
            unshared: 0,
            now: Vec::new(),
        })
    }

    /// True once the process has ended and its last values were read.
    pub(super) fn has_ended(&self) -> bool {
        self.file.is_none()
    }

    /// As `read`; again if a file seems damaged that its process may be writing.
    pub(super) fn read_patiently(&mut self) -> Result<(), Refusal> {
        match self.read() {
            Err(Refusal::Damaged(_)) => self.read(),
            read => read,
        }
    }

    /// Reads the log's new records and the values of now.
    pub(super) fn read(&mut self) -> Result<(), Refusal> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let ended = self.read_from(&file);
        if let Ok(true) = ended {
            self.now.retain(|family| !family.descriptor.kind().is_state());
            self.families.clear();
        } else {
            self.file = Some(file);
        }
        ended.map(drop)
    }

    /// Returns whether the process has ended.
    fn read_from(&mut self, file: &File) -> Result<bool, Refusal> {
        // Asked before the values are read: those of an ended process are its last.
        let ended = has_ended(file)?;
        self.follow(file)?;
        self.copy(file)?;
        if self.unplaced > 0 {
            // They may be in a slab that is newer than the part of the log that was followed.
            self.follow(file)?;
            self.copy(file)?;
        }
        // The cells of a series are given to another one only after the log says that it was removed.
        if self.follow(file)? {
            self.drop_removed();
        }
        self.unshared = layout::unshared(file)? + self.unplaced;
        Ok(ended)
    }

    /// Reads new records; returns whether series were removed.
    fn follow(&mut self, file: &File) -> Result<bool, Refusal> {
        let mut is_other = false;
        for _ in 0..LOGS_MAX {
            let range = layout::log_range(file)?;
            if self.generation != Some(range.generation) {
                is_other |= self.generation.is_some();
                self.begin(range);
            }
            let removed = self.follow_to(file, range.end);
            // The process uses the blocks of a log again once another one has taken its place.
            if layout::generation(file)? == range.generation {
                return removed.map(|removed| removed || is_other);
            }
        }
        Err(damaged("its log begins again and again"))
    }

    /// Begins to follow a log. It has all families and series that are there.
    fn begin(&mut self, LogRange { generation, start, .. }: LogRange) {
        self.generation = Some(generation);
        let block = self.header.block;
        self.at = start;
        // The first log begins behind the header, another one at the beginning of a block.
        self.block_end = (start - start % block).saturating_add(block);
        self.followed = block;
        self.slabs.clear();
        self.order.clear();
        for family in &mut self.families {
            family.series = Arc::default();
            family.is_told = false;
        }
    }

    fn follow_to(&mut self, file: &File, end: u64) -> Result<bool, Refusal> {
        let mut removed = false;
        let mut buffer = Vec::new();
        while self.at != end {
            // The last record of a block names the next one, so a record never goes over the end of a block.
            let in_block =
                end.checked_sub(self.at).map_or(u64::MAX, |left| left).min(self.block_end - self.at);
            if in_block < FRAME as u64 {
                return Err(damaged("its log leads nowhere"));
            }
            let record = self.record_bytes(file)?;
            if record > RECORD_MAX {
                return Err(damaged("its log has an invalid record"));
            }
            let wanted = in_block.min(CHUNK.max(record));
            buffer.resize(usize::try_from(wanted).map_err(|_| damaged("its log is too long"))?, 0);
            file.read_exact_at(&mut buffer, self.at)?;
            let mut decoder = Decoder(&buffer);
            let start = self.at;
            while self.at != end {
                let before = decoder.0.len();
                let Some(record) = decoder.record() else {
                    // The chunk may end within a record.
                    if self.at != start && wanted < in_block {
                        break;
                    }
                    return Err(damaged("its log has an invalid record"));
                };
                if let Record::Next { offset, bytes } = record {
                    self.jump(file, offset, bytes)?;
                    break;
                }
                removed |= self.apply(record)?;
                self.at += (before - decoder.0.len()) as u64;
            }
        }
        self.families.retain(|family| family.is_told);
        for family in &mut self.families {
            if removed && family.series.iter().any(|series| series.slot == REMOVED) {
                Arc::make_mut(&mut family.series).retain(|series| series.slot != REMOVED);
            }
        }
        Ok(removed)
    }

    /// The size of the next record.
    fn record_bytes(&self, file: &File) -> io::Result<u64> {
        let mut length = [0; 4];
        file.read_exact_at(&mut length, self.at)?;
        Ok(u64::from(u32::from_le_bytes(length)) + FRAME as u64)
    }

    fn jump(&mut self, file: &File, offset: u64, bytes: u64) -> Result<(), Refusal> {
        let block = self.header.block;
        let end = offset
            .checked_add(bytes)
            .filter(|_| offset >= block && offset.is_multiple_of(block) && bytes >= block);
        self.block_end = end.ok_or_else(|| damaged("its log leads nowhere"))?;
        self.at = offset;
        self.followed = self.followed.saturating_add(bytes);
        // A log in a circle would never end.
        if self.followed > file.metadata()?.len() {
            return Err(damaged("its log is longer than the file"));
        }
        Ok(())
    }

    /// Follows one record; returns whether series were removed.
    fn apply(&mut self, record: Record<'_>) -> Result<bool, Refusal> {
        match record {
            Record::Slab { number, offset, cells } => {
                let place = SlabPlace::new(offset, cells, self.header.block);
                let place = place.ok_or_else(|| damaged("its log has an invalid slab"))?;
                self.slabs.insert(number, place);
            }
            Record::Family(record) => {
                let number = record.number;
                let descriptor = Arc::new(record.descriptor.clone());
                let series = Arc::default();
                match place_of(&self.families, number) {
                    Ok(at) if self.families[at].is_told => {
                        return Err(damaged("its log has a family twice"));
                    }
                    // With what was seen in the former log.
                    Ok(at) => {
                        let known = &mut self.families[at];
                        let seen = std::mem::replace(&mut known.seen, SeenSeries::new());
                        *known = Followed { record: *record, descriptor, series, seen, is_told: true };
                    }
                    Err(at) => {
                        let seen = SeenSeries::new();
                        let family = Followed { record: *record, descriptor, series, seen, is_told: true };
                        self.families.insert(at, family);
                    }
                }
                self.order.push(number);
            }
            Record::Series { family, id, slot, start_ms, labels } => {
                let labels: SliceArc<[u8]> = labels_with(labels, &self.label).into();
                let Some(family) = self.family(family) else { return Ok(false) };
                if family.series.last().is_some_and(|last| last.id >= id) || slot == REMOVED {
                    return Err(damaged("its log has a series twice"));
                }
                let start_ms = Some(start_ms).filter(|start| *start > 0);
                Arc::make_mut(&mut family.series).push(RemoteSeries { id, slot, labels, start_ms });
            }
            Record::Began { family, id, start_ms } => {
                let Some(family) = self.family(family) else { return Ok(false) };
                if let Ok(at) = family.series.binary_search_by_key(&id, |series| series.id) {
                    Arc::make_mut(&mut family.series)[at].start_ms = Some(start_ms);
                }
            }
            Record::Ttl { family, ttl } => {
                if let Some(family) = self.family(family) {
                    family.record.ttl = ttl;
                }
            }
            Record::Removed { family, id } => {
                let Some(family) = self.family(family) else { return Ok(true) };
                if let Ok(at) = family.series.binary_search_by_key(&id, |series| series.id) {
                    Arc::make_mut(&mut family.series)[at].slot = REMOVED;
                }
                return Ok(true);
            }
            Record::Cleared { family } => {
                if let Some(family) = self.family(family) {
                    family.series = Arc::default();
                }
                return Ok(true);
            }
            Record::Gone { family } => {
                if let Ok(at) = place_of(&self.families, family) {
                    self.families.remove(at);
                }
                self.order.retain(|number| *number != family);
                return Ok(true);
            }
            _ => return Err(damaged("its log has a record of another file")),
        }
        Ok(false)
    }

    fn family(&mut self, number: u32) -> Option<&mut Followed> {
        let at = place_of(&self.families, number).ok()?;
        self.families.get_mut(at)
    }

    /// Drops the copied values of series that were removed since.
    fn drop_removed(&mut self) {
        let copies = std::mem::take(&mut self.copied).into_iter().zip(std::mem::take(&mut self.now));
        let left = copies.filter_map(|(number, copy)| {
            let at = place_of(&self.families, number).ok()?;
            Some((number, self.families[at].without_removed(copy)))
        });
        (self.copied, self.now) = left.unzip();
    }

    /// Copies the values of all series.
    fn copy(&mut self, file: &File) -> Result<(), Refusal> {
        let mut slabs = SlabCopies::new(file, &self.slabs);
        let mut now = Vec::with_capacity(self.order.len());
        let mut copied = Vec::with_capacity(self.order.len());
        self.unplaced = 0;
        for number in &self.order {
            let Ok(at) = place_of(&self.families, *number) else { continue };
            let Followed { record, descriptor, series, seen, .. } = &self.families[at];
            let width = descriptor.value_width();
            let mut values = vec![0.0; width * series.len()];
            let mut natives = Vec::new();
            let is_native = descriptor.native_options().is_some();
            // Mostly at the same place as in the copy before.
            let before = || {
                let is_same = |at: &usize| self.copied.get(*at) == Some(number);
                let at = Some(copied.len()).filter(is_same);
                self.now.get(at.or_else(|| self.copied.iter().position(|known| known == number))?)
            };
            for (series, values) in series.iter().zip(values.chunks_exact_mut(width)) {
                if !is_native {
                    slabs.read(series.slot, values)?;
                    continue;
                }
                let native = slabs.read_native(series.slot, values).map(Arc::new);
                // As it was: its total must not go down.
                self.unplaced += u64::from(native.is_none());
                let native = match native.or_else(|| before()?.native_of(series.id, values)) {
                    Some(native) => native,
                    None => {
                        slabs.read(series.slot, values)?;
                        Arc::default()
                    }
                };
                if descriptor.buckets().is_empty() {
                    values[0] = native.count();
                }
                natives.push(native);
            }
            let ids = series.iter().map(|series| series.id);
            let seen_now = ids.zip(values.chunks_exact(width).map(fingerprint));
            let expired =
                record.ttl.map(|ttl| seen.look(self.clock.now(), ttl, seen_now)).unwrap_or_default();
            let mut overflow = [0.0];
            // A slab that the file has no room for is in the memory of the process.
            let _ = slabs.read(record.overflow_slot, &mut overflow);
            let [overflow] = overflow;
            copied.push(*number);
            now.push(Arc::new(RemoteFamily {
                descriptor: Arc::clone(descriptor),
                series: Arc::clone(series),
                values,
                natives,
                ttl: record.ttl,
                expired,
                began: self.header.began,
                overflow,
            }));
        }
        (self.copied, self.now) = (copied, now);
        Ok(())
    }
}

/// Where the family of this number is, or belongs.
fn place_of(families: &[Followed], number: u32) -> Result<usize, usize> {
    families.binary_search_by_key(&number, |family| family.record.number)
}

impl Followed {
    /// A copy without the series that were removed since.
    fn without_removed(&self, copy: Arc<RemoteFamily>) -> Arc<RemoteFamily> {
        if Arc::ptr_eq(&self.series, &copy.series) {
            return copy;
        }
        let width = copy.descriptor.value_width();
        // Both lists are in ascending order.
        let mut left = self.series.iter().map(|series| series.id).peekable();
        let (mut series, mut values, mut natives) = (Vec::new(), Vec::new(), Vec::new());
        for (at, (one, own)) in copy.series.iter().zip(copy.values.chunks_exact(width)).enumerate() {
            while left.next_if(|id| *id < one.id).is_some() {}
            if left.peek() == Some(&one.id) {
                series.push(one.clone());
                values.extend_from_slice(own);
                natives.extend(copy.natives.get(at).map(Arc::clone));
            }
        }
        Arc::new(RemoteFamily {
            descriptor: Arc::clone(&copy.descriptor),
            series: Arc::new(series),
            values,
            natives,
            ttl: copy.ttl,
            expired: copy.expired.clone(),
            began: copy.began,
            overflow: copy.overflow,
        })
    }
}
