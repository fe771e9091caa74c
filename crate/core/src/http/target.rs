//! What is scraped: a registry, the process whose contributors are merged into it, and what went wrong in showing it.
//! Services that show the same registry share one target, so that each tells of all faults.

use crate::error::Result;
use crate::metrics::CounterVec;
use crate::registry::{
    CardinalityConfig, CardinalityLimits, Gathered, Kind, OverflowCalls, Process, Registry, Sample,
    SampleFamily, Selection, gather, overflow,
};
use std::sync::Arc;

/// An exposition with more lines is worth a thread of its own; below, handing it over costs more than writing it.
pub(crate) const INLINE_LINES: usize = 256;

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
            "Scrapes that left out a family of another thread or registry, because its type or its buckets differ",
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

    /// Limits series where nobody has, in the other contributors of the process too.
    pub(crate) fn limit_series(&self, max_series: Option<usize>, max_total: Option<usize>) {
        let missing = CardinalityConfig {
            family: CardinalityLimits { max_series, ..CardinalityLimits::default() },
            max_total,
        };
        self.registry.cardinality_guard().set_missing(&missing);
        if let Some(process) = &self.process {
            process.limit_series(missing);
        }
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

    /// Calls beyond a limit by metric.
    pub(crate) fn overflow(&self, own: bool) -> Vec<(String, f64)> {
        let process = self.process.as_deref().filter(|_| !own);
        overflow(&self.registry, process).into_iter().map(|beyond| (beyond.metric, beyond.calls)).collect()
    }

    /// Calls that had a label set beyond a metric's limits; nothing where there was none. The cells they are counted in are
    /// their families', so this is made anew for each scrape.
    fn overflow_family(&self, process: Option<&Process>) -> Option<SampleFamily> {
        const NAME: &str = "llmdevops_metrics_cardinality_overflow_total";
        let calls = overflow(&self.registry, process);
        // A name that is none would be a fault of ours, and is no reason to show none of them.
        let sample = |calls: &OverflowCalls| {
            Some(Sample::new(NAME, &[], calls.calls).ok()?.with_labels(calls.labels.clone()))
        };
        let samples: Vec<Sample> = calls.iter().filter_map(sample).collect();
        if samples.is_empty() {
            return None;
        }
        SampleFamily::new(NAME, "Calls whose label set was beyond a limit, by metric", Kind::Counter, samples)
            .ok()
    }

    /// Gathers a scrape, where a service is given with the faults and its families behind; counts families left out.
    pub(crate) fn gather(&self, own: bool, names: &[String], service: Option<&Registry>) -> Gathered {
        let process = self.process.as_deref().filter(|_| !own);
        let appended = service.map(|service| [&self.faults, service]);
        let selection =
            Selection { process, names, appended: appended.as_ref().map_or(&[], |appended| appended) };
        let mut gathered = gather(&self.registry, &selection);
        if let (true, Some(family)) = (service.is_some(), self.overflow_family(process)) {
            gathered.append(family, names);
        }
        for name in gathered.mismatched() {
            if let Ok(counter) = self.mismatches.with(&[name]) {
                counter.inc();
            }
        }
        gathered
    }
}
