// Tests OpenTelemetry's names, traces in exemplars, and the sample of prices.

import {
  AgentMetricsCollector,
  LlmMetricsCollector,
  openMetricsContentType,
  Registry,
} from '@llm-devops/prometheus-metrics';
import { SAMPLE_PRICES, SAMPLE_PRICES_AS_OF } from '@llm-devops/prometheus-metrics/prices';
import { MockClock, parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';

const API = Symbol.for('opentelemetry.js.api.1');
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN');

/** The sums and counts under OpenTelemetry's names. */
async function genAi(registry) {
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => /^gen_ai_.*_(sum|count)\{/.test(line));
}

test('requests are recorded under OpenTelemetry’s names too, on request', async (t) => {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, genAiNames: true });
  llm.recordRequest({
    model: 'gpt-4o-2024-08-06',
    provider: 'azure',
    durationMs: 1500,
    timeToFirstTokenMs: 250,
    inputTokens: 12,
    outputTokens: 30,
  });
  llm.recordRequest({ model: 'gpt-4o', provider: 'openai', durationMs: 500, errorType: 'rate_limit' });
  const azure = 'gen_ai_operation_name="chat",gen_ai_provider_name="azure.ai.openai",gen_ai_request_model="gpt-4o"';
  const openai = azure.replace('azure.ai.openai', 'openai');
  t.deepEqual(await genAi(registry), [
    `gen_ai_client_operation_duration_seconds_sum{${azure},error_type=""} 1.5`,
    `gen_ai_client_operation_duration_seconds_count{${azure},error_type=""} 1`,
    `gen_ai_client_operation_duration_seconds_sum{${openai},error_type="rate_limit"} 0.5`,
    `gen_ai_client_operation_duration_seconds_count{${openai},error_type="rate_limit"} 1`,
    `gen_ai_client_token_usage_sum{${azure},gen_ai_token_type="input"} 12`,
    `gen_ai_client_token_usage_count{${azure},gen_ai_token_type="input"} 1`,
    `gen_ai_client_token_usage_sum{${azure},gen_ai_token_type="output"} 30`,
    `gen_ai_client_token_usage_count{${azure},gen_ai_token_type="output"} 1`,
    `gen_ai_client_operation_time_to_first_chunk_seconds_sum{${azure}} 0.25`,
    `gen_ai_client_operation_time_to_first_chunk_seconds_count{${azure}} 1`,
  ]);
});

test.serial('agents are recorded under OpenTelemetry’s names too', async (t) => {
  const registry = new Registry();
  const agents = new AgentMetricsCollector({ registry, genAiNames: '0.1' });
  const clock = new MockClock({ now: 0 }).install();
  t.teardown(() => clock.restore());
  await t.throwsAsync(async () =>
    agents.run('support', async (execution) => {
      await execution.tool('search', {}, async () => clock.advanceMs(250));
      clock.advanceMs(250);
      throw Object.assign(new Error('full'), { status: 429 });
    }),
  );
  const tool = 'gen_ai_agent_name="support",gen_ai_tool_name="search",error_type=""';
  t.deepEqual(await genAi(registry), [
    'gen_ai_invoke_agent_duration_seconds_sum{gen_ai_agent_name="support",error_type="rate_limit"} 0.5',
    'gen_ai_invoke_agent_duration_seconds_count{gen_ai_agent_name="support",error_type="rate_limit"} 1',
    `gen_ai_execute_tool_duration_seconds_sum{${tool}} 0.25`,
    `gen_ai_execute_tool_duration_seconds_count{${tool}} 1`,
  ]);
});

test('OpenTelemetry’s names are off by default, and an unknown version is refused', async (t) => {
  const registry = new Registry();
  new LlmMetricsCollector({ registry }).recordRequest({ model: 'm', provider: 'p', durationMs: 1 });
  t.false((await registry.metrics()).includes('gen_ai_'));
  for (const Collector of [LlmMetricsCollector, AgentMetricsCollector]) {
    const error = t.throws(() => new Collector({ registry: new Registry(), genAiNames: '9' }));
    t.deepEqual(
      [error.code, error.message],
      ['INVALID_CONFIG', 'Expected true or \'0.1\' for genAiNames but received "9" of type string'],
    );
  }
});

