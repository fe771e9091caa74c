/**
 * Copies those of the core's tables that recording and configuring read, for the stand-in: the catalogue of metrics
 * without help and buckets, and the settings. A test compares them with the addon's.
 */
import type { CatalogueEntry, CatalogueLabel, ConfigValues, SettingNames } from '../../dist/native';

/** One metric a line: `c`ounter, `g`auge or `h`istogram, with `?` if it is optional; the name; the labels. */
const LLM = `
c llm_requests_total model provider operation status
h llm_request_duration_seconds model provider operation
c llm_tokens_total model provider type
c llm_token_details_total model provider detail
h? llm_tokens_per_request model type
c llm_errors_total model provider error_type
g llm_active_requests model provider
c llm_cost_usd_total model provider
c llm_unpriced_requests_total model provider
c llm_usage_missing_total model provider
c llm_finish_reasons_total model provider reason
c llm_retries_total model provider error_type
c llm_fallbacks_total from_model to_model status
g llm_ratelimit_remaining model provider resource
g llm_ratelimit_limit model provider resource
h? llm_queue_duration_seconds model provider
c llm_cache_requests_total cache result
c llm_guardrail_checks_total guardrail stage result
h llm_guardrail_duration_seconds guardrail stage
g llm_budget_limit_usd budget
g llm_budget_remaining_usd budget
c llm_media_units_total model provider unit
g llm_model_info model provider version
c llm_streaming_chunks_total model provider
h llm_streaming_time_to_first_token_seconds model provider
h llm_streaming_time_per_output_token_seconds model provider
h? llm_streaming_inter_chunk_seconds model provider
c llm_streaming_interrupted_total model provider reason
`;

const AGENT = `
c agent_executions_total agent_type status
h agent_execution_duration_seconds agent_type
c agent_steps_total agent_type step_type
h agent_step_duration_seconds agent_type step_type
h agent_steps_per_execution agent_type
h agent_tool_calls_per_execution agent_type
c agent_tool_calls_total agent_type tool_name status
h agent_tool_call_duration_seconds agent_type tool_name
c agent_repeated_tool_calls_total agent_type
c agent_handoffs_total from_agent to_agent status
c agent_memory_operations_total agent_type operation_type status
g agent_active agent_type
c agent_errors_total agent_type error_type
c agent_tokens_total agent_type type
c agent_cost_usd_total agent_type
`;

const GEN_AI_LLM = `
h gen_ai_client_operation_duration_seconds gen_ai_operation_name gen_ai_provider_name gen_ai_request_model error_type
h gen_ai_client_token_usage gen_ai_operation_name gen_ai_provider_name gen_ai_request_model gen_ai_token_type
h gen_ai_client_operation_time_to_first_chunk_seconds gen_ai_operation_name gen_ai_provider_name gen_ai_request_model
`;

const GEN_AI_AGENT = `
h gen_ai_invoke_agent_duration_seconds gen_ai_agent_name error_type
h gen_ai_execute_tool_duration_seconds gen_ai_agent_name gen_ai_tool_name error_type
`;

const LLM_ERRORS =
  'rate_limit quota_exceeded overloaded timeout connection authentication permission not_found invalid_request ' +
  'request_too_large context_length content_filter server_error cancelled stream_interrupted invalid_response other';
const AGENT_ERRORS = `${LLM_ERRORS} tool_error max_steps guardrail unknown_tool`;

/** The words of labels that have some, by label; for one metric by its name and label. */
const WORDS: Readonly<Record<string, string>> = {
  detail: 'cache_read cache_write reasoning audio_input audio_output image_input',
  error_type: LLM_ERRORS,
  gen_ai_token_type: 'input output',
  operation: 'chat text_completion embeddings rerank image speech transcription other',
  operation_type: 'read write search delete',
  reason: 'stop length tool_calls content_filter refusal error other',
  resource: 'requests tokens input_tokens output_tokens',
  result: 'hit miss',
  stage: 'input output tool other',
  status: 'success error',
  step_type: 'llm tool plan retrieval handoff memory guardrail other',
  type: 'input output',
  unit: 'images audio_seconds characters',
  'agent_errors_total.error_type': AGENT_ERRORS,
  'agent_executions_total.status': 'success failed timeout cancelled max_steps guardrail',
  'agent_tool_calls_total.status': 'success error timeout cancelled denied',
  'gen_ai_execute_tool_duration_seconds.error_type': AGENT_ERRORS,
  'gen_ai_invoke_agent_duration_seconds.error_type': AGENT_ERRORS,
  'llm_guardrail_checks_total.result': 'pass block error',
  'llm_requests_total.status': 'success error timeout cancelled',
  'llm_streaming_interrupted_total.reason': 'client provider timeout',
};

/** The catalogue of LLM requests, or of agents. */
export function catalogue(agents: boolean): CatalogueEntry[] {
  return entries(agents ? AGENT : LLM);
}

