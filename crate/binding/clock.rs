//! The clock of one realm. Tests stop and move it.

use napi_derive::napi;
use prometheus_metrics::Clock;
use std::sync::Arc;
use std::time::Duration;

/// The clock of a realm's registries and families.
#[napi]
pub struct NativeClock {
    pub(crate) clock: Arc<Clock>,
}

#[napi]
impl NativeClock {
    /// Stops the clock and sets the time of day, in milliseconds since 1970.
    #[napi(catch_unwind)]
    pub fn freeze(&self, unix_ms: f64) {
        self.clock.freeze(milliseconds(unix_ms));
    }

    /// Advances the clock by milliseconds.
    #[napi(catch_unwind)]
    pub fn advance(&self, ms: f64) {
        self.clock.advance(milliseconds(ms));
    }

    /// Lets the clock run again.
    #[napi(catch_unwind)]
    pub fn resume(&self) {
        self.clock.resume();
    }
}

/// Converts milliseconds. JavaScript has validated the number and has the better error text; an invalid one becomes
/// zero here.
fn milliseconds(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}