/** Puts a fake of OpenTelemetry's API with an active span where the real one keeps itself. */
function tracing(t, spanContext) {
  const before = globalThis[API];
  const span = { spanContext: () => spanContext };
  globalThis[API] = { context: { active: () => ({ getValue: (key) => (key === SPAN ? span : undefined) }) } };
  t.teardown(() => {
    globalThis[API] = before;
  });
}

const TRACE = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', traceFlags: 1 };

/** The labels of exemplars by the metric's name. */
async function exemplars(registry) {
  registry.setContentType(openMetricsContentType);
  const lines = (await registry.metrics()).split('\n').filter((line) => line.includes(' # {'));
  return lines.map((line) => [line.split('{')[0], / # (\{.*\}) /.exec(line)[1]]);
}

test.serial('a request and an agent show the trace that was active at their start', async (t) => {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry });
  const agents = new AgentMetricsCollector({ registry });
  tracing(t, TRACE);
  const call = llm.startRequest({ model: 'm', provider: 'p' });
  const execution = agents.startExecution('a');
  globalThis[API] = undefined;
  call.chunk();
  call.end();
  execution.end();
  const shown = `{span_id="${TRACE.spanId}",trace_id="${TRACE.traceId}"}`;
  t.deepEqual(await exemplars(registry), [
    ['llmdevops_llm_request_duration_seconds_bucket', shown],
    ['llmdevops_llm_streaming_time_to_first_token_seconds_bucket', shown],
    ['llmdevops_agent_execution_duration_seconds_bucket', shown],
  ]);
});

test.serial('without a sampled trace there is no exemplar, and a failing tracer loses no request', async (t) => {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry });
  const request = { model: 'm', provider: 'p', durationMs: 1 };
  tracing(t, { ...TRACE, traceFlags: 0 });
  llm.recordRequest(request);
  globalThis[API] = {};
  llm.recordRequest(request);
  globalThis[API] = {
    context: {
      active() {
        throw new Error('somebody else’s');
      },
    },
  };
  llm.recordRequest(request);
  t.deepEqual(await exemplars(registry), []);
  t.true((await registry.metrics()).includes('status="success"} 3'));
});

test('the caller’s ids go to the exemplar; ids that are too long are refused before anything is recorded', async (t) => {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry });
  const request = { model: 'm', provider: 'p', durationMs: 1 };
  llm.recordRequest({ ...request, exemplarLabels: { request_id: 'r1' } });
  t.throws(() => llm.recordRequest({ ...request, exemplarLabels: { user: 'x'.repeat(200) } }), {
    code: 'INVALID_LABEL_VALUE',
  });
  t.throws(() => llm.startRequest({ ...request, exemplarLabels: { user: 'x'.repeat(200) } }), {
    code: 'INVALID_LABEL_VALUE',
  });
  t.deepEqual(await exemplars(registry), [['llmdevops_llm_request_duration_seconds_bucket', '{request_id="r1"}']]);
  const text = await registry.metrics();
  t.true(text.includes('llm_requests_total{model="m",provider="p",operation="chat",status="success"} 1\n'));
  t.true(text.includes('llm_active_requests{model="m",provider="p"} 0\n'));
});

test('the sample of prices is a valid price table with its day', async (t) => {
  t.regex(SAMPLE_PRICES_AS_OF, /^20\d\d-\d\d-\d\d$/);
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, prices: SAMPLE_PRICES });
  const expected = Object.entries(SAMPLE_PRICES).map(([model, price]) => {
    llm.recordRequest({ model, provider: 'p', inputTokens: 1_000_000, outputTokens: 1_000_000 });
    const { input, output } = Array.isArray(price) ? price.at(-1) : price;
    return [model, input + output];
  });
  const costs = parseExposition(await registry.metrics()).family('llmdevops_llm_cost_usd_total').samples;
  t.deepEqual(
    costs.map(({ labels, value }) => [labels.model, value]),
    expected,
  );
});
