//! The metrics of LLM requests and of agents, as data: names, types, labels, their values, buckets, units and help. The
//! collectors of both languages make their metrics from it, and tests compare docs and dashboards with it.

use super::words::{
    AgentErrorType, CacheResult, ExecutionStatus, FinishReason, GuardrailResult, GuardrailStage,
    Interruption, LlmErrorType, LlmOperation, LlmStatus, MediaUnit, MemoryOperation, ObjectiveResult,
    Outcome, RateLimitResource, StepType, TokenDetail, TokenType, ToolStatus,
};
use crate::registry::Kind;
use std::time::Duration;

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MetricSpec {
    /// The name without the namespace.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// In the order of the exposition.
    pub labels: &'static [LabelSpec],
    /// Upper bounds of a histogram, `+Inf` implied.
    pub buckets: &'static [f64],
    /// `seconds`, `tokens` or `usd`; empty for a plain count.
    pub unit: &'static str,
    /// Whether the metric is off by default.
    pub opt_in: bool,
    /// How long a series stays after its last change; nothing for the registry's setting.
    pub ttl: Option<Duration>,
    /// The help text, one line without a full stop.
    pub help: &'static str,
}

/// A label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LabelSpec {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub values: LabelValues,
}

/// The values that a label may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelValues {
    /// One of these words.
    Enum(&'static [&'static str]),
    /// Any values, but only this many different ones. Further ones become `other`.
    Capped(usize),
}

impl MetricSpec {
    /// The label with this name.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&LabelSpec> {
        self.labels.iter().find(|label| label.name == name)
    }
}

/// The words of [`LlmStatus`](super::LlmStatus).
pub const LLM_STATUSES: &[&str] = LlmStatus::WORDS;
/// The words of [`LlmOperation`](super::LlmOperation).
pub const OPERATIONS: &[&str] = LlmOperation::WORDS;
/// `input` and `output`.
pub const TOKEN_TYPES: &[&str] = TokenType::WORDS;
/// The parts of the tokens: cached, reasoning, audio and image tokens.
pub const TOKEN_DETAILS: &[&str] = TokenDetail::WORDS;
/// The words of [`LlmErrorType`](super::LlmErrorType).
pub const ERROR_TYPES: &[&str] = LlmErrorType::WORDS;
/// The words of [`AgentErrorType`](super::AgentErrorType).
pub const AGENT_ERROR_TYPES: &[&str] = AgentErrorType::WORDS;
/// The words of [`FinishReason`](super::FinishReason).
pub const FINISH_REASONS: &[&str] = FinishReason::WORDS;
/// The words of [`RateLimitResource`](super::RateLimitResource).
pub const RATE_LIMIT_RESOURCES: &[&str] = RateLimitResource::WORDS;
/// The words of [`Interruption`](super::Interruption).
pub const INTERRUPTIONS: &[&str] = Interruption::WORDS;
/// The words of [`MediaUnit`](super::MediaUnit).
pub const MEDIA_UNITS: &[&str] = MediaUnit::WORDS;
/// The words of [`CacheResult`](super::CacheResult).
pub const CACHE_RESULTS: &[&str] = CacheResult::WORDS;
/// The words of [`GuardrailStage`](super::GuardrailStage).
pub const GUARDRAIL_STAGES: &[&str] = GuardrailStage::WORDS;
/// The words of [`GuardrailResult`](super::GuardrailResult).
pub const GUARDRAIL_RESULTS: &[&str] = GuardrailResult::WORDS;
/// The words of [`ExecutionStatus`](super::ExecutionStatus).
pub const EXECUTION_STATUSES: &[&str] = ExecutionStatus::WORDS;
/// The words of [`StepType`](super::StepType).
pub const STEP_TYPES: &[&str] = StepType::WORDS;
/// The words of [`ToolStatus`](super::ToolStatus).
pub const TOOL_STATUSES: &[&str] = ToolStatus::WORDS;
/// `met`, `missed` and `failed`.
pub const OBJECTIVE_RESULTS: &[&str] = ObjectiveResult::WORDS;
/// The words of [`Outcome`](super::Outcome).
pub const OUTCOMES: &[&str] = Outcome::WORDS;
/// The words of [`MemoryOperation`](super::MemoryOperation).
pub const MEMORY_OPERATIONS: &[&str] = MemoryOperation::WORDS;

