//! Holds what a pusher's threads and its callers share: its state, the commands for its thread, what it has done, and when
//! it has warned.

use super::credentials::Credentials;
use super::queue::Queue;
use super::self_metrics::SelfMetrics;
use super::settings::Receiver;
use crate::http::Host;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;

/// The time between two warnings about the same thing.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// What a pusher has done so far.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct PushStats {
    /// Pushes that the receiver has accepted.
    pub pushes: u64,
    /// Samples that the receiver has accepted.
    pub samples: u64,
    /// Bytes of accepted requests, compressed.
    pub bytes: u64,
    /// Attempts that failed. Most are repeated.
    pub failures: u64,
    /// Pushes that were given up.
    pub dropped: u64,
    /// Pushes that wait to be sent.
    pub queued: u64,
    /// When the receiver last accepted a push.
    pub last_success: Option<SystemTime>,
    /// Why the last failed attempt failed.
    pub last_error: Option<String>,
    /// Another pusher of the run pushes the same values; this one takes over when that one ends.
    pub stands_by: bool,
}

/// What the thread is told.
pub(super) enum Command {
    /// Gather and push now. The reply is the id of the push, or `None` if gathering failed.
    Push { budget: Duration, reply: Arc<OnceLock<Option<u64>>> },
    /// Push for the last time, and end.
    End { deadline: Instant, collects: bool },
    /// End at once.
    Stop,
}

/// What a pusher's threads and its callers share.
pub(super) struct Shared {
    pub(super) receiver: Receiver,
    pub(super) credentials: Credentials,
    pub(super) metrics: SelfMetrics,
    pub(super) host: Option<Arc<dyn Host>>,
    pub(super) interval: Duration,
    /// Of one request.
    pub(super) timeout: Duration,
    pub(super) state: Mutex<State>,
    /// The state has changed.
    pub(super) changed: Condvar,
    /// True when a caller ends the pusher: its thread stops waiting for collectors.
    pub(super) ending: watch::Sender<bool>,
}

/// What changes.
pub(super) struct State {
    pub(super) queue: Queue,
    pub(super) commands: VecDeque<Command>,
    /// Pushes are written in version 2.0 of remote write.
    pub(super) is_second: bool,
    /// What waited was written in a version that the receiver does not know: gather again.
    pub(super) is_again: bool,
    /// How often a caller has asked for the next attempt at once.
    pub(super) hurries: u32,
    /// The newest push that was accepted, and the newest that was accepted or given up.
    pub(super) accepted: u64,
    pub(super) settled: u64,
    /// The thread that gathers has ended.
    pub(super) has_ended: bool,
    /// The receiver has accepted the last push.
    pub(super) is_complete: bool,
    pub(super) stats: PushStats,
    /// Subjects, and when the last warning about each was.
    warned: Vec<(&'static str, Instant)>,
}

impl State {
    pub(super) fn new(queue: Queue, is_second: bool) -> Self {
        Self {
            queue,
            commands: VecDeque::new(),
            is_second,
            is_again: false,
            hurries: 0,
            accepted: 0,
            settled: 0,
            has_ended: false,
            is_complete: false,
            stats: PushStats::default(),
            warned: Vec::new(),
        }
    }
}

impl Shared {
    /// A push was accepted or given up.
    pub(super) fn settle(&self, id: u64, is_accepted: bool) {
        let mut state = self.state.lock();
        state.settled = state.settled.max(id);
        if is_accepted {
            state.accepted = state.accepted.max(id);
            state.stats.pushes += 1;
            state.stats.last_success = Some(SystemTime::now());
            self.metrics.succeeded();
        }
        self.changed.notify_all();
    }

    /// Counts pushes that were given up.
    pub(super) fn dropped(&self, reason: &str, pushes: usize) {
        self.metrics.dropped(reason, pushes);
        self.state.lock().stats.dropped += pushes as u64;
    }

    /// Warns, at most once a minute about each subject.
    pub(super) fn warn(&self, subject: &'static str, text: &str) {
        let mut state = self.state.lock();
        state.warned.retain(|(_, last)| last.elapsed() < WARNING_INTERVAL);
        if state.warned.iter().any(|(known, _)| *known == subject) {
            return;
        }
        state.warned.push((subject, Instant::now()));
        drop(state);
        match &self.host {
            Some(host) => host.warn(text),
            None => tracing::warn!("{text}"),
        }
    }
}
