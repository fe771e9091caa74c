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

/** The sums, counts and totals under OpenTelemetry's names. */
async function genAi(registry) {
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => /^gen_ai_.*_(sum|count|total)\{/.test(line));
}

const ANSWERED = {
  model: 'gpt-4o-2024-08-06',
  provider: 'azure',
  durationMs: 1500,
  timeToFirstTokenMs: 250,
  inputTokens: 12,
  outputTokens: 30,
};
const FAILED = { model: 'gpt-4o', provider: 'openai', durationMs: 500, errorType: 'rate_limit' };
const labels = (provider, model = 'gpt-4o', operation = 'chat') =>
  `gen_ai_operation_name="${operation}",gen_ai_provider_name="${provider}",gen_ai_request_model="${model}"`;

test('requests are recorded under the older names of OpenTelemetry, on request', async (t) => {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, genAiNames: '1.41' });
  llm.recordRequest(ANSWERED);
  llm.recordRequest(FAILED);
  const azure = labels('azure.ai.openai');
  t.deepEqual(await genAi(registry), [
    `gen_ai_client_operation_duration_seconds_sum{${azure},error_type=""} 1.5`,
    `gen_ai_client_operation_duration_seconds_count{${azure},error_type=""} 1`,
    `gen_ai_client_operation_duration_seconds_sum{${labels('openai')},error_type="rate_limit"} 0.5`,
    `gen_ai_client_operation_duration_seconds_count{${labels('openai')},error_type="rate_limit"} 1`,
    `gen_ai_client_token_usage_sum{${azure},gen_ai_token_type="input"} 12`,
    `gen_ai_client_token_usage_count{${azure},gen_ai_token_type="input"} 1`,
    `gen_ai_client_token_usage_sum{${azure},gen_ai_token_type="output"} 30`,
    `gen_ai_client_token_usage_count{${azure},gen_ai_token_type="output"} 1`,
    `gen_ai_client_operation_time_to_first_chunk_seconds_sum{${azure}} 0.25`,
    `gen_ai_client_operation_time_to_first_chunk_seconds_count{${azure}} 1`,
  ]);
});

test('requests for inference, for embeddings and for other things have their own names in version 0.1', async (t) => {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, genAiNames: '0.1' });
  llm.recordRequest({ ...ANSWERED, inputTokens: 100, cacheReadTokens: 40, cacheWriteTokens: 5, reasoningTokens: 7 });
  llm.recordRequest({ ...ANSWERED, durationMs: 500, inputTokens: 100, audioInputTokens: 60, imageInputTokens: 30 });
  llm.recordRequest(FAILED);
  llm.recordRequest({ model: 'e', provider: 'moonshot', operation: 'embeddings', durationMs: 100, inputTokens: 8 });
  llm.recordRequest({ model: 'i', provider: 'google', operation: 'image', durationMs: 2000 });
  const azure = labels('azure.ai.openai');
  const embeddings = labels('moonshot_ai', 'e', 'embeddings');
  const image = labels('gcp.gemini', 'i', 'image');
  t.deepEqual(await genAi(registry), [
    `gen_ai_client_inference_duration_seconds_sum{${azure},error_type=""} 2`,
    `gen_ai_client_inference_duration_seconds_count{${azure},error_type=""} 2`,
    `gen_ai_client_inference_duration_seconds_sum{${labels('openai')},error_type="rate_limit"} 0.5`,
    `gen_ai_client_inference_duration_seconds_count{${labels('openai')},error_type="rate_limit"} 1`,
    `gen_ai_client_inference_time_to_first_chunk_seconds_sum{${azure}} 0.5`,
    `gen_ai_client_inference_time_to_first_chunk_seconds_count{${azure}} 2`,
    `gen_ai_client_inference_usage_input_tokens_total{${azure},gen_ai_token_modality="unknown"} 110`,
    `gen_ai_client_inference_usage_input_tokens_total{${azure},gen_ai_token_modality="audio"} 60`,
    `gen_ai_client_inference_usage_input_tokens_total{${azure},gen_ai_token_modality="image"} 30`,
    `gen_ai_client_inference_usage_output_tokens_total{${azure},gen_ai_token_modality="unknown"} 60`,
    `gen_ai_client_inference_usage_cache_read_input_tokens_total{${azure},gen_ai_token_modality="unknown"} 40`,
    `gen_ai_client_inference_usage_cache_write_input_tokens_total{${azure},gen_ai_token_modality="unknown"} 5`,
    `gen_ai_client_inference_usage_reasoning_output_tokens_total{${azure},gen_ai_token_modality="unknown"} 7`,
    `gen_ai_client_inference_operation_input_tokens_sum{${azure}} 200`,
    `gen_ai_client_inference_operation_input_tokens_count{${azure}} 2`,
    `gen_ai_client_inference_operation_output_tokens_sum{${azure}} 60`,
    `gen_ai_client_inference_operation_output_tokens_count{${azure}} 2`,
    `gen_ai_client_embeddings_duration_seconds_sum{${embeddings},error_type=""} 0.1`,
    `gen_ai_client_embeddings_duration_seconds_count{${embeddings},error_type=""} 1`,
    `gen_ai_client_embeddings_operation_input_tokens_sum{${embeddings}} 8`,
    `gen_ai_client_embeddings_operation_input_tokens_count{${embeddings}} 1`,
    `gen_ai_client_operation_duration_seconds_sum{${image},error_type=""} 2`,
    `gen_ai_client_operation_duration_seconds_count{${image},error_type=""} 1`,
  ]);
});

