/**
 * The metrics that OpenTelemetry's semantic conventions for generative AI define, as Prometheus writes their names, by
 * version. Must not know how requests are recorded.
 */
import type { CatalogueEntry, CatalogueLabel } from '../native/addon';

/**
 * A version of OpenTelemetry's names: `0.1` of the conventions for generative AI, which is the newest, or `1.41` of the common
 * conventions, the last version before they moved.
 */
export type GenAiVersion = '0.1' | '1.41';

const capped = (name: string, max: number): CatalogueLabel => ({ name, words: [], max });

const REQUEST = [
  capped('gen_ai_operation_name', 10),
  capped('gen_ai_provider_name', 20),
  capped('gen_ai_request_model', 50),
];
const AGENT = capped('gen_ai_agent_name', 100);
/** Empty for a success, so the label is absent. */
const ERROR = capped('error_type', 25);
const MODALITY = capped('gen_ai_token_modality', 4);

/** The first bound and those behind it, each `factor` times the one before. */
const bounds = (first: number, factor: number, count: number): number[] =>
  // Rounded: 81.92, not 81.92000000000002.
  Array.from({ length: count }, (_, index) => Number((first * factor ** index).toPrecision(12)));

const SECONDS = bounds(0.01, 2, 14);
/** An execution is many requests. */
const EXECUTION_SECONDS = bounds(0.1, 2, 13);
const TOKENS = bounds(1, 4, 14);
const CALLS = bounds(1, 2, 8);

function entry(name: string, labels: CatalogueLabel[], help: string, buckets: number[]): CatalogueEntry {
  const kind = buckets.length === 0 ? 'counter' : 'histogram';
  return { name: `gen_ai_${name}`, kind, labels, buckets, unit: '', optIn: false, help };
}

const duration = (name: string, labels: CatalogueLabel[], help: string) => entry(name, labels, help, SECONDS);
const tokens = (name: string, help: string) =>
  entry(`client_inference_usage_${name}_tokens_total`, [...REQUEST, MODALITY], help, []);

/** The duration of requests; version 0.1 has other names for inference and embeddings. */
const OPERATION_DURATION = duration(
  'client_operation_duration_seconds',
  [...REQUEST, ERROR],
  'Duration of requests to models',
);

/** The metrics of requests to models. */
export const GEN_AI_REQUESTS: Readonly<Record<GenAiVersion, readonly CatalogueEntry[]>> = {
  '1.41': [
    OPERATION_DURATION,
    entry(
      'client_token_usage',
      [...REQUEST, { name: 'gen_ai_token_type', words: ['input', 'output'] }],
      'Input and output tokens of requests',
      TOKENS,
    ),
    duration(
      'client_operation_time_to_first_chunk_seconds',
      REQUEST,
      'From a request to the first chunk of its answer',
    ),
  ],
  '0.1': [
    duration('client_inference_duration_seconds', [...REQUEST, ERROR], 'Duration of requests for inference'),
    duration(
      'client_inference_time_to_first_chunk_seconds',
      REQUEST,
      'From a request to the first chunk of its answer',
    ),
    duration('client_inference_time_per_output_chunk_seconds', REQUEST, 'Time between two chunks of an answer'),
    tokens('input', 'Input tokens, cached ones included'),
    tokens('output', 'Output tokens, reasoning included'),
    tokens('cache_read_input', "Input tokens read from the provider's cache"),
    tokens('cache_write_input', "Input tokens written to the provider's cache"),
    tokens('reasoning_output', 'Output tokens of reasoning'),
    entry('client_inference_operation_input_tokens', REQUEST, 'Input tokens of one request', TOKENS),
    entry('client_inference_operation_output_tokens', REQUEST, 'Output tokens of one request', TOKENS),
    duration('client_embeddings_duration_seconds', [...REQUEST, ERROR], 'Duration of requests for embeddings'),
    entry('client_embeddings_operation_input_tokens', REQUEST, 'Input tokens of one request for embeddings', TOKENS),
    OPERATION_DURATION,
  ],
};

/** The metrics of agents. Version 1.41 has none. */
export const GEN_AI_AGENTS: Readonly<Record<GenAiVersion, readonly CatalogueEntry[]>> = {
  '1.41': [],
  '0.1': [
    entry('invoke_agent_duration_seconds', [AGENT, ERROR], 'Duration of executions of agents', EXECUTION_SECONDS),
    entry('invoke_agent_inference_calls', [AGENT], 'Requests to models of one execution', CALLS),
    entry('invoke_agent_tool_calls', [AGENT], 'Calls of tools of one execution', CALLS),
    duration(
      'execute_tool_duration_seconds',
      [AGENT, capped('gen_ai_tool_name', 100), ERROR],
      'Duration of calls of tools',
    ),
  ],
};
