//! Asks the host program to run collectors and readiness checks, and to authorize requests. The program has one thread
//! for this, which can be busy or blocked. So every wait is bounded, and a question that the program has not started to
//! answer is asked only once for all scrapes that wait for it.

use super::health::{Check, Health};
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a scrape waits for the program to start its collectors. If the event loop takes longer, the scrape shows the
/// values that it has: old values now are better than new values later.
const PATIENCE: Duration = Duration::from_millis(50);
/// Extra time for the answer to arrive, in addition to the question's budget.
const MARGIN: Duration = Duration::from_millis(50);

/// The host program. Its methods are called on the exporter's thread and must return at once.
pub trait Host: Send + Sync {
    /// Whether there are collectors, so that a scrape must ask `Question::Collect`.
    fn collects(&self) -> bool;

    /// Takes a question. The program answers it later through the ticket.
    fn ask(&self, question: Question, ticket: Ticket);

    /// Called for a family that a scrape left out because another contributor has it with another type or other
    /// buckets. The default implementation warns.
    fn mismatched(&self, name: &str) {
        self.warn(&format!(
            "\"{name}\" has another type or other buckets in another thread or registry, or writes samples that another metric or the endpoint itself writes, and is left out there"
        ));
    }

    /// Logs a warning. The default implementation uses `tracing`.
    fn warn(&self, message: &str) {
        tracing::warn!("{message}");
    }
}

/// A question to the host program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Run the collectors.
    Collect {
        /// The families to collect; all families if empty.
        names: Vec<String>,
        /// How long each collector may take.
        budget: Duration,
    },
    /// Run the readiness checks.
    Ready {
        /// How long each check may take.
        budget: Duration,
    },
    /// Decide whether this request is allowed.
    Authorize(Visitor),
}

/// The parts of a request that the host program sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The client's address.
    pub peer: Option<IpAddr>,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The collectors have run, or used up their budget.
    Collected,
    /// The results of the checks.
    Ready(Vec<Check>),
    /// Whether the request is allowed.
    Authorized(bool),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum QuestionState {
    Asked,
    Begun,
    Done(Reply),
}

/// Takes the answer to one question. If it is dropped without an answer, the asker stops waiting.
#[derive(Debug)]
pub struct Ticket(watch::Sender<QuestionState>);

impl Ticket {
    /// Reports that the program has started to answer. Returns whether a scrape still waits for it.
    pub fn begin(&self) -> bool {
        self.0.send(QuestionState::Begun).is_ok()
    }

    /// Sends the answer.
    pub fn finish(self, reply: Reply) {
        let _ = self.0.send(QuestionState::Done(reply));
    }
}

/// Asks a host, with a time limit for each question.
pub(crate) struct Asker {
    host: Arc<dyn Host>,
    health: Arc<Health>,
    /// The newest question for all families. New scrapes share it until the program has started to answer it.
    collect: Mutex<Option<SharedQuestion>>,
    /// The newest question for the readiness checks. Probes share it until it is answered.
    ready: Mutex<Option<watch::Receiver<QuestionState>>>,
}

/// A question that new scrapes can share.
struct SharedQuestion {
    asked: Instant,
    budget: Duration,
    state: watch::Receiver<QuestionState>,
}

impl Asker {
    pub(crate) fn new(host: Arc<dyn Host>, health: Arc<Health>) -> Self {
        Self { host, health, collect: Mutex::new(None), ready: Mutex::new(None) }
    }

    pub(crate) fn host(&self) -> &Arc<dyn Host> {
        &self.host
    }

    /// Asks the program to run its collectors. Returns whether it did so in time.
    pub(crate) async fn collect(&self, names: &[String], budget: Duration) -> bool {
        if !self.host.collects() {
            return true;
        }
        if !self.health.is_responsive() {
            return false;
        }
        let state = if names.is_empty() {
            match self.shared(budget) {
                Some(state) => state,
                None => return false,
            }
        } else {
            self.pose(Question::Collect { names: names.to_vec(), budget })
        };
        answer(state, PATIENCE, budget).await.is_some()
    }

    /// Asks any other question. Unlike a scrape, these have no older values to fall back on, so the program may use the
    /// whole budget before it starts.
    pub(crate) async fn ask(&self, question: Question, budget: Duration) -> Option<Reply> {
        if self.health.is_stalled() {
            return None;
        }
        answer(self.pose(question), budget, budget).await
    }

    /// Asks for the readiness checks, or joins the question that is not answered yet: however many probes there are, the
    /// checks run once at a time.
    pub(crate) async fn ready(&self, budget: Duration) -> Option<Vec<Check>> {
        if self.health.is_stalled() {
            return None;
        }
        let state = {
            let mut ready = self.ready.lock();
            let pending = ready.as_ref().filter(|state| {
                state.has_changed().is_ok() && !matches!(*state.borrow(), QuestionState::Done(_))
            });
            match pending {
                Some(state) => state.clone(),
                None => ready.insert(self.pose(Question::Ready { budget })).clone(),
            }
        };
        match answer(state, budget, budget).await {
            Some(Reply::Ready(checks)) => Some(checks),
            _ => None,
        }
    }

