//! What a door asks of the program that embeds it: collectors' work, readiness checks, whether somebody may come in.
//! The program has one thread for that, which may be busy or stand still, so every wait here is bounded, and questions
//! that it has not begun to answer are asked once for all who wait.

use super::health::{Check, Health};
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a scrape waits for the program to begin. A loop that takes longer is stalled, and values as they are now
/// beat new ones later.
const PATIENCE: Duration = Duration::from_millis(50);
/// What an answer may need on its way, on top of what the question allowed.
const MARGIN: Duration = Duration::from_millis(50);

/// The embedding program. Its methods are called on the door's thread and return at once.
pub trait Host: Send + Sync {
    /// Whether a scrape has to ask for `Question::Collect`.
    fn collects(&self) -> bool;

    /// Takes a question. The answer is given by the ticket, whenever there is one.
    fn ask(&self, question: Question, ticket: Ticket);

    /// Is told of a family that a scrape left out, because another contributor has it with another type or other
    /// buckets. The default warns.
    fn mismatched(&self, name: &str) {
        self.warn(&format!(
            "\"{name}\" has another type or other buckets in another thread or registry and is left out there"
        ));
    }

    /// Takes a warning. The default hands it to `tracing`.
    fn warn(&self, message: &str) {
        tracing::warn!("{message}");
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Bring values up to date.
    Collect {
        /// Of these families; of all where it is empty.
        names: Vec<String>,
        /// How long each collector may take.
        budget: Duration,
    },
    /// Run the readiness checks.
    Ready {
        /// How long each may take.
        budget: Duration,
    },
    /// May this request come in?
    Authorize(Visitor),
}

/// A request, as the embedding program is told of it.
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

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Values are up to date, as far as collectors made them.
    Collected,
    /// What the checks say.
    Ready(Vec<Check>),
    /// Whether the request may come in.
    Authorized(bool),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum QuestionState {
    Asked,
    Begun,
    Done(Reply),
}

/// The way back for an answer. Dropped without one, the question stays without one too.
#[derive(Debug)]
pub struct Ticket(watch::Sender<QuestionState>);

impl Ticket {
    /// Says that the program has turned to the question; returns whether anybody still waits for the answer.
    pub fn begin(&self) -> bool {
        self.0.send(QuestionState::Begun).is_ok()
    }

    /// Answers.
    pub fn finish(self, reply: Reply) {
        let _ = self.0.send(QuestionState::Done(reply));
    }
}

/// Asks a host, within bounds.
pub(crate) struct Asker {
    host: Arc<dyn Host>,
    health: Arc<Health>,
    /// The newest question for all values, which newcomers share until it is begun.
    collect: Mutex<Option<SharedQuestion>>,
}

/// A question that newcomers may share.
struct SharedQuestion {
    asked: Instant,
    budget: Duration,
    state: watch::Receiver<QuestionState>,
}

impl Asker {
    pub(crate) fn new(host: Arc<dyn Host>, health: Arc<Health>) -> Self {
        Self { host, health, collect: Mutex::new(None) }
    }

    pub(crate) fn host(&self) -> &Arc<dyn Host> {
        &self.host
    }

    /// Has values brought up to date, if the program does so in time; returns whether it did.
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

    /// Asks something else. A scrape has old values to fall back on; these questions have nothing, so that their whole
    /// budget may pass before the program turns to them.
    pub(crate) async fn ask(&self, question: Question, budget: Duration) -> Option<Reply> {
        if self.health.is_stalled() {
            return None;
        }
        answer(self.pose(question), budget, budget).await
    }

    /// The question that is not begun yet, or a new one; nothing where the program has not begun for too long.
    fn shared(&self, budget: Duration) -> Option<watch::Receiver<QuestionState>> {
        let mut collect = self.collect.lock();
        if let Some(shared) = &*collect
            && *shared.state.borrow() == QuestionState::Asked
            && shared.state.has_changed().is_ok()
        {
            if shared.asked.elapsed() >= PATIENCE {
                return None;
            }
            // Collectors get no less time because somebody else has less.
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

    /// Keeps the tickets it is given.
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
    fn a_question_that_is_not_begun_is_asked_once_for_all() {
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
            // Whoever comes now needs values that are read later than those.
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
    fn a_program_that_does_not_begin_costs_one_short_wait() {
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
    fn a_program_that_is_busy_for_a_moment_is_waited_for_where_nothing_else_can_answer() {
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
    fn a_late_answer_is_no_answer() {
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
