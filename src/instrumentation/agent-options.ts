/**
 * The options that all instrumentations of agent frameworks have, and their validation.
 */
import type { AgentMetricsCollector } from '../collectors/agent/agent-collector';
import { refuseOption } from '../errors';
import { api } from '../realm';

/** Options that the instrumentations of agent frameworks share. */
export interface InstrumentAgentsOptions {
  /**
   * The collector that records executions, steps and tool calls.
   *
   * @default the default registry's collector: the first one that the program made, or a new one
   */
  collector?: AgentMetricsCollector | undefined;
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option */
export function resolveAgentCollector(options: InstrumentAgentsOptions = {}): AgentMetricsCollector {
  if (typeof options !== 'object' || options === null) refuseOption('an object', 'options', options);
  const { collector = api.agentCollectorOf(api.register) } = options;
  return collector instanceof api.AgentMetricsCollector
    ? collector
    : refuseOption('an AgentMetricsCollector', 'collector', collector);
}
