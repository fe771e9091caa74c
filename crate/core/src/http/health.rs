//! Liveness and readiness: since when the process runs, whether an event loop turns, whether somebody said "ready".
//! It knows nothing of JavaScript: whoever has a loop calls `beat` from it.

use super::response::Response;
use crate::serialization::json_string;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often a loop that is watched has to call `beat`.
pub const BEAT_INTERVAL: Duration = Duration::from_millis(100);

/// A loop this late is not asked for anything: it turns again when it does.
const UNRESPONSIVE: Duration = Duration::from_millis(150);

/// No loop is watched.
const NEVER: u64 = u64::MAX;

/// The state of the program that a service belongs to.
#[derive(Debug)]
pub struct Health {
    started: Instant,
    /// Milliseconds from `started` to the loop's last beat.
    last_beat: AtomicU64,
    ready: AtomicBool,
    stall_after: Duration,
}

/// How a readiness check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// `ok`, or what is wrong.
    pub outcome: CheckOutcome,
}

/// What a readiness check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckOutcome {
    /// Ready.
    Ok,
    /// Not ready, with the reason.
    Failed(String),
    /// It did not answer in time.
    TimedOut,
}

impl Health {
    /// Ready, and watching no loop yet. A loop is stalled once it is `stall_after` late.
    #[must_use]
    pub fn new(stall_after: Duration) -> Self {
        Self {
            started: Instant::now(),
            last_beat: AtomicU64::new(NEVER),
            ready: AtomicBool::new(true),
            stall_after,
        }
    }

    /// Says that the loop turns. From the first call on, the loop is watched and has to call every `BEAT_INTERVAL`.
    pub fn beat(&self) {
        self.last_beat.store(self.now(), Ordering::Relaxed);
    }

    /// Sets what `/ready` answers.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// How late the loop's next beat is; zero for a loop that turns, and where none is watched.
    #[must_use]
    pub fn stalled(&self) -> Duration {
        match self.last_beat.load(Ordering::Relaxed) {
            NEVER => Duration::ZERO,
            last => Duration::from_millis(self.now().saturating_sub(last)).saturating_sub(BEAT_INTERVAL),
        }
    }

    /// Whether the loop is worth asking for something.
    #[must_use]
    pub fn is_responsive(&self) -> bool {
        self.stalled() < UNRESPONSIVE
    }

    /// Whether the loop has been late for longer than it may be.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.stalled() >= self.stall_after && !self.stalled().is_zero()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }

    /// What is wrong with the loop, if it is stalled for longer than it may be.
    fn stall(&self) -> Option<String> {
        self.is_stalled().then(|| format!("event loop stalled for {} s", self.stalled().as_secs()))
    }

    /// The answer of `/health`: 200, or 503 for a loop that stands still.
    pub(crate) fn liveness(&self) -> Response {
        let stall = self.stall();
        let mut body = String::from("{\"status\":");
        match &stall {
            None => body.push_str("\"ok\""),
            Some(reason) => {
                body.push_str("\"unhealthy\",\"reason\":");
                body.push_str(&json_string(reason));
            }
        }
        body.push_str(&format!(
            ",\"process\":{{\"pid\":{},\"uptime_seconds\":{:.3}}},\"event_loop\":{{\"stalled_seconds\":{:.3}}}}}\n",
            std::process::id(),
            self.started.elapsed().as_secs_f64(),
            self.stalled().as_secs_f64(),
        ));
        Response::json(if stall.is_some() { 503 } else { 200 }, &body)
    }

    /// The answer of `/ready`: 200 where it was said, no check failed and the loop turns.
    pub(crate) fn readiness(&self, checks: &[Check]) -> Response {
        let stall = self.stall();
        let failed = checks.iter().any(|check| check.outcome != CheckOutcome::Ok);
        let ready = self.ready.load(Ordering::Relaxed) && stall.is_none() && !failed;
        let mut body = format!("{{\"status\":\"{}\"", if ready { "ready" } else { "not ready" });
        if let Some(reason) = stall {
            body.push_str(",\"reason\":");
            body.push_str(&json_string(&reason));
        }
        if !checks.is_empty() {
            let checks: Vec<String> = checks
                .iter()
                .map(|check| format!("{}:{}", json_string(&check.name), json_string(check.outcome.text())))
                .collect();
            body.push_str(&format!(",\"checks\":{{{}}}", checks.join(",")));
        }
        body.push_str("}\n");
        Response::json(if ready { 200 } else { 503 }, &body)
    }
}

impl CheckOutcome {
    fn text(&self) -> &str {
        match self {
            Self::Ok => "ok",
            Self::Failed(reason) => reason,
            Self::TimedOut => "timed out",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_nobody_watches_is_never_stalled() {
        let health = Health::new(Duration::ZERO);
        assert_eq!(health.stalled(), Duration::ZERO);
        assert!(health.is_responsive());
    }

    #[test]
    fn a_loop_that_stops_is_stalled_from_its_next_beat_on() {
        let health = Health::new(Duration::from_millis(50));
        health.beat();
        std::thread::sleep(BEAT_INTERVAL + Duration::from_millis(70));
        assert!(health.stalled() >= Duration::from_millis(50));
        assert_eq!(health.liveness().status, 503);
        assert_eq!(health.readiness(&[]).status, 503);
        health.beat();
        assert_eq!(health.stalled(), Duration::ZERO);
        assert_eq!(health.liveness().status, 200);
    }

    #[test]
    fn readiness_names_every_check() {
        let health = Health::new(Duration::from_secs(1));
        let check = |name: &str, outcome| Check { name: name.to_owned(), outcome };
        let response = health.readiness(&[
            check("db", CheckOutcome::Ok),
            check("a\"b", CheckOutcome::Failed("no route".to_owned())),
            check("slow", CheckOutcome::TimedOut),
        ]);
        assert_eq!(response.status, 503);
        assert_eq!(
            response.text(),
            "{\"status\":\"not ready\",\"checks\":{\"db\":\"ok\",\"a\\\"b\":\"no route\",\"slow\":\"timed out\"}}\n"
        );
        assert_eq!(health.readiness(&[check("db", CheckOutcome::Ok)]).status, 200);
        health.set_ready(false);
        assert_eq!(health.readiness(&[]).text(), "{\"status\":\"not ready\"}\n");
    }
}