const fn words(name: &'static str, words: &'static [&'static str]) -> LabelSpec {
    LabelSpec { name, values: LabelValues::Enum(words) }
}

const fn capped(name: &'static str, max: usize) -> LabelSpec {
    LabelSpec { name, values: LabelValues::Capped(max) }
}

const MODEL: LabelSpec = capped("model", 50);
const PROVIDER: LabelSpec = capped("provider", 20);
const OPERATION: LabelSpec = words("operation", OPERATIONS);
const AGENT: LabelSpec = capped("agent_type", 100);
const TOOL: LabelSpec = capped("tool_name", 100);
/// The cap of tools that providers run: their APIs know about ten.
const SERVER_TOOLS: usize = 20;
/// The cap of labels whose values the program chooses: caches, guardrails, budgets, versions.
const NAMED: usize = 50;

/// How long a rate limit is shown after the last answer that reported it.
const RATE_LIMIT_TTL: Duration = Duration::from_secs(300);

const MODEL_PROVIDER: &[LabelSpec] = &[MODEL, PROVIDER];

/// From a tenth of a second (a cached answer) to ten minutes (the longest timeout of the SDKs).
const REQUEST_SECONDS: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0];
const FIRST_TOKEN_SECONDS: &[f64] =
    &[0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 80.0];
/// 200 to 0.4 tokens a second.
const TOKEN_SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5];
/// 16 to 1,048,576 in steps of four.
const TOKENS: &[f64] = &[16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0];
const EXECUTION_SECONDS: &[f64] =
    &[0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
const STEP_SECONDS: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];
const TOOL_SECONDS: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];
const GUARDRAIL_SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Fibonacci numbers: the question is whether there are few, many or far too many.
const PER_EXECUTION: &[f64] = &[0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0, 55.0, 100.0];

const fn counter(
    name: &'static str,
    unit: &'static str,
    labels: &'static [LabelSpec],
    help: &'static str,
) -> MetricSpec {
    MetricSpec { name, kind: Kind::Counter, labels, buckets: &[], unit, opt_in: false, ttl: None, help }
}

const fn gauge(
    name: &'static str,
    unit: &'static str,
    labels: &'static [LabelSpec],
    help: &'static str,
) -> MetricSpec {
    MetricSpec { name, kind: Kind::Gauge, labels, buckets: &[], unit, opt_in: false, ttl: None, help }
}

const fn histogram(
    name: &'static str,
    unit: &'static str,
    labels: &'static [LabelSpec],
    buckets: &'static [f64],
    help: &'static str,
) -> MetricSpec {
    MetricSpec { name, kind: Kind::Histogram, labels, buckets, unit, opt_in: false, ttl: None, help }
}

const fn on_request(spec: MetricSpec) -> MetricSpec {
    MetricSpec { opt_in: true, ..spec }
}

/// A metric whose value is only shown for some time after the last answer that reported it.
const fn short_lived(spec: MetricSpec) -> MetricSpec {
    MetricSpec { ttl: Some(RATE_LIMIT_TTL), ..spec }
}

