//! The pusher's thread: gathers once an interval, and when it is told to; at the end gathers once more. `sender.rs` has a
//! thread of its own, so that a slow receiver does not delay a gathering.

use super::encode::Gatherer;
use super::shared::{Command, Shared};
use super::turns::Turns;
use crate::http::{Asker, Health};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// The first push is early, so that a wrong setting shows, and counters have a sample from their beginning.
const FIRST_AFTER: Duration = Duration::from_secs(1);

/// How often a pusher that stands by looks whether it is its turn.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The same for one that waits for its last push.
const LAST_LOOK_EVERY: Duration = Duration::from_millis(10);

/// Gathers for one pusher.
pub(super) struct Worker {
    shared: Arc<Shared>,
    gatherer: Gatherer,
    turns: Turns,
    /// The program that is asked to collect, and a runtime to wait for it.
    asker: Option<(Asker, Runtime)>,
}

/// In the place of a push: the first one has id 1, and those before count as accepted.
const STANDING_BY: u64 = 0;

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
    pub(super) fn new(shared: Arc<Shared>, gatherer: Gatherer, turns: Turns) -> std::io::Result<Self> {
        let asker = match shared.host.clone() {
            None => None,
            Some(host) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
                Some((Asker::new(host, Arc::new(Health::new(Duration::MAX))), runtime))
            }
        };
        Ok(Self { shared, gatherer, turns, asker })
    }

    /// Gathers until the pusher ends.
    pub(super) fn run(mut self) {
        let interval = self.shared.interval;
        let first = if self.has_turn() { FIRST_AFTER } else { LOOK_EVERY };
        let mut next = Instant::now() + interval.min(first);
        loop {
            match self.wait(next) {
                Wake::Told(Command::Push { budget, reply }) => {
                    let id = if self.has_turn() {
                        next = Instant::now() + interval;
                        self.push(Some(budget), false)
                    } else {
                        self.collect(budget, false);
                        Some(STANDING_BY)
                    };
                    let _state = self.shared.state.lock();
                    reply.get_or_init(|| id);
                    self.shared.changed.notify_all();
                }
                Wake::Told(Command::End { deadline, collects }) => return self.end(deadline, collects),
                Wake::Told(Command::Stop) => return,
                Wake::Again => drop(self.push(None, false)),
                Wake::Interval if !self.has_turn() => next = Instant::now() + LOOK_EVERY,
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

    /// Whether this pusher pushes, or stands by.
    fn has_turn(&mut self) -> bool {
        let has_turn = self.turns.is_own(&mut self.gatherer).unwrap_or_else(|error| {
            let text = format!("It is unknown whether another process pushes, so this one waits: {error}");
            self.shared.warn("turn", &text);
            false
        });
        self.shared.state.lock().stats.stands_by = !has_turn;
        has_turn
    }

    /// Has the program collect.
    fn collect(&self, budget: Duration, is_last: bool) {
        let shared = &self.shared;
        let Some((asker, runtime)) = &self.asker else { return };
        let mut ending = shared.ending.subscribe();
        runtime.block_on(async {
            tokio::select! {
                _ = asker.collect(&[], budget.min(shared.timeout)) => {}
                // The last push has a time limit of its own.
                _ = ending.wait_for(|is_ending| *is_ending), if !is_last => {}
            }
        });
    }

    /// Gathers a push and lets it wait to be sent; returns its id. Collectors have the budget; without one they are not asked.
    fn push(&mut self, budget: Option<Duration>, is_last: bool) -> Option<u64> {
        if let Some(budget) = budget {
            self.collect(budget, is_last);
        }
        let shared = &self.shared;
        let is_second = {
            let state = shared.state.lock();
            shared.metrics.refresh(&state.queue);
            state.is_second
        };
        // A collector in Rust is code of the program.
        let gathered = catch_unwind(AssertUnwindSafe(|| self.gatherer.gather(is_second, is_last)));
        let (push, mismatched) = match gathered {
            Ok(Ok(gathered)) => gathered,
            Ok(Err(why)) => {
                shared.warn("gather", why);
                return None;
            }
            Err(_) => {
                shared.warn("gather", "A collector panicked: nothing is pushed");
                return None;
            }
        };
        self.turns.keep(&self.gatherer);
        if let Some(host) = &shared.host {
            mismatched.iter().for_each(|name| host.mismatched(name));
        }
        let id = push.id;
        if push.requests.is_empty() {
            shared.settle(id, true);
            return Some(id);
        }
        // A caller that waits for a displaced one waits for a newer one, which has its values too.
        let displaced = shared.state.lock().queue.add(push);
        shared.changed.notify_all();
        shared.dropped("queue", displaced.len());
        Some(id)
    }

    /// Whether this pusher pushes for the last time: if no other one goes on. One that has just handed over may still be
    /// sending: its turn is waited for.
    fn is_last(&mut self, deadline: Instant) -> bool {
        loop {
            if !self.turns.leave() {
                return false;
            }
            if self.has_turn() || Instant::now() >= deadline {
                return true;
            }
            std::thread::sleep(LAST_LOOK_EVERY);
        }
    }

    /// Ends while another pusher of the run goes on. The turn is given up when nothing is on its way that could arrive after
    /// what that one sends.
    fn hand_over(&self, deadline: Instant) {
        let mut state = self.shared.state.lock();
        let mut dropped = state.queue.clear_waiting().len();
        while state.queue.len() > 0 && !self.shared.changed.wait_until(&mut state, deadline).timed_out() {
            dropped += state.queue.clear_waiting().len();
        }
        dropped += state.queue.clear(false).len();
        state.is_complete = true;
        drop(state);
        self.shared.dropped("end", dropped);
    }

    /// Pushes for the last time. Only the newest values matter now.
    fn end(&mut self, deadline: Instant, collects: bool) {
        if collects {
            let left = deadline.saturating_duration_since(Instant::now());
            self.collect(left / 2, true);
        }
        if !self.is_last(deadline) {
            return self.hand_over(deadline);
        }
        let mut newest = self.push(None, true);
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
