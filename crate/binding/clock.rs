//! The clock of one realm, as its tests move it.

use napi_derive::napi;
use prometheus_metrics::Clock;
use std::sync::Arc;
use std::time::Duration;

/// The clock that the registries and families of a realm go by.
#[napi]
pub struct NativeClock {
    pub(crate) clock: Arc<Clock>,
}

#[napi]
impl NativeClock {
    /// Stops it at a time of day: milliseconds since 1970.
    #[napi(catch_unwind)]
    pub fn freeze(&self, unix_ms: f64) {
        self.clock.freeze(milliseconds(unix_ms));
    }

    /// Lets milliseconds pass.
    #[napi(catch_unwind)]
    pub fn advance(&self, ms: f64) {
        self.clock.advance(milliseconds(ms));
    }

    /// Lets it run again.
    #[napi(catch_unwind)]
    pub fn resume(&self) {
        self.clock.resume();
    }
}

/// What is no duration is none: JavaScript has checked it, and says it better.
fn milliseconds(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}
