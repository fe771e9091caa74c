/**
 * Records some metrics under OpenTelemetry's names too, for dashboards that use those names. Maps our label values to
 * OpenTelemetry's.
 */
import { refuseOption } from '../errors';
import type { HistogramSeries } from '../metrics/histogram';
import type { CatalogueEntry } from '../native/addon';
import type { Registry } from '../registry/registry';
import { isAmount } from './amount';
import { Families } from './families';
import { GEN_AI_AGENTS, GEN_AI_REQUESTS, type GenAiVersion } from './gen-ai-catalogue';
import type { LlmRequest } from './llm/request';

/** The option of collectors: `true` for the newest version, a version, or several at once. */
export type GenAiNames = boolean | GenAiVersion | readonly GenAiVersion[];

const VERSIONS = Object.keys(GEN_AI_REQUESTS) as GenAiVersion[];
const NEWEST: GenAiVersion = '0.1';

/** OpenTelemetry's names of providers, if they differ from ours. */
const PROVIDERS: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  bedrock: 'aws.bedrock',
  google: 'gcp.gemini',
  vertex: 'gcp.vertex_ai',
  mistral: 'mistral_ai',
  moonshot: 'moonshot_ai',
  xai: 'x_ai',
};

/** Operations that version 0.1 calls inference. */
const INFERENCE: ReadonlySet<string> = new Set(['chat', 'text_completion']);

/** The error type for a tool's status. */
const ERROR_OF_TOOL: Readonly<Record<string, string>> = {
  success: '',
  error: 'tool_error',
  timeout: 'timeout',
  cancelled: 'cancelled',
  denied: 'permission',
};

/** Label values of a request, as our metrics show them. */
export interface GenAiTarget {
  readonly model: string;
  readonly provider: string;
  readonly operation: string;
}

/** Metrics of requests to models. */
export class GenAiLlmNames {
  readonly #families: Families;
  readonly #versions: readonly GenAiVersion[];

  constructor(registry: Registry, versions: readonly GenAiVersion[]) {
    this.#families = makeFamilies(registry, GEN_AI_REQUESTS, versions);
    this.#versions = versions;
  }

  /** The series that observes each time between two chunks, if the versions have one for the operation. */
  gapsOf(target: GenAiTarget): HistogramSeries | undefined {
    if (!this.#versions.includes('0.1') || !INFERENCE.has(target.operation)) return undefined;
    return this.#families.histogram('gen_ai_client_inference_time_per_output_chunk_seconds').labels(labelsOf(target));
  }

  /** @param errorType undefined for a success */
  record(target: GenAiTarget, errorType: string | undefined, request: LlmRequest): void {
    const labels = labelsOf(target);
    const error = { ...labels, error_type: errorType ?? '' };
    const isOld = this.#versions.includes('1.41');
    if (isOld) {
      this.#observe('operation_duration_seconds', error, request.durationMs, 1000);
      this.#observe('operation_time_to_first_chunk_seconds', labels, request.timeToFirstTokenMs, 1000);
      this.#observe('token_usage', { ...labels, gen_ai_token_type: 'input' }, request.inputTokens);
      this.#observe('token_usage', { ...labels, gen_ai_token_type: 'output' }, request.outputTokens);
    }
    if (!this.#versions.includes('0.1')) return;
    if (INFERENCE.has(target.operation)) {
      this.#observe('inference_duration_seconds', error, request.durationMs, 1000);
      this.#recordInference(labels, request);
    } else if (target.operation === 'embeddings') {
      this.#observe('embeddings_duration_seconds', error, request.durationMs, 1000);
      this.#observe('embeddings_operation_input_tokens', labels, request.inputTokens);
    } else if (!isOld) {
      this.#observe('operation_duration_seconds', error, request.durationMs, 1000);
    }
  }

  #recordInference(labels: Labels, request: LlmRequest): void {
    const { inputTokens, outputTokens } = request;
    this.#observe('inference_time_to_first_chunk_seconds', labels, request.timeToFirstTokenMs, 1000);
    this.#observe('inference_operation_input_tokens', labels, inputTokens);
    this.#observe('inference_operation_output_tokens', labels, outputTokens);
    this.#count('input', labels, inputTokens, { audio: request.audioInputTokens, image: request.imageInputTokens });
    this.#count('output', labels, outputTokens, { audio: request.audioOutputTokens, image: request.imageOutputTokens });
    this.#count('cache_read_input', labels, request.cacheReadTokens);
    this.#count('cache_write_input', labels, request.cacheWriteTokens);
    this.#count('reasoning_output', labels, request.reasoningTokens);
  }

  #observe(name: string, labels: Labels, value: unknown, unit = 1): void {
    if (isAmount(value)) this.#families.histogram(`gen_ai_client_${name}`).observe(labels, value / unit);
  }