/** The catalogue with OpenTelemetry's names. */
export function genAiCatalogue(agents: boolean): CatalogueEntry[] {
  return entries(agents ? GEN_AI_AGENT : GEN_AI_LLM);
}

const KINDS = { c: 'counter', g: 'gauge', h: 'histogram' } as const;

function entries(lines: string): CatalogueEntry[] {
  return rows(lines).map(([kind, name, ...labels]) => ({
    name,
    kind: KINDS[kind[0] as keyof typeof KINDS],
    labels: labels.map((label) => toLabel(name, label)),
    buckets: [1],
    unit: '',
    optIn: kind.endsWith('?'),
    help: name,
  }));
}

function toLabel(metric: string, name: string): CatalogueLabel {
  const words = (WORDS[`${metric}.${name}`] ?? WORDS[name])?.split(' ') ?? [];
  // Collectors remember so many names of models, agents and tools; one is enough where nothing is shown.
  return words.length > 0 ? { name, words } : { name, words, max: 1 };
}

function rows(lines: string): string[][] {
  return lines
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
}

/** One setting a line: the variable, the option. */
const SETTINGS = `
METRICS_ENABLED enabled
METRICS_ENDPOINT_HOST host
METRICS_ENDPOINT_PORT port
METRICS_ENDPOINT_SOCKET socket
METRICS_ENDPOINT_PATH path
METRICS_CACHE_ENABLED cacheEnabled
METRICS_CACHE_TTL_MS cacheTtlMs
METRICS_COMPRESSION_ENABLED compressionEnabled
METRICS_COMPRESSION_MIN_SIZE compressionMinSize
METRICS_CARDINALITY_MAX_PER_METRIC cardinalityMaxPerMetric
METRICS_CARDINALITY_MAX_TOTAL cardinalityMaxTotal
METRICS_RATE_LIMIT_RPS rateLimitRps
METRICS_RATE_LIMIT_BURST rateLimitBurst
METRICS_COLLECTORS_LLM collectorsLlm
METRICS_COLLECTORS_AGENT collectorsAgent
METRICS_COLLECTORS_PROCESS collectorsProcess
METRICS_COLLECTORS_RUNTIME collectorsRuntime
METRICS_SELF_METRICS selfMetrics
METRICS_SCRAPE_TIMEOUT_MS timeoutMs
METRICS_HEALTH_STALL_MS stallAfterMs
METRICS_READY_TIMEOUT_MS readyTimeoutMs
METRICS_AUTH_BEARER_TOKENS bearerTokens
METRICS_AUTH_BEARER_TOKEN_FILE bearerTokenFile
METRICS_AUTH_BASIC_USERS basicUsers
METRICS_AUTH_PROTECT_HEALTH protectHealth
METRICS_AUTH_FAILURES_PER_MINUTE authFailuresPerMinute
METRICS_ALLOWLIST allowlist
METRICS_TRUSTED_PROXIES trustedProxies
METRICS_WEB_CONFIG_FILE webConfigFile
METRICS_TLS_CERT_FILE tlsCertFile
METRICS_TLS_KEY_FILE tlsKeyFile
METRICS_TLS_CLIENT_CA_FILE tlsClientCaFile
METRICS_TLS_CLIENT_AUTH tlsClientAuth
METRICS_LIMIT_CONNECTIONS maxConnections
METRICS_LIMIT_HEADER_BYTES maxHeaderBytes
METRICS_LIMIT_HEADERS maxHeaders
METRICS_HEADER_TIMEOUT_MS headerTimeoutMs
METRICS_IDLE_TIMEOUT_MS idleTimeoutMs
METRICS_WRITE_TIMEOUT_MS writeTimeoutMs
METRICS_LIMIT_BODY_BYTES maxBodyBytes
`;

/** The settings without variables and options, but for `enabled`: without the addon there is no endpoint. */
export const DEFAULT_SETTINGS: ConfigValues = {
  enabled: false,
  host: '0.0.0.0',
  port: 9090,
  path: '/metrics',
  cacheTtlMs: 0,
  compressionEnabled: true,
  compressionMinSize: 1024,
  collectorsLlm: false,
  collectorsAgent: false,
  collectorsProcess: false,
  collectorsRuntime: false,
  selfMetrics: true,
  timeoutMs: 10000,
  stallAfterMs: 5000,
  readyTimeoutMs: 1000,
  bearerTokens: [],
  basicUsers: [],
  protectHealth: false,
  authFailuresPerMinute: 30,
  allowlist: [],
  trustedProxies: [],
  maxConnections: 512,
  maxHeaderBytes: 16384,
  maxHeaders: 64,
  headerTimeoutMs: 10000,
  idleTimeoutMs: 120000,
  writeTimeoutMs: 30000,
  maxBodyBytes: 268435456,
};

/** Names of all settings. */
export function settings(): SettingNames[] {
  return rows(SETTINGS).map(([variable, option]) => ({ variable, option, expected: '' }));
}
