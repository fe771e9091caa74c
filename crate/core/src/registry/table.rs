//! The series of a family in the order in which they were created: append-only for readers, written by their owner.

use crate::slab::{AppendReader, AppendWriter, ArenaReader, ArenaWriter, Span, append_only, byte_arena};
use crate::sync::{AtomicU32, Ordering};
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
}

/// The half that the owner appends to.
pub(crate) struct TableWriter {
    entries: AppendWriter<Entry>,
    labels: ArenaWriter,
}

/// Makes an empty table.
pub(crate) fn series_table() -> (TableWriter, SeriesTable) {
    let (entries, entry_reader) = append_only();
    let (labels, label_reader) = byte_arena();
    (TableWriter { entries, labels }, SeriesTable { entries: entry_reader, labels: label_reader })
}

/// A series that was not removed when it was read.
#[derive(Clone, Copy)]
pub(crate) struct LiveSeries<'a> {
    pub(crate) id: u32,
    pub(crate) slot: u32,
    pub(crate) labels: &'a [u8],
}

impl TableWriter {
    pub(crate) fn push(&mut self, id: u32, labels: &[u8], slot: u32) {
        let labels = self.labels.push(labels);
        self.entries.push(Entry { labels, slot: AtomicU32::new(slot), id });
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// Bytes of a series in its table, without its rendered labels.
pub(crate) const ENTRY_BYTES: usize = size_of::<Entry>();

impl SeriesTable {
    /// The live series in the order they were created.
    pub(crate) fn live(&self) -> impl Iterator<Item = LiveSeries<'_>> {
        let mut labels = self.labels.cursor();
        self.entries.iter().filter_map(move |entry| {
            // Relaxed: the slot was published with the entry. A scrape that does not see a removal yet counts as begun
            // before it.
            let slot = entry.slot.load(Ordering::Relaxed);
            (slot != REMOVED).then(|| LiveSeries { id: entry.id, slot, labels: labels.get(entry.labels) })
        })
    }

    /// The live series among the entries at these positions, in the order they were created.
    pub(crate) fn live_among(&self, positions: Range<usize>) -> impl Iterator<Item = LiveSeries<'_>> {
        positions.filter_map(move |at| self.live_entry(self.entries.get(at)?))
    }

    /// A live series.
    pub(crate) fn get(&self, id: u32) -> Option<LiveSeries<'_>> {
        self.live_entry(self.entry(id)?)
    }

    fn live_entry(&self, entry: &Entry) -> Option<LiveSeries<'_>> {
        let slot = entry.slot.load(Ordering::Relaxed);
        (slot != REMOVED).then(|| LiveSeries { id: entry.id, slot, labels: self.labels.get(entry.labels) })
    }

    /// Marks a series removed and returns its slot; `None` if it does not exist or was removed before.
    pub(crate) fn remove(&self, id: u32) -> Option<u32> {
        // Relaxed: the lock of the scrape clock orders the removal before the cell's reuse.
        let slot = self.entry(id)?.slot.swap(REMOVED, Ordering::Relaxed);
        (slot != REMOVED).then_some(slot)
    }

    /// Searches by id. Ids ascend.
    fn entry(&self, id: u32) -> Option<&Entry> {
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.entries.get(middle)?.id < id { low = middle + 1 } else { high = middle }
        }
        self.entries.get(low).filter(|entry| entry.id == id)
    }
}
