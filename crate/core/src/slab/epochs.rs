//! The scrape clock: knows which scrapes are running, and so when no scrape can read a freed cell any more. Locked once
//! for each scrape and each removal, never when a value is recorded.

use crate::sync::Mutex;
use std::collections::BTreeSet;

/// Numbers scrapes in the order they begin.
pub(crate) struct Epochs {
    scrapes: Mutex<Scrapes>,
}

struct Scrapes {
    next: u64,
    running: BTreeSet<u64>,
}

impl Epochs {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self { scrapes: Mutex::new(Scrapes { next: 1, running: BTreeSet::new() }) }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self { scrapes: Mutex::new(Scrapes { next: 1, running: BTreeSet::new() }) }
    }

    /// Begins a scrape and returns its number. The scrape does not see series that were removed before this call.
    pub(crate) fn begin(&self) -> u64 {
        let mut scrapes = self.scrapes.lock();
        let epoch = scrapes.next;
        scrapes.next += 1;
        scrapes.running.insert(epoch);
        epoch
    }

    /// Ends the scrape with this number.
    pub(crate) fn end(&self, epoch: u64) {
        self.scrapes.lock().running.remove(&epoch);
    }

    /// The number of the next scrape. Cells that were unpublished before this call may be reused when no scrape with a
    /// smaller number is running.
    pub(crate) fn now(&self) -> u64 {
        self.scrapes.lock().next
    }

    /// True if every scrape that began before `epoch` has ended.
    pub(crate) fn passed(&self, epoch: u64) -> bool {
        self.scrapes.lock().running.first().is_none_or(|oldest| *oldest >= epoch)
    }
}

#[cfg(not(loom))]
pub(crate) static EPOCHS: Epochs = Epochs::new();

#[cfg(loom)]
loom::lazy_static! {
    pub(crate) static ref EPOCHS: Epochs = Epochs::new();
}

/// A running scrape. While it lives, cells that it may read are not given to another series.
pub(crate) struct Scrape {
    epoch: u64,
}

impl Scrape {
    pub(crate) fn begin() -> Self {
        Self { epoch: EPOCHS.begin() }
    }
}

impl Drop for Scrape {
    fn drop(&mut self) {
        EPOCHS.end(self.epoch);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_freed_cell_waits_for_the_scrapes_that_began_before() {
        let epochs = Epochs::new();
        let early = epochs.begin();
        let freed = epochs.now();
        let late = epochs.begin();
        assert!(!epochs.passed(freed));
        epochs.end(early);
        assert!(epochs.passed(freed), "a scrape that began after the removal does not matter");
        epochs.end(late);
        assert!(epochs.passed(freed));
    }
}
