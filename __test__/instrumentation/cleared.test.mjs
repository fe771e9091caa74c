// Tests which collectors an instrumentation without a `collector` option uses after the default registry was cleared,
// as programs do between tests.

import { AgentMetricsCollector, register } from '@llm-devops/prometheus-metrics';
import { createMastraExporter } from '@llm-devops/prometheus-metrics/mastra';
import { instrumentMcpClient } from '@llm-devops/prometheus-metrics/mcp';
import test from 'ava';

test.afterEach(() => register.clear());

/** The recorded samples of agents and requests, without buckets, sums and zeros. */
async function recorded() {
  const lines = (await register.metrics()).split('\n');
  return lines.filter((line) => /_(tool_calls_total|llm_requests_total)\{/.test(line) && !line.endsWith(' 0'));
}

async function callOnce() {
  const client = { callTool: async () => ({}) };
  instrumentMcpClient(client, { agentType: 'a' });
  await client.callTool({ name: 't' });
}

const ONCE = ['llmdevops_agent_tool_calls_total{agent_type="a",tool_name="t",status="success"} 1'];

test.serial('it makes new collectors', async (t) => {
  for (let round = 0; round < 2; round++) {
    await callOnce();
    t.deepEqual(await recorded(), ONCE);
    register.clear();
  }
});

test.serial('it uses the collectors that the program has made since', async (t) => {
  await callOnce();
  register.clear();
  const agents = new AgentMetricsCollector({ tools: ['t'] });
  new AgentMetricsCollector();
  await agents.run('a', () => callOnce());
  t.deepEqual(await recorded(), ONCE);
});

test.serial('also for LLM requests', async (t) => {
  for (let round = 0; round < 2; round++) {
    const exporter = createMastraExporter();
    const span = { id: `${round}`, type: 'model_inference', attributes: { model: 'm', provider: 'openai' } };
    await exporter.exportTracingEvent({ type: 'span_started', exportedSpan: span });
    const ended = { ...span, attributes: { ...span.attributes, finishReason: 'stop' } };
    await exporter.exportTracingEvent({ type: 'span_ended', exportedSpan: ended });
    t.deepEqual(await recorded(), [
      'llmdevops_llm_requests_total{model="m",provider="openai",operation="chat",status="success"} 1',
    ]);
    register.clear();
  }
});
