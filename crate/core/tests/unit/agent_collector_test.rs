//! Calls each method of `AgentMetricsCollector` and compares the exposition.

use super::{Outcome, only, recorded, refusal};
use prometheus_metrics::collectors::catalogue::{AGENT_METRICS, LabelValues};
use prometheus_metrics::collectors::{
    self, AgentErrorType, AgentMetricsCollector, AgentOptions, ExecutionReport, ExecutionStatus,
    LlmErrorType, MemoryOperation, Spent, StepType, ToolStatus,
};
use prometheus_metrics::{ErrorKind, Registry};
use std::time::Duration;

fn collector(tools: &[&str]) -> (Registry, AgentMetricsCollector) {
    let registry = Registry::new();
    let tools = tools.iter().map(|tool| (*tool).to_owned()).collect();
    let options = AgentOptions::default().tools(tools);
    let agents = AgentMetricsCollector::new(&registry, options).expect("the names are free");
    (registry, agents)
}

fn ms(milliseconds: u64) -> Option<Duration> {
    Some(Duration::from_millis(milliseconds))
}

/// The lines of a histogram with these counts by bucket.
fn histogram(name: &str, help: &str, labels: &str, buckets: &[(&str, u32)], sum: &str) -> String {
    let name = format!("llmdevops_{name}");
    let mut shown = format!("# HELP {name} {help}\n# TYPE {name} histogram\n");
    for (le, count) in buckets {
        shown += &format!("{name}_bucket{{le=\"{le}\",{labels}}} {count}\n");
    }
    let count = buckets.last().map_or(0, |(_, count)| *count);
    shown + &format!("{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}\n")
}

