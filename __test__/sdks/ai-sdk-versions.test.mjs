// Tests the middleware with the real packages of version 5, 6 and 7 of the SDK: with their providers against a server that
// speaks OpenAI's format, and with their mock models. Each version must record the same lines.

import * as openai7 from '@ai-sdk/openai';
import { createAiSdkMiddleware, instrumentAiSdk } from '@llm-devops/prometheus-metrics/ai-sdk';
import * as ai7 from 'ai';
import * as test7 from 'ai/test';
import * as ai5 from 'ai5';
import * as test5 from 'ai5/test';
import * as openai5 from 'ai5-openai';
import * as ai6 from 'ai6';
import * as test6 from 'ai6/test';
import * as openai6 from 'ai6-openai';
import test from 'ava';
import { z } from 'zod';
import { collectGarbage } from '../support/garbage.mjs';
import { chat, chatStream, refusal } from './support/chat-answers.mjs';
import { collectors, recorded, sameLines } from './support/recorded.mjs';
import { timedOutIn } from './support/signals.mjs';
import { json, silence, WireServer } from './support/wire-server.mjs';

const VERSIONS = [
  { version: 5, ai: ai5, openai: openai5, mocks: test5 },
  { version: 6, ai: ai6, openai: openai6, mocks: test6 },
  { version: 7, ai: ai7, openai: openai7, mocks: test7 },
];
globalThis.AI_SDK_LOG_WARNINGS = false;

const MODEL = 'gpt-4o-mini';
const on = (labels) => `{model="${MODEL}",provider="openai"${labels}}`;
const requests = (status, count = 1) => [
  `llm_requests_total${on(`,operation="chat",status="${status}"`)} ${count}`,
  `llm_request_duration_seconds_count${on(',operation="chat"')} ${count}`,
];
const usage = (count = 1) => [
  `llm_tokens_total${on(',type="input"')} ${10 * count}`,
  `llm_tokens_total${on(',type="output"')} ${5 * count}`,
  `llm_token_details_total${on(',detail="cache_read"')} ${4 * count}`,
  `llm_token_details_total${on(',detail="reasoning"')} ${2 * count}`,
  `llm_unpriced_requests_total${on('')} ${count}`,
];
const reason = (word, count = 1) => `llm_finish_reasons_total${on(`,reason="${word}"`)} ${count}`;
const error = (type) => `llm_errors_total${on(`,error_type="${type}"`)} 1`;
const streamed = (chunks) => [
  `llm_streaming_requests_total${on('')} 1`,
  `llm_streaming_chunks_total${on('')} ${chunks}`,
  `llm_streaming_time_to_first_token_seconds_count${on('')} 1`,
];
const PER_TOKEN = `llm_streaming_time_per_output_token_seconds_count${on('')} 1`;

/** Runs a test once for each version. `asked` are the usual options of a call. */
function eachVersion(title, run) {
  for (const { version, ai, openai, mocks } of VERSIONS) {
    test(`ai ${version}: ${title}`, async (t) => {
      const wire = await WireServer.start(t);
      const made = collectors();
      const middleware = createAiSdkMiddleware({ collector: made.llm });
      const provider = openai.createOpenAI({ apiKey: 'k', baseURL: `${wire.url}/v1` });
      const wrap = (model) => ai.wrapLanguageModel({ model, middleware });
      const model = wrap(provider.chat(MODEL));
      const asked = { model, prompt: 'why?', maxRetries: 0, onError: () => {} };
      const lines = (...expected) => recorded(made.registry).then((found) => sameLines(t, found, expected));
      await run(t, { version, ai, mocks, wire, provider, middleware, wrap, model, asked, lines, ...made });
    });
  }
}

/** Reads a stream to its end and ignores its errors. */
async function read(stream) {
  const parts = [];
  try {
    for await (const part of stream) parts.push(part);
  } catch {}
  return parts;
}

