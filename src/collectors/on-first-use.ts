/**
 * Loads the LLM and agent collectors when a program first asks for them. Most programs measure neither, and `require`
 * of the package is faster without these modules.
 */
import type * as Agent from './agent/agent-collector';
import type * as Llm from './llm/llm-collector';

const llm = (): typeof Llm => require('./llm/llm-collector') as typeof Llm;
const agent = (): typeof Agent => require('./agent/agent-collector') as typeof Agent;

export declare const LlmMetricsCollector: typeof Llm.LlmMetricsCollector;
export type LlmMetricsCollector = Llm.LlmMetricsCollector;
export declare const AgentMetricsCollector: typeof Agent.AgentMetricsCollector;
export type AgentMetricsCollector = Agent.AgentMetricsCollector;

Object.defineProperties(exports, {
  LlmMetricsCollector: { enumerable: true, get: () => llm().LlmMetricsCollector },
  AgentMetricsCollector: { enumerable: true, get: () => agent().AgentMetricsCollector },
});

export const llmCollectorOf: typeof Llm.llmCollectorOf = (registry) => llm().llmCollectorOf(registry);
export const agentCollectorOf: typeof Agent.agentCollectorOf = (registry) => agent().agentCollectorOf(registry);
