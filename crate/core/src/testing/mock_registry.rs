//! A registry for tests. It has its own clock, and tells what was recorded since a mark.

use super::assertions::{assert_counted, assert_metric, assert_observed};
use super::mock_clock::MockClock;
use super::reading::{Labels, Reading, Subject};
use crate::registry::Registry;
use crate::sync::{Arc, Mutex};
use std::ops::Deref;

/// A registry that tells what was counted and observed since it was made or marked. Its clock is moved by the test.
///
/// It tells the difference between two moments instead of single calls: handles write directly into cells, and tests
/// use the same kind of registry as production.
///
/// ```
/// use prometheus_metrics::testing::MockRegistry;
/// use std::time::Duration;
///
/// let registry = MockRegistry::new();
/// let requests = registry.counter_vec("requests_total", "Requests", &["status"])?;
/// let seconds = registry.histogram("request_seconds", "Duration")?;
/// requests.with(&["200"])?.inc();
///
/// registry.mark();
/// let timer = seconds.start_timer();
/// registry.clock().advance(Duration::from_secs(2));
/// timer.stop();
/// requests.with(&["500"])?.inc();
///
/// registry.assert_counted("requests_total", &[("status", "500")], 1.0);
/// registry.assert_not_counted("requests_total", &[("status", "200")]);
/// registry.assert_observed("request_seconds", &[], 1, 2.0);
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
pub struct MockRegistry {
    registry: Arc<Registry>,
    clock: MockClock,
    before: Mutex<Reading>,
}

impl MockRegistry {
    /// An empty registry with a stopped clock.
    #[must_use]
    pub fn new() -> Self {
        let clock = MockClock::new();
        let registry = Arc::new(Registry::with_clock(clock.clock()));
        Self { registry, clock, before: Mutex::new(Reading::default()) }
    }

    /// Watches an existing registry from now on, and stops its clock.
    #[must_use]
    pub fn of(registry: Arc<Registry>) -> Self {
        let clock = MockClock::of(Arc::clone(registry.clock()));
        let before = Mutex::new(Reading::of(&registry));
        Self { registry, clock, before }
    }

    /// The registry, for the tested code.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &MockClock {
        &self.clock
    }

    /// Sets the mark to now. Values stay.
    pub fn mark(&self) {
        *self.before.lock() = Reading::of(&self.registry);
    }

    /// Asserts by how much a counter was increased since the mark.
    ///
    /// # Panics
    /// Like `assert_counted`.
    #[track_caller]
    pub fn assert_counted(&self, name: &str, labels: Labels<'_>, by: f64) {
        assert_counted(self, name, labels, by);
    }

    /// Asserts that a counter was not increased since the mark.
    ///
    /// # Panics
    /// Like `assert_counted`.
    #[track_caller]
    pub fn assert_not_counted(&self, name: &str, labels: Labels<'_>) {
        assert_counted(self, name, labels, 0.0);
    }

    /// Asserts what a histogram has observed since the mark.
    ///
    /// # Panics
    /// Like `assert_observed`.
    #[track_caller]
    pub fn assert_observed(&self, name: &str, labels: Labels<'_>, count: u64, sum: f64) {
        assert_observed(self, name, labels, count, sum);
    }

    /// Asserts the current value of a gauge.
    ///
    /// # Panics
    /// Like `assert_metric`.
    #[track_caller]
    pub fn assert_gauge(&self, name: &str, labels: Labels<'_>, value: f64) {
        assert_metric(self, name, labels, value);
    }
}

impl Deref for MockRegistry {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.registry
    }
}

impl Subject for MockRegistry {
    fn values(&self) -> Reading {
        Reading::of(&self.registry)
    }

    fn events(&self) -> Reading {
        self.values().since(&self.before.lock())
    }
}

impl Default for MockRegistry {
    fn default() -> Self {
        Self::new()
    }
}
