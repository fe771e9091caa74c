//! Follows executions of agents from start to end with a mock clock, and compares scrapes in both formats during and after
//! them: executions that end, fail or are dropped, and one that several threads share.

use crate::{Outcome, samples_of};
use prometheus_metrics::collectors::{
    AgentErrorType, AgentExecution, AgentMetricsCollector, AgentOptions, ExecutionStatus, LlmErrorType,
    LlmMetricsCollector, LlmOptions, LlmTarget, LlmUsage, Price, PriceTable, StepType, ToolStatus,
};
use prometheus_metrics::testing::MockRegistry;
use prometheus_metrics::{MetricsError, Registry};
use proptest::prelude::*;
use std::thread;
use std::time::Duration;

fn collector() -> Result<(MockRegistry, AgentMetricsCollector), MetricsError> {
    let registry = MockRegistry::new();
    let agents = AgentMetricsCollector::new(&registry, AgentOptions::default())?;
    Ok((registry, agents))
}

/// The samples of these families that are not 0, without buckets, equal in both formats.
fn shown(registry: &Registry, names: &[&str]) -> Vec<String> {
    let mut lines = samples_of(registry, "llmdevops_agent_", names);
    lines.retain(|line| !line.contains("_bucket{"));
    lines
}

#[test]
fn an_execution_is_active_until_it_ends() -> Outcome {
    let (registry, agents) = collector()?;
    let prices = PriceTable::new().with("m", Price::new(1.0, 2.0))?;
    let llm = LlmMetricsCollector::new(&registry, LlmOptions::default().prices(prices))?;
    let execution = agents.start_execution("researcher");
    let inner = agents.start_execution("researcher");
    let names = [
        "executions",
        "execution_duration_seconds",
        "steps_per_execution",
        "tool_calls_per_execution",
        "active",
        "tokens",
        "cost_usd",
    ];
    assert_eq!(shown(&registry, &names), [r#"active{agent_type="researcher"} 2"#]);
    registry.clock().advance(Duration::from_millis(500));
    inner.end(ExecutionStatus::MaxSteps);
    registry.clock().advance(Duration::from_secs(1));
    execution.record_step(StepType::Llm, None);
    execution.add_usage(llm.start_request(LlmTarget::new("m", "p")).end(LlmUsage::new(10, 20)));
    execution.end(ExecutionStatus::Success);
    assert_eq!(
        shown(&registry, &names),
        [
            r#"executions_total{agent_type="researcher",status="success"} 1"#,
            r#"executions_total{agent_type="researcher",status="max_steps"} 1"#,
            r#"execution_duration_seconds_sum{agent_type="researcher"} 2"#,
            r#"execution_duration_seconds_count{agent_type="researcher"} 2"#,
            r#"steps_per_execution_sum{agent_type="researcher"} 1"#,
            r#"steps_per_execution_count{agent_type="researcher"} 2"#,
            r#"tool_calls_per_execution_count{agent_type="researcher"} 2"#,
            r#"tokens_total{agent_type="researcher",type="input"} 10"#,
            r#"tokens_total{agent_type="researcher",type="output"} 20"#,
            r#"cost_usd_total{agent_type="researcher"} 0.00005"#,
        ]
    );
    Ok(())
}

#[test]
fn every_step_of_an_execution_is_counted_and_timed() -> Outcome {
    let (registry, agents) = collector()?;
    let execution = agents.start_execution("researcher");
    for step in StepType::ALL {
        execution.record_step(*step, Some(Duration::from_millis(250)));
    }
    execution.end(ExecutionStatus::Success);
    let steps = StepType::ALL.iter().map(|step| format!(r#"agent_type="researcher",step_type="{step}""#));
    let mut expected: Vec<String> =
        steps.clone().map(|labels| format!("steps_total{{{labels}}} 1")).collect();
    for labels in steps {
        expected.push(format!("step_duration_seconds_sum{{{labels}}} 0.25"));
        expected.push(format!("step_duration_seconds_count{{{labels}}} 1"));
    }
    expected.push(r#"steps_per_execution_sum{agent_type="researcher"} 8"#.to_owned());
    expected.push(r#"steps_per_execution_count{agent_type="researcher"} 1"#.to_owned());
    let names = ["steps", "step_duration_seconds", "steps_per_execution"];
    assert_eq!(shown(&registry, &names), expected);
    Ok(())
}

#[test]
fn the_tool_calls_of_an_execution_are_counted_and_compared() -> Outcome {
    let (registry, agents) = collector()?;
    let execution = agents.start_execution("researcher");
    let took = Some(Duration::from_millis(500));
    let arguments = Some(r#"{"q":"x"}"#);
    execution.record_tool_call("search", ToolStatus::Success, took, arguments);
    execution.record_tool_call("search", ToolStatus::Error, took, arguments);
    execution.record_tool_call("made_up", ToolStatus::Error, None, arguments);
    execution.end(ExecutionStatus::Success);
    let names =
        ["tool_calls_per_execution", "tool_calls", "tool_call_duration_seconds", "repeated_tool_calls"];
    assert_eq!(
        shown(&registry, &names),
        [
            r#"tool_calls_per_execution_sum{agent_type="researcher"} 3"#,
            r#"tool_calls_per_execution_count{agent_type="researcher"} 1"#,
            r#"tool_calls_total{agent_type="researcher",tool_name="search",status="success"} 1"#,
            r#"tool_calls_total{agent_type="researcher",tool_name="search",status="error"} 1"#,
            r#"tool_calls_total{agent_type="researcher",tool_name="other",status="error"} 1"#,
            r#"tool_call_duration_seconds_sum{agent_type="researcher",tool_name="search"} 1"#,
            r#"tool_call_duration_seconds_count{agent_type="researcher",tool_name="search"} 2"#,
            r#"repeated_tool_calls_total{agent_type="researcher"} 1"#,
        ]
    );
    Ok(())
}

#[test]
fn every_end_of_an_execution_has_its_status_and_error() -> Outcome {
    type End = (fn(AgentExecution), &'static str, &'static str);
    let ends: [End; 8] = [
        (|execution| execution.end(ExecutionStatus::Failed), "failed", "other"),
        (|execution| execution.end(ExecutionStatus::Guardrail), "guardrail", "guardrail"),
        (|execution| execution.fail(LlmErrorType::RateLimit), "failed", "rate_limit"),
        (|execution| execution.fail(LlmErrorType::Timeout), "timeout", "timeout"),
        (|execution| execution.fail(LlmErrorType::Cancelled), "cancelled", "cancelled"),
        (|execution| execution.fail(AgentErrorType::MaxSteps), "max_steps", "max_steps"),
        (|execution| execution.fail(AgentErrorType::ToolError), "failed", "tool_error"),
        (drop, "cancelled", "cancelled"),
    ];
    for (end, status, error) in ends {
        let (registry, agents) = collector()?;
        end(agents.start_execution("researcher"));
        assert_eq!(
            shown(&registry, &["executions", "active", "errors"]),
            [
                format!(r#"executions_total{{agent_type="researcher",status="{status}"}} 1"#),
                format!(r#"errors_total{{agent_type="researcher",error_type="{error}"}} 1"#),
            ]
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("CI_FULL").is_some() { 256 } else { 32 }))]

    #[test]
    fn executions_in_flight_come_back_to_zero(
        executions in proptest::collection::vec((any::<String>(), 0..4_u8), 1..60),
    ) {
        let registry = Registry::new();
        let agents = AgentMetricsCollector::new(&registry, AgentOptions::default())?;
        let going: Vec<_> = executions.iter().map(|(agent, _)| agents.start_execution(agent)).collect();
        for (execution, (_, fate)) in going.into_iter().zip(&executions) {
            execution.record_tool_call(execution.agent_type(), ToolStatus::Denied, None, Some("[]"));
            match fate {
                0 => execution.end(ExecutionStatus::Success),
                1 => execution.fail(AgentErrorType::UnknownTool),
                2 => drop(execution),
                _ => registry.reset(),
            }
        }
        prop_assert_eq!(shown(&registry, &["active"]), [""; 0]);
    }
}

#[test]
fn threads_that_share_an_execution_lose_nothing() -> Outcome {
    const THREADS: usize = 6;
    let (registry, agents) = collector()?;
    let execution = agents.start_execution("researcher");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..2000 {
                    execution.record_step(StepType::Tool, None);
                    execution.record_tool_call("search", ToolStatus::Success, None, Some("{}"));
                    agents.record_execution_start("other agent");
                }
            });
        }
    });
    execution.end(ExecutionStatus::Success);
    let names = [
        "steps",
        "steps_per_execution",
        "tool_calls_per_execution",
        "tool_calls",
        "repeated_tool_calls",
        "active",
    ];
    assert_eq!(
        shown(&registry, &names),
        [
            r#"steps_total{agent_type="researcher",step_type="tool"} 12000"#,
            r#"steps_per_execution_sum{agent_type="researcher"} 12000"#,
            r#"steps_per_execution_count{agent_type="researcher"} 1"#,
            r#"tool_calls_per_execution_sum{agent_type="researcher"} 12000"#,
            r#"tool_calls_per_execution_count{agent_type="researcher"} 1"#,
            r#"tool_calls_total{agent_type="researcher",tool_name="search",status="success"} 12000"#,
            r#"repeated_tool_calls_total{agent_type="researcher"} 11999"#,
            r#"active{agent_type="other agent"} 12000"#,
        ]
    );
    Ok(())
}
