/**
 * What all instrumentations of agents' frameworks can be told.
 */
import type { AgentMetricsCollector } from '../collectors/agent/agent-collector';
import { refuseOption } from '../errors';
import { api } from '../realm';

export interface InstrumentAgentsOptions {
  /** What records. @default the default registry's: the first that was made for it, or one that is made now */
  collector?: AgentMetricsCollector | undefined;
}

/** @throws {ConfigurationError} `INVALID_CONFIG` */
export function agentCollector(options: InstrumentAgentsOptions = {}): AgentMetricsCollector {
  if (typeof options !== 'object' || options === null) refuseOption('an object', 'options', options);
  const { collector = api.agentCollectorOf(api.register) } = options;
  return collector instanceof api.AgentMetricsCollector
    ? collector
    : refuseOption('an AgentMetricsCollector', 'collector', collector);
}
