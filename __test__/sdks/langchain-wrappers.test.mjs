// Tests what LangChain puts around a model: retries, fallbacks, structured output, batches, tools. Each request must be
// counted once, and a model alone must not become an agent.

import { RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import { createLangChainHandler } from '@llm-devops/prometheus-metrics/langchain';
import test from 'ava';
import { z } from 'zod';
import { executions, holds, LABELS, requests } from './support/agent-lines.mjs';
import { chat, chatStream, refusal } from './support/chat-answers.mjs';
import { collectors } from './support/recorded.mjs';
import { json, WireServer } from './support/wire-server.mjs';

/** Two models; the second one is named `m`. */
async function rig(t, options = {}) {
  const wire = await WireServer.start(t);
  const { registry, agents, llm } = collectors();
  const handler = createLangChainHandler({ collector: agents, llm, provider: 'openai', ...options });
  const configuration = { baseURL: `${wire.url}/v1` };
  const make = (model, more = {}) => new ChatOpenAI({ model, apiKey: 'k', maxRetries: 0, configuration, ...more });
  return {
    wire,
    registry,
    agents,
    llm,
    make,
    one: make('gpt-4o-mini'),
    two: make('m'),
    with: { callbacks: [handler] },
  };
}

const failures = (labels, count, type = 'server_error') => [
  `llm_requests_total{${labels},operation="chat",status="error"} ${count}`,
  `llm_errors_total{${labels},error_type="${type}"} ${count}`,
];
const durations = (labels, count) => `llm_request_duration_seconds_count{${labels},operation="chat"} ${count}`;
const retry = (count) => `llm_retries_total{${LABELS},error_type="server_error"} ${count}`;
const fallback = (status, count = 1, from = 'gpt-4o-mini', to = 'm') =>
  `llm_fallbacks_total{from_model="${from}",to_model="${to}",status="${status}"} ${count}`;
const M = 'model="m",provider="openai"';
/** The lines of requests to the first model, all of which have been counted in one duration. */
const withoutDurations = (lines) => lines.filter((line) => !line.includes('duration_seconds_count'));
/** Adds up the lines of the same series. */
function sum(...lines) {
  const sums = new Map();
  for (const line of lines.flat()) {
    const at = line.lastIndexOf(' ');
    sums.set(line.slice(0, at), (sums.get(line.slice(0, at)) ?? 0) + Number(line.slice(at + 1)));
  }
  return [...sums].map(([series, value]) => `${series} ${value}`);
}
const onM = (count = 1) => requests(count).map((line) => line.replace(LABELS, M));

test('a model with withRetry(): each attempt is a request, and there is no agent', async (t) => {
  const { wire, registry, one, with: config } = await rig(t);
  wire.answer(refusal(500), chat('hi'));
  await one.withRetry({ stopAfterAttempt: 2 }).invoke('x', config);
  await holds(t, registry, withoutDurations(requests(1)), durations(LABELS, 2), failures(LABELS, 1), retry(1));
});

test('a model with withRetry() that fails for good, also in batches', async (t) => {
  const { wire, registry, one, with: config } = await rig(t);
  wire.always(refusal(500));
  await t.throwsAsync(one.withRetry({ stopAfterAttempt: 3 }).invoke('x', config));
  await t.throwsAsync(one.withRetry({ stopAfterAttempt: 2 }).batch(['x', 'y'], { ...config, maxConcurrency: 1 }));
  await holds(t, registry, failures(LABELS, 7), durations(LABELS, 7), retry(4));
});

for (const way of ['invoke', 'stream']) {
  test(`a model with withFallbacks(): ${way}`, async (t) => {
    const { wire, registry, one, two, with: config } = await rig(t);
    wire.answer(refusal(500), way === 'invoke' ? chat('hi') : chatStream(['hi']));
    const model = one.withFallbacks([two]);
    if (way === 'invoke') await model.invoke('x', config);
    else for await (const _ of await model.stream('x', config));
    const streamed = [
      `llm_streaming_requests_total{${M}} 1`,
      `llm_streaming_chunks_total{${M}} 4`,
      `llm_streaming_time_to_first_token_seconds_count{${M}} 1`,
      `llm_streaming_time_per_output_token_seconds_count{${M}} 1`,
    ];
    await holds(
      t,
      registry,
      failures(LABELS, 1),
      durations(LABELS, 1),
      onM(),
      fallback('success'),
      way === 'stream' ? streamed : [],
    );
  });
}

test('all fallbacks fail; retries within fallbacks', async (t) => {
  const { wire, registry, make, one, two, with: config } = await rig(t);
  wire.always(refusal(500));
  const third = make('claude-sonnet-4-5');
  const model = one.withRetry({ stopAfterAttempt: 2 }).withFallbacks([two, third]);
  await t.throwsAsync(model.invoke('x', config));
  const last = 'model="claude-sonnet-4-5",provider="openai"';
  await holds(
    t,
    registry,
    ...[failures(LABELS, 2), failures(M, 1), failures(last, 1)],
    [durations(LABELS, 2), durations(M, 1), durations(last, 1)],
    retry(1),
    fallback('error'),
    fallback('error', 1, 'm', 'claude-sonnet-4-5'),
  );
});

test('chains with fallbacks: only the first request of the next chain goes to another model instead', async (t) => {
  const { wire, registry, one, two, with: config } = await rig(t);
  wire.answer(chat('a'), refusal(500), chat('b'), chat('c'));
  const twice = (model) => model.pipe(({ content }) => content).pipe(model);
  await twice(one)
    .withFallbacks([twice(two)])
    .invoke('x', { ...config, runName: 'asker' });
  await holds(
    t,
    registry,
    withoutDurations(requests(1)),
    failures(LABELS, 1),
    durations(LABELS, 2),
    onM(2),
    fallback('success'),
    // Each attempt of an agent is an execution.
    sum(
      executions('asker', { status: 'failed', llm: 2, failed: 1, error: 'server_error' }),
      executions('asker', { llm: 2 }),
    ),
  );
});

test('an agent with withRetry(): each attempt is an execution, its requests are not retries', async (t) => {
  const { wire, registry, one, with: config } = await rig(t);
  wire.answer(refusal(500), chat('hi'));
  const agent = createReactAgent({ llm: one, tools: [], name: 'helper' });
  await agent.withRetry({ stopAfterAttempt: 2 }).invoke({ messages: [{ role: 'user', content: 'x' }] }, config);
  await holds(
    t,
    registry,
    withoutDurations(requests(1)),
    failures(LABELS, 1),
    durations(LABELS, 2),
    sum(
      executions('helper', { status: 'failed', llm: 1, failed: 1, error: 'server_error' }),
      executions('helper', { llm: 1 }),
    ),
  );
});

test('retries and fallbacks within an execution belong to it', async (t) => {
  const { wire, registry, agents, one, two, with: config } = await rig(t);
  wire.answer(refusal(500), chat('hi'));
  await agents.run('outer', () => one.withFallbacks([two]).invoke('x', config));
  await holds(
    t,
    registry,
    failures(LABELS, 1),
    durations(LABELS, 1),
    onM(),
    fallback('success'),
    executions('outer', { llm: 2, failed: 1 }),
  );
});

test('metadata makes an agent of a model that is only wrapped', async (t) => {
  const { wire, registry, one, with: config } = await rig(t);
  wire.answer(chat('hi'));
  await one.withRetry().invoke('x', { ...config, metadata: { agent_type: 'named' } });
  await holds(t, registry, requests(1), executions('named', { llm: 1 }));
});

test('structured output by tools and by JSON, and an answer that does not fit', async (t) => {
  const { wire, registry, one, with: config } = await rig(t);
  const schema = z.object({ a: z.number() });
  const named = { ...config, runName: 'extractor' };
  wire.answer(chat([['extract', { a: 1 }]]), chat('{"a":1}'), chat('nothing'));
  const byTool = one.withStructuredOutput(schema, { name: 'extract', method: 'functionCalling' });
  t.deepEqual(await byTool.invoke('x', named), { a: 1 });
  const byJson = one.withStructuredOutput(schema, { method: 'jsonMode' });
  t.deepEqual(await byJson.invoke('x', named), { a: 1 });
  await t.throwsAsync(byJson.invoke('x', named));
  await holds(
    t,
    registry,
    requests(3, { tools: 1 }),
    sum(
      executions('extractor', { count: 2, llm: 2 }),
      executions('extractor', { status: 'failed', llm: 1, error: 'invalid_response' }),
    ),
  );
});

test('batches, and bound tools', async (t) => {
  const { wire, registry, one, with: config } = await rig(t);
  wire.answer(chat('a'), chat('b'), chat('c'));
  await one.batch(['x', 'y'], config);
  const add = tool(() => '3', { name: 'add', description: 'Adds', schema: z.object({}) });
  await one.bindTools([add]).invoke('x', config);
  await holds(t, registry, requests(3));
});

test('retries that the model makes itself are below LangChain’s events', async (t) => {
  const { wire, registry, make, with: config } = await rig(t);
  wire.answer(json({ error: { message: 'x' } }, { status: 500 }), chat('hi'));
  await make('gpt-4o-mini', { maxRetries: 1 }).invoke('x', config);
  t.is(wire.requests.length, 2);
  await holds(t, registry, requests(1));
});

test('a model of the program’s own: tokens without chunks are a stream from the second one on', async (t) => {
  const { registry, with: config } = await rig(t);
  const { BaseChatModel } = await import('@langchain/core/language_models/chat_models');
  const { AIMessage } = await import('@langchain/core/messages');
  class Own extends BaseChatModel {
    tokens = [];
    _llmType() {
      return 'own';
    }
    getLsParams = () => ({ ls_provider: 'openai', ls_model_name: 'm', ls_model_type: 'chat' });
    async _generate(_messages, _options, runManager) {
      for (const token of this.tokens) await runManager?.handleLLMNewToken(token);
      const text = this.tokens.join('');
      return { generations: [{ text, message: new AIMessage(text) }] };
    }
  }
  const own = new Own({});
  own.tokens = ['whole'];
  await own.invoke('x', config);
  own.tokens = ['', 'a', 'b'];
  await own.invoke('x', config);
  await holds(
    t,
    registry,
    `llm_requests_total{${M},operation="chat",status="success"} 2`,
    durations(M, 2),
    `llm_usage_missing_total{${M}} 2`,
    `llm_streaming_requests_total{${M}} 1`,
    `llm_streaming_chunks_total{${M}} 3`,
    `llm_streaming_time_to_first_token_seconds_count{${M}} 1`,
  );
});

test('a chain without a name inside fallbacks keeps its own name', async (t) => {
  const { registry, with: config } = await rig(t);
  const broken = RunnableLambda.from(() => Promise.reject(new Error('no')));
  await broken.withFallbacks([RunnableLambda.from(() => 1)]).invoke('x', config);
  await holds(
    t,
    registry,
    sum(executions('RunnableLambda', { status: 'failed', error: 'other' }), executions('RunnableLambda')),
  );
});
