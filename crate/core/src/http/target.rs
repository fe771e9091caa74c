//! Owns what is scraped: a registry, the process whose contributors are merged into it, and the counters of faults in
//! showing it. Services of the same registry share one target, so that each of them shows all faults.

use super::body::Body;
use crate::error::Result;
use crate::gather::{Gathered, OverflowCalls, Selection, encode, gather, overflow};
use crate::labels::Escaping;
use crate::metrics::CounterVec;
use crate::registry::{CardinalityConfig, CardinalityLimits, Kind, Process, Registry, Sample, SampleFamily};
use crate::serialization::Format;
use std::collections::TryReserveError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An exposition with more lines is worth a thread of its own; below, handing it over costs more than writing it: 20 to
/// 60 µs.
const INLINE_LINES: usize = 2000;
/// The same for an exposition that is compressed.
const INLINE_LINES_GZIP: usize = 256;

/// A registry with everything that its scrapes show.
pub struct Target {
    registry: Arc<Registry>,
    process: Option<Arc<Process>>,
    faults: Registry,
    collector_errors: CounterVec,
    mismatches: CounterVec,
    /// The metrics of the pushers that send this registry; not made before there is one.
    #[cfg(feature = "push")]
    pushers: std::sync::OnceLock<Registry>,
    /// The size of the last exposition of all families.
    last_bytes: AtomicUsize,
}

impl Target {
    /// A registry. If `process` is given, its other contributors are merged into it.
    ///
    /// # Errors
    /// No argument causes one: only the fixed names of the fault counters are checked.
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
        Ok(Self {
            registry,
            process,
            faults,
            collector_errors,
            mismatches,
            #[cfg(feature = "push")]
            pushers: std::sync::OnceLock::new(),
            last_bytes: AtomicUsize::new(0),
        })
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

    /// Sets the limits of series that are not set yet, in the registry and in the other contributors of the process.
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
        // Cannot fail: there is one value for one label, and the registry is not strict.
        if let Ok(counter) = self.collector_errors.with(&[name]) {
            counter.inc();
        }
    }

    /// Whether making an exposition costs less than passing it to another thread.
    #[must_use]
    pub fn is_small(&self, compressed: bool, own: bool) -> bool {
        let lines = if compressed { INLINE_LINES_GZIP } else { INLINE_LINES };
        let alone = own || self.process.as_ref().is_none_or(|process| process.is_alone());
        alone && self.registry.is_at_most(lines)
    }

    /// Writes what was gathered of the families of these names, or of all if there are no names. The body begins with as
    /// much room as the last exposition took, because a body that grows is copied.
    ///
    /// # Errors
    /// There is no memory for the body.
    pub fn encode(
        &self,
        gathered: &Gathered,
        format: Format,
        names: &[String],
    ) -> std::result::Result<Body, TryReserveError> {
        let all = names.is_empty();
        let mut body = Body::with_room(if all { self.last_bytes.load(Ordering::Relaxed) } else { 0 });
        encode(gathered, format, &mut body)?;
        if all {
            self.last_bytes.store(body.as_slice().len(), Ordering::Relaxed);
        }
        Ok(body)
    }

    /// The family that counts calls with a label set over a limit; `None` if there was no such call. It is made for
    /// each scrape, because the counts are in cells of the limited families.
    fn overflow_family(&self, process: Option<&Process>) -> Option<SampleFamily> {
        const NAME: &str = "llmdevops_metrics_cardinality_overflow_total";
        let calls = overflow(&self.registry, process);
        // An invalid name would be a bug in this crate; then only its own sample is missing.
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

    /// What a scrape says of the run of processes that it shows; nothing without one.
    fn run_families(process: Option<&Process>) -> Vec<SampleFamily> {
        let Some(others) = process.and_then(Process::others) else { return Vec::new() };
        let gauge = |name: &str, help: &str, value: f64| {
            let sample = Sample::new(name, &[], value).ok()?;
            SampleFamily::new(name, help, Kind::Gauge, vec![sample]).ok()
        };
        let families = [
            gauge(
                "llmdevops_metrics_processes",
                "Live processes whose values the exposition has",
                (others.processes + 1) as f64,
            ),
            gauge(
                "llmdevops_metrics_unshared_series",
                "Series of other processes that are missing, because no file has them",
                others.unshared as f64,
            ),
            gauge(
                "llmdevops_metrics_refused_files",
                "Files of other processes that are left out, because they are damaged",
                others.refused as f64,
            ),
        ];
        families.into_iter().flatten().collect()
    }

    /// The registry for the metrics of pushers. From the first call on, scrapes show it.
    #[cfg(feature = "push")]
    pub(crate) fn pusher_metrics(&self) -> &Registry {
        self.pushers.get_or_init(Registry::new)
    }

    /// The metrics of pushers, if a scrape shows what it appends and does not append them already.
    #[cfg(feature = "push")]
    fn pushers(&self, service: Option<&Registry>) -> Option<&Registry> {
        let (service, pushers) = (service?, self.pushers.get()?);
        (!std::ptr::eq(service, pushers)).then_some(pushers)
    }

    #[cfg(not(feature = "push"))]
    #[expect(clippy::unused_self, reason = "it has the signature of the one with pushers")]
    fn pushers(&self, _service: Option<&Registry>) -> Option<&Registry> {
        None
    }

    /// Gathers a scrape and counts the families left out of the merge. If the families of a `service` are given, they
    /// and the fault counters are appended.
    pub(crate) fn gather(
        &self,
        own: bool,
        names: &[String],
        escaping: Escaping,
        service: Option<&Registry>,
    ) -> Gathered {
        let process = self.process.as_deref().filter(|_| !own);
        let appended: Vec<&Registry> = service
            .into_iter()
            .flat_map(|service| [&self.faults, service])
            .chain(self.pushers(service))
            .collect();
        let selection =
            Selection::default().process(process).names(names).appended(&appended).escaping(escaping);
        let mut gathered = gather(&self.registry, &selection);
        if service.is_some() {
            let families = self.overflow_family(process).into_iter().chain(Self::run_families(process));
            families.for_each(|family| gathered.append(family, names));
        }
        for name in gathered.mismatched() {
            if let Ok(counter) = self.mismatches.with(&[name]) {
                counter.inc();
            }
        }
        gathered
    }
}
