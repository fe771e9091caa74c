/**
 * The options of frameworks that report both agents and requests to models, and their validation.
 */
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import { refuseOption } from '../../errors';
import { type InstrumentAgentsOptions, resolveAgentCollector } from '../agent-options';
import { checkOptions, type InstrumentOptions } from '../options';

/** Options that the instrumentations of frameworks share. */
export interface InstrumentFrameworkOptions
  extends InstrumentAgentsOptions,
    Pick<InstrumentOptions, 'provider' | 'providers'> {
  /**
   * The collector that records requests to models; `false` for none. If the SDK below records them in the same collector, each
   * request counts once, as the SDK's instrumentation sees it.
   *
   * @default the default registry's collector: the first one that the program made, or a new one
   */
  llm?: LlmMetricsCollector | false | undefined;
  /** The `agent_type` of executions. @default the framework's name for the agent */
  agentType?: string | undefined;
}

/** Validated options, with their defaults. */
export interface CheckedFrameworkOptions {
  readonly agents: AgentMetricsCollector;
  readonly llm: LlmMetricsCollector | undefined;
  readonly agentType: string | undefined;
  /**
   * The provider of a request.
   *
   * @param baseUrl `undefined` if the client has none
   * @param usual the provider for a client without a base URL
   */
  resolveProvider(baseUrl: unknown, usual: string): string;
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option */
export function checkFrameworkOptions(options: InstrumentFrameworkOptions = {}): CheckedFrameworkOptions {
  const agents = resolveAgentCollector(options);
  const { llm, provider, providers, agentType } = options;
  if (agentType !== undefined && typeof agentType !== 'string') refuseOption('a name', 'agentType', agentType);
  // Makes no collector, so that no series of requests appear.
  if (llm === false) return { agents, llm: undefined, agentType, resolveProvider: (_, usual) => usual };
  if (llm !== undefined && (typeof llm !== 'object' || llm === null)) {
    refuseOption('an LlmMetricsCollector or false', 'llm', llm);
  }
  const { collector, resolveProvider } = checkOptions({ collector: llm, provider, providers });
  return { agents, llm: collector, agentType, resolveProvider };
}
