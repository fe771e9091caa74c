//! Liveness and readiness: how long the process runs, whether its event loop responds, whether it is ready. It must not
//! know JavaScript: a program with an event loop calls `beat` from it.

use super::response::Response;
use crate::labels::redact_for_log;
use crate::serialization::json_string;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often a watched event loop has to call `beat`.
pub const BEAT_INTERVAL: Duration = Duration::from_millis(100);

/// A loop that is this late is not asked to run collectors or callbacks.
const UNRESPONSIVE: Duration = Duration::from_millis(150);

/// The most characters of a reason that are shown.
const MAX_REASON: usize = 100;

/// The value of `last_beat` while no loop is watched.
const NEVER: u64 = u64::MAX;

/// The liveness and readiness of the program that a service belongs to.
#[derive(Debug)]
pub struct Health {
    started: Instant,
    /// Milliseconds from `started` to the loop's last beat.
    last_beat: AtomicU64,
    ready: AtomicBool,
    stall_after: Duration,
}

/// A readiness check that has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Its result.
    pub outcome: CheckOutcome,
}

/// The result of a readiness check.
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
    /// Ready, and without a watched loop. A loop is stalled when its beat is `stall_after` late.
    #[must_use]
    pub fn new(stall_after: Duration) -> Self {
        Self {
            started: Instant::now(),
            last_beat: AtomicU64::new(NEVER),
            ready: AtomicBool::new(true),
            stall_after,
        }
    }

    /// Reports that the event loop runs. From the first call on the loop is watched and must call this every
    /// `BEAT_INTERVAL`.
    pub fn beat(&self) {
        self.last_beat.store(self.now(), Ordering::Relaxed);
    }

    /// Sets the answer of `/ready`.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// How late the loop's next beat is; zero if it is on time, or if no loop is watched.
    #[must_use]
    pub fn stalled(&self) -> Duration {
        match self.last_beat.load(Ordering::Relaxed) {
            NEVER => Duration::ZERO,
            last => Duration::from_millis(self.now().saturating_sub(last)).saturating_sub(BEAT_INTERVAL),
        }
    }

    /// Whether the loop is likely to answer soon.
    #[must_use]
    pub fn is_responsive(&self) -> bool {
        self.stalled() < UNRESPONSIVE
    }

    /// Whether the loop is later than `stall_after`.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.stalled() >= self.stall_after && !self.stalled().is_zero()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }

    /// The reason for `unhealthy`, if the loop is stalled.
    fn stall(&self) -> Option<String> {
        self.is_stalled().then(|| format!("event loop stalled for {} s", self.stalled().as_secs()))
    }

    /// The response of `/health`: 200, or 503 if the loop is stalled. `processes` is the number of processes that share
    /// their metrics.
    pub(crate) fn liveness(&self, processes: Option<usize>) -> Response {
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
            ",\"process\":{{\"pid\":{},\"uptime_seconds\":{:.3}}},\"event_loop\":{{\"stalled_seconds\":{:.3}}}",
            std::process::id(),
            self.started.elapsed().as_secs_f64(),
            self.stalled().as_secs_f64(),
        ));
        if let Some(processes) = processes {
            body.push_str(&format!(",\"processes\":{processes}"));
        }
        body.push_str("}\n");
        Response::json(if stall.is_some() { 503 } else { 200 }, &body)
    }

    /// The response of `/ready`: 200 if the program set itself ready, no check failed and the loop is not stalled. The
    /// reasons of failed checks are the application's error messages, so only some clients may see them.
    pub(crate) fn readiness(&self, checks: &[Check], shows_reasons: bool) -> Response {
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
                .map(|check| {
                    format!(
                        "{}:{}",
                        json_string(&check.name),
                        json_string(&check.outcome.text(shows_reasons))
                    )
                })
                .collect();
            body.push_str(&format!(",\"checks\":{{{}}}", checks.join(",")));
        }
        body.push_str("}\n");
        Response::json(if ready { 200 } else { 503 }, &body)
    }
}

impl CheckOutcome {
    fn text(&self, shows_reason: bool) -> Cow<'_, str> {
        match self {
            Self::Ok => "ok".into(),
            // The message may contain a connection string with a password.
            Self::Failed(reason) if shows_reason => redact_for_log(reason, MAX_REASON).into(),
            Self::Failed(_) => "failed".into(),
            Self::TimedOut => "timed out".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_watched_loop_nothing_is_stalled() {
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
        assert_eq!(health.liveness(None).status, 503);
        assert_eq!(health.readiness(&[], false).status, 503);
        health.beat();
        assert_eq!(health.stalled(), Duration::ZERO);
        assert_eq!(health.liveness(None).status, 200);
    }

    #[test]
    fn readiness_names_every_check() {
        let health = Health::new(Duration::from_secs(1));
        let check = |name: &str, outcome| Check { name: name.to_owned(), outcome };
        let checks = [
            check("db", CheckOutcome::Ok),
            check("a\"b", CheckOutcome::Failed("no route to postgres://me:secret@db\n".to_owned())),
            check("slow", CheckOutcome::TimedOut),
        ];
        for (shows_reasons, reason) in
            [(true, "no route to postgres://me:[token]@db\u{fffd}"), (false, "failed")]
        {
            let response = health.readiness(&checks, shows_reasons);
            assert_eq!(response.status, 503);
            assert_eq!(
                response.text(),
                format!(
                    "{{\"status\":\"not ready\",\"checks\":{{\"db\":\"ok\",\"a\\\"b\":\"{reason}\",\"slow\":\"timed out\"}}}}\n"
                )
            );
        }
        assert_eq!(health.readiness(&[check("db", CheckOutcome::Ok)], false).status, 200);
        health.set_ready(false);
        assert_eq!(health.readiness(&[], false).text(), "{\"status\":\"not ready\"}\n");
    }
}
