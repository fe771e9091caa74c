//! The contributors of one process: who is live, and what those that ended left behind. Joining and leaving
//! replace the whole state with one pointer, so a scrape sees a contributor live or retired, never both or neither.

use super::cardinality::CardinalityConfig;
use super::contributor::Contributor;
use super::retired::Retired;
use crate::sync::{Arc, Mutex, RwLock};

/// The contributors whose counts add up.
pub struct Process {
    /// Readers hold the lock only to clone the pointer.
    state: RwLock<Arc<Contributors>>,
    /// Held while a new state is made, so that two changes do not start from the same old one.
    change: Mutex<()>,
    /// For contributors that set none themselves, those that join later too.
    cardinality: Mutex<CardinalityConfig>,
}

/// One consistent view of a process.
pub(crate) struct Contributors {
    pub(crate) live: Vec<Arc<Contributor>>,
    pub(crate) retired: Arc<Retired>,
}

/// The process that new worker threads join, and whether a main thread has joined it yet.
#[cfg(not(loom))]
static CURRENT: Mutex<Option<(Arc<Process>, bool)>> = Mutex::new(None);

impl Process {
    /// A process without contributors.
    #[must_use]
    pub fn new() -> Self {
        let state = Contributors { live: Vec::new(), retired: Arc::new(Retired::default()) };
        Self {
            state: RwLock::new(Arc::new(state)),
            change: Mutex::new(()),
            cardinality: Mutex::new(CardinalityConfig::default()),
        }
    }

    /// The process that a realm of the main thread sees. Worker threads that begin from now on are in it. A second
    /// realm of the main thread (a test file in a runner) begins a process of its own, so that the two never mix.
    #[cfg(not(loom))]
    #[must_use]
    pub fn of_main_thread() -> Arc<Self> {
        let mut current = CURRENT.lock();
        match &mut *current {
            Some((process, main @ false)) => {
                *main = true;
                Arc::clone(process)
            }
            _ => {
                let process = Arc::new(Self::new());
                *current = Some((Arc::clone(&process), true));
                process
            }
        }
    }

    /// The process that a worker thread is part of: that of the main thread's newest realm.
    #[cfg(not(loom))]
    #[must_use]
    pub fn of_worker() -> Arc<Self> {
        let mut current = CURRENT.lock();
        Arc::clone(&current.get_or_insert_with(|| (Arc::new(Self::new()), false)).0)
    }

    /// Adds a contributor.
    pub fn join(&self, contributor: Arc<Contributor>) {
        let _change = self.change.lock();
        contributor.registry().cardinality_guard().set_missing(&self.cardinality.lock());
        let old = self.state();
        let mut live = old.live.clone();
        live.push(contributor);
        self.publish(Contributors { live, retired: Arc::clone(&old.retired) });
    }

    /// Limits the series of contributors that do not do so themselves, now and when they join.
    #[cfg(feature = "http")]
    pub(crate) fn limit_series(&self, limits: CardinalityConfig) {
        let _change = self.change.lock();
        for contributor in &self.state().live {
            contributor.registry().cardinality_guard().set_missing(&limits);
        }
        *self.cardinality.lock() = limits;
    }

    /// Takes a contributor out. Its counters and histograms stay in the process's totals, its gauges go.
    /// The contributor writes no more, and its own registry is not gathered with the process again, which would count
    /// it twice. Leaving twice is leaving once.
    pub fn leave(&self, contributor: &Arc<Contributor>) {
        let _change = self.change.lock();
        let old = self.state();
        let live: Vec<_> =
            old.live.iter().filter(|other| !Arc::ptr_eq(other, contributor)).cloned().collect();
        if live.len() == old.live.len() {
            return;
        }
        let retired = old.retired.fold(contributor.registry());
        self.publish(Contributors { live, retired: Arc::new(retired) });
    }

    /// Whether there is one contributor at most, and none has ended with counts.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        let state = self.state();
        state.live.len() < 2 && state.retired.families.is_empty()
    }

    /// The contributors now.
    pub(crate) fn state(&self) -> Arc<Contributors> {
        Arc::clone(&self.state.read())
    }

    fn publish(&self, state: Contributors) {
        *self.state.write() = Arc::new(state);
    }
}

impl Default for Process {
    fn default() -> Self {
        Self::new()
    }
}
