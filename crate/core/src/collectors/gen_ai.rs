//! A second catalogue: some metrics of LLM requests and agents under OpenTelemetry's names, as Prometheus writes them, for
//! dashboards that use those names. OpenTelemetry still develops them, so they have a version.

use super::catalogue::{
    AGENT_ERROR_TYPES, ERROR_TYPES, LabelSpec, MetricSpec, TOKEN_TYPES, capped, histogram, words,
};

/// The version of OpenTelemetry's semantic conventions for generative AI that defines these names.
pub const GEN_AI_VERSION: &str = "0.1";

/// 10 ms to 82 s in steps of two.
const SECONDS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/// 100 ms to 410 s in steps of two: an execution is many requests.
const EXECUTION_SECONDS: &[f64] = &[0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6];
/// 1 to 67,108,864 in steps of four.
const TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// OpenTelemetry's word for an operation, or ours if it has none.
const OPERATION: LabelSpec = capped("gen_ai_operation_name", 10);
const PROVIDER: LabelSpec = capped("gen_ai_provider_name", 20);
const MODEL: LabelSpec = capped("gen_ai_request_model", 50);
const AGENT: LabelSpec = capped("gen_ai_agent_name", 100);
const TOOL: LabelSpec = capped("gen_ai_tool_name", 100);
/// Empty for a success, so the label is absent.
const ERROR: LabelSpec = words("error_type", ERROR_TYPES);
const AGENT_ERROR: LabelSpec = words("error_type", AGENT_ERROR_TYPES);

/// The metrics of LLM requests.
#[rustfmt::skip]
pub static GEN_AI_LLM_METRICS: &[MetricSpec] = &[
    histogram("gen_ai_client_operation_duration_seconds", "seconds", &[OPERATION, PROVIDER, MODEL, ERROR], SECONDS, "Duration of requests to models"),
    histogram("gen_ai_client_token_usage", "tokens", &[OPERATION, PROVIDER, MODEL, words("gen_ai_token_type", TOKEN_TYPES)], TOKENS, "Input and output tokens of requests"),
    histogram("gen_ai_client_operation_time_to_first_chunk_seconds", "seconds", &[OPERATION, PROVIDER, MODEL], SECONDS, "From a request to the first chunk of its answer"),
];

/// The metrics of agents.
#[rustfmt::skip]
pub static GEN_AI_AGENT_METRICS: &[MetricSpec] = &[
    histogram("gen_ai_invoke_agent_duration_seconds", "seconds", &[AGENT, AGENT_ERROR], EXECUTION_SECONDS, "Duration of executions of agents"),
    histogram("gen_ai_execute_tool_duration_seconds", "seconds", &[AGENT, TOOL, AGENT_ERROR], SECONDS, "Duration of calls of tools"),
];
