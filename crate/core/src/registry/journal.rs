//! Tells other processes of the families of a contributor and their series, in the order of the changes.

use crate::model::Descriptor;
use crate::sync::Arc;
use std::time::Duration;

/// Hears the changes of a contributor's families. Called under the family's lock, so it must not call the family.
pub(crate) trait Journal: Send + Sync {
    /// A new family. Returns the number by which the other calls name it.
    fn family(&self, descriptor: &Descriptor, ttl: Option<Duration>, overflow_slot: u32) -> u32;
    /// A new series.
    fn series(&self, family: u32, series: NewSeries<'_>);
    /// All series of a family that has none yet.
    fn all_series(&self, family: u32, all: &mut dyn Iterator<Item = NewSeries<'_>>);
    /// A series begins anew at this time, in milliseconds since 1970.
    fn began(&self, family: u32, id: u32, start_ms: u64);
    /// Another time to live.
    fn ttl(&self, family: u32, ttl: Option<Duration>);
    /// A series was removed. Its cells are given to another one after this call.
    fn removed(&self, family: u32, id: u32);
    /// All series were removed.
    fn cleared(&self, family: u32);
    /// The family was removed.
    fn gone(&self, family: u32);
    /// True if most of what was told is of series that are gone: then all is told again, without them.
    fn is_wasteful(&self) -> bool;
    /// Begins to be told again, unless it has begun; returns how much it was told since the last call, or `None` if it cannot
    /// begin. Other processes see what was told before until `end_again`. All other calls may come meanwhile.
    fn begin_again(&self) -> Option<usize>;
    /// Is told of a family again, if it does not have it; returns the id of the first series that it wants to be told of
    /// again, or `None` if it has all.
    fn family_again(
        &self,
        family: u32,
        descriptor: &Descriptor,
        ttl: Option<Duration>,
        overflow_slot: u32,
    ) -> Option<u32>;
    /// Is told of a series of that family again.
    fn series_again(&self, family: u32, series: NewSeries<'_>);
    /// Was told of the series with lower ids again; `u32::MAX`: of all.
    fn told_again(&self, family: u32, to: u32);
    /// Has been told of all families again.
    fn end_again(&self);
    /// Is told how many series other contributors of the process have, which other processes cannot read.
    fn tell_elsewhere(&self, series: usize);
    /// True if other processes can read the series.
    fn has(&self, family: u32, id: u32) -> bool;
    /// False if a removal could not be told.
    fn is_complete(&self) -> bool;
    /// The process listens on these ports, and is trying to listen on others.
    fn set_ports(&self, listening: &[u32], tried: &[u32]);
    /// True if other processes cannot find what is told any more.
    fn is_lost(&self) -> bool;
    /// The contributor has ended, and writes no more.
    fn end(&self);
}

/// A series as a journal hears of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewSeries<'a> {
    pub(crate) id: u32,
    /// Where its cells are.
    pub(crate) slot: u32,
    /// When it began, in milliseconds since 1970; 0 if its kind has no start.
    pub(crate) start_ms: u64,
    pub(crate) labels: &'a [u8],
}

/// One family in a journal.
pub(super) struct Entry {
    journal: Arc<dyn Journal>,
    family: u32,
}

impl Entry {
    pub(super) fn new(
        journal: &Arc<dyn Journal>,
        descriptor: &Descriptor,
        ttl: Option<Duration>,
        overflow_slot: u32,
    ) -> Self {
        let family = journal.family(descriptor, ttl, overflow_slot);
        Self { journal: Arc::clone(journal), family }
    }

    pub(super) fn series(&self, series: NewSeries<'_>) {
        self.journal.series(self.family, series);
    }

    pub(super) fn all_series(&self, all: &mut dyn Iterator<Item = NewSeries<'_>>) {
        self.journal.all_series(self.family, all);
    }

    pub(super) fn began(&self, id: u32, start_ms: u64) {
        self.journal.began(self.family, id, start_ms);
    }

    pub(super) fn ttl(&self, ttl: Option<Duration>) {
        self.journal.ttl(self.family, ttl);
    }

    pub(super) fn removed(&self, id: u32) {
        self.journal.removed(self.family, id);
    }

    pub(super) fn cleared(&self) {
        self.journal.cleared(self.family);
    }

    pub(super) fn family_again(
        &self,
        descriptor: &Descriptor,
        ttl: Option<Duration>,
        overflow_slot: u32,
    ) -> Option<u32> {
        self.journal.family_again(self.family, descriptor, ttl, overflow_slot)
    }

    pub(super) fn series_again(&self, series: NewSeries<'_>) {
        self.journal.series_again(self.family, series);
    }

    pub(super) fn told_again(&self, to: u32) {
        self.journal.told_again(self.family, to);
    }

    pub(super) fn is_complete(&self) -> bool {
        self.journal.is_complete()
    }

    pub(super) fn has(&self, id: u32) -> bool {
        self.journal.has(self.family, id)
    }

    /// Removes the family; returns whether all removals could be told.
    pub(super) fn leave(self) -> bool {
        let journal = Arc::clone(&self.journal);
        drop(self);
        journal.is_complete()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.journal.gone(self.family);
    }
}