    /// Joins the question that is not started yet, or asks a new one. `None` if the program has let the last question
    /// wait for longer than `PATIENCE`.
    fn shared(&self, budget: Duration) -> Option<watch::Receiver<QuestionState>> {
        let mut collect = self.collect.lock();
        if let Some(shared) = &*collect
            && *shared.state.borrow() == QuestionState::Asked
            && shared.state.has_changed().is_ok()
        {
            if shared.asked.elapsed() >= PATIENCE {
                return None;
            }
            // A question with a shorter budget is not shared, because collectors would get less time than this scrape
            // allows.
            if shared.budget >= budget {
                return Some(shared.state.clone());
            }
        }
        let state = self.pose(Question::Collect { names: Vec::new(), budget });
        *collect = Some(SharedQuestion { asked: Instant::now(), budget, state: state.clone() });
        Some(state)
    }

    fn pose(&self, question: Question) -> watch::Receiver<QuestionState> {
        let (sender, state) = watch::channel(QuestionState::Asked);
        self.host.ask(question, Ticket(sender));
        state
    }
}

async fn answer(
    mut state: watch::Receiver<QuestionState>,
    patience: Duration,
    budget: Duration,
) -> Option<Reply> {
    timeout(patience, state.wait_for(|state| *state != QuestionState::Asked)).await.ok()?.ok()?;
    let done = state.wait_for(|state| matches!(state, QuestionState::Done(_)));
    match timeout(budget + MARGIN, done).await.ok()?.ok()?.clone() {
        QuestionState::Done(reply) => Some(reply),
        QuestionState::Asked | QuestionState::Begun => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host that keeps all tickets and answers nothing by itself.
    #[derive(Default)]
    struct Hesitant {
        asked: Mutex<Vec<(Question, Ticket)>>,
    }

    impl Host for Hesitant {
        fn collects(&self) -> bool {
            true
        }

        fn ask(&self, question: Question, ticket: Ticket) {
            self.asked.lock().push((question, ticket));
        }
    }

    fn asker() -> (Arc<Hesitant>, Arc<Asker>) {
        let host = Arc::new(Hesitant::default());
        let health = Arc::new(Health::new(Duration::from_secs(5)));
        (Arc::clone(&host), Arc::new(Asker::new(host, health)))
    }

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime")
            .block_on(test);
    }

    #[test]
    fn scrapes_share_a_question_until_it_is_started() {
        run(async {
            let (host, asker) = asker();
            let waiting: Vec<_> = (0..20)
                .map(|_| {
                    let asker = Arc::clone(&asker);
                    tokio::spawn(async move { asker.collect(&[], Duration::from_secs(1)).await })
                })
                .collect();
            tokio::task::yield_now().await;
            assert_eq!(host.asked.lock().len(), 1);
            let (_, ticket) = host.asked.lock().pop().expect("it was asked");
            ticket.begin();
            // A scrape that arrives now needs values that are read after its arrival.
            let late = tokio::spawn({
                let asker = Arc::clone(&asker);
                async move { asker.collect(&[], Duration::from_secs(1)).await }
            });
            tokio::task::yield_now().await;
            assert_eq!(host.asked.lock().len(), 1);
            ticket.finish(Reply::Collected);
            for scrape in waiting {
                scrape.await.expect("it ends");
            }
            host.asked.lock().clear();
            late.await.expect("a dropped ticket ends the wait");
        });
    }

    #[test]
    fn a_program_that_does_not_start_costs_one_short_wait() {
        run(async {
            let (host, asker) = asker();
            let started = Instant::now();
            asker.collect(&[], Duration::from_secs(60)).await;
            assert!(started.elapsed() >= PATIENCE);
            let started = Instant::now();
            for _ in 0..100 {
                asker.collect(&[], Duration::from_secs(60)).await;
            }
            assert!(started.elapsed() < PATIENCE * 10);
            assert_eq!(host.asked.lock().len(), 1);
        });
    }

    #[test]
    fn other_questions_wait_for_a_program_that_is_busy_for_a_moment() {
        run(async {
            let (host, asker) = asker();
            let budget = Duration::from_secs(10);
            let waiting = tokio::spawn({
                let asker = Arc::clone(&asker);
                async move { asker.ask(Question::Ready { budget }, budget).await }
            });
            tokio::time::sleep(PATIENCE * 2).await;
            let (_, ticket) = host.asked.lock().pop().expect("it was asked");
            ticket.begin();
            ticket.finish(Reply::Ready(Vec::new()));
            assert_eq!(waiting.await.expect("it ends"), Some(Reply::Ready(Vec::new())));
        });
    }

    #[test]
    fn a_late_answer_is_ignored() {
        run(async {
            let (host, asker) = asker();
            let question = Question::Ready { budget: Duration::from_millis(1) };
            let waiting = tokio::spawn({
                let (asker, question) = (Arc::clone(&asker), question.clone());
                async move { asker.ask(question, Duration::from_millis(1)).await }
            });
            tokio::task::yield_now().await;
            let (asked, ticket) = host.asked.lock().pop().expect("it was asked");
            assert_eq!(asked, question);
            ticket.begin();
            assert_eq!(waiting.await.expect("it ends"), None);
            ticket.finish(Reply::Ready(Vec::new()));
        });
    }
}
