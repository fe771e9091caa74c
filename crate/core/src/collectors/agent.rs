//! Records metrics of agents: executions, steps, tools, handoffs, memory, and the tokens of an agent's requests. It must not
//! know frameworks; they call it.

mod agent_series;
mod execution;

pub use execution::AgentExecution;

use super::families::DEFAULT_NAMESPACE;
use super::words::{AgentErrorType, ExecutionStatus, MemoryOperation, Outcome, StepType, ToolStatus};
use crate::clock::Clock;
use crate::error::Result;
use crate::registry::Registry;
use crate::sync::Arc;
use agent_series::{Agents, ExecutionEnd};
use std::time::Duration;

/// Settings of a collector of agents' metrics.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AgentOptions {
    /// Stands before the names of metrics; `llmdevops` by default.
    pub namespace: String,
    /// The tools that exist. Another tool becomes known with its first success; until then its failures count as `other`.
    pub tools: Vec<String>,
}

setters!(AgentOptions { namespace: String, tools: Vec<String> });

impl Default for AgentOptions {
    fn default() -> Self {
        Self { namespace: DEFAULT_NAMESPACE.to_owned(), tools: Vec::new() }
    }
}

/// The report of an execution that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecutionReport<'a> {
    /// The agent.
    pub agent_type: &'a str,
    /// How it ended.
    pub status: ExecutionStatus,
    /// From its start to its end.
    pub duration: Option<Duration>,
    /// How many steps it took.
    pub steps: Option<u64>,
    /// How many requests to models it made.
    pub model_calls: Option<u64>,
    /// How many tools it called.
    pub tool_calls: Option<u64>,
    /// What went wrong.
    pub error_type: Option<AgentErrorType>,
}

setters!(ExecutionReport<'a> {
    agent_type: &'a str,
    status: ExecutionStatus,
    duration: Option<Duration>,
    steps: Option<u64>,
    model_calls: Option<u64>,
    tool_calls: Option<u64>,
    error_type: Option<AgentErrorType>,
});

impl<'a> ExecutionReport<'a> {
    /// A report with the status alone.
    #[must_use]
    pub const fn new(agent_type: &'a str, status: ExecutionStatus) -> Self {
        Self {
            agent_type,
            status,
            duration: None,
            steps: None,
            model_calls: None,
            tool_calls: None,
            error_type: None,
        }
    }
}

/// Records executions, steps and tools of agents. Clones share their series, and any thread may record. Recording never
/// fails: a family counts the calls that its limit refuses.
///
/// ```
/// use prometheus_metrics::collectors::{
///     AgentMetricsCollector, AgentOptions, ExecutionStatus, Spent, StepType, ToolStatus,
/// };
/// use prometheus_metrics::{Format, Registry};
/// use std::time::Duration;
///
/// let registry = Registry::new();
/// let agents = AgentMetricsCollector::new(&registry, AgentOptions::default())?;
///
/// let execution = agents.start_execution("researcher");
/// let took = Some(Duration::from_millis(250));
/// execution.record_tool_call("search", ToolStatus::Success, took, Some(r#"{"q":"prometheus"}"#));
/// execution.record_step(StepType::Llm, None);
/// // Ending a request returns the tokens and cost that it used.
/// execution.add_usage(Spent::default().input_tokens(120).output_tokens(40));
/// execution.end(ExecutionStatus::Success);
///
/// let text = registry.encode(Format::PrometheusText);
/// assert!(text.contains("llmdevops_agent_executions_total{agent_type=\"researcher\",status=\"success\"} 1\n"));
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
#[derive(Clone)]
pub struct AgentMetricsCollector {
    agents: Arc<Agents>,
    clock: Arc<Clock>,
}

impl AgentMetricsCollector {
    /// Makes the metrics in a registry. Two collectors of one registry count together.
    ///
    /// # Errors
    /// `InvalidMetricName` for an invalid namespace; `TypeMismatch` or `DuplicateMetric` if another metric has one of the
    /// names.
    pub fn new(registry: &Registry, options: AgentOptions) -> Result<Self> {
        let agents = Agents::new(registry, &options.namespace)?;
        options.tools.iter().for_each(|tool| agents.register_tool(tool));
        Ok(Self { agents: Arc::new(agents), clock: Arc::clone(registry.clock()) })
    }

    /// Starts an execution. It is active until the returned value is ended or dropped.
    pub fn start_execution(&self, agent_type: &str) -> AgentExecution {
        let series = self.agents.of(agent_type);
        AgentExecution::new(Arc::clone(&self.agents), series, Arc::clone(&self.clock))
    }

    /// Reports the start of an execution that is recorded without an `AgentExecution`.
    pub fn record_execution_start(&self, agent_type: &str) {
        self.agents.of(agent_type).active.inc();
    }

    /// Reports the end of an execution that is recorded without an `AgentExecution`.
    pub fn record_execution_end(&self, report: &ExecutionReport<'_>) {
        let ExecutionReport { agent_type, status, duration, steps, model_calls, tool_calls, error_type } =
            *report;
        let agent = self.agents.of(agent_type);
        agent.active.dec();
        agent.executed(&ExecutionEnd { status, duration, steps, model_calls, tool_calls, error_type });
    }

    /// Counts a step of such an execution.
    pub fn record_step(&self, agent_type: &str, step: StepType, duration: Option<Duration>) {
        self.agents.of(agent_type).stepped(step, duration);
    }

    /// Counts a call of a tool by such an execution.
    pub fn record_tool_call(
        &self,
        agent_type: &str,
        name: &str,
        status: ToolStatus,
        duration: Option<Duration>,
    ) {
        self.agents.called(&self.agents.of(agent_type), name, status, duration);
    }

    /// Counts a handoff of work from one agent to another.
    pub fn record_handoff(&self, from_agent: &str, to_agent: &str, status: Outcome) {
        let (from, to) = (self.agents.of(from_agent), self.agents.of(to_agent));
        self.agents.count("agent_handoffs_total", &[&from.agent, &to.agent, status.as_str()]);
    }

    /// Counts an operation on an agent's memory.
    pub fn record_memory_operation(&self, agent_type: &str, operation: MemoryOperation, status: Outcome) {
        let agent = self.agents.of(agent_type);
        let labels = [&agent.agent, operation.as_str(), status.as_str()];
        self.agents.count("agent_memory_operations_total", &labels);
    }

    /// Counts an error.
    pub fn record_error(&self, agent_type: &str, error: impl Into<AgentErrorType>) {
        self.agents.of(agent_type).errors.inc(error.into());
    }

    /// Sets how many executions are in flight, for a framework that counts them itself.
    pub fn set_active_agents(&self, agent_type: &str, count: u64) {
        self.agents.of(agent_type).active.set(count as f64);
    }
}