#[test]
fn test_agent_execution_metrics_by_report() {
    let (registry, agents) = collector(&[]);
    agents.record_execution_start("researcher");
    agents.record_execution_start("researcher");
    agents.record_execution_end(
        &ExecutionReport::new("researcher", ExecutionStatus::MaxSteps)
            .duration(ms(2000))
            .steps(Some(3))
            .tool_calls(Some(0)),
    );
    agents.set_active_agents("writer", 4);
    let names = [
        "agent_executions_total",
        "agent_execution_duration_seconds",
        "agent_steps_per_execution",
        "agent_tool_calls_per_execution",
        "agent_active",
    ];
    let executions = |agent: &str, over: u8| {
        let statuses = ["success", "failed", "timeout", "cancelled", "max_steps", "guardrail"];
        let count = |status| if status == "max_steps" { over } else { 0 };
        statuses.map(|status| {
            let labels = format!("agent_type=\"{agent}\",status=\"{status}\"");
            format!("llmdevops_agent_executions_total{{{labels}}} {}\n", count(status))
        })
    };
    let labels = "agent_type=\"researcher\"";
    let expected = [
        format!(
            "\
# HELP llmdevops_agent_executions_total Executions of agents by outcome
# TYPE llmdevops_agent_executions_total counter
{}{}",
            executions("researcher", 1).concat(),
            executions("writer", 0).concat()
        ),
        histogram(
            "agent_execution_duration_seconds",
            "Duration of executions, whatever the outcome",
            labels,
            &[
                ("0.5", 0),
                ("1", 0),
                ("2.5", 1),
                ("5", 1),
                ("10", 1),
                ("30", 1),
                ("60", 1),
                ("120", 1),
                ("300", 1),
                ("600", 1),
                ("1800", 1),
                ("3600", 1),
                ("+Inf", 1),
            ],
            "2",
        ),
        histogram(
            "agent_steps_per_execution",
            "Steps of one execution",
            labels,
            &[
                ("0", 0),
                ("1", 0),
                ("2", 0),
                ("3", 1),
                ("5", 1),
                ("8", 1),
                ("13", 1),
                ("21", 1),
                ("34", 1),
                ("55", 1),
                ("100", 1),
                ("+Inf", 1),
            ],
            "3",
        ),
        histogram(
            "agent_tool_calls_per_execution",
            "Calls of tools of one execution",
            labels,
            &[
                ("0", 1),
                ("1", 1),
                ("2", 1),
                ("3", 1),
                ("5", 1),
                ("8", 1),
                ("13", 1),
                ("21", 1),
                ("34", 1),
                ("55", 1),
                ("100", 1),
                ("+Inf", 1),
            ],
            "0",
        ),
        "\
# HELP llmdevops_agent_active Executions in flight
# TYPE llmdevops_agent_active gauge
llmdevops_agent_active{agent_type=\"researcher\"} 1
llmdevops_agent_active{agent_type=\"writer\"} 4
"
        .to_owned(),
    ];
    assert_eq!(only(&registry, &names), expected.join("\n"));
}

#[test]
fn test_agent_step_metrics_by_report() {
    let (registry, agents) = collector(&[]);
    agents.record_step("researcher", StepType::Plan, ms(500));
    agents.record_step("researcher", StepType::Plan, ms(250_000));
    agents.record_step("researcher", StepType::Llm, None);
    let expected = [
        "\
# HELP llmdevops_agent_steps_total Steps of agents
# TYPE llmdevops_agent_steps_total counter
llmdevops_agent_steps_total{agent_type=\"researcher\",step_type=\"plan\"} 2
llmdevops_agent_steps_total{agent_type=\"researcher\",step_type=\"llm\"} 1
"
        .to_owned(),
        histogram(
            "agent_step_duration_seconds",
            "Duration of steps",
            "agent_type=\"researcher\",step_type=\"plan\"",
            &[
                ("0.1", 0),
                ("0.25", 0),
                ("0.5", 1),
                ("1", 1),
                ("2.5", 1),
                ("5", 1),
                ("10", 1),
                ("30", 1),
                ("60", 1),
                ("120", 1),
                ("+Inf", 2),
            ],
            "250.5",
        ),
    ];
    assert_eq!(only(&registry, &["agent_steps_total", "agent_step_duration_seconds"]), expected.join("\n"));
}

#[test]
fn test_agent_tool_call_metrics_by_report() {
    let (registry, agents) = collector(&["shell"]);
    agents.record_tool_call("researcher", "search", ToolStatus::Success, ms(250));
    agents.record_tool_call("researcher", "search", ToolStatus::Timeout, None);
    // A registered tool, and one whose name the model invented.
    agents.record_tool_call("researcher", "shell", ToolStatus::Denied, None);
    agents.record_tool_call("researcher", "made_up", ToolStatus::Error, None);
    let expected = [
        "\
# HELP llmdevops_agent_tool_calls_total Calls of tools by outcome
# TYPE llmdevops_agent_tool_calls_total counter
llmdevops_agent_tool_calls_total{agent_type=\"researcher\",tool_name=\"search\",status=\"success\"} 1
llmdevops_agent_tool_calls_total{agent_type=\"researcher\",tool_name=\"search\",status=\"timeout\"} 1
llmdevops_agent_tool_calls_total{agent_type=\"researcher\",tool_name=\"shell\",status=\"denied\"} 1
llmdevops_agent_tool_calls_total{agent_type=\"researcher\",tool_name=\"other\",status=\"error\"} 1
"
        .to_owned(),
        histogram(
            "agent_tool_call_duration_seconds",
            "Duration of calls of tools, whatever the outcome",
            "agent_type=\"researcher\",tool_name=\"search\"",
            &[
                ("0.01", 0),
                ("0.05", 0),
                ("0.1", 0),
                ("0.25", 1),
                ("0.5", 1),
                ("1", 1),
                ("2.5", 1),
                ("5", 1),
                ("10", 1),
                ("30", 1),
                ("60", 1),
                ("120", 1),
                ("+Inf", 1),
            ],
            "0.25",
        ),
    ];
    let names = ["agent_tool_calls_total", "agent_tool_call_duration_seconds"];
    assert_eq!(only(&registry, &names), expected.join("\n"));
}

#[test]
fn test_agent_error_metrics_by_report() {
    let (registry, agents) = collector(&[]);
    agents.record_error("researcher", LlmErrorType::of(Some(429), &[]));
    agents.record_error("researcher", AgentErrorType::UnknownTool);
    agents.record_execution_end(
        &ExecutionReport::new("researcher", ExecutionStatus::Failed)
            .error_type(Some(AgentErrorType::ToolError)),
    );
    assert_eq!(
        only(&registry, &["agent_errors_total"]),
        "\
# HELP llmdevops_agent_errors_total Executions and calls of tools that failed, by what went wrong
# TYPE llmdevops_agent_errors_total counter
llmdevops_agent_errors_total{agent_type=\"researcher\",error_type=\"rate_limit\"} 1
llmdevops_agent_errors_total{agent_type=\"researcher\",error_type=\"unknown_tool\"} 1
llmdevops_agent_errors_total{agent_type=\"researcher\",error_type=\"tool_error\"} 1
"
    );
}

#[test]
fn handoffs_and_memory() {
    let (registry, agents) = collector(&[]);
    agents.record_handoff("researcher", "", collectors::Outcome::Success);
    agents.record_memory_operation("researcher", MemoryOperation::Search, collectors::Outcome::Error);
    assert_eq!(
        recorded(&registry),
        [
            "agent_handoffs_total{from_agent=\"researcher\",to_agent=\"other\",status=\"success\"} 1",
            "agent_memory_operations_total{agent_type=\"researcher\",operation_type=\"search\",status=\"error\"} 1",
        ]
    );
}

#[test]
fn a_call_that_repeats_the_one_before_is_counted() {
    let (registry, agents) = collector(&[]);
    let execution = agents.start_execution("researcher");
    let call = |name: &str, arguments: Option<&str>| {
        execution.record_tool_call(name, ToolStatus::Success, None, arguments);
    };
    call("search", Some("{\"q\":\"x\"}"));
    call("search", Some("{\"q\":\"x\"}"));
    call("search", Some("{\"q\":\"y\"}"));
    call("search", None);
    call("search", Some("{\"q\":\"y\"}"));
    call("fetch", Some("{\"q\":\"y\"}"));
    call("searc", Some("h"));
    // Differences after the compared bytes do not count, and a character at the limit may be cut without an error.
    call("search", Some(&"é".repeat(5001)));
    call("search", Some(&"é".repeat(6000)));
    let lines = recorded(&registry);
    assert!(
        lines.contains(&"agent_repeated_tool_calls_total{agent_type=\"researcher\"} 3".to_owned()),
        "{lines:?}"
    );
    execution.end(ExecutionStatus::Success);
}

#[test]
fn usage_is_added_to_the_agent() {
    let (registry, agents) = collector(&[]);
    let execution = agents.start_execution("researcher");
    assert_eq!(execution.agent_type(), "researcher");
    execution.add_usage(Spent::default().input_tokens(10).output_tokens(20).cost_usd(0.25));
    execution.add_usage(Spent::default().input_tokens(5).output_tokens(0).cost_usd(f64::NAN));
    execution.add_usage(Spent::default().input_tokens(0).output_tokens(0).cost_usd(f64::INFINITY));
    assert_eq!(
        recorded(&registry),
        [
            "agent_active{agent_type=\"researcher\"} 1",
            "agent_tokens_total{agent_type=\"researcher\",type=\"input\"} 15",
            "agent_tokens_total{agent_type=\"researcher\",type=\"output\"} 20",
            "agent_cost_usd_total{agent_type=\"researcher\"} 0.25",
        ]
    );
    drop(execution);
}

#[test]
fn agents_and_tools_over_a_hundred_share_one_series() {
    let (registry, agents) = collector(&[]);
    for number in 0..110 {
        agents.record_step(&format!("agent-{number}"), StepType::Llm, None);
        agents.record_tool_call("agent-1", &format!("tool-{number}"), ToolStatus::Success, None);
    }
    let lines = recorded(&registry);
    let of = |name: &str| lines.iter().filter(|line| line.starts_with(name)).collect::<Vec<_>>();
    let (steps, calls) = (of("agent_steps_total"), of("agent_tool_calls_total"));
    assert_eq!((steps.len(), calls.len()), (101, 101));
    assert_eq!(steps[100], "agent_steps_total{agent_type=\"other\",step_type=\"llm\"} 10");
    let other = "agent_tool_calls_total{agent_type=\"agent-1\",tool_name=\"other\",status=\"success\"} 10";
    assert_eq!(calls[100], other);
}

#[test]
fn agents_start_at_0_after_a_reset_and_no_gauge_goes_below_0() {
    let (registry, agents) = collector(&[]);
    let execution = agents.start_execution("researcher");
    registry.reset();
    drop(execution);
    agents.record_step("researcher", StepType::Llm, None);
    assert_eq!(
        only(&registry, &["agent_active", "agent_steps_total"]),
        "\
# HELP llmdevops_agent_steps_total Steps of agents
# TYPE llmdevops_agent_steps_total counter
llmdevops_agent_steps_total{agent_type=\"researcher\",step_type=\"llm\"} 1

# HELP llmdevops_agent_active Executions in flight
# TYPE llmdevops_agent_active gauge
llmdevops_agent_active{agent_type=\"researcher\"} 0
"
    );
}

#[test]
fn an_invalid_namespace_is_refused() -> Outcome {
    let registry = Registry::new();
    let options = AgentOptions::default().namespace("a b".to_owned());
    assert_eq!(refusal(AgentMetricsCollector::new(&registry, options)).0, ErrorKind::InvalidMetricName);
    let options = AgentOptions::default().namespace("acme".to_owned());
    AgentMetricsCollector::new(&registry, options)?.record_step("a", StepType::Llm, None);
    assert!(
        super::text(&registry).contains("\nacme_agent_steps_total{agent_type=\"a\",step_type=\"llm\"} 1\n")
    );
    Ok(())
}

#[test]
fn labels_of_agents_have_the_words_of_their_types() {
    let words = |metric: &str, label: &str| {
        let spec =
            AGENT_METRICS.iter().find(|spec| spec.name == metric).expect("the catalogue has the metric");
        match spec.label(label).expect("the metric has the label").values {
            LabelValues::Enum(words) => words.to_vec(),
            LabelValues::Capped(_) => panic!("{label} is one of a few words"),
        }
    };
    macro_rules! assert_words {
        ($($of:ty: $metric:literal, $label:literal;)+) => {$(
            let all: Vec<&str> = <$of>::ALL.iter().map(|word| word.as_str()).collect();
            assert_eq!(all, words($metric, $label));
        )+};
    }
    assert_words! {
        ExecutionStatus: "agent_executions_total", "status";
        StepType: "agent_steps_total", "step_type";
        ToolStatus: "agent_tool_calls_total", "status";
        MemoryOperation: "agent_memory_operations_total", "operation_type";
        collectors::Outcome: "agent_memory_operations_total", "status";
        collectors::Outcome: "agent_handoffs_total", "status";
    }
    let (own, llm) = (&AgentErrorType::OWN[..], LlmErrorType::ALL);
    let all = llm.iter().copied().map(AgentErrorType::from).chain(own.iter().copied());
    assert_eq!(
        all.clone().map(AgentErrorType::as_str).collect::<Vec<_>>(),
        words("agent_errors_total", "error_type")
    );
    for error in all {
        assert_eq!(AgentErrorType::from_name(error.as_str()), Some(error));
        assert_eq!(error.to_string(), error.as_str());
    }
}
