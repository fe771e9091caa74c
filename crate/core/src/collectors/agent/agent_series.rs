//! Keeps the series of each agent, and turns names of agents and tools into label values.

use crate::collectors::catalogue::AGENT_METRICS;
use crate::collectors::children::{ByWord, Kept, Shared};
use crate::collectors::families::{CappedNames, Families, FamilyOptions};
use crate::collectors::seconds;
use crate::collectors::words::{AgentErrorType, ExecutionStatus, StepType, TokenType, ToolStatus};
use crate::error::Result;
use crate::metrics::{Counter, CounterVec, Gauge, Histogram, HistogramVec};
use crate::registry::Registry;
use crate::sync::{Arc, RwLock, SliceArc};
use hashbrown::HashMap;
use std::time::Duration;

/// The series of one agent, each looked up once.
pub(super) struct AgentSeries {
    /// The label value.
    pub(super) agent: SliceArc<str>,
    pub(super) active: Kept<Gauge>,
    pub(super) errors: ByWord<Counter, AgentErrorType>,
    pub(super) repeated: Kept<Counter>,
    pub(super) tokens: ByWord<Counter, TokenType>,
    pub(super) cost: Kept<Counter>,
    executions: ByWord<Counter, ExecutionStatus>,
    duration: Kept<Histogram>,
    steps: ByWord<Counter, StepType>,
    step_duration: ByWord<Histogram, StepType>,
    steps_per_execution: Kept<Histogram>,
    model_calls_per_execution: Kept<Histogram>,
    tool_calls_per_execution: Kept<Histogram>,
}

/// An execution's end.
pub(super) struct ExecutionEnd {
    pub(super) status: ExecutionStatus,
    pub(super) duration: Option<Duration>,
    pub(super) steps: Option<u64>,
    pub(super) model_calls: Option<u64>,
    pub(super) tool_calls: Option<u64>,
    pub(super) error_type: Option<AgentErrorType>,
}

impl AgentSeries {
    fn new(families: &Families, agent: SliceArc<str>) -> Self {
        let own: &Shared = &SliceArc::from([SliceArc::clone(&agent)]);
        let counter = |name| Kept::new(families.counter(name), own);
        let histogram = |name| Kept::new(families.histogram(name), own);
        let series = Self {
            active: Kept::new(families.gauge("agent_active"), own),
            errors: ByWord::new(families.counter("agent_errors_total"), own),
            repeated: counter("agent_repeated_tool_calls_total"),
            tokens: ByWord::new(families.counter("agent_tokens_total"), own),
            cost: counter("agent_cost_usd_total"),
            executions: ByWord::new(families.counter("agent_executions_total"), own),
            duration: histogram("agent_execution_duration_seconds"),
            steps: ByWord::new(families.counter("agent_steps_total"), own),
            step_duration: ByWord::new(families.histogram("agent_step_duration_seconds"), own),
            steps_per_execution: histogram("agent_steps_per_execution"),
            model_calls_per_execution: histogram("agent_model_calls_per_execution"),
            tool_calls_per_execution: histogram("agent_tool_calls_per_execution"),
            agent,
        };
        series.executions.init();
        series.active.init();
        series
    }

    pub(super) fn executed(&self, end: &ExecutionEnd) {
        self.executions.inc(end.status);
        if let Some(duration) = end.duration {
            self.duration.observe(seconds(duration));
        }
        if let Some(steps) = end.steps {
            self.steps_per_execution.observe(steps as f64);
        }
        if let Some(calls) = end.model_calls {
            self.model_calls_per_execution.observe(calls as f64);
        }
        if let Some(calls) = end.tool_calls {
            self.tool_calls_per_execution.observe(calls as f64);
        }
        if let Some(error) = end.error_type {
            self.errors.inc(error);
        }
    }

    pub(super) fn stepped(&self, step: StepType, duration: Option<Duration>) {
        self.steps.inc(step);
        if let Some(duration) = duration {
            self.step_duration.observe(step, seconds(duration));
        }
    }
}

/// All agents of a collector, and their tools.
pub(super) struct Agents {
    families: Families,
    agents: CappedNames,
    tools: CappedNames,
    tool_calls: CounterVec,
    tool_duration: HistogramVec,
    /// By label value, which is capped, so the map is bounded too.
    series: RwLock<HashMap<SliceArc<str>, Arc<AgentSeries>, foldhash::fast::RandomState>>,
}

impl Agents {
    pub(super) fn new(registry: &Registry, namespace: &str) -> Result<Self> {
        let options = FamilyOptions { namespace, optional: &[] };
        let families = Families::new(registry, AGENT_METRICS, &options)?;
        Ok(Self {
            agents: families.capped("agent_executions_total", "agent_type"),
            tools: families.capped("agent_tool_calls_total", "tool_name"),
            tool_calls: families.counter("agent_tool_calls_total"),
            tool_duration: families.histogram("agent_tool_call_duration_seconds"),
            series: RwLock::new(HashMap::default()),
            families,
        })
    }

    /// The series of an agent. The first call makes the counters of its executions appear with 0.
    pub(super) fn of(&self, given: &str) -> Arc<AgentSeries> {
        if let Some(series) = self.series.read().get(given)
            && !series.active.is_removed()
        {
            return Arc::clone(series);
        }
        let agent = self.agents.admit(given);
        if let Some(series) = self.series.read().get(&agent)
            && !series.active.is_removed()
        {
            return Arc::clone(series);
        }
        // Made without the lock: making a series may log a warning, and a subscriber of the log may record in this collector.
        // If two threads make one at once, both write the same series and the first is kept.
        let made = Arc::new(AgentSeries::new(&self.families, SliceArc::clone(&agent)));
        let mut all = self.series.write();
        let kept = all.entry(agent).or_insert_with(|| Arc::clone(&made));
        if kept.active.is_removed() {
            *kept = made;
        }
        Arc::clone(kept)
    }

    /// Registers a tool, so that its failures count under its name.
    pub(super) fn register_tool(&self, name: &str) {
        self.tools.admit(name);
    }

    /// A failed tool that never succeeded counts as `other`: the model may have invented its name.
    pub(super) fn called(
        &self,
        agent: &AgentSeries,
        name: &str,
        status: ToolStatus,
        duration: Option<Duration>,
    ) {
        let tool =
            if status == ToolStatus::Success { self.tools.admit(name) } else { self.tools.known(name) };
        let calls = self.tool_calls.with(&[&agent.agent, &tool, status.as_str()]);
        calls.iter().for_each(Counter::inc);
        if let Some(duration) = duration
            && let Ok(durations) = self.tool_duration.with(&[&agent.agent, &tool])
        {
            let _ = durations.observe(seconds(duration));
        }
    }

    /// Adds 1 to the counter with these label values.
    pub(super) fn count(&self, name: &str, labels: &[&str]) {
        self.families.counter(name).with(labels).iter().for_each(Counter::inc);
    }
}
