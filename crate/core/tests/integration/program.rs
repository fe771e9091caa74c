//! Stands in for the program that embeds an exporter: it answers the exporter's questions (collect, ready, authorize) at
//! once, late, or never.

use parking_lot::Mutex;
use prometheus_metrics::http::{
    Check, CheckOutcome, ExporterOptions, Host, Question, Reply, Ticket, Visitor,
};
use std::sync::Arc;
use std::time::Duration;

type Answering = dyn Fn(Question, Ticket) + Send + Sync;

/// A program that answers with a function and keeps the questions.
pub(crate) struct Program {
    answer: Box<Answering>,
    pub(crate) asked: Mutex<Vec<Question>>,
}

impl Program {
    /// The function is called on the exporter's thread, so it must return at once.
    pub(crate) fn new(answer: impl Fn(Question, Ticket) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), asked: Mutex::default() })
    }

    /// The options of an exporter that asks this program.
    pub(crate) fn options(self: &Arc<Self>) -> ExporterOptions {
        ExporterOptions::default().host(Some(Arc::clone(self) as Arc<dyn Host>))
    }
}

impl Host for Program {
    fn collects(&self) -> bool {
        true
    }

    fn ask(&self, question: Question, ticket: Ticket) {
        self.asked.lock().push(question.clone());
        (self.answer)(question, ticket);
    }
}

/// A program that calls `collect` after this time, before it answers.
pub(crate) fn collecting_after(wait: Duration, collect: impl Fn() + Send + Sync + 'static) -> Arc<Program> {
    let collect = Arc::new(collect);
    Program::new(move |_, ticket| {
        let collect = Arc::clone(&collect);
        std::thread::spawn(move || {
            ticket.begin();
            std::thread::sleep(wait);
            collect();
            ticket.finish(Reply::Collected);
        });
    })
}

/// A program that begins each answer and never finishes it.
pub(crate) fn silent() -> Arc<Program> {
    let unanswered = Mutex::new(Vec::new());
    Program::new(move |_, ticket| {
        ticket.begin();
        unanswered.lock().push(ticket);
    })
}

/// A program with these readiness checks and no values to collect.
pub(crate) fn with_checks(checks: &[(&str, CheckOutcome)]) -> Arc<Program> {
    let checks: Vec<Check> = checks
        .iter()
        .map(|(name, outcome)| Check { name: (*name).to_owned(), outcome: outcome.clone() })
        .collect();
    Program::new(move |question, ticket| {
        ticket.begin();
        match question {
            Question::Ready { .. } => ticket.finish(Reply::Ready(checks.clone())),
            _ => ticket.finish(Reply::Collected),
        }
    })
}

/// A program that allows a scrape if the function does.
pub(crate) fn letting_in(allowed: impl Fn(&Visitor) -> bool + Send + Sync + 'static) -> Arc<Program> {
    Program::new(move |question, ticket| {
        ticket.begin();
        match question {
            Question::Authorize(visitor) => ticket.finish(Reply::Authorized(allowed(&visitor))),
            _ => ticket.finish(Reply::Collected),
        }
    })
}