eachVersion('a text', async (t, { ai, wire, asked, lines }) => {
  wire.answer(chat('Hé€😀'));
  t.is((await ai.generateText(asked)).text, 'Hé€😀');
  await lines(requests('success'), usage(), reason('stop'));
});

eachVersion('a stream', async (t, { ai, wire, asked, lines }) => {
  wire.answer(chatStream(['Hé', '€😀'], { pieceBytes: 1 }));
  t.deepEqual(await read(ai.streamText(asked).textStream), ['Hé', '€😀']);
  await lines(requests('success'), usage(), reason('stop'), streamed(2), PER_TOKEN);
});

eachVersion(
  'a loop of tools: one request a step, and the agent gets all tokens',
  async (t, { ai, wire, asked, lines, agents }) => {
    wire.answer(chat([['add', { a: 1, b: 2 }]]), chat('3'));
    const add = ai.tool({ inputSchema: z.object({ a: z.number(), b: z.number() }), execute: ({ a, b }) => a + b });
    const stopWhen = (ai.isStepCount ?? ai.stepCountIs)(3);
    const result = await agents.run('adder', () => ai.generateText({ ...asked, tools: { add }, stopWhen }));
    t.is(result.text, '3');
    await lines(
      requests('success', 2),
      usage(2),
      reason('tool_calls'),
      reason('stop'),
      'agent_executions_total{agent_type="adder",status="success"} 1',
      'agent_execution_duration_seconds_count{agent_type="adder"} 1',
      'agent_model_calls_per_execution_count{agent_type="adder"} 1',
      'agent_model_calls_per_execution_sum{agent_type="adder"} 2',
      'agent_steps_per_execution_count{agent_type="adder"} 1',
      'agent_tool_calls_per_execution_count{agent_type="adder"} 1',
      'agent_tokens_total{agent_type="adder",type="input"} 20',
      'agent_tokens_total{agent_type="adder",type="output"} 10',
    );
  },
);

const schema = z.object({ name: z.string() });

eachVersion('an object, and one that does not match its schema', async (t, { ai, wire, asked, lines }) => {
  wire.answer(chat('{"name":"a"}'), chat('no object'));
  t.deepEqual((await ai.generateObject({ ...asked, schema })).object, { name: 'a' });
  await t.throwsAsync(ai.generateObject({ ...asked, schema }), { name: 'AI_NoObjectGeneratedError' });
  // The provider answered both; a middleware does not see what the SDK makes of an answer.
  await lines(requests('success', 2), usage(2), reason('stop', 2));
});

eachVersion('a streamed object', async (t, { ai, wire, asked, lines }) => {
  wire.answer(chatStream(['{"name":', '"a"}']));
  const result = ai.streamObject({ ...asked, schema });
  await read(result.partialObjectStream);
  t.deepEqual(await result.object, { name: 'a' });
  await lines(requests('success'), usage(), reason('stop'), streamed(2), PER_TOKEN);
});

eachVersion('a retry: each attempt is a request', async (t, { ai, wire, asked, lines }) => {
  wire.answer(
    json({ error: { message: 'slow down' } }, { status: 429, headers: { 'retry-after-ms': '1' } }),
    chat('hi'),
  );
  t.is((await ai.generateText({ ...asked, maxRetries: 1 })).text, 'hi');
  await lines(
    `llm_requests_total${on(',operation="chat",status="success"')} 1`,
    `llm_requests_total${on(',operation="chat",status="error"')} 1`,
    `llm_request_duration_seconds_count${on(',operation="chat"')} 2`,
    error('rate_limit'),
    `llm_retries_total${on(',error_type="rate_limit"')} 1`,
    usage(),
    reason('stop'),
  );
});

