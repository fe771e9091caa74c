//! The series of a family in the order in which they were created: append-only for readers, written by their owner.

use crate::slab::{
    AppendIter, AppendReader, AppendWriter, ArenaCursor, ArenaReader, ArenaWriter, Span, append_only,
    byte_arena,
};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use std::ops::Range;

/// The slot of a removed series.
const REMOVED: u32 = u32::MAX;

/// One label set. 20 bytes, because there may be a million of them.
struct Entry {
    labels: Span,
    slot: AtomicU32,
    /// Never reused within a family, ascending within a table, kept by compaction.
    id: u32,
}

/// The half that scrapes read.
#[derive(Clone)]
pub(crate) struct SeriesTable {
    entries: AppendReader<Entry>,
    labels: ArenaReader,
    /// When each series began, by its position. Not in `Entry`, which most scrapes read whole: only some formats show it.
    starts: Option<AppendReader<AtomicU64>>,
}

/// The half that the owner appends to.
pub(crate) struct TableWriter {
    entries: AppendWriter<Entry>,
    labels: ArenaWriter,
    starts: Option<AppendWriter<AtomicU64>>,
}

/// Makes an empty table. `has_starts`: it keeps the time at which each series began.
pub(crate) fn series_table(has_starts: bool) -> (TableWriter, SeriesTable) {
    let (entries, entry_reader) = append_only();
    let (labels, label_reader) = byte_arena();
    let (starts, start_reader) = has_starts.then(append_only).unzip();
    (
        TableWriter { entries, labels, starts },
        SeriesTable { entries: entry_reader, labels: label_reader, starts: start_reader },
    )
}

/// A series that was not removed when it was read.
#[derive(Clone, Copy)]
pub(crate) struct LiveSeries<'a> {
    pub(crate) id: u32,
    pub(crate) slot: u32,
    pub(crate) labels: &'a [u8],
    /// Its position in the table.
    pub(crate) at: usize,
}

/// The live series of a table.
pub(crate) struct Live<'a> {
    entries: AppendIter<'a, Entry>,
    labels: ArenaCursor<'a>,
    at: usize,
}

impl<'a> Iterator for Live<'a> {
    type Item = LiveSeries<'a>;

    // Always: this and what it calls run for each series of a scrape, and the addon's core is compiled for size.
    #[inline(always)]
    fn next(&mut self) -> Option<LiveSeries<'a>> {
        loop {
            let entry = self.entries.next()?;
            let at = self.at;
            self.at += 1;
            // Relaxed: the slot was published with the entry. A scrape that does not see a removal yet counts as begun
            // before it.
            let slot = entry.slot.load(Ordering::Relaxed);
            if slot != REMOVED {
                return Some(LiveSeries { id: entry.id, slot, labels: self.labels.get(entry.labels), at });
            }
        }
    }
}

impl TableWriter {
    /// Adds a series that began at `start_ms`, in milliseconds since 1970.
    pub(crate) fn push(&mut self, id: u32, labels: &[u8], slot: u32, start_ms: u64) {
        let labels = self.labels.push(labels);
        // Before the entry, so that a reader who sees the entry sees its start.
        if let Some(starts) = &mut self.starts {
            starts.push(AtomicU64::new(start_ms));
        }
        self.entries.push(Entry { labels, slot: AtomicU32::new(slot), id });
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// Bytes of a series in its table, without its start and its rendered labels.
pub(crate) const ENTRY_BYTES: usize = size_of::<Entry>();

/// Bytes of the start of a series.
pub(crate) const START_BYTES: usize = size_of::<AtomicU64>();

impl SeriesTable {
    /// The live series in the order they were created.
    pub(crate) fn live(&self) -> Live<'_> {
        Live { entries: self.entries.iter(), labels: self.labels.cursor(), at: 0 }
    }

    /// The live series among the entries at these positions, in the order they were created.
    pub(crate) fn live_among(&self, positions: Range<usize>) -> impl Iterator<Item = LiveSeries<'_>> {
        positions.filter_map(move |at| self.live_entry(at, self.entries.get(at)?))
    }

    /// The live series with this id and higher ones, in the order they were created.
    pub(crate) fn live_from(&self, id: u32) -> impl Iterator<Item = LiveSeries<'_>> {
        self.live_among(self.position(id)..self.entries.len())
    }

    /// A live series.
    pub(crate) fn get(&self, id: u32) -> Option<LiveSeries<'_>> {
        let (at, entry) = self.entry(id)?;
        self.live_entry(at, entry)
    }

    fn live_entry(&self, at: usize, entry: &Entry) -> Option<LiveSeries<'_>> {
        let slot = entry.slot.load(Ordering::Relaxed);
        (slot != REMOVED).then(|| LiveSeries {
            id: entry.id,
            slot,
            labels: self.labels.get(entry.labels),
            at,
        })
    }

    /// When the series at this position began, in milliseconds since 1970; `None` if the table does not keep it.
    pub(crate) fn start_ms(&self, at: usize) -> Option<u64> {
        // Relaxed: nothing else is read with it.
        self.starts.as_ref()?.get(at).map(|start| start.load(Ordering::Relaxed))
    }

    /// Has a series begin anew.
    pub(crate) fn set_start(&self, id: u32, start_ms: u64) {
        if let (Some(starts), Some((at, _))) = (&self.starts, self.entry(id))
            && let Some(start) = starts.get(at)
        {
            start.store(start_ms, Ordering::Relaxed);
        }
    }

    /// Marks a series removed and returns its slot; `None` if it does not exist or was removed before.
    pub(crate) fn remove(&self, id: u32) -> Option<u32> {
        // Relaxed: the lock of the scrape clock orders the removal before the cell's reuse.
        let slot = self.entry(id)?.1.slot.swap(REMOVED, Ordering::Relaxed);
        (slot != REMOVED).then_some(slot)
    }

    /// Searches by id; returns its position too.
    fn entry(&self, id: u32) -> Option<(usize, &Entry)> {
        let at = self.position(id);
        self.entries.get(at).filter(|entry| entry.id == id).map(|entry| (at, entry))
    }

    /// The first position with this id or a higher one. Ids ascend.
    fn position(&self, id: u32) -> usize {
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = low.midpoint(high);
            let is_lower = self.entries.get(middle).is_some_and(|entry| entry.id < id);
            if is_lower { low = middle + 1 } else { high = middle }
        }
        low
    }
}
