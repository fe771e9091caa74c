//! The metrics of pushers about themselves. All pushers of a registry share the families; the label `receiver` tells them
//! apart.

use super::queue::Queue;
use crate::error::Result;
use crate::metrics::{Counter, CounterVec, Gauge};
use crate::registry::Registry;
use std::time::{SystemTime, UNIX_EPOCH};

/// The metrics of one pusher.
pub(super) struct SelfMetrics {
    receiver: String,
    pub(super) pushes: Counter,
    pub(super) samples: Counter,
    pub(super) bytes: Counter,
    failures: CounterVec,
    dropped: CounterVec,
    refused: Counter,
    queued: Gauge,
    queued_bytes: Gauge,
    last_success: Gauge,
}

impl SelfMetrics {
    pub(super) fn new(registry: &Registry, receiver: &str) -> Result<Self> {
        let counter =
            |name: &str, help: &str| registry.counter_vec(name, help, &["receiver"])?.with(&[receiver]);
        let gauge = |name: &str, help: &str| registry.gauge_vec(name, help, &["receiver"])?.with(&[receiver]);
        let by_reason = |name: &str, help: &str| registry.counter_vec(name, help, &["receiver", "reason"]);
        Ok(Self {
            receiver: receiver.to_owned(),
            pushes: counter("llmdevops_push_pushes_total", "Pushes that the receiver has accepted")?,
            samples: counter("llmdevops_push_samples_total", "Samples that the receiver has accepted")?,
            bytes: counter("llmdevops_push_bytes_total", "Bytes of accepted requests, compressed")?,
            failures: by_reason(
                "llmdevops_push_failures_total",
                "Attempts to send a request that failed, by reason; most are repeated",
            )?,
            dropped: by_reason(
                "llmdevops_push_dropped_total",
                "Pushes that were given up, by reason; the next push has newer values",
            )?,
            refused: counter(
                "llmdevops_push_refused_samples_total",
                "Samples that the receiver has refused in a request that it accepted",
            )?,
            queued: gauge("llmdevops_push_queue_length", "Pushes that wait to be sent")?,
            queued_bytes: gauge("llmdevops_push_queue_bytes", "Bytes of the pushes that wait to be sent")?,
            last_success: gauge(
                "llmdevops_push_last_success_timestamp_seconds",
                "When the receiver last accepted a push, in seconds since 1970",
            )?,
        })
    }

    pub(super) fn succeeded(&self) {
        self.pushes.inc();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_success.set(now.as_secs_f64());
    }

    pub(super) fn failed(&self, reason: &str) {
        if let Ok(counter) = self.failures.with(&[&self.receiver, reason]) {
            counter.inc();
        }
    }

    pub(super) fn dropped(&self, reason: &str, pushes: usize) {
        if pushes > 0
            && let Ok(counter) = self.dropped.with(&[&self.receiver, reason])
        {
            let added = counter.add(pushes as f64);
            debug_assert!(added.is_ok(), "a number of pushes is positive");
        }
    }

    pub(super) fn refused(&self, samples: u64) {
        let added = self.refused.add(samples as f64);
        debug_assert!(added.is_ok(), "a number of samples is positive");
    }

    pub(super) fn sent(&self, samples: u64, bytes: usize) {
        let added = (self.samples.add(samples as f64), self.bytes.add(bytes as f64));
        debug_assert!(added.0.is_ok() && added.1.is_ok(), "both are positive");
    }

    pub(super) fn refresh(&self, queue: &Queue) {
        self.queued.set(queue.len() as f64);
        self.queued_bytes.set(queue.bytes() as f64);
    }
}
