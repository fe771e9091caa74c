//! Makes JavaScript the host of an exporter: questions go through a threadsafe function, answers come back through
//! tickets.

use crate::error::Result;
use crate::service::CheckResult;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use prometheus_metrics::http::{Host, Question, Reply, Ticket, Visitor};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// Messages that wait while the event loop does not turn. Further messages are dropped, with their questions.
const MAX_MESSAGES: usize = 256;

/// How long closing waits for the threadsafe function, after the exporter itself has closed.
const MAX_RELEASE: Duration = Duration::from_secs(1);

/// A message to JavaScript.
#[napi(object, object_from_js = false)]
pub struct HostMessage {
    /// `collect`, `ready`, `authorize`, `warn` or `mismatched`.
    #[napi(ts_type = "'collect' | 'ready' | 'authorize' | 'warn' | 'mismatched'")]
    pub kind: String,
    /// The ticket to answer with.
    pub ticket: Option<NativeTicket>,
    /// The families whose collectors are to run.
    pub names: Vec<String>,
    /// How long the work may take, in milliseconds.
    pub budget_ms: f64,
    /// The request to authorize: method, target, peer, then names and values of headers, alternating.
    pub visitor: Vec<String>,
    /// A warning, or the name of a family.
    pub text: String,
}

impl HostMessage {
    fn new(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            ticket: None,
            names: Vec::new(),
            budget_ms: 0.0,
            visitor: Vec::new(),
            text: String::new(),
        }
    }

    fn asking(question: Question, ticket: Ticket) -> Self {
        let ticket = Some(NativeTicket { ticket: Some(ticket) });
        match question {
            Question::Collect { names, budget } => {
                Self { ticket, names, budget_ms: budget.as_secs_f64() * 1000.0, ..Self::new("collect") }
            }
            Question::Ready { budget } => {
                Self { ticket, budget_ms: budget.as_secs_f64() * 1000.0, ..Self::new("ready") }
            }
            Question::Authorize(Visitor { method, target, peer, headers }) => {
                let mut visitor = vec![method, target, peer.map(|peer| peer.to_string()).unwrap_or_default()];
                visitor.extend(headers.into_iter().flat_map(|(name, value)| [name, value]));
                Self { ticket, visitor, ..Self::new("authorize") }
            }
        }
    }
}

/// Answers one question. A ticket that is collected without an answer counts as a missing answer.
#[napi]
pub struct NativeTicket {
    ticket: Option<Ticket>,
}

#[napi]
impl NativeTicket {
    /// Says that JavaScript begins to work on the question; returns false if no request waits for the answer any more.
    #[napi(catch_unwind)]
    pub fn begin(&self) -> bool {
        self.ticket.as_ref().is_some_and(Ticket::begin)
    }

    /// Answers that values are up to date.
    #[napi(catch_unwind)]
    pub fn collected(&mut self) {
        self.finish(Reply::Collected);
    }

    /// Answers with the results of the readiness checks.
    #[napi(catch_unwind)]
    pub fn checked(&mut self, checks: Vec<CheckResult>) {
        self.finish(Reply::Ready(checks.into_iter().map(CheckResult::into_check).collect()));
    }

    /// Answers whether the request is authorized.
    #[napi(catch_unwind)]
    pub fn authorized(&mut self, allowed: bool) {
        self.finish(Reply::Authorized(allowed));
    }

    /// Says that there will be no answer.
    #[napi(catch_unwind)]
    pub fn abandon(&mut self) {
        self.ticket = None;
    }

    fn finish(&mut self, reply: Reply) {
        if let Some(ticket) = self.ticket.take() {
            ticket.finish(reply);
        }
    }
}

type Send = ThreadsafeFunction<HostMessage, (), HostMessage, napi::Status, false, true, MAX_MESSAGES>;

/// A JavaScript environment that an exporter asks.
pub(crate) struct JavaScriptHost {
    /// `None` once the exporter is closed.
    send: RwLock<Option<Send>>,
    freed: Arc<Freed>,
    collects: AtomicBool,
}

/// Whether Node.js has freed the threadsafe function.
#[derive(Default)]
struct Freed {
    is_freed: Mutex<bool>,
    changed: Condvar,
}

/// Owned by the callback of the threadsafe function, which Node.js drops when it frees the function.
struct FreedGuard(Arc<Freed>);

impl Drop for FreedGuard {
    fn drop(&mut self) {
        *self.0.is_freed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }
}

impl JavaScriptHost {
    /// Sends messages to `receive`. This does not keep the process alive.
    pub(crate) fn new(receive: &Function<'_, HostMessage, ()>) -> Result<Self> {
        let freed = Arc::new(Freed::default());
        let guard = FreedGuard(Arc::clone(&freed));
        let send = receive
            .build_threadsafe_function::<HostMessage>()
            .weak::<true>()
            .max_queue_size::<MAX_MESSAGES>()
            .build_callback(move |context| {
                let _: &FreedGuard = &guard;
                Ok(context.value)
            })
            .map_err(crate::error::engine)?;
        Ok(Self { send: RwLock::new(Some(send)), freed, collects: AtomicBool::new(true) })
    }

    /// Asks nothing any more, and waits until Node.js has freed the threadsafe function, which an event loop that is busy
    /// or ending may do late or never. Must not be called on JavaScript's thread.
    pub(crate) fn release(&self) {
        self.end();
        let is_freed = self.freed.is_freed.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.freed.changed.wait_timeout_while(is_freed, MAX_RELEASE, |is_freed| !*is_freed);
    }

    /// Asks nothing any more.
    pub(crate) fn end(&self) {
        drop(self.send.write().unwrap_or_else(PoisonError::into_inner).take());
    }

    pub(crate) fn set_collects(&self, collects: bool) {
        self.collects.store(collects, Ordering::Relaxed);
    }

    fn send(&self, message: HostMessage) {
        // If the queue is full, or the exporter is closed, or the environment ends, the message is dropped, and its ticket reports that.
        if let Some(send) = &*self.send.read().unwrap_or_else(PoisonError::into_inner) {
            let _ = send.call(message, ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

impl Host for JavaScriptHost {
    fn collects(&self) -> bool {
        self.collects.load(Ordering::Relaxed)
    }

    fn ask(&self, question: Question, ticket: Ticket) {
        self.send(HostMessage::asking(question, ticket));
    }

    fn warn(&self, message: &str) {
        self.send(HostMessage { text: message.to_owned(), ..HostMessage::new("warn") });
    }

    fn mismatched(&self, name: &str) {
        self.send(HostMessage { text: name.to_owned(), ..HostMessage::new("mismatched") });
    }
}
