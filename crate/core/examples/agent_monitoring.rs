//! Records an agent: an execution with a request to a model, a call of a tool, and a handoff to another agent.
//!
//! `cargo run --example agent_monitoring`

use prometheus_metrics::collectors::{
    AgentMetricsCollector, AgentOptions, ExecutionStatus, LlmMetricsCollector, LlmOptions, LlmTarget,
    LlmUsage, Outcome, StepType, ToolStatus,
};
use prometheus_metrics::{Format, MetricsError, Registry};
use std::time::Duration;

fn main() -> Result<(), MetricsError> {
    let registry = Registry::new();
    let agents = AgentMetricsCollector::new(&registry, AgentOptions::default())?;
    let llm = LlmMetricsCollector::new(&registry, LlmOptions::default())?;

    // An execution is active until it is ended or dropped.
    let execution = agents.start_execution("researcher");

    // The tokens and the cost of a request count for the agent that made it.
    let call = llm.start_request(LlmTarget::new("claude-sonnet-4-5", "anthropic"));
    execution.add_usage(call.end(LlmUsage::new(1200, 400)));
    execution.record_step(StepType::Llm, None);

    // Calls with the same arguments one after the other are counted as repeated.
    for _ in 0..2 {
        let took = Some(Duration::from_millis(250));
        execution.record_tool_call("search", ToolStatus::Success, took, Some(r#"{"q":"prometheus"}"#));
    }
    execution.end(ExecutionStatus::Success);
    agents.record_handoff("researcher", "writer", Outcome::Success);

    // The counters of agents, without the series at 0.
    let text = registry.encode(Format::PrometheusText);
    let is_shown =
        |line: &&str| line.contains("_agent_") && line.contains("_total{") && !line.ends_with(" 0");
    text.lines().filter(is_shown).for_each(|line| println!("{line}"));
    Ok(())
}