eachVersion(
  'failures: a refusal, an abort, a time-out, with and without a stream',
  async (t, { ai, wire, asked, lines }) => {
    const status = (word, count) => `llm_requests_total${on(`,operation="chat",status="${word}"`)} ${count}`;
    const abort = new AbortController();
    wire.answer(refusal(401), refusal(500), silence(), silence(), silence());
    await t.throwsAsync(ai.generateText(asked));
    await read(ai.streamText(asked).fullStream);
    const aborted = ai.generateText({ ...asked, abortSignal: abort.signal });
    while (wire.requests.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    await t.throwsAsync(aborted, { any: true });
    await t.throwsAsync(ai.generateText({ ...asked, abortSignal: timedOutIn(20) }), { any: true });
    await read(ai.streamText({ ...asked, abortSignal: timedOutIn(20) }).fullStream);
    const types = { authentication: 1, server_error: 1, cancelled: 1, timeout: 2 };
    await lines(
      status('error', 2),
      status('cancelled', 1),
      status('timeout', 2),
      `llm_request_duration_seconds_count${on(',operation="chat"')} 5`,
      Object.entries(types).map(([type, count]) => `llm_errors_total${on(`,error_type="${type}"`)} ${count}`),
    );
  },
);

eachVersion('streams that are aborted half way, cut, and left', async (t, { ai, wire, asked, registry }) => {
  const abort = new AbortController();
  wire.answer(chatStream(['a'], { end: 'hang' }), chatStream(['a'], { end: 'cut' }), chatStream(['a', 'b', 'c']));
  for await (const part of ai.streamText({ ...asked, abortSignal: abort.signal }).fullStream) {
    if (part.type === 'text-delta') abort.abort();
  }
  await read(ai.streamText(asked).fullStream);
  await (async () => {
    for await (const _ of ai.streamText(asked).textStream) break;
  })();
  // The SDK does not cancel a stream whose reader leaves. The request stops being active when the stream is collected.
  const active = async () => (await recorded(registry)).filter((line) => line.startsWith('llm_active_requests'));
  for (let round = 0; round < 50 && (await active()).length > 0; round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.deepEqual(await active(), []);
  const found = await recorded(registry);
  t.deepEqual(
    found.filter((line) => line.startsWith('llm_streaming_interrupted_total')),
    ['client', 'provider'].map((who) => `llm_streaming_interrupted_total${on(`,reason="${who}"`)} 1`),
  );
});

eachVersion('a mock model whose stream is not read ahead', async (t, { ai, mocks, wrap, lines, version }) => {
  const Model = mocks[`MockLanguageModelV${version - 3}`];
  let pulled = 0;
  const parts = [
    { type: 'text-start', id: '1' },
    ...Array.from({ length: 20 }, () => ({ type: 'text-delta', id: '1', delta: 'x' })),
  ];
  const stream = new ReadableStream(
    { pull: (controller) => (pulled < parts.length ? controller.enqueue(parts[pulled++]) : controller.close()) },
    { highWaterMark: 0 },
  );
  const model = wrap(new Model({ provider: 'openai', modelId: MODEL, doStream: async () => ({ stream }) }));
  const given = await model.doStream({ prompt: [] });
  const reader = given.stream.getReader();
  await reader.read();
  await reader.read();
  t.is(pulled, 2);
  await reader.cancel();
  await new Promise(setImmediate);
  await lines(
    requests('cancelled'),
    error('cancelled'),
    `llm_usage_missing_total${on('')} 1`,
    streamed(1),
    `llm_streaming_interrupted_total${on(',reason="client"')} 1`,
  );
  t.is(ai.wrapLanguageModel({ model, middleware: [] }), model);
});

for (const { version, ai, mocks } of VERSIONS.filter(({ ai }) => ai.wrapEmbeddingModel !== undefined)) {
  test(`ai ${version}: embeddings and images`, async (t) => {
    const { registry, llm } = collectors();
    const middleware = createAiSdkMiddleware({ collector: llm });
    const named = { provider: 'openai.embedding', modelId: 'text-embedding-3-small' };
    const doEmbed = async ({ values }) => ({
      embeddings: values.map(() => [1]),
      usage: { tokens: values.length },
      warnings: [],
    });
    const Embedding = mocks[`MockEmbeddingModelV${version - 3}`];
    const embedding = new Embedding({ ...named, maxEmbeddingsPerCall: 2, doEmbed });
    const model = ai.wrapEmbeddingModel({ model: embedding, middleware });
    await ai.embed({ model, value: 'a' });
    await ai.embedMany({ model, values: ['a', 'b', 'c'] });
    const Image = mocks[`MockImageModelV${version - 3}`];
    const doGenerate = async ({ n }) => ({
      images: Array.from({ length: n }, () => 'aGk='),
      warnings: [],
      response: { timestamp: new Date(), modelId: 'm', headers: {} },
    });
    const image = new Image({ provider: 'openai.image', modelId: 'm', maxImagesPerCall: 4, doGenerate });
    await (ai.generateImage ?? ai.experimental_generateImage)({
      model: ai.wrapImageModel({ model: image, middleware }),
      prompt: 'a cat',
      n: 2,
    });
    const embeddings = 'model="text-embedding-3-small",provider="openai"';
    sameLines(t, await recorded(registry), [
      `llm_requests_total{${embeddings},operation="embeddings",status="success"} 3`,
      `llm_request_duration_seconds_count{${embeddings},operation="embeddings"} 3`,
      `llm_tokens_total{${embeddings},type="input"} 4`,
      `llm_unpriced_requests_total{${embeddings}} 3`,
      'llm_requests_total{model="m",provider="openai",operation="image",status="success"} 1',
      'llm_request_duration_seconds_count{model="m",provider="openai",operation="image"} 1',
      'llm_media_units_total{model="m",provider="openai",unit="images"} 2',
      'llm_unpriced_requests_total{model="m",provider="openai"} 1',
    ]);
  });
}

test.serial('ai 7: a model with a middleware, and the telemetry as well: a request counts once', async (t) => {
  const wire = await WireServer.start(t);
  const { registry, llm, agents } = collectors();
  t.teardown(instrumentAiSdk({ collector: llm, agents }));
  const middleware = createAiSdkMiddleware({ collector: llm });
  const { chat: make } = openai7.createOpenAI({ apiKey: 'k', baseURL: `${wire.url}/v1` });
  const model = ai7.wrapLanguageModel({ model: make(MODEL), middleware });
  wire.answer(chat('hi'), chatStream(['a']));
  await ai7.generateText({ model, prompt: 'why?' });
  await read(ai7.streamText({ model, prompt: 'why?' }).textStream);
  sameLines(t, await recorded(registry), [requests('success', 2), usage(2), reason('stop', 2), streamed(1), PER_TOKEN]);
});

test.serial('telemetry of ai 6 measures nothing, and one warning says what to do', async (t) => {
  const warnings = [];
  const listen = (warning) => warnings.push(warning.message);
  process.on('warning', listen);
  const { registry, llm, agents } = collectors();
  const uninstall = instrumentAiSdk({ collector: llm, agents });
  const model = new test6.MockLanguageModelV3({
    doGenerate: async () => ({
      content: [{ type: 'text', text: 'hi' }],
      finishReason: { unified: 'stop' },
      usage: { inputTokens: {}, outputTokens: {} },
      warnings: [],
    }),
  });
  const experimental_telemetry = { isEnabled: true, functionId: 'a' };
  for (let call = 0; call < 2; call++) await ai6.generateText({ model, prompt: 'a', experimental_telemetry });
  uninstall();
  await new Promise(setImmediate);
  process.off('warning', listen);
  t.deepEqual(await recorded(registry), []);
  t.is(warnings.filter((message) => message.includes('createAiSdkMiddleware()')).length, 1);
  t.is(warnings.filter((message) => message.includes('Instrumentation failed')).length, 0);
});
