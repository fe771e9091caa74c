//! Collects figures of the process from the operating system, under the names that all Prometheus clients use.

use super::Naming;
use super::snapshot::Snapshot;
use crate::error::Result;
use crate::metrics::Collector;
use crate::registry::{Kind, SampleFamily};

/// One figure of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProcessFigure {
    /// `process_cpu_user_seconds_total`, a counter; Unix.
    CpuUserSeconds,
    /// `process_cpu_system_seconds_total`, a counter; Unix.
    CpuSystemSeconds,
    /// `process_cpu_seconds_total`, a counter: user and system time.
    CpuSeconds,
    /// `process_start_time_seconds` since the epoch.
    StartTimeSeconds,
    /// `process_resident_memory_bytes`.
    ResidentMemoryBytes,
    /// `process_virtual_memory_bytes`.
    VirtualMemoryBytes,
    /// `process_heap_bytes`: data segments, `VmData`; Linux.
    HeapBytes,
    /// `process_open_fds`; on Windows, handles.
    OpenFds,
    /// `process_max_fds`: the soft limit; `+Inf` for no limit.
    MaxFds,
    /// `process_threads` of the operating system; Linux and macOS.
    Threads,
}

impl ProcessFigure {
    /// All figures, in the order of the exposition.
    pub const ALL: [Self; 10] = [
        Self::CpuUserSeconds,
        Self::CpuSystemSeconds,
        Self::CpuSeconds,
        Self::StartTimeSeconds,
        Self::ResidentMemoryBytes,
        Self::VirtualMemoryBytes,
        Self::HeapBytes,
        Self::OpenFds,
        Self::MaxFds,
        Self::Threads,
    ];

    /// The name of its family, without a prefix.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CpuUserSeconds => "process_cpu_user_seconds_total",
            Self::CpuSystemSeconds => "process_cpu_system_seconds_total",
            Self::CpuSeconds => "process_cpu_seconds_total",
            Self::StartTimeSeconds => "process_start_time_seconds",
            Self::ResidentMemoryBytes => "process_resident_memory_bytes",
            Self::VirtualMemoryBytes => "process_virtual_memory_bytes",
            Self::HeapBytes => "process_heap_bytes",
            Self::OpenFds => "process_open_fds",
            Self::MaxFds => "process_max_fds",
            Self::Threads => "process_threads",
        }
    }

    /// The help text of its family: the one of the clients for Node.js, so that expositions of processes agree.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::CpuUserSeconds => "Total user CPU time spent in seconds.",
            Self::CpuSystemSeconds => "Total system CPU time spent in seconds.",
            Self::CpuSeconds => "Total user and system CPU time spent in seconds.",
            Self::StartTimeSeconds => "Start time of the process since unix epoch in seconds.",
            Self::ResidentMemoryBytes => "Resident memory size in bytes.",
            Self::VirtualMemoryBytes => "Virtual memory size in bytes.",
            Self::HeapBytes => "Process heap size in bytes.",
            Self::OpenFds => "Number of open file descriptors.",
            Self::MaxFds => "Maximum number of open file descriptors.",
            Self::Threads => "Threads of the process",
        }
    }

    /// The type of its family.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::CpuUserSeconds | Self::CpuSystemSeconds | Self::CpuSeconds => Kind::Counter,
            _ => Kind::Gauge,
        }
    }

    /// Whether this platform has the figure.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.of(&Snapshot::now()).is_some()
    }

    fn of(self, snapshot: &Snapshot) -> Option<f64> {
        match self {
            Self::CpuUserSeconds => snapshot.cpu_user,
            Self::CpuSystemSeconds => snapshot.cpu_system,
            Self::CpuSeconds => snapshot.cpu,
            Self::StartTimeSeconds => snapshot.start_time,
            Self::ResidentMemoryBytes => snapshot.resident,
            Self::VirtualMemoryBytes => snapshot.virtual_memory,
            Self::HeapBytes => snapshot.heap,
            Self::OpenFds => snapshot.open_fds,
            Self::MaxFds => snapshot.max_fds,
            Self::Threads => snapshot.threads,
        }
    }
}

/// Collects figures of the process. A figure that the platform does not have gets no family.
///
/// CPU time and limits come from `getrusage` and `getrlimit`, the rest from `/proc/self` on Linux and from
/// `metrics-process` elsewhere. All of it takes the scraping thread 20 µs, or 70 with cold processor caches.
///
/// ```
/// use prometheus_metrics::{Format, ProcessCollector, Registry};
/// use std::sync::Arc;
///
/// let registry = Registry::new();
/// registry.register_collector(Arc::new(ProcessCollector::new()));
/// let text = registry.encode(Format::PrometheusText);
/// assert!(text.contains("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total "));
/// assert!(text.contains("# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes "));
/// ```
#[derive(Debug, Clone)]
pub struct ProcessCollector {
    figures: Vec<ProcessFigure>,
    naming: Naming,
}

impl ProcessCollector {
    /// Collects all figures.
    #[must_use]
    pub fn new() -> Self {
        Self::only(&ProcessFigure::ALL)
    }

    /// Collects these figures, in this order.
    #[must_use]
    pub fn only(figures: &[ProcessFigure]) -> Self {
        Self { figures: figures.to_vec(), naming: Naming::default() }
    }

    /// Puts a prefix before all names.
    ///
    /// # Errors
    /// `InvalidMetricName` if names with this prefix are invalid.
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self> {
        self.naming.set_prefix(prefix)?;
        Ok(self)
    }

    /// Puts labels on all samples.
    ///
    /// # Errors
    /// `InvalidLabelName` for an invalid or repeated label.
    pub fn with_labels(mut self, labels: &[(&str, &str)]) -> Result<Self> {
        self.naming.set_labels(labels)?;
        Ok(self)
    }
}

impl Default for ProcessCollector {
    fn default() -> Self {
        Self::new()
    }
}

impl Collector for ProcessCollector {
    fn names(&self) -> Vec<String> {
        self.figures.iter().map(|figure| self.naming.name(figure.name())).collect()
    }

    fn collect(&self) -> Vec<SampleFamily> {
        let snapshot = Snapshot::now();
        let family = |figure: &ProcessFigure| {
            let value = figure.of(&snapshot)?;
            // Prefix and labels were checked when they were set.
            self.naming.family(figure.name(), figure.help(), figure.kind(), &[], value).ok()
        };
        self.figures.iter().filter_map(family).collect()
    }
}
