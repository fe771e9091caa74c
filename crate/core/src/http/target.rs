//! What is scraped: a registry, the process whose contributors are merged into it, and what went wrong in showing it.
//! Services that show the same registry share one target, so that each tells of all faults.

use crate::error::Result;
use crate::metrics::CounterVec;
use crate::registry::{Gathered, Process, Registry, Selection, gather};
use std::sync::Arc;

/// A registry as it is scraped.
pub struct Target {
    registry: Arc<Registry>,
    process: Option<Arc<Process>>,
    faults: Registry,
    collector_errors: CounterVec,
    mismatches: CounterVec,
}

impl Target {
    /// A registry, merged with the other contributors of `process` where one is given.
    ///
    /// # Errors
    /// None that an input could cause: the names of the faults' families are checked as all names are.
    pub fn new(registry: Arc<Registry>, process: Option<Arc<Process>>) -> Result<Self> {
        let faults = Registry::new();
        let collector_errors = faults.counter_vec(
            "llmdevops_metrics_collector_errors_total",
            "Calls of a collector that failed or took too long",
            &["collector"],
        )?;
        let mismatches = faults.counter_vec(
            "llmdevops_metrics_merge_mismatches_total",
            "Scrapes that left out a family of another thread, because its type or its buckets differ",
            &["metric"],
        )?;
        Ok(Self { registry, process, faults, collector_errors, mismatches })
    }

    /// The registry.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The process whose contributors are merged.
    #[must_use]
    pub fn process(&self) -> Option<&Arc<Process>> {
        self.process.as_ref()
    }

    /// Counts a collector that failed or took too long.
    pub fn collector_failed(&self, name: &str) {
        // One value for one label, and no strictness: it cannot be refused.
        if let Ok(counter) = self.collector_errors.with(&[name]) {
            counter.inc();
        }
    }

    /// Whether an exposition has at most `lines` samples, so that handing it to a thread costs more than writing it.
    #[must_use]
    pub fn is_small(&self, lines: usize, own: bool) -> bool {
        let alone = own || self.process.as_ref().is_none_or(|process| process.is_alone());
        alone && self.registry.is_at_most(lines)
    }

    /// Gathers a scrape, where a service is given with the faults and its families behind; counts families left out.
    pub(crate) fn gather(&self, own: bool, names: &[String], service: Option<&Registry>) -> Gathered {
        let process = self.process.as_deref().filter(|_| !own);
        let appended = service.map(|service| [&self.faults, service]);
        let selection =
            Selection { process, names, appended: appended.as_ref().map_or(&[], |appended| appended) };
        let gathered = gather(&self.registry, &selection);
        for name in gathered.mismatched() {
            if let Ok(counter) = self.mismatches.with(&[name]) {
                counter.inc();
            }
        }
        gathered
    }
}
