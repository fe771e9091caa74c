//! The pusher's thread: gathers once an interval, and when it is told to; at the end gathers once more. `sender.rs` has a
//! thread of its own, so that a slow receiver does not delay a gathering.

use super::encode::Gatherer;
use super::shared::{Command, Shared};
use crate::http::{Asker, Health};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// The first push is early, so that a wrong setting shows, and counters have a sample from their beginning.
const FIRST_AFTER: Duration = Duration::from_secs(1);

/// Gathers for one pusher.
pub(super) struct Worker {
    shared: Arc<Shared>,
    gatherer: Gatherer,
    /// The program that is asked to collect, and a runtime to wait for it.
    asker: Option<(Asker, Runtime)>,
}

/// Why the thread wakes up.
enum Wake {
    Told(Command),
    /// What waited cannot be sent.
    Again,
    Interval,
}

impl Worker {
    /// # Errors
    /// The system has no file descriptor or memory for it.
    pub(super) fn new(shared: Arc<Shared>, gatherer: Gatherer) -> std::io::Result<Self> {
        let asker = match shared.host.clone() {
            None => None,
            Some(host) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
                Some((Asker::new(host, Arc::new(Health::new(Duration::MAX))), runtime))
            }
        };
        Ok(Self { shared, gatherer, asker })
    }

    /// Gathers until the pusher ends.
    pub(super) fn run(mut self) {
        let interval = self.shared.interval;
        let mut next = Instant::now() + interval.min(FIRST_AFTER);
        loop {
            match self.wait(next) {
                Wake::Told(Command::Push { budget, reply }) => {
                    next = Instant::now() + interval;
                    let id = self.push(Some(budget), false);
                    let _state = self.shared.state.lock();
                    reply.get_or_init(|| id);
                    self.shared.changed.notify_all();
                }
                Wake::Told(Command::End { deadline, collects }) => return self.end(deadline, collects),
                Wake::Told(Command::Stop) => return,
                Wake::Again => drop(self.push(None, false)),
                Wake::Interval => {
                    self.push(Some(interval), false);
                    // A push that is late is not made up for.
                    next = (next + interval).max(Instant::now());
                }
            }
        }
    }

    fn wait(&self, next: Instant) -> Wake {
        let mut state = self.shared.state.lock();
        loop {
            if let Some(command) = state.commands.pop_front() {
                return Wake::Told(command);
            }
            if std::mem::take(&mut state.is_again) {
                return Wake::Again;
            }
            if self.shared.changed.wait_until(&mut state, next).timed_out() && Instant::now() >= next {
                return Wake::Interval;
            }
        }
    }

    /// Gathers a push and lets it wait to be sent; returns its id. Collectors have the budget; without one they are not asked.
    fn push(&mut self, budget: Option<Duration>, is_last: bool) -> Option<u64> {
        let shared = &self.shared;
        if let (Some((asker, runtime)), Some(budget)) = (&self.asker, budget) {
            let mut ending = shared.ending.subscribe();
            runtime.block_on(async {
                tokio::select! {
                    _ = asker.collect(&[], budget.min(shared.timeout)) => {}
                    // The last push has a time limit of its own.
                    _ = ending.wait_for(|is_ending| *is_ending), if !is_last => {}
                }
            });
        }
        let is_second = {
            let state = shared.state.lock();
            shared.metrics.refresh(&state.queue);
            state.is_second
        };
        // A collector in Rust is code of the program.
        let gathered = catch_unwind(AssertUnwindSafe(|| self.gatherer.gather(is_second, is_last)));
        let (push, mismatched) = match gathered {
            Ok(Ok(gathered)) => gathered,
            Ok(Err(_)) => {
                shared.warn("gather", "There is no memory to gather a push");
                return None;
            }
            Err(_) => {
                shared.warn("gather", "A collector panicked: nothing is pushed");
                return None;
            }
        };
        if let Some(host) = &shared.host {
            mismatched.iter().for_each(|name| host.mismatched(name));
        }
        let id = push.id;
        if push.requests.is_empty() {
            shared.settle(id, true);
            return Some(id);
        }
        let displaced = shared.state.lock().queue.add(push);
        shared.changed.notify_all();
        shared.dropped("queue", displaced.len());
        displaced.into_iter().for_each(|id| shared.settle(id, false));
        Some(id)
    }

    /// Pushes for the last time. Only the newest values matter now.
    fn end(&mut self, deadline: Instant, collects: bool) {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut newest = self.push(collects.then_some(left / 2), true);
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state.lock();
        let old = state.queue.clear(true).len();
        state.hurries += 1;
        shared.changed.notify_all();
        while newest.is_some_and(|id| state.settled < id) {
            if std::mem::take(&mut state.is_again) {
                drop(state);
                newest = self.push(None, true);
                state = shared.state.lock();
            } else if shared.changed.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        let late = state.queue.clear(false).len();
        state.is_complete = newest.is_some_and(|id| state.accepted >= id);
        drop(state);
        shared.dropped("end", old + late);
        if late > 0 {
            let name = &shared.receiver.name;
            shared.warn("end", &format!("{name} did not accept the last push in time, which is dropped"));
        }
    }
}