  /** Counts tokens by modality. What no detail covers may be text or pictures, so it is `unknown`. */
  #count(name: string, labels: Labels, tokens: unknown, details: Readonly<Record<string, unknown>> = {}): void {
    if (!isAmount(tokens)) return;
    const counter = this.#families.counter(`gen_ai_client_inference_usage_${name}_tokens_total`);
    let rest = tokens;
    for (const [modality, detail] of Object.entries(details)) {
      if (!isAmount(detail) || detail === 0) continue;
      const part = Math.min(detail, rest);
      rest -= part;
      counter.inc({ ...labels, gen_ai_token_modality: modality }, part);
    }
    counter.inc({ ...labels, gen_ai_token_modality: 'unknown' }, rest);
  }
}

type Labels = Readonly<Record<string, string>>;

function labelsOf({ model, provider, operation }: GenAiTarget): Labels {
  return {
    gen_ai_operation_name: operation,
    gen_ai_provider_name: Object.hasOwn(PROVIDERS, provider) ? (PROVIDERS[provider] as string) : provider,
    gen_ai_request_model: model,
  };
}

/** Metrics of agents. */
export class GenAiAgentNames {
  readonly #families: Families;

  constructor(registry: Registry, versions: readonly GenAiVersion[]) {
    this.#families = makeFamilies(registry, GEN_AI_AGENTS, versions);
  }

  executed(agent: string, errorType: string | undefined, seconds: number | undefined): void {
    this.#observe('invoke_agent_duration_seconds', agent, seconds, { error_type: errorType ?? '' });
  }

  /** Requests to models and calls of tools of one execution. */
  counted(agent: string, modelCalls: number | undefined, toolCalls: number | undefined): void {
    this.#observe('invoke_agent_inference_calls', agent, modelCalls);
    this.#observe('invoke_agent_tool_calls', agent, toolCalls);
  }

  called(agent: string, tool: string, status: string, seconds: number): void {
    const more = { gen_ai_tool_name: tool, error_type: ERROR_OF_TOOL[status] ?? 'other' };
    this.#observe('execute_tool_duration_seconds', agent, seconds, more);
  }

  #observe(name: string, agent: string, value: unknown, more: Labels = {}): void {
    // Version 1.41 has no metrics of agents.
    if (isAmount(value))
      this.#families.optional(`gen_ai_${name}`)?.observe({ gen_ai_agent_name: agent, ...more }, value);
  }
}

function makeFamilies(
  registry: Registry,
  catalogues: Readonly<Record<GenAiVersion, readonly CatalogueEntry[]>>,
  versions: readonly GenAiVersion[],
): Families {
  const entries = new Set(versions.flatMap((version) => catalogues[version]));
  return new Families([...entries], { registry, prefix: '', optional: new Set() });
}

/**
 * The versions to record, each once.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown version
 */
export function checkGenAiNames(option: GenAiNames | undefined): readonly GenAiVersion[] {
  if (option === undefined || option === false) return [];
  if (option === true) return [NEWEST];
  const given: readonly unknown[] = Array.isArray(option) ? option : [option];
  const unknown = given.find((version) => !VERSIONS.includes(version as GenAiVersion));
  if (unknown !== undefined) refuseOption(`true, '${VERSIONS.join("' or '")}'`, 'genAiNames', unknown);
  return [...new Set(given as readonly GenAiVersion[])];
}
