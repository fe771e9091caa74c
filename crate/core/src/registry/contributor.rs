//! A contributor: a JavaScript environment, or other code that owns its cells, with its registry.

use super::journal::Journal;
use super::registry::Registry;
use crate::clock::Clock;
use crate::slab::Cells;
use crate::sync::{Arc, Mutex};

/// How many series are told again at once. More would be felt: this is done on a program's event loop.
#[cfg(not(loom))]
const TOLD_AT_ONCE: usize = if cfg!(test) { 3 } else { 2000 };

/// A registry and the memory of its families. Only the contributor's owner writes there.
pub struct Contributor {
    registry: Arc<Registry>,
    cells: Arc<Cells>,
    /// The time of day at which it began, in nanoseconds.
    began: u64,
    /// Its number in a run of processes, and what tells the others of its families.
    shared: Mutex<Option<(u64, Arc<dyn Journal>)>>,
}

impl Contributor {
    /// A contributor with an empty registry.
    #[must_use]
    pub fn new(cells: Cells) -> Self {
        Self::with_clock(cells, Arc::default())
    }

    /// A contributor with an empty registry and this clock.
    #[must_use]
    pub fn with_clock(cells: Cells, clock: Arc<Clock>) -> Self {
        let began = u64::try_from(clock.unix_now().as_nanos()).unwrap_or(u64::MAX);
        let registry = Arc::new(Registry::with_clock(clock));
        Self { registry, cells: Arc::new(cells), began, shared: Mutex::new(None) }
    }

    /// The registry that is merged with those of the other contributors.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The clock of its registry.
    #[must_use]
    pub fn clock(&self) -> &Arc<Clock> {
        self.registry.clock()
    }

    /// The memory of its families.
    #[must_use]
    pub fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    /// The time of day at which it began, in nanoseconds.
    pub(crate) fn began(&self) -> u64 {
        self.began
    }

    /// Its number among the contributors of a run of processes.
    #[cfg(not(loom))]
    pub(crate) fn number(&self) -> Option<u64> {
        self.shared.lock().as_ref().map(|(number, _)| *number)
    }

    /// Lets other processes read its families from now on.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn share(&self, number: u64, journal: Arc<dyn Journal>) {
        *self.shared.lock() = Some((number, Arc::clone(&journal)));
        self.registry.set_journal(journal, &self.cells);
    }

    /// Undoes `share`, where other processes have not seen it.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn unshare(&self) {
        self.cells.adopt_no_slabs();
        self.registry.unset_journal();
        *self.shared.lock() = None;
    }

    /// Has its families told again, if most of what was told is of series that are gone. Takes several calls for many series.
    #[cfg(not(loom))]
    pub(crate) fn compact_journal(&self) {
        let Some(journal) = self.journal() else { return };
        // More than what comes meanwhile: otherwise it would never end where series come and go fast.
        if journal.is_wasteful()
            && let Some(since) = journal.begin_again()
            && !self.registry.tell_again(TOLD_AT_ONCE + since)
        {
            journal.end_again();
        }
    }

    pub(crate) fn journal(&self) -> Option<Arc<dyn Journal>> {
        self.shared.lock().as_ref().map(|(_, journal)| Arc::clone(journal))
    }
}
