//! The clock of metrics: it decides what expires, what a timer measures, what "now" is as a value. A registry passes
//! its clock to its families, so a test can stop the time of one registry and of no other. Waiting for the operating
//! system or a peer (sockets, rate limits, certificates) always uses the system's time.

use crate::sync::{AtomicBool, Mutex, Ordering};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The moment from which monotonic time is counted.
static ANCHOR: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A clock: the system's, unless a test stops it.
///
/// It has two times, like the system: a monotonic one for durations, which never goes back, and the time of day, which
/// may be set to any value. Reading it costs one relaxed load more than reading the system's clock.
///
/// ```
/// use prometheus_metrics::{Clock, Registry, RegistryConfig};
/// use std::{sync::Arc, time::Duration};
///
/// let clock = Arc::new(Clock::new());
/// let registry = Registry::with_config(RegistryConfig::default().clock(Arc::clone(&clock)))?;
/// let started = registry.gauge("start_time_seconds", "When it was started")?;
///
/// clock.freeze(Duration::from_secs(1_700_000_000));
/// clock.advance(Duration::from_millis(500));
/// started.set_to_current_time();
/// assert_eq!(started.value(), 1_700_000_000.5);
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
#[derive(Debug)]
pub struct Clock {
    /// False while both times are the system's. A thread that sees a change late reads the time of just before it.
    moved: AtomicBool,
    times: Mutex<Times>,
}

#[derive(Debug)]
enum Times {
    /// The system's times. The monotonic one is ahead by the time that a stopped clock was advanced past it.
    Running {
        ahead: Duration,
    },
    Stopped {
        now: Duration,
        unix: Duration,
    },
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn new() -> Self {
        let times = Times::Running { ahead: Duration::ZERO };
        Self { moved: AtomicBool::new(false), times: Mutex::new(times) }
    }

    /// Monotonic time since a moment that is the same for all clocks of the program. It never goes back.
    #[must_use]
    pub fn now(&self) -> Duration {
        if self.moved.load(Ordering::Relaxed) { self.times.lock().now() } else { ANCHOR.elapsed() }
    }

    /// The time of day, as the time since the beginning of 1970, UTC.
    #[must_use]
    pub fn unix_now(&self) -> Duration {
        if self.moved.load(Ordering::Relaxed) { self.times.lock().unix() } else { system_unix_now() }
    }

    /// Stops the clock and sets the time of day. The monotonic time stops where it is. On a stopped clock it only sets
    /// the time of day: like setting the system's clock, that lets no time pass.
    pub fn freeze(&self, unix: Duration) {
        self.stop(|times| Times::Stopped { now: times.now(), unix });
    }

    /// Advances both times. A running clock is stopped first.
    pub fn advance(&self, by: Duration) {
        self.stop(|times| Times::Stopped {
            now: times.now().saturating_add(by),
            unix: times.unix().saturating_add(by),
        });
    }

    fn stop(&self, change: impl FnOnce(&Times) -> Times) {
        let mut times = self.times.lock();
        *times = change(&times);
        self.moved.store(true, Ordering::Relaxed);
    }

    /// Lets the clock run with the system's again. If it was advanced past the system's, its monotonic time stays
    /// ahead, because it never goes back.
    pub fn resume(&self) {
        let mut times = self.times.lock();
        if let Times::Stopped { now, .. } = *times {
            let ahead = now.saturating_sub(ANCHOR.elapsed());
            *times = Times::Running { ahead };
            self.moved.store(!ahead.is_zero(), Ordering::Relaxed);
        }
    }
}

impl Times {
    fn now(&self) -> Duration {
        match self {
            Self::Running { ahead } => ANCHOR.elapsed().saturating_add(*ahead),
            Self::Stopped { now, .. } => *now,
        }
    }

    fn unix(&self) -> Duration {
        match self {
            Self::Running { .. } => system_unix_now(),
            Self::Stopped { unix, .. } => *unix,
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// The system's time of day. A system clock before 1970 counts as the beginning of 1970.
fn system_unix_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
