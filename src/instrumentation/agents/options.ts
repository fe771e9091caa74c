/**
 * What instrumentations of frameworks can be told that see agents and requests to models.
 */
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import { refuseOption } from '../../errors';
import { type InstrumentAgentsOptions, resolveAgentCollector } from '../agent-options';
import { checkOptions, type InstrumentOptions } from '../options';

export interface InstrumentFrameworkOptions
  extends InstrumentAgentsOptions,
    Pick<InstrumentOptions, 'provider' | 'providers'> {
  /**
   * What records requests to models; `false` where the instrumentation of an SDK measures them already, so that nothing is
   * counted twice. @default the default registry's
   */
  llm?: LlmMetricsCollector | false | undefined;
  /** What executions are counted as. @default the framework's name for the agent */
  agentType?: string | undefined;
}

/** Options that were checked. */
export interface CheckedFrameworkOptions {
  readonly agents: AgentMetricsCollector;
  readonly llm: LlmMetricsCollector | undefined;
  readonly agentType: string | undefined;
  /** The provider at a base URL, which may be missing. */
  resolveProvider(baseUrl: unknown, usual: string): string;
}

/** @throws {ConfigurationError} `INVALID_CONFIG` */
export function checkFrameworkOptions(options: InstrumentFrameworkOptions = {}): CheckedFrameworkOptions {
  const agents = resolveAgentCollector(options);
  const { llm, provider, providers, agentType } = options;
  if (agentType !== undefined && typeof agentType !== 'string') refuseOption('a name', 'agentType', agentType);
  // Without requests to measure no collector of them is made.
  if (llm === false) return { agents, llm: undefined, agentType, resolveProvider: (_, usual) => usual };
  if (llm !== undefined && (typeof llm !== 'object' || llm === null)) {
    refuseOption('an LlmMetricsCollector or false', 'llm', llm);
  }
  const { collector, resolveProvider } = checkOptions({ collector: llm, provider, providers });
  return { agents, llm: collector, agentType, resolveProvider };
}
