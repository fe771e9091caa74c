// Makes a registry with its own collectors, and returns recorded samples as lines to compare.

import { AgentMetricsCollector, LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';

/** Models that tests use. Their failures count under their names, as after a first success. */
const MODELS = ['gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash', 'text-embedding-3-small', 'm'];

/** Collectors in a registry of their own. */
export function collectors({ llm: options = {}, agents = {} } = {}) {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, ...options });
  for (const model of MODELS) llm.registerModel({ model, provider: 'other' });
  return { registry, llm, agents: new AgentMetricsCollector({ registry, ...agents }) };
}

/**
 * Samples that are not 0, one line each, without buckets and without the namespace. Sums of durations vary and are left
 * out; their counts stay.
 */
export async function recorded(registry) {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines
    .filter((line) => !line.endsWith(' 0') && !line.includes('_bucket{') && !/_seconds_sum\{/.test(line))
    .map((line) => line.replace('llmdevops_', ''));
}

/** Compares all lines, in any order. Tests give the expected lines in groups. */
export function sameLines(t, lines, expected) {
  t.deepEqual([...lines].sort(), expected.flat().sort());
}
