/**
 * Records some metrics under OpenTelemetry's names too, for dashboards that use those names. The names come from the core's
 * second catalogue; this file maps our label values to OpenTelemetry's.
 */
import { refuseOption } from '../errors';
import { addon } from '../native/addon';
import type { Registry } from '../registry/registry';
import { Families } from './families';

/** A version of OpenTelemetry's semantic conventions for generative AI. */
export type GenAiVersion = '0.1';

/** OpenTelemetry's names of providers, if they differ from ours. */
const PROVIDERS: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  bedrock: 'aws.bedrock',
  google: 'gcp.gemini',
  vertex: 'gcp.vertex_ai',
  mistral: 'mistral_ai',
  xai: 'x_ai',
};

/** The error type for a tool's status. */
const ERROR_OF_TOOL: Readonly<Record<string, string>> = {
  success: '',
  error: 'tool_error',
  timeout: 'timeout',
  cancelled: 'cancelled',
  denied: 'permission',
};

/** The data of a request to a model that these metrics need. */
export interface GenAiRequest {
  readonly model: string;
  readonly provider: string;
  readonly operation: string;
  /** Undefined for a success. */
  readonly errorType: string | undefined;
  readonly seconds: number | undefined;
  readonly firstTokenSeconds: number | undefined;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
}

/** Metrics of requests to models. */
export class GenAiLlmNames {
  readonly #families: Families;

  constructor(registry: Registry) {
    this.#families = makeFamilies(registry, false);
  }

  record({ model, provider, operation, errorType, ...amounts }: GenAiRequest): void {
    const labels = {
      gen_ai_operation_name: operation,
      gen_ai_provider_name: Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider] : provider,
      gen_ai_request_model: model,
    };
    const { seconds, firstTokenSeconds, inputTokens, outputTokens } = amounts;
    const observe = (name: string, more: Readonly<Record<string, string>>, value: number | undefined) => {
      if (value !== undefined) this.#families.histogram(`gen_ai_client_${name}`).observe({ ...labels, ...more }, value);
    };
    observe('operation_duration_seconds', { error_type: errorType ?? '' }, seconds);
    observe('operation_time_to_first_chunk_seconds', {}, firstTokenSeconds);
    observe('token_usage', { gen_ai_token_type: 'input' }, inputTokens);
    observe('token_usage', { gen_ai_token_type: 'output' }, outputTokens);
  }
}

/** Metrics of agents. */
export class GenAiAgentNames {
  readonly #families: Families;

  constructor(registry: Registry) {
    this.#families = makeFamilies(registry, true);
  }

  executed(agent: string, errorType: string | undefined, seconds: number): void {
    const labels = { gen_ai_agent_name: agent, error_type: errorType ?? '' };
    this.#families.histogram('gen_ai_invoke_agent_duration_seconds').observe(labels, seconds);
  }

  called(agent: string, tool: string, status: string, seconds: number): void {
    const labels = { gen_ai_agent_name: agent, gen_ai_tool_name: tool, error_type: ERROR_OF_TOOL[status] ?? 'other' };
    this.#families.histogram('gen_ai_execute_tool_duration_seconds').observe(labels, seconds);
  }
}

function makeFamilies(registry: Registry, agents: boolean): Families {
  return new Families(addon.genAiCatalogue(agents), { registry, prefix: '', optional: new Set() });
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for an unknown version */
export function wantsGenAi(option: boolean | GenAiVersion | undefined): boolean {
  if (option === undefined || typeof option === 'boolean') return option === true;
  if (option !== addon.genAiVersion()) refuseOption(`true or '${addon.genAiVersion()}'`, 'genAiNames', option);
  return true;
}
