/**
 * Exports the same names for `import`, by re-exporting the CommonJS build: both module systems share one registry.
 * Written by hand, unlike the forwarders of the other entries, because Node.js does not see getters of the CommonJS
 * build when it reads the source for export names. An export of an ES module is a value, so `import` reads the getters,
 * and loads the LLM and agent collectors, at once.
 */
import library from './index.js';

export * from './index.js';
export default library;
export const AgentMetricsCollector: typeof library.AgentMetricsCollector = library.AgentMetricsCollector;
export type AgentMetricsCollector = library.AgentMetricsCollector;
export const LlmMetricsCollector: typeof library.LlmMetricsCollector = library.LlmMetricsCollector;
export type LlmMetricsCollector = library.LlmMetricsCollector;
export const contentType = library.contentType;
