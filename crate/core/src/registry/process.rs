//! The contributors of one process: the live ones, and the counts of those that have ended. Joining and leaving replace
//! both with one pointer, so a scrape sees a contributor either live or retired, never both or neither.

use super::cardinality::CardinalityConfig;
use super::contributor::Contributor;
use super::remote::{Others, Run};
use super::retired::Retired;
use super::shown::Shown;
use crate::sync::{Arc, Mutex, RwLock};

/// Contributors whose counts add up.
pub struct Process {
    /// Readers hold the lock only to clone the pointer.
    state: RwLock<Arc<Contributors>>,
    /// Held while new contents are made, so that two changes do not start from the same old contents.
    change: Mutex<()>,
    /// Limits for contributors that set none themselves, including those that join later.
    cardinality: Mutex<CardinalityConfig>,
}

/// The contributors at one moment.
pub(crate) struct Contributors {
    pub(crate) live: Vec<Arc<Contributor>>,
    pub(crate) retired: Arc<Retired>,
    /// The other processes of the service, if this one has joined them.
    pub(crate) run: Option<Arc<dyn Run>>,
}

/// The process that new worker threads join, and whether a realm of the main thread has joined it.
#[cfg(not(loom))]
static CURRENT: Mutex<Option<(Arc<Process>, bool)>> = Mutex::new(None);

impl Process {
    /// A process without contributors.
    #[must_use]
    pub fn new() -> Self {
        let state = Contributors { live: Vec::new(), retired: Arc::new(Retired::default()), run: None };
        Self {
            state: RwLock::new(Arc::new(state)),
            change: Mutex::new(()),
            cardinality: Mutex::new(CardinalityConfig::default()),
        }
    }

    /// The process that a realm of the main thread joins. Worker threads that begin from now on join it too. A second
    /// realm of the main thread (a test file in a test runner) begins a process of its own, so that the two never mix.
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

    /// The process that a worker thread joins: that of the main thread's newest realm.
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
        self.publish(Contributors { live, retired: Arc::clone(&old.retired), run: old.run.clone() });
    }

    /// Limits the series of contributors without limits of their own, now and when they join.
    #[cfg(feature = "http")]
    pub(crate) fn limit_series(&self, limits: CardinalityConfig) {
        let _change = self.change.lock();
        for contributor in &self.state().live {
            contributor.registry().cardinality_guard().set_missing(&limits);
        }
        *self.cardinality.lock() = limits;
    }

    /// Takes a contributor out. Its counters and histograms stay in the process's totals; its gauges are dropped. The
    /// contributor must not write any more, and its registry must not be gathered with the process again, because that
    /// would count it twice. A second call changes nothing.
    pub fn leave(&self, contributor: &Arc<Contributor>) {
        let _change = self.change.lock();
        let old = self.state();
        let live: Vec<_> =
            old.live.iter().filter(|other| !Arc::ptr_eq(other, contributor)).cloned().collect();
        if live.len() == old.live.len() {
            return;
        }
        // The run has the counts of a shared contributor: it is read there from now on, as if it were another process. What
        // its file has no room for stays here.
        let journal = contributor.journal();
        let label = old.run.as_ref().map(|run| run.label()).unwrap_or_default();
        let retired = match &journal {
            Some(journal) if !journal.is_lost() => {
                Arc::new(old.retired.fold_unshared(contributor.registry(), label))
            }
            _ => {
                let others = old.run.as_ref().map(|run| run.last());
                let others = others.iter().flat_map(|others| &others.families);
                let mut others = others.flat_map(|family| family.label_sets());
                // The leaving one too: its series and the retired ones were shown as one.
                let shown = Shown::of(&mut old.retired.expired(), &old.live, label, &mut others);
                Arc::new(old.retired.fold(contributor.registry(), label, &shown))
            }
        };
        let last_of = old.run.as_ref().filter(|_| live.is_empty());
        self.publish(Contributors { live, retired, run: old.run.clone() });
        if let Some(journal) = journal {
            journal.end();
        }
        // The library may be unloaded when the last contributor has left.
        last_of.iter().for_each(|run| run.settle());
    }

    /// True if there is at most one contributor and no ended contributor left counts.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        let state = self.state();
        state.live.len() < 2 && state.retired.families.is_empty() && state.run.is_none()
    }

    /// Shows the other processes of a run from now on. `keep` gives the run the counts of contributors that have ended.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub(crate) fn enter_run<E>(
        &self,
        run: Arc<dyn Run>,
        keep: impl FnOnce(&Retired) -> Result<(), E>,
    ) -> Result<(), E> {
        let _change = self.change.lock();
        let old = self.state();
        keep(&old.retired)?;
        self.publish(Contributors { live: old.live.clone(), retired: Arc::default(), run: Some(run) });
        Ok(())
    }

    /// The series of contributors that other processes cannot read: those that have not joined the run, and what ended ones
    /// have left.
    #[cfg(not(loom))]
    pub(crate) fn unshared_series(&self) -> usize {
        let state = self.state();
        let live = state.live.iter().filter(|contributor| contributor.number().is_none());
        let live = live.flat_map(|contributor| contributor.registry().families());
        let ended = state.retired.families.iter().map(|family| family.series.len());
        live.map(|family| family.series_count()).chain(ended).sum()
    }

    /// The number of live processes of the run; `None` without a run.
    #[cfg(feature = "http")]
    pub(crate) fn processes(&self) -> Option<usize> {
        Some(self.state().run.as_ref()?.process_count())
    }

    /// The other processes of the run as the last scrape read them; `None` without a run.
    #[cfg(feature = "http")]
    pub(crate) fn others(&self) -> Option<Arc<Others>> {
        Some(self.state().run.as_ref()?.last())
    }

    /// The contributors of this process and, in a run, the other processes. Each contributor is in one of the two.
    pub(crate) fn state_with_others(&self) -> (Arc<Contributors>, Option<Arc<Others>>) {
        loop {
            let state = self.state();
            let Some(run) = &state.run else { return (state, None) };
            let others = run.read(&state.live);
            // A contributor that has left meanwhile may be among the others too.
            if Arc::ptr_eq(&state, &self.state()) {
                return (state, Some(others));
            }
        }
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