/// The metrics of LLM requests, in the order of the exposition.
#[rustfmt::skip]
pub static LLM_METRICS: &[MetricSpec] = &[
    counter("llm_requests_total", "", &[MODEL, PROVIDER, OPERATION, words("status", LLM_STATUSES)], "Requests to models by outcome"),
    histogram("llm_request_duration_seconds", "seconds", &[MODEL, PROVIDER, OPERATION], REQUEST_SECONDS, "From a request to the end of its answer, whatever the outcome"),
    counter("llm_tokens_total", "tokens", &[MODEL, PROVIDER, words("type", TOKEN_TYPES)], "Tokens as the provider reports them, cached and reasoning ones included"),
    counter("llm_token_details_total", "tokens", &[MODEL, PROVIDER, words("detail", TOKEN_DETAILS)], "Parts of the tokens that were cached, thought, heard or seen"),
    on_request(histogram("llm_tokens_per_request", "tokens", &[MODEL, words("type", TOKEN_TYPES)], TOKENS, "Tokens of one request")),
    counter("llm_errors_total", "", &[MODEL, PROVIDER, words("error_type", ERROR_TYPES)], "Requests that did not succeed, by what went wrong"),
    gauge("llm_active_requests", "", MODEL_PROVIDER, "Requests in flight"),
    counter("llm_cost_usd_total", "usd", MODEL_PROVIDER, "Cost of requests whose price is known"),
    counter("llm_unpriced_requests_total", "", MODEL_PROVIDER, "Requests with tokens and without a price"),
    counter("llm_usage_missing_total", "", MODEL_PROVIDER, "Successful requests for which the provider reported no tokens"),
    counter("llm_finish_reasons_total", "", &[MODEL, PROVIDER, words("reason", FINISH_REASONS)], "Answers by why they ended"),
    counter("llm_retries_total", "", &[MODEL, PROVIDER, words("error_type", ERROR_TYPES)], "Attempts after the first, by what had gone wrong"),
    on_request(histogram("llm_attempt_duration_seconds", "seconds", MODEL_PROVIDER, REQUEST_SECONDS, "From sending one attempt to the headers of its answer, or to its failure")),
    counter("llm_fallbacks_total", "", &[capped("from_model", 50), capped("to_model", 50), words("status", OUTCOMES)], "Requests given to another model because the first failed"),
    short_lived(gauge("llm_ratelimit_remaining", "", &[MODEL, PROVIDER, words("resource", RATE_LIMIT_RESOURCES)], "What the provider's rate limit leaves, as last reported")),
    short_lived(gauge("llm_ratelimit_limit", "", &[MODEL, PROVIDER, words("resource", RATE_LIMIT_RESOURCES)], "The provider's rate limit, as last reported")),
    short_lived(gauge("llm_ratelimit_reset_timestamp_seconds", "seconds", &[MODEL, PROVIDER, words("resource", RATE_LIMIT_RESOURCES)], "When the provider's rate limit is full again, in seconds since 1970")),
    on_request(histogram("llm_queue_duration_seconds", "seconds", MODEL_PROVIDER, REQUEST_SECONDS, "What requests waited in the application before they were sent")),
    counter("llm_cache_requests_total", "", &[capped("cache", NAMED), words("result", CACHE_RESULTS)], "Looks into the application's own caches of answers"),
    counter("llm_guardrail_checks_total", "", &[capped("guardrail", NAMED), words("stage", GUARDRAIL_STAGES), words("result", GUARDRAIL_RESULTS)], "Checks of guardrails"),
    histogram("llm_guardrail_duration_seconds", "seconds", &[capped("guardrail", NAMED), words("stage", GUARDRAIL_STAGES)], GUARDRAIL_SECONDS, "Duration of guardrails' checks"),
    gauge("llm_budget_limit_usd", "usd", &[capped("budget", NAMED)], "What a budget allows"),
    gauge("llm_budget_remaining_usd", "usd", &[capped("budget", NAMED)], "What is left of a budget"),
    gauge("llm_budget_reset_timestamp_seconds", "seconds", &[capped("budget", NAMED)], "When a budget begins anew, in seconds since 1970"),
    counter("llm_media_units_total", "", &[MODEL, PROVIDER, words("unit", MEDIA_UNITS)], "Images, seconds of audio and characters of speech"),
    counter("llm_server_tool_calls_total", "", &[MODEL, PROVIDER, capped("tool", SERVER_TOOLS)], "Calls of tools that the provider runs"),
    gauge("llm_model_info", "", &[MODEL, PROVIDER, capped("version", NAMED)], "Models in use with their version; always 1"),
    on_request(counter("llm_objectives_total", "", &[MODEL, PROVIDER, words("result", OBJECTIVE_RESULTS)], "Requests by whether they met the program's objectives; cancelled ones do not count")),
    counter("llm_streaming_requests_total", "", MODEL_PROVIDER, "Requests whose answer was streamed, whatever the outcome"),
    counter("llm_streaming_chunks_total", "", MODEL_PROVIDER, "Streamed chunks, added at the end of each stream"),
    histogram("llm_streaming_time_to_first_token_seconds", "seconds", MODEL_PROVIDER, FIRST_TOKEN_SECONDS, "From a request to the first chunk with content"),
    histogram("llm_streaming_time_per_output_token_seconds", "seconds", MODEL_PROVIDER, TOKEN_SECONDS, "Time between two tokens of a stream, on average after its first"),
    on_request(histogram("llm_streaming_inter_chunk_seconds", "seconds", MODEL_PROVIDER, TOKEN_SECONDS, "Time between two chunks of a stream")),
    on_request(histogram("llm_streaming_longest_gap_seconds", "seconds", MODEL_PROVIDER, STEP_SECONDS, "Longest time between two chunks of a stream")),
    on_request(counter("llm_streaming_stalls_total", "", MODEL_PROVIDER, "Times between two chunks that were longer than the program allows")),
    counter("llm_streaming_interrupted_total", "", &[MODEL, PROVIDER, words("reason", INTERRUPTIONS)], "Streams that ended before their end, by who or what ended them"),
];

