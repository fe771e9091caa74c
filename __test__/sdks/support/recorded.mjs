// A registry with collectors of its own, and what was recorded in it as lines to compare.

import { AgentMetricsCollector, LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';

/** Collectors over a registry that nothing else records in. */
export function collectors({ llm = {}, agents = {} } = {}) {
  const registry = new Registry();
  return {
    registry,
    llm: new LlmMetricsCollector({ registry, ...llm }),
    agents: new AgentMetricsCollector({ registry, ...agents }),
  };
}

/**
 * Samples that are not 0, without buckets, one line each, without the namespace. Sums of durations vary and are left out;
 * their counts stay.
 */
export async function recorded(registry) {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines
    .filter((line) => !line.endsWith(' 0') && !line.includes('_bucket{') && !/_seconds_sum\{/.test(line))
    .map((line) => line.replace('llmdevops_', ''));
}
