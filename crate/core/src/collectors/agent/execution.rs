//! Follows one execution of an agent: its time, steps, calls of tools and the tokens of its requests. It is active as long as
//! the value exists, and recorded once.

use super::agent_series::{AgentSeries, Agents, ExecutionEnd};
use crate::clock::Clock;
use crate::collectors::Spent;
use crate::collectors::words::{AgentErrorType, ExecutionStatus, StepType, TokenType, ToolStatus};
use crate::metrics::Gauge;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};
use std::hash::BuildHasher;
use std::time::Duration;

/// Bytes of a call's arguments that are compared with the one before.
const COMPARED_MAX: usize = 10_000;

/// An execution of an agent in progress. Dropping it without an end records it as cancelled. Threads may share it, for
/// example when tools run in parallel.
#[must_use = "an execution that is dropped was cancelled"]
pub struct AgentExecution {
    agents: Arc<Agents>,
    series: Arc<AgentSeries>,
    clock: Arc<Clock>,
    start: Duration,
    /// The handle that was incremented. It is decremented too, even if the registry removes the series in between.
    active: Option<Gauge>,
    steps: AtomicU64,
    /// Requests that a collector of LLM requests recorded, and steps that the program calls requests: both may count one.
    requests: AtomicU64,
    model_steps: AtomicU64,
    tool_calls: AtomicU64,
    /// A hash of the last call's name and arguments. The arguments may hold private data, so they are not kept.
    last_call: Mutex<Option<u64>>,
    hasher: foldhash::fast::RandomState,
    ended: bool,
}

impl AgentExecution {
    pub(super) fn new(agents: Arc<Agents>, series: Arc<AgentSeries>, clock: Arc<Clock>) -> Self {
        let active = series.active.get();
        active.iter().for_each(Gauge::inc);
        Self {
            start: clock.now(),
            agents,
            series,
            clock,
            active,
            steps: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            model_steps: AtomicU64::new(0),
            tool_calls: AtomicU64::new(0),
            last_call: Mutex::new(None),
            hasher: foldhash::fast::RandomState::default(),
            ended: false,
        }
    }

    /// The agent, as label value.
    #[must_use]
    pub fn agent_type(&self) -> &str {
        &self.series.agent
    }

    /// Adds tokens and cost of one of its requests, and counts the request.
    pub fn add_usage(&self, spent: Spent) {
        // Relaxed: as `steps`.
        self.requests.fetch_add(1, Ordering::Relaxed);
        let tokens = [(TokenType::Input, spent.input_tokens), (TokenType::Output, spent.output_tokens)];
        for (kind, tokens) in tokens.into_iter().filter(|(_, tokens)| *tokens > 0) {
            self.series.tokens.add(kind, tokens as f64);
        }
        if spent.cost_usd > 0.0 {
            self.series.cost.add(spent.cost_usd);
        }
    }

    /// Counts a step.
    pub fn record_step(&self, step: StepType, duration: Option<Duration>) {
        // Relaxed: a plain count. The thread that ends the execution has waited for its steps.
        self.steps.fetch_add(1, Ordering::Relaxed);
        if step == StepType::Llm {
            self.model_steps.fetch_add(1, Ordering::Relaxed);
        }
        self.series.stepped(step, duration);
    }

    /// Counts a call of a tool. With its arguments, as JSON for example, it also counts a call that repeats the one before.
    pub fn record_tool_call(
        &self,
        name: &str,
        status: ToolStatus,
        duration: Option<Duration>,
        arguments: Option<&str>,
    ) {
        // Relaxed: as `steps`.
        self.tool_calls.fetch_add(1, Ordering::Relaxed);
        self.agents.called(&self.series, name, status, duration);
        if let Some(arguments) = arguments {
            let compared = &arguments.as_bytes()[..arguments.len().min(COMPARED_MAX)];
            let call = self.hasher.hash_one((name, compared));
            if self.last_call.lock().replace(call) == Some(call) {
                self.series.repeated.inc();
            }
        }
    }

    /// Ends the execution with this status.
    pub fn end(mut self, status: ExecutionStatus) {
        self.finish(status, status.error());
    }

    /// Ends the execution with an error.
    pub fn fail(mut self, error: impl Into<AgentErrorType>) {
        let error = error.into();
        self.finish(error.status(), Some(error));
    }

    fn finish(&mut self, status: ExecutionStatus, error_type: Option<AgentErrorType>) {
        self.ended = true;
        self.active.take().iter().for_each(Gauge::dec);
        self.series.executed(&ExecutionEnd {
            status,
            duration: Some(self.clock.now().saturating_sub(self.start)),
            steps: Some(self.steps.load(Ordering::Relaxed)),
            model_calls: Some(
                self.requests.load(Ordering::Relaxed).max(self.model_steps.load(Ordering::Relaxed)),
            ),
            tool_calls: Some(self.tool_calls.load(Ordering::Relaxed)),
            error_type,
        });
    }
}

impl Drop for AgentExecution {
    fn drop(&mut self) {
        if !self.ended {
            self.finish(ExecutionStatus::Cancelled, ExecutionStatus::Cancelled.error());
        }
    }
}