/// The metrics of agents, in the order of the exposition.
#[rustfmt::skip]
pub static AGENT_METRICS: &[MetricSpec] = &[
    counter("agent_executions_total", "", &[AGENT, words("status", EXECUTION_STATUSES)], "Executions of agents by outcome"),
    histogram("agent_execution_duration_seconds", "seconds", &[AGENT], EXECUTION_SECONDS, "Duration of executions, whatever the outcome"),
    counter("agent_steps_total", "", &[AGENT, words("step_type", STEP_TYPES)], "Steps of agents"),
    histogram("agent_step_duration_seconds", "seconds", &[AGENT, words("step_type", STEP_TYPES)], STEP_SECONDS, "Duration of steps"),
    histogram("agent_steps_per_execution", "", &[AGENT], PER_EXECUTION, "Steps of one execution"),
    histogram("agent_model_calls_per_execution", "", &[AGENT], PER_EXECUTION, "Requests to models of one execution"),
    histogram("agent_tool_calls_per_execution", "", &[AGENT], PER_EXECUTION, "Calls of tools of one execution"),
    counter("agent_tool_calls_total", "", &[AGENT, TOOL, words("status", TOOL_STATUSES)], "Calls of tools by outcome"),
    histogram("agent_tool_call_duration_seconds", "seconds", &[AGENT, TOOL], TOOL_SECONDS, "Duration of calls of tools, whatever the outcome"),
    counter("agent_repeated_tool_calls_total", "", &[AGENT], "Calls of a tool that repeat the one before, arguments and all"),
    counter("agent_handoffs_total", "", &[capped("from_agent", 100), capped("to_agent", 100), words("status", OUTCOMES)], "Work that one agent gave to another"),
    counter("agent_memory_operations_total", "", &[AGENT, words("operation_type", MEMORY_OPERATIONS), words("status", OUTCOMES)], "Operations on agents' memory"),
    gauge("agent_active", "", &[AGENT], "Executions in flight"),
    counter("agent_errors_total", "", &[AGENT, words("error_type", AGENT_ERROR_TYPES)], "Executions and calls of tools that failed, by what went wrong"),
    counter("agent_tokens_total", "tokens", &[AGENT, words("type", TOKEN_TYPES)], "Tokens of the requests that agents made"),
    counter("agent_cost_usd_total", "usd", &[AGENT], "Cost of the requests that agents made"),
];
