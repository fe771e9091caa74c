//! A clock for tests.

use crate::clock::Clock;
use crate::sync::Arc;
use std::time::Duration;

/// A clock that stands until a test advances it. Timers, `set_to_current_time()`, cached expositions and expiry of its
/// registries use it. When it is dropped, they follow the system's clock again.
///
/// ```
/// use prometheus_metrics::testing::MockClock;
/// use prometheus_metrics::Registry;
/// use std::time::Duration;
///
/// let clock = MockClock::at(Duration::from_secs(1_700_000_000));
/// let registry = Registry::with_clock(clock.clock());
/// let seconds = registry.histogram("work_seconds", "Duration of the work")?;
/// let timer = seconds.start_timer();
/// clock.advance(Duration::from_millis(250));
/// assert_eq!(timer.stop(), 0.25);
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
#[derive(Debug)]
pub struct MockClock {
    clock: Arc<Clock>,
}

impl MockClock {
    /// A clock that stands at the current time.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Arc::new(Clock::new()))
    }

    /// A clock that stands at this time since the Unix epoch.
    #[must_use]
    pub fn at(unix: Duration) -> Self {
        let mock = Self::new();
        mock.set(unix);
        mock
    }

    /// Stops a clock that is already in use.
    #[must_use]
    pub fn of(clock: Arc<Clock>) -> Self {
        clock.advance(Duration::ZERO);
        Self { clock }
    }

    /// The clock, for the registries that use it.
    #[must_use]
    pub fn clock(&self) -> Arc<Clock> {
        Arc::clone(&self.clock)
    }

    /// The time since the Unix epoch.
    #[must_use]
    pub fn unix_now(&self) -> Duration {
        self.clock.unix_now()
    }

    /// Advances the clock.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Sets the time of day. No time passes for running timers and for series that expire.
    pub fn set(&self, unix: Duration) {
        self.clock.freeze(unix);
    }
}

impl Default for MockClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for MockClock {
    fn drop(&mut self) {
        self.clock.resume();
    }
}