test.serial('version 0.1 has the time between two chunks', async (t) => {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, genAiNames: true });
  llm.registerModel({ model: 'm', provider: 'p' });
  const clock = new MockClock({ now: 0 }).install();
  t.teardown(() => clock.restore());
  const call = llm.startRequest({ model: 'm', provider: 'p' });
  for (const ms of [100, 20, 30]) {
    clock.advanceMs(ms);
    call.chunk();
  }
  call.end();
  const shown = (await genAi(registry)).filter((line) => line.includes('per_output_chunk'));
  t.deepEqual(shown, [
    `gen_ai_client_inference_time_per_output_chunk_seconds_sum{${labels('p', 'm')}} 0.05`,
    `gen_ai_client_inference_time_per_output_chunk_seconds_count{${labels('p', 'm')}} 2`,
  ]);
  // A request that is not streamed leaves no such series.
  llm.startRequest({ model: 'm', provider: 'q' }).end();
  t.false((await genAi(registry)).some((line) => line.includes('per_output_chunk') && line.includes('"q"')));
});

test('several versions are recorded side by side, and nothing twice', async (t) => {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, genAiNames: ['1.41', '0.1', '0.1'] });
  llm.recordRequest(ANSWERED);
  llm.recordRequest({ model: 'i', provider: 'google', operation: 'image', durationMs: 2000 });
  const counts = (await genAi(registry)).filter((line) => /duration_seconds_count/.test(line));
  t.deepEqual(counts, [
    `gen_ai_client_operation_duration_seconds_count{${labels('azure.ai.openai')},error_type=""} 1`,
    `gen_ai_client_operation_duration_seconds_count{${labels('gcp.gemini', 'i', 'image')},error_type=""} 1`,
    `gen_ai_client_inference_duration_seconds_count{${labels('azure.ai.openai')},error_type=""} 1`,
  ]);
});

test.serial('agents are recorded under OpenTelemetry’s names too', async (t) => {
  const registry = new Registry();
  const agents = new AgentMetricsCollector({ registry, genAiNames: '0.1' });
  const clock = new MockClock({ now: 0 }).install();
  t.teardown(() => clock.restore());
  await t.throwsAsync(async () =>
    agents.run('support', async (execution) => {
      execution.addUsage(1, 2, 0);
      execution.addUsage(1, 2, 0);
      await execution.tool('search', {}, async () => clock.advanceMs(250));
      clock.advanceMs(250);
      throw Object.assign(new Error('full'), { status: 429 });
    }),
  );
  const tool = 'gen_ai_agent_name="support",gen_ai_tool_name="search",error_type=""';
  t.deepEqual(await genAi(registry), [
    'gen_ai_invoke_agent_duration_seconds_sum{gen_ai_agent_name="support",error_type="rate_limit"} 0.5',
    'gen_ai_invoke_agent_duration_seconds_count{gen_ai_agent_name="support",error_type="rate_limit"} 1',
    'gen_ai_invoke_agent_inference_calls_sum{gen_ai_agent_name="support"} 2',
    'gen_ai_invoke_agent_inference_calls_count{gen_ai_agent_name="support"} 1',
    'gen_ai_invoke_agent_tool_calls_sum{gen_ai_agent_name="support"} 1',
    'gen_ai_invoke_agent_tool_calls_count{gen_ai_agent_name="support"} 1',
    `gen_ai_execute_tool_duration_seconds_sum{${tool}} 0.25`,
    `gen_ai_execute_tool_duration_seconds_count{${tool}} 1`,
  ]);
});

test('version 1.41 has no metrics of agents', async (t) => {
  const registry = new Registry();
  const agents = new AgentMetricsCollector({ registry, genAiNames: '1.41' });
  agents.run('a', (execution) => execution.tool('t', {}, () => 1));
  t.false((await registry.metrics()).includes('gen_ai_'));
});

test('OpenTelemetry’s names are off by default, and an unknown version is refused', async (t) => {
  const registry = new Registry();
  new LlmMetricsCollector({ registry }).recordRequest({ model: 'm', provider: 'p', durationMs: 1 });
  t.false((await registry.metrics()).includes('gen_ai_'));
  for (const Collector of [LlmMetricsCollector, AgentMetricsCollector]) {
    for (const genAiNames of ['9', ['0.1', '9']]) {
      const error = t.throws(() => new Collector({ registry: new Registry(), genAiNames }));
      t.deepEqual(
        [error.code, error.message],
        ['INVALID_CONFIG', "Expected true, '1.41' or '0.1' for genAiNames but received \"9\" of type string"],
      );
    }
  }
});

test('buckets of OpenTelemetry’s names are those of its conventions', async (t) => {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, genAiNames: '0.1' });
  const agents = new AgentMetricsCollector({ registry, genAiNames: '0.1' });
  llm.recordRequest(ANSWERED);
  agents.startExecution('a').end();
  const text = await registry.metrics();
  const bounds = (name) =>
    [...text.matchAll(new RegExp(`^gen_ai_${name}_bucket\\{.*le="([^"]+)"`, 'gm'))].map(([, bound]) => Number(bound));
  const seconds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
  t.deepEqual(bounds('client_inference_duration_seconds').slice(0, -1), seconds);
  const execution = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6];
  t.deepEqual(bounds('invoke_agent_duration_seconds').slice(0, -1), execution);
  const tokens = Array.from({ length: 14 }, (_, power) => 4 ** power);
  t.deepEqual(bounds('client_inference_operation_input_tokens').slice(0, -1), tokens);
  t.deepEqual(bounds('invoke_agent_inference_calls').slice(0, -1), [1, 2, 4, 8, 16, 32, 64, 128]);
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
