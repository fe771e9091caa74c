/**
 * Records some metrics under OpenTelemetry's names too, for dashboards that use those names. Maps our label values to
 * OpenTelemetry's.
 */
import { refuseOption } from '../errors';
import type { CounterSeries } from '../metrics/counter';
import type { HistogramSeries } from '../metrics/histogram';
import type { CatalogueEntry } from '../native/addon';
import type { Registry } from '../registry/registry';
import { amountOrZero, isAmount } from './amount';
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

/** The series of one model, provider and operation, each looked up once. */
class RequestSeries {
  readonly #families: Families;
  readonly #labels: Labels;
  readonly #histograms = new Map<string, HistogramSeries>();
  readonly #counters = new Map<string, CounterSeries>();

  constructor(families: Families, labels: Labels) {
    this.#families = families;
    this.#labels = labels;
  }

  /** @param value one label beside those of the request: `label` and its value */
  observe(name: string, amount: unknown, unit = 1, label = '', value = ''): void {
    if (!isAmount(amount)) return;
    const key = value === '' ? name : `${name} ${value}`;
    let series = this.#histograms.get(key);
    if (series === undefined) {
      const labels = label === '' ? this.#labels : { ...this.#labels, [label]: value };
      series = this.#families.histogram(`gen_ai_client_${name}`).labels(labels);
      this.#histograms.set(key, series);
    }
    series.observe(amount / unit);
  }

  /** Counts tokens by modality. What no detail covers may be text or pictures, so it is `unknown`. */
  count(name: string, tokens: unknown, audio?: unknown, image?: unknown): void {
    if (!isAmount(tokens)) return;
    const heard = Math.min(amountOrZero(audio), tokens);
    const seen = Math.min(amountOrZero(image), tokens - heard);
    if (heard > 0) this.#add(name, 'audio', heard);
    if (seen > 0) this.#add(name, 'image', seen);
    this.#add(name, 'unknown', tokens - heard - seen);
  }

  #add(name: string, modality: string, tokens: number): void {
    const key = `${name} ${modality}`;
    let series = this.#counters.get(key);
    if (series === undefined) {
      const counter = this.#families.counter(`gen_ai_client_inference_usage_${name}_tokens_total`);
      series = counter.labels({ ...this.#labels, gen_ai_token_modality: modality });
      this.#counters.set(key, series);
    }
    series.inc(tokens);
  }
}

/** Metrics of requests to models. */
export class GenAiLlmNames {
  readonly #families: Families;
  readonly #isOld: boolean;
  readonly #isNew: boolean;
  readonly #series = new WeakMap<object, RequestSeries>();

  constructor(registry: Registry, versions: readonly GenAiVersion[]) {
    this.#families = makeFamilies(registry, GEN_AI_REQUESTS, versions);
    this.#isOld = versions.includes('1.41');
    this.#isNew = versions.includes('0.1');
  }

  /** The series that observes each time between two chunks, if the versions have one for the operation. */
  gapsOf(target: GenAiTarget): HistogramSeries | undefined {
    if (!this.#isNew || !INFERENCE.has(target.operation)) return undefined;
    return this.#families.histogram('gen_ai_client_inference_time_per_output_chunk_seconds').labels(labelsOf(target));
  }

  /**
   * @param kept an object that there is once for each target
   * @param errorType undefined for a success
   */
  record(kept: object, target: GenAiTarget, errorType: string | undefined, request: LlmRequest): void {
    let series = this.#series.get(kept);
    if (series === undefined) {
      series = new RequestSeries(this.#families, labelsOf(target));
      this.#series.set(kept, series);
    }
    const { durationMs, timeToFirstTokenMs, inputTokens, outputTokens } = request;
    const isInference = INFERENCE.has(target.operation);
    const isEmbedding = target.operation === 'embeddings';
    if (this.#isOld || !(isInference || isEmbedding)) {
      series.observe('operation_duration_seconds', durationMs, 1000, 'error_type', errorType);
    }
    if (this.#isOld) {
      series.observe('operation_time_to_first_chunk_seconds', timeToFirstTokenMs, 1000);
      series.observe('token_usage', inputTokens, 1, 'gen_ai_token_type', 'input');
      series.observe('token_usage', outputTokens, 1, 'gen_ai_token_type', 'output');
    }
    if (!this.#isNew) return;
    if (isInference) {
      series.observe('inference_duration_seconds', durationMs, 1000, 'error_type', errorType);
      recordInference(series, request);
    } else if (isEmbedding) {
      series.observe('embeddings_duration_seconds', durationMs, 1000, 'error_type', errorType);
      series.observe('embeddings_operation_input_tokens', inputTokens);
    }
  }
}

function recordInference(series: RequestSeries, request: LlmRequest): void {
  const { inputTokens, outputTokens } = request;
  series.observe('inference_time_to_first_chunk_seconds', request.timeToFirstTokenMs, 1000);
  series.observe('inference_operation_input_tokens', inputTokens);
  series.observe('inference_operation_output_tokens', outputTokens);
  series.count('input', inputTokens, request.audioInputTokens, request.imageInputTokens);
  series.count('output', outputTokens, request.audioOutputTokens, request.imageOutputTokens);
  series.count('cache_read_input', request.cacheReadTokens);
  series.count('cache_write_input', request.cacheWriteTokens);
  series.count('reasoning_output', request.reasoningTokens);
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
