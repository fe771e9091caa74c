//! Collects facts of the running Rust program: how it was built, how many threads may run at once, how long it has been up.
//! It must not need an async runtime.

use super::Naming;
use crate::error::Result;
use crate::metrics::Collector;
use crate::registry::{Kind, SampleFamily};
use std::time::Instant;

const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };
const PANIC: &str = if cfg!(panic = "unwind") { "unwind" } else { "abort" };

/// Collects facts of the running program:
///
/// | family | unit | source |
/// |---|---|---|
/// | `rust_runtime_info{os,arch,profile,panic}` | 1 | the target and profile this crate was compiled for |
/// | `rust_runtime_available_parallelism` | threads | `std::thread::available_parallelism`, which respects cgroup quotas |
/// | `rust_runtime_uptime_seconds` | seconds | a monotonic clock, since the collector was made |
/// | `build_info{...}` | 1 | the labels of `with_build_info`; absent if it was not called |
///
/// ```
/// use prometheus_metrics::{Format, Registry, RuntimeCollector};
/// use std::sync::Arc;
///
/// let collector = RuntimeCollector::new()
///     .with_build_info(&[("package", "gateway"), ("version", "1.4.0")])?;
/// let registry = Registry::new();
/// registry.register_collector(Arc::new(collector));
/// let text = registry.encode(Format::PrometheusText);
/// assert!(text.contains("build_info{package=\"gateway\",version=\"1.4.0\"} 1\n"));
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RuntimeCollector {
    started: Instant,
    build_info: Option<Naming>,
    naming: Naming,
}

impl RuntimeCollector {
    /// Starts the clock of `rust_runtime_uptime_seconds`: make it early.
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now(), build_info: None, naming: Naming::default() }
    }

    /// Adds `build_info` with these labels: package, version, revision.
    ///
    /// # Errors
    /// `InvalidLabelName` for an invalid or repeated label.
    pub fn with_build_info(mut self, labels: &[(&str, &str)]) -> Result<Self> {
        let mut build_info = Naming::default();
        build_info.set_labels(labels)?;
        self.build_info = Some(build_info);
        Ok(self)
    }

    /// Puts a prefix before all names except `build_info`, because tools look for that name.
    ///
    /// # Errors
    /// `InvalidMetricName` if names with this prefix are invalid.
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self> {
        self.naming.set_prefix(prefix)?;
        Ok(self)
    }

    fn families(&self) -> Result<Vec<SampleFamily>> {
        let info = [
            ("os", std::env::consts::OS),
            ("arch", std::env::consts::ARCH),
            ("profile", PROFILE),
            ("panic", PANIC),
        ];
        let gauge = |name, help, labels: &[(&str, &str)], value| {
            self.naming.family(name, help, Kind::Gauge, labels, value)
        };
        let mut families = vec![gauge("rust_runtime_info", "How the program was compiled", &info, 1.0)?];
        if let Ok(threads) = std::thread::available_parallelism() {
            #[expect(clippy::cast_precision_loss, reason = "no machine has 2^53 processors")]
            let threads = threads.get() as f64;
            let help = "Threads that can run at once";
            families.push(gauge("rust_runtime_available_parallelism", help, &[], threads)?);
        }
        let uptime = self.started.elapsed().as_secs_f64();
        let help = "Time since metrics were first collected, in seconds";
        families.push(gauge("rust_runtime_uptime_seconds", help, &[], uptime)?);
        if let Some(build_info) = &self.build_info {
            families.push(build_info.family("build_info", "What was built", Kind::Gauge, &[], 1.0)?);
        }
        Ok(families)
    }
}

impl Default for RuntimeCollector {
    fn default() -> Self {
        Self::new()
    }
}

impl Collector for RuntimeCollector {
    fn names(&self) -> Vec<String> {
        self.collect().iter().map(|family| family.name().to_owned()).collect()
    }

    fn collect(&self) -> Vec<SampleFamily> {
        // Names and labels were checked when they were set.
        self.families().unwrap_or_default()
    }
}
