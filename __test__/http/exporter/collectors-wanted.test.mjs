// Tests the collectors that the exporter's settings switch on.

import { AgentMetricsCollector, LlmMetricsCollector, Registry, startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';

/** The metrics that an exporter shows, by name. */
async function families(t, registry, options) {
  const exporter = await startExporter({ registry, port: 0, host: '127.0.0.1', ...options });
  t.teardown(() => exporter.close());
  const text = await (await fetch(new URL('/metrics', exporter.url))).text();
  return [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
}

const ofLlm = (name) => name.startsWith('llmdevops_llm_');
const ofAgents = (name) => name.startsWith('llmdevops_agent_');

test('settings switch LLM and agent metrics on', async (t) => {
  t.false((await families(t, new Registry(), {})).some((name) => ofLlm(name) || ofAgents(name)));
  const llm = await families(t, new Registry(), { collectorsLlm: true });
  t.deepEqual([llm.some(ofLlm), llm.some(ofAgents)], [true, false]);
  const agents = await families(t, new Registry(), { collectorsAgent: true });
  t.deepEqual([agents.some(ofLlm), agents.some(ofAgents)], [false, true]);
});

test('collectors that a program made itself stay in its registry', async (t) => {
  const registry = new Registry();
  new LlmMetricsCollector({ registry, namespace: 'own' });
  new AgentMetricsCollector({ registry, namespace: 'own' });
  const names = await families(t, registry, { collectorsLlm: true, collectorsAgent: true });
  t.false(names.some((name) => ofLlm(name) || ofAgents(name)));
  t.true(names.includes('own_llm_requests_total') && names.includes('own_agent_active'));
});

test('the first exporter keeps its default metrics when a second one starts and ends', async (t) => {
  const registry = new Registry();
  const first = await startExporter({ registry, port: 0, host: '127.0.0.1', collectorsProcess: true });
  t.teardown(() => first.close());
  const second = await startExporter({ registry, port: 0, host: '127.0.0.1', collectorsProcess: true });
  await second.close();
  const text = await (await fetch(new URL('/metrics', first.url))).text();
  t.true(text.includes('\nprocess_cpu_seconds_total '));
});
