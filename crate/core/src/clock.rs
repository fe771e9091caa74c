//! The time that metrics go by: what is kept for a while, what expires, what a timer measures, "now" as a value. A
//! registry has a clock and hands it to its families, so that a test can stop the time of one and of no other. What
//! the operating system or a peer waits for (sockets, rate limits, certificates) goes by the system's time and never by this.

use crate::sync::{AtomicBool, Mutex, Ordering};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What monotonic time is counted from.
static ANCHOR: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A clock: the system's, unless a test stops it.
///
/// It has two hands, as the system has: a monotonic one, which never goes back and which durations are measured by, and
/// the time of day, which may be set to anything. Costs one relaxed load beside reading the system's clock.
///
/// ```
/// use prometheus_metrics::{Clock, Registry, RegistryConfig};
/// use std::{sync::Arc, time::Duration};
///
/// let clock = Arc::new(Clock::new());
/// let registry = Registry::with_config(RegistryConfig { clock: Arc::clone(&clock), ..RegistryConfig::default() })?;
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
    /// Whether the hands may differ from the system's. Those who see a change late read the time of just before it.
    moved: AtomicBool,
    hands: Mutex<Hands>,
}

#[derive(Debug)]
enum Hands {
    /// The system's, the monotonic one ahead of it by what a stopped clock was advanced too far.
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
        let hands = Hands::Running { ahead: Duration::ZERO };
        Self { moved: AtomicBool::new(false), hands: Mutex::new(hands) }
    }

    /// Monotonic time: since a moment that is the same for all clocks of the program. Never goes back.
    #[must_use]
    pub fn now(&self) -> Duration {
        if self.moved.load(Ordering::Relaxed) { self.hands.lock().now() } else { ANCHOR.elapsed() }
    }

    /// The time of day: since the beginning of 1970, UTC.
    #[must_use]
    pub fn unix_now(&self) -> Duration {
        if self.moved.load(Ordering::Relaxed) { self.hands.lock().unix() } else { system_unix_now() }
    }

    /// Stops the clock at a time of day; the monotonic hand stops where it is. A clock that stands is set: that passes
    /// no time, as setting the system's does not.
    pub fn freeze(&self, unix: Duration) {
        self.stop(|hands| Hands::Stopped { now: hands.now(), unix });
    }

    /// Lets time pass on both hands. A running clock is stopped first.
    pub fn advance(&self, by: Duration) {
        self.stop(|hands| Hands::Stopped {
            now: hands.now().saturating_add(by),
            unix: hands.unix().saturating_add(by),
        });
    }

    fn stop(&self, moved: impl FnOnce(&Hands) -> Hands) {
        let mut hands = self.hands.lock();
        *hands = moved(&hands);
        self.moved.store(true, Ordering::Relaxed);
    }

    /// Lets the clock run with the system's again. Where it was advanced beyond that, its monotonic hand stays ahead,
    /// because it never goes back.
    pub fn resume(&self) {
        let mut hands = self.hands.lock();
        if let Hands::Stopped { now, .. } = *hands {
            let ahead = now.saturating_sub(ANCHOR.elapsed());
            *hands = Hands::Running { ahead };
            self.moved.store(!ahead.is_zero(), Ordering::Relaxed);
        }
    }
}

impl Hands {
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

/// A system whose clock stands before 1970 is in 1970.
fn system_unix_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
